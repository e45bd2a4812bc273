"""Accounts: signing up, proving who one is, passwords, addresses and the links that are mailed for them.

Passwords are hashed and checked while no transaction is open, because that is slow on purpose and on SQLite every
POST holds the write lock from its first query on. So the functions that take a password come in two parts: first they
read what they need on a connection of its own and hash, then they begin to write. Call them before anything else is
asked of `db.session`, or right after a commit.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ... import outbox, registry
from ...clock import utcnow
from ...db import db, insert, transactions
from ...errors import DomainError
from ...errors import mark as _
from ...models import LinkPurpose, LinkToken, RecoveryCode, Role, TwoFactor, User, WebSession
from ...models.users import EMAIL_LENGTH, NAME_LENGTH, RETURN_WITHIN
from ..core import audit

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
FEWEST_CHARACTERS = 4  # different ones

# Those of ten characters and more that stand on top of every published list.
_COMMON = """
0123456789 0987654321 1029384756 1122334455 11223344556677 1234512345 1234554321 1234567890 12345678900 1234567891
12345678910 123456789a 123456789q 1234567890a 1234567890q 12345qwert 123qwe123qwe 123qweasdzxc 1472583690 1q2w3e4r5t
1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc 7777777777 9876543210 a123456789 abc1234567 abcd123456 abcd1234567
administrator asdfghjkl1 asdfghjkl; aa12345678 baseball123 changeme123 charlie123 computer123 dragon1234 football123
iloveyou12 iloveyou123 letmein123 letmein1234 liverpool1 manchester manchester1 mypassword mypassword1 p@ssw0rd123
p@ssword123 passw0rd123 password01 password10 password11 password12 password123 password1234 password12345
password123456 password2024 password2025 password2026 password99 passwordpassword princess123 q1w2e3r4t5 q1w2e3r4t5y6
qazwsxedc1 qazwsxedcrfv qwe123qwe123 qwer123456 qwerty1234 qwerty12345 qwerty123456 qwerty1234567 qwertyqwerty
qwertyuiop qwertyuiop1 qwertyuiop123 qwertyuiop[] samsung123 sunshine123 superman123 tapcard123 tapcardtapcard
test123456 testtest123 welcome123 welcome1234 zaq12wsxcde3 zxcvbnm123 zxcvbnmasd
"""
COMMON_PASSWORDS = frozenset(_COMMON.split())

FIXED_ROLES = ("owner", "staff", "teacher", "assistant")

# Links that prove control of an address, or lead to another one: void once the password or the address has changed.
VOID_AFTER_A_CHANGE = (LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD, LinkPurpose.CHANGE_EMAIL)


class InvalidEmail(DomainError):
    """The text is not an e-mail address."""

    status = 422
    field = "email"


class AddressTaken(DomainError):
    """Another account has the address, or may get it back."""

    field = "email"


class SameAddress(DomainError):
    """The new address is the one the account has."""

    status = 422
    field = "email"


class WeakPassword(DomainError):
    """The password is too short, too long or among the first that anybody would try."""

    status = 422
    field = "password"


class WrongCredentials(DomainError):
    """No active account has this address and this password."""

    status = 422


class WrongPassword(DomainError):
    """The password typed to confirm something is not the account's."""

    status = 422
    field = "current"


class LinkExpired(DomainError):
    """The link is too old, unknown, or void because something changed since."""

    status = 410


class LinkUsed(DomainError):
    """The link has done its work before."""

    status = 410


@dataclass(frozen=True)
class LinkFacts:
    """What a page says about a link before it is followed."""

    user_id: int
    email: str
    current_email: str
    first_name: str
    has_password: bool
    is_verified: bool


@dataclass(frozen=True)
class Proof:
    """Who somebody proved to be, and since when the password has been in force that did it: with another, it is void.

    Take it in the transaction that checked the password: after the commit the row may have another one.
    """

    user_id: int
    password_set_at: datetime | None

    @classmethod
    def of(cls, user: User) -> "Proof":
        """The proof that was just given by a user."""
        return cls(user.id, user.password_set_at)


