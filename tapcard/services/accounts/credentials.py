"""Passwords: rules, hashing, log in, change.

Hashing is deliberately slow, and on SQLite every POST holds the write lock from its first query on. So the functions
that take a password first read what they need on a separate connection and hash, and only then use `db.session`. Call
them before any other query, or right after a commit.
"""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select

from ... import email_addresses, outbox
from ...db import db, execute_update, transactions
from ...errors import DomainError
from ...errors import mark as _
from ...models import LinkPurpose, User
from ..core import audit
from . import email_links, sessions, two_factor

MIN_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH = 10, 200


MIN_DIFFERENT_CHARACTERS = 4  # in a password


# Passwords of ten or more characters that lead the published lists of leaked ones.
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


class WeakPassword(DomainError):
    """The password is too short, too long or easy to guess."""

    status = 422
    field = "password"


class WrongCredentials(DomainError):
    """No active account has this address and this password."""

    status = 422


class WrongPassword(DomainError):
    """The password entered to confirm an action is not the account's."""

    status = 422
    field = "current"


@dataclass(frozen=True)
class PasswordProof:
    """Who proved their identity, and when the password that proved it was set: a later password invalidates it.

    Create it in the transaction that checked the password, because after the commit the password may change.
    """

    user_id: int
    password_set_at: datetime | None

    @classmethod
    def of(cls, user: User) -> "PasswordProof":
        """Return the proof of a user who has just given their password."""
        return cls(user.id, user.password_set_at)


@dataclass(frozen=True)
class _Credentials:
    user_id: int
    email: str
    password_hash: str | None


_hasher = PasswordHasher()


def configure_hasher(*, cheap: bool) -> None:
    """Hash with the library's default parameters, or, for tests only, with the cheapest ones."""
    global _hasher
    _hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1) if cheap else PasswordHasher()


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password; slow, so call it while no transaction is open."""
    return _hasher.hash(password)


def validate_password(password: str, email: str) -> None:
    """Raise `WeakPassword` for a password that is too short, too long or too easy to guess."""
    if len(password) < MIN_PASSWORD_LENGTH:
        raise WeakPassword(_("Use at least %(least)s characters."), least=MIN_PASSWORD_LENGTH)
    if len(password) > MAX_PASSWORD_LENGTH:
        raise WeakPassword(_("Enter %(most)s characters or fewer."), most=MAX_PASSWORD_LENGTH)
    folded = password.strip().lower()
    if folded == email.lower() or folded == email.lower().partition("@")[0]:
        raise WeakPassword(_("Your email address is too easy to guess. Choose another password."))
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}  # 1: "abcdefghij"
    if folded in COMMON_PASSWORDS or len(set(folded)) < MIN_DIFFERENT_CHARACTERS or len(steps) == 1:
        raise WeakPassword(_("That password is too easy to guess. Try three or four random words."))


def authenticate(email: str, password: str, now: datetime) -> User:
    """Return the user with this address and password, active or closed recently enough to be reopened.

    Hash before the transaction, see above. Raise `WrongCredentials` after the same amount of work whether the account,
    the address or the password was wrong.
    """
    stored = _read_credentials(User.email == email_addresses.fold(email))
    is_correct = _verify_hash(stored.password_hash if stored else None, password)
    user = _reload_user(stored, password, now) if stored is not None and is_correct else None
    if user is None:
        raise WrongCredentials(_("Incorrect email or password. Try again or reset your password."))
    user.seen_at = now
    return user


def _reload_user(stored: _Credentials, password: str, now: datetime) -> User | None:
    """Return the user if the password that was just verified is still theirs; renew an outdated hash."""
    assert stored.password_hash is not None
    new_hash = hash_password(password) if _hasher.check_needs_rehash(stored.password_hash) else None
    user = db.session.get(User, stored.user_id, populate_existing=True)
    if user is None or not (user.is_active or user.may_return(now)):
        return None
    if user.password_hash != stored.password_hash:  # changed meanwhile: rare enough to check under the lock
        return user if _verify_hash(user.password_hash, password) else None
    if new_hash is not None:
        user.password_hash = new_hash
    return user


def confirm_password(user_id: int, password: str) -> "_Credentials":
    """Return the user's stored credentials; raise `WrongPassword` unless the password is theirs.

    Hash before the transaction, see above.
    """
    stored = _read_credentials(User.id == user_id)
    if not _verify_hash(stored.password_hash if stored else None, password) or stored is None:
        raise _wrong_password()
    return stored


def _wrong_password() -> WrongPassword:
    return WrongPassword(_("That password isn't correct."))


def set_password(token: str, password: str, now: datetime) -> User:
    """Set a password through an emailed link, which also verifies the address; end all sessions of the user.

    If the address was not verified before, a stranger may have signed up with it, so the second factor is removed too.
    Hash before the transaction, see above. Raise `WeakPassword`, `LinkExpired` or `LinkUsed`.
    """
    validate_password(password, email_links.read_link(token, LinkPurpose.SET_PASSWORD, now).email)
    password_hash = hash_password(password)
    link = email_links.follow_link(token, LinkPurpose.SET_PASSWORD, now)
    user = link.user
    if not user.is_verified:
        two_factor.delete_two_factor(user)
    user.password_hash, user.password_set_at = password_hash, now
    user.verified_at = user.verified_at or now
    email_links.revoke_links(user, now)
    sessions.end_other_sessions(user, None)
    audit.record("user.password_set", subject=user, actor=user)
    return user


def change_password(user_id: int, current: str, password: str, *, keep_sid_hash: str, now: datetime) -> User:
    """Change a user's password, given the current one; end all their sessions except the one with `keep_sid_hash`.

    Hash before the transaction, see above. Raise `WrongPassword` or `WeakPassword`.
    """
    stored = confirm_password(user_id, current)
    validate_password(password, stored.email)
    password_hash = hash_password(password)
    changed_count = execute_update(
        sa.update(User)
        .where(User.id == user_id, User.password_hash == stored.password_hash)  # not if it was changed meanwhile
        .values(password_hash=password_hash, password_set_at=now)
    )
    if changed_count != 1:
        raise _wrong_password()
    user = db.session.get_one(User, user_id, populate_existing=True)
    email_links.revoke_links(user, now)
    sessions.end_other_sessions(user, keep_sid_hash)
    outbox.post("mail.password_changed", user_id=user.id)
    audit.record("user.password_changed", subject=user, actor=user)
    return user


def _read_credentials(condition: sa.ColumnElement[bool]) -> _Credentials | None:
    """Read credentials on a separate connection, so that no transaction is open while the password is verified."""
    columns = select(User.id, User.email, User.password_hash).where(condition)
    with transactions(writing=False), db.engine.connect() as connection:
        row = connection.execute(columns).one_or_none()
    return None if row is None else _Credentials(*row)


def _verify_hash(password_hash: str | None, password: str) -> bool:
    """Return whether a password matches a hash; take as long when there is no hash."""
    try:
        return _hasher.verify(password_hash or _dummy_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def _dummy_hash() -> str:
    """Return a hash with the current parameters that no password matches, to verify against in equal time."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    parameters = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2id$v=19${parameters}${salt}${digest}"


def revoke_all_access(user: User, now: datetime) -> None:
    """Remove password and second factor, revoke links and end sessions: a stranger may have set them up."""
    user.password_hash, user.password_set_at = None, now
    two_factor.delete_two_factor(user)
    email_links.revoke_links(user, now)
    sessions.end_other_sessions(user, None)