@dataclass(frozen=True)
class _Credentials:
    user_id: int
    email: str
    password_hash: str | None


# --- addresses --------------------------------------------------------------------------------------------------------


def normalise_email(raw: str) -> str:
    """The one spelling of an e-mail address that is stored; raises `InvalidEmail`."""
    try:
        checked = validate_email(raw.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        raise InvalidEmail(_("Enter a valid email address, such as ada@example.com.")) from None
    email = checked.normalized.lower()
    if len(email) > EMAIL_LENGTH:
        raise InvalidEmail(_("That email address is too long."))
    return email


def fold_email(raw: str) -> str:
    """The spelling under which an address would be stored, also of what is none."""
    try:
        return normalise_email(raw)
    except InvalidEmail:
        return raw.strip().lower()


def find(email: str) -> User | None:
    """The user of an address, in any spelling."""
    return db.session.scalar(select(User).where(User.email == fold_email(email)))


def _is_reserved(email: str, user: User, now: datetime) -> bool:
    """Whether somebody else gave the address up so lately that they may still take it back."""
    kept = select(LinkToken.id).where(
        LinkToken.purpose == LinkPurpose.UNDO_EMAIL,
        LinkToken.email == email,
        LinkToken.user_id != user.id,
        LinkToken.used_at.is_(None),
        LinkToken.expires_at > now,
    )
    return db.session.scalar(kept.limit(1)) is not None


# --- passwords --------------------------------------------------------------------------------------------------------

_hasher = PasswordHasher()


def set_password_cost(*, cheap: bool) -> None:
    """Hash with the library's own parameters, or, for tests alone, with next to none."""
    global _hasher
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()


def hash_password(password: str) -> str:
    """Hash a password with argon2id; slow, so no transaction may be open."""
    return _hasher.hash(password)


def refuse_weak(password: str, email: str) -> None:
    """Raise `WeakPassword` for a password that is too short, too long or too easy to guess."""
    if len(password) < SHORTEST_PASSWORD:
        raise WeakPassword(_("Use at least %(least)s characters."), least=SHORTEST_PASSWORD)
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword(_("Enter %(most)s characters or fewer."), most=LONGEST_PASSWORD)
    folded = password.strip().lower()
    if folded == email.lower() or folded == email.lower().partition("@")[0]:
        raise WeakPassword(_("Your email address is too easy to guess. Choose another password."))
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    if folded in COMMON_PASSWORDS or len(set(folded)) < FEWEST_CHARACTERS or len(steps) == 1:
        raise WeakPassword(_("That password is too easy to guess. Try three or four random words."))


def authenticate(email: str, password: str, now: datetime) -> User:
    """The user of this address and password, active or closed so lately that they may return; hashes first, see above.

    Raises `WrongCredentials` after the same work, whichever of the two was wrong or if there is no such account.
    """
    known = _credentials(User.email == fold_email(email))
    is_right = _matches(known.password_hash if known else None, password)
    user = _reread(known, password, now) if known is not None and is_right else None
    if user is None:
        raise WrongCredentials(_("Incorrect email or password. Try again or reset your password."))
    user.seen_at = now
    return user


def _reread(known: _Credentials, password: str, now: datetime) -> User | None:
    """The user whose password was right a moment ago, if it still is; an outdated hash is made anew."""
    assert known.password_hash is not None
    renewed = hash_password(password) if _hasher.check_needs_rehash(known.password_hash) else None
    user = db.session.get(User, known.user_id, populate_existing=True)
    if user is None or not (user.is_active or user.may_return(now)):
        return None
    if user.password_hash != known.password_hash:  # changed meanwhile: rare enough to check under the lock
        return user if _matches(user.password_hash, password) else None
    if renewed is not None:
        user.password_hash = renewed
    return user


def confirm_password(user_id: int, password: str) -> "_Credentials":
    """Raise `WrongPassword` unless it is the user's; hashes, see above."""
    known = _credentials(User.id == user_id)
    if not _matches(known.password_hash if known else None, password) or known is None:
        raise _wrong_password()
    return known


def _wrong_password() -> WrongPassword:
    return WrongPassword(_("That password isn't correct."))


def set_password(token: str, password: str, now: datetime) -> User:
    """Set a password through a mailed link, which also proves the address; every session of the user ends.

    So does all else that lets into an account whose address nobody had proved: a stranger may have signed up with it.
    Raises `WeakPassword`, `LinkExpired` or `LinkUsed`. Hashes first, see above.
    """
    refuse_weak(password, peek(token, LinkPurpose.SET_PASSWORD, now).email)
    password_hash = hash_password(password)
    link = follow_link(token, LinkPurpose.SET_PASSWORD, now)
    user = link.user
    if not user.is_verified:
        forget_second_factor(user)
    user.password_hash, user.password_set_at = password_hash, now
    user.verified_at = user.verified_at or now
    void_links(user, now)
    end_other_sessions(user, None)
    audit.record("user.password_set", subject=user, actor=user)
    return user


def change_password(user_id: int, current: str, password: str, *, keep_sid_hash: str, now: datetime) -> User:
    """Change a password that the user knows; all their sessions but the one kept end.

    Raises `WrongPassword` or `WeakPassword`. Hashes first, see above.
    """
    known = confirm_password(user_id, current)
    refuse_weak(password, known.email)
    password_hash = hash_password(password)
    changed = db.session.execute(
        sa.update(User)
        .where(User.id == user_id, User.password_hash == known.password_hash)  # not if it was changed meanwhile
        .values(password_hash=password_hash, password_set_at=now)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise _wrong_password()
    user = db.session.get_one(User, user_id, populate_existing=True)
    void_links(user, now)
    end_other_sessions(user, keep_sid_hash)
    outbox.post("mail.password_changed", user_id=user.id)
    audit.record("user.password_changed", subject=user, actor=user)
    return user


def _credentials(condition: sa.ColumnElement[bool]) -> _Credentials | None:
    """Read on a connection of its own, given back at once: no transaction stays open while the password is checked."""
    columns = select(User.id, User.email, User.password_hash).where(condition)
    with transactions(writing=False), db.engine.connect() as connection:
        row = connection.execute(columns).one_or_none()
    return None if row is None else _Credentials(*row)


def _matches(password_hash: str | None, password: str) -> bool:
    """Whether a password fits; takes as long when there is none to compare with."""
    try:
        return _hasher.verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _nobodys_hash() -> str:
    """A hash of nothing with the parameters in use: checking it costs as much, and it never fits."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    parameters = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${parameters}${salt}${digest}"


# --- making accounts --------------------------------------------------------------------------------------------------


def sign_up(first_name: str, last_name: str, email: str, password: str, now: datetime) -> User | None:
    """Make an account with a password and promise the mail that verifies its address.

    For an account that was made for the person and has no password yet, a link to set one is promised, nothing else
    changes, and the answer is None. Raises `InvalidEmail`, `WeakPassword` or `AddressTaken`. Hashes first, see above.
    """
    email = normalise_email(email)
    refuse_weak(password, email)
    password_hash = hash_password(password)
    values = {"first_name": first_name, "last_name": last_name, "password_hash": password_hash, "created_at": now}
    values["password_set_at"] = now
    user, is_new = _find_or_insert(email, values)
    if is_new and _is_reserved(email, user, now):
        raise _address_taken()
    if is_new:
        outbox.post("mail.verify_email", user_id=user.id)
        audit.record("user.signed_up", subject=user, actor=user)
        return user
    if user.password_hash is not None or not user.is_active:
        raise _address_taken()
    outbox.post("mail.set_password", email=email)
    return None


def make_account(email: str, first_name: str, last_name: str, now: datetime | None = None) -> User:
    """The account of an address, made without a password if there is none; raises `InvalidEmail` or `AddressTaken`."""
    email, now = normalise_email(email), now or utcnow()
    values = {"first_name": first_name[:NAME_LENGTH], "last_name": last_name[:NAME_LENGTH], "created_at": now}
    user, is_new = _find_or_insert(email, values)
    if is_new and _is_reserved(email, user, now):
        raise _address_taken()
    if is_new:
        audit.record("user.made", subject=user)
    return user


def create_owner(
    email: str, first_name: str, last_name: str, password: str | None = None, now: datetime | None = None
) -> User:
    """Make somebody the shop's owner; without a password they get a link to set one. Hashes first, see above.

    All sessions end, as with every change of rights; who had never confirmed the address loses password and second
    factor too, since a stranger may have signed up with it.
    """
    email, now = normalise_email(email), now or utcnow()
    if password is not None:
        refuse_weak(password, email)
    password_hash = hash_password(password) if password is not None else None
    seed_roles()
    user = make_account(email, first_name, last_name, now)
    owner = db.session.scalars(select(Role).where(Role.name == "owner")).one()
    if owner not in user.roles:
        user.roles.append(owner)
    end_other_sessions(user, None)
    void_links(user, now)
    if not user.is_verified:
        _shut_out(user, now)
    if password_hash is not None:
        user.password_hash, user.password_set_at = password_hash, now
        user.verified_at = user.verified_at or now
    elif user.password_hash is None:
        outbox.post("mail.set_password", email=email)
    audit.record("user.owner_made", subject=user)
    return user


def fixed_roles() -> dict[str, tuple[str, ...]]:
    """Return the permissions of each fixed role, from what the subjects declare; the owner has every permission."""
    declared = registry.permissions.items()
    roles = {role: tuple(name for name, granted in declared if role in granted) for role in FIXED_ROLES}
    return {**roles, "owner": ("*",)}


def seed_roles() -> None:
    """Bring the fixed roles and what they may do up to date; twice is the same as once."""
    for name, permissions in fixed_roles().items():
        values = {"permissions": list(permissions), "is_fixed": True}
        fresh = insert(Role).values(name=name, **values)
        db.session.execute(fresh.on_conflict_do_update(index_elements=["name"], set_=values))


def _find_or_insert(email: str, values: dict[str, Any]) -> tuple[User, bool]:
    """The user of an address and whether this call made them; of two calls at once, one did."""
    fresh = insert(User).values(email=email, **values).on_conflict_do_nothing(index_elements=["email"])
    made = db.session.execute(fresh.returning(User.id)).scalar_one_or_none()
    user = db.session.scalars(select(User).where(User.email == email)).one()
    return user, made is not None


def _address_taken() -> AddressTaken:
    return AddressTaken(_("An account with this email already exists. Log in or reset your password."))


# --- mailed links -----------------------------------------------------------------------------------------------------


def issue_link(user: User, purpose: LinkPurpose, email: str, now: datetime) -> str:
    """Make a link for a user and give its token, for a page that goes on without a mail."""
    link, token = LinkToken.issue(user, purpose, email, now)
    db.session.add(link)
    return token


def peek(token: str, purpose: LinkPurpose, now: datetime) -> LinkFacts:
    """Look at a link without following it; raises `LinkExpired` or `LinkUsed`.

    Reads on a connection of its own, so that no write lock is held when a password is hashed next.
    """
    columns = select(
        LinkToken.user_id,
        LinkToken.email,
        LinkToken.used_at,
        LinkToken.expires_at,
        User.email,
        User.first_name,
        User.password_hash,
        User.verified_at,
        _is_alive(purpose, now),
    ).join(LinkToken.user)
    with transactions(writing=False), db.engine.connect() as connection:
        row = connection.execute(columns.where(*_is_link(token, purpose))).one_or_none()
    if row is None:
        raise _link_expired()
    user_id, email, used_at, expires_at, current_email, first_name, password_hash, verified_at, is_alive = row
    if used_at is not None:
        raise LinkUsed(_("This link has already been used."))
    if expires_at <= now or not is_alive or _is_outdated(purpose, email, current_email):
        raise _link_expired()
    return LinkFacts(user_id, email, current_email, first_name, password_hash is not None, verified_at is not None)


def follow_link(token: str, purpose: LinkPurpose, now: datetime) -> LinkToken:
    """Use a link up: one conditional UPDATE, so it works once; raises `LinkExpired` or `LinkUsed`."""
    is_open = sa.and_(LinkToken.used_at.is_(None), LinkToken.expires_at > now)
    used = db.session.execute(
        sa.update(LinkToken)
        .where(*_is_link(token, purpose), is_open)
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    link = db.session.scalar(
        select(LinkToken).where(*_is_link(token, purpose)).execution_options(populate_existing=True)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]
        if link is not None and link.used_at is not None:
            raise LinkUsed(_("This link has already been used."))
        raise _link_expired()
    assert link is not None
    is_alive = db.session.scalar(select(_is_alive(purpose, now)).where(User.id == link.user_id))
    if not is_alive or _is_outdated(purpose, link.email, link.user.email):
        raise _link_expired()
    return link


def _is_alive(purpose: LinkPurpose, now: datetime) -> sa.ColumnElement[bool]:
    """Links open active accounts alone; but who took an account over must not keep its person out by closing it."""
    if purpose is not LinkPurpose.UNDO_EMAIL:
        return sa.and_(User.is_active, sa.true())
    return sa.or_(User.is_active, sa.and_(User.erased_at.is_(None), User.closed_at > now - RETURN_WITHIN))


def _is_link(token: str, purpose: LinkPurpose) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return LinkToken.token_hash == LinkToken.hash_of(token), LinkToken.purpose == purpose


def _is_outdated(purpose: LinkPurpose, email: str, current_email: str) -> bool:
    """Whether a link that stands for an address was mailed to one the account no longer has."""
    return purpose in (LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD) and email != current_email


def void_links(user: User, now: datetime, *purposes: LinkPurpose) -> None:
    """End a user's open links of some purposes, usually all that a change makes void."""
    db.session.execute(
        sa.update(LinkToken)
        .where(
            LinkToken.user_id == user.id,
            LinkToken.purpose.in_(purposes or VOID_AFTER_A_CHANGE),
            LinkToken.used_at.is_(None),
        )
        .values(expires_at=now)
        .execution_options(synchronize_session=False)
    )


def _link_expired() -> LinkExpired:
    return LinkExpired(_("This link is no longer valid."))


# --- the address of an account ----------------------------------------------------------------------------------------


def verify(token: str, now: datetime, *, by: int | None) -> User:
    """Mark an address as its user's own; raises `LinkExpired` or `LinkUsed`.

    Anybody can sign up with somebody else's address. So unless the link is followed by the account's own holder (`by`
    is the id of whoever is signed in), every way into the account ends, and a password has to be chosen anew.
    """
    user = follow_link(token, LinkPurpose.VERIFY_EMAIL, now).user
    if user.verified_at is None:
        if by != user.id:
            _shut_out(user, now)
        user.verified_at = now
        audit.record("user.verified", subject=user, actor=user, is_shut_out=by != user.id)
    return user


def _shut_out(user: User, now: datetime) -> None:
    """End all that lets anybody into an account, or moves it elsewhere: a stranger may have prepared it."""
    user.password_hash, user.password_set_at = None, now
    forget_second_factor(user)
    void_links(user, now)
    end_other_sessions(user, None)


def ask_email_change(user_id: int, password: str, email: str, now: datetime) -> None:
    """Promise a link to a new address; nothing changes before it is followed, and an earlier one ends.

    Says nothing of whether another account has the address: then no mail goes out. Raises `InvalidEmail`,
    `WrongPassword` or `SameAddress`. Hashes first, see above.
    """
    email = normalise_email(email)
    confirm_password(user_id, password)
    user = db.session.get_one(User, user_id)
    if email == user.email:
        raise SameAddress(_("This is already your email address."))
    void_links(user, now, LinkPurpose.CHANGE_EMAIL)
    link, _token = LinkToken.issue(user, LinkPurpose.CHANGE_EMAIL, email, now)  # the mail makes a token of its own
    db.session.add(link)
    db.session.flush()  # the promise needs the link's id
    outbox.post("mail.email_change", link_id=link.id)
    audit.record("user.email_change_asked", subject=user, actor=user)


def confirm_email_change(token: str, now: datetime) -> User:
    """Let a new address take effect; the old one, if it was verified, is told and can undo it for a week.

    An old address that was never verified may be a stranger's, so it gets no such power. Raises `LinkExpired`,
    `LinkUsed` or `AddressTaken`.
    """
    link = follow_link(token, LinkPurpose.CHANGE_EMAIL, now)
    user, old_email, was_verified = link.user, link.user.email, link.user.is_verified
    _move_to(user, link.email, now)
    void_links(user, now)
    if was_verified:
        undo, _token = LinkToken.issue(user, LinkPurpose.UNDO_EMAIL, old_email, now)  # as above
        db.session.add(undo)
        db.session.flush()  # the promise needs the link's id
        outbox.post("mail.email_changed", link_id=undo.id)
    audit.record("user.email_changed", subject=user, actor=user)
    return user


def undo_email_change(token: str, now: datetime) -> User:
    """Give an account its former address back, as if somebody else had changed it.

    Whoever did knew the password, so it stops working, every session ends, and so does every link they may hold. An
    account that they closed is still closed: whoever calls this opens it again (`closing.reopen`).
    Raises `LinkExpired`, `LinkUsed` or `AddressTaken`.
    """
    link = follow_link(token, LinkPurpose.UNDO_EMAIL, now)
    user = link.user
    _move_to(user, link.email, now)
    user.password_hash, user.password_set_at = None, now
    void_links(user, now)
    later = sa.and_(
        LinkToken.user_id == user.id, LinkToken.purpose == LinkPurpose.UNDO_EMAIL, LinkToken.id > link.id,
        LinkToken.used_at.is_(None),
    )  # fmt: skip
    db.session.execute(
        sa.update(LinkToken).where(later).values(expires_at=now).execution_options(synchronize_session=False)
    )
    end_other_sessions(user, None)
    audit.record("user.email_change_undone", subject=user, actor=user)
    return user


def _move_to(user: User, email: str, now: datetime) -> None:
    try:
        with db.session.begin_nested():
            user.email, user.verified_at = email, now
    except IntegrityError:
        raise AddressTaken(_("Another account is already using this email address.")) from None
    if _is_reserved(email, user, now):
        raise AddressTaken(_("Another account is already using this email address."))


# --- everything else --------------------------------------------------------------------------------------------------


def update_details(user: User, *, title: str, first_name: str, last_name: str, born_on: date | None) -> None:
    """Change how a person is called and when they were born."""
    user.title, user.first_name, user.last_name = title or None, first_name, last_name
    user.born_on = born_on


def choose_mails(user: User, *, lead: bool, weekly: bool) -> None:
    """Store which mails somebody wants to come by themselves."""
    user.wants_lead_mail, user.wants_weekly_mail = lead, weekly


def forget_second_factor(user: User) -> None:
    """Delete the secret of an app and its recovery codes, and say nothing of it."""
    for model in (TwoFactor, RecoveryCode):
        theirs = sa.delete(model).where(model.user_id == user.id)
        db.session.execute(theirs.execution_options(synchronize_session=False))
    db.session.expire(user, ["two_factor"])


def end_other_sessions(user: User, keep_sid_hash: str | None) -> None:
    """Sign a user out of every browser but the one whose stored session id is given."""
    theirs = sa.delete(WebSession).where(WebSession.user_id == user.id)
    if keep_sid_hash is not None:
        theirs = theirs.where(WebSession.sid_hash != keep_sid_hash)
    db.session.execute(theirs.execution_options(synchronize_session=False))
