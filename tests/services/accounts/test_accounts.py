"""The rules of accounts, below the pages."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import func, select

from tapcard import email_addresses
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.email_addresses import InvalidEmail
from tapcard.errors import DomainError
from tapcard.models import (
    AuditEntry,
    LinkPurpose,
    LinkToken,
    OutboxMessage,
    RecoveryCode,
    Role,
    TwoFactor,
    User,
    WebSession,
)
from tapcard.services.accounts import credentials, email_change, email_links, registration, roles, sessions
from tapcard.services.accounts.credentials import WeakPassword, WrongCredentials, WrongPassword
from tapcard.services.accounts.email_change import EmailUnchanged
from tapcard.services.accounts.email_links import LinkExpired, LinkUsed
from tapcard.services.accounts.registration import EmailTaken
from tests.conftest import PASSWORD

NEW_PASSWORD = "battery staple correct"
NOW = utcnow()


def promised(kind: str) -> list[dict[str, Any]]:
    of_kind = select(OutboxMessage.payload).where(OutboxMessage.kind == kind)
    return list(db.session.scalars(of_kind.order_by(OutboxMessage.id)))


def link(user: User, purpose: LinkPurpose, email: str | None = None, now: Any = None) -> str:
    token = email_links.issue_link(user, purpose, email or user.email, now or NOW)
    db.session.commit()
    return token


def link_of(promise: dict[str, Any]) -> str:
    """What the mail would carry."""
    token = db.session.get_one(LinkToken, promise["link_id"]).renew()
    db.session.commit()
    return token


def signed_up(email: str = "dora@example.com") -> User:
    user = registration.sign_up("Dora", "Lu", email, PASSWORD, NOW)
    db.session.commit()
    assert user is not None
    return user


def together(app: Flask, number: int, work: Callable[[], object]) -> list[object]:
    """Let so many threads do the same thing at the same instant; gives what each got, or the refusal."""
    start = Barrier(number)
    db.session.commit()

    def run(_number: int) -> object:
        with app.app_context():
            start.wait()
            try:
                work()
            except DomainError as error:
                db.session.rollback()
                return type(error)
            db.session.commit()
            return "done"

    with ThreadPoolExecutor(number) as pool:
        results = list(pool.map(run, range(number)))
    db.session.expire_all()
    return results


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada@Example.COM \n", "ada@example.com"),
        ("ada+cards@example.com", "ada+cards@example.com"),
        ("ada@m\u00fcller.example.com", "ada@m\u00fcller.example.com"),
        ("ada@mu\u0308ller.example.com", "ada@m\u00fcller.example.com"),
        ("ada@XN--MLLER-KVA.example.com", "ada@m\u00fcller.example.com"),
    ],
)
def test_an_address_has_one_spelling(typed: str, stored: str) -> None:
    assert email_addresses.normalize(typed) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "ada", "@example.com", "ada@", "ada@localhost", "ada@example", "a b@example.com", "ada@example.com,b@c.com",
     "ada@exa\x00mple.com", "ada\r\nBcc: x@example.com", "<ada@example.com>", "ada@[127.0.0.1]", "\u00e4da@example.com",
     "a" * 65 + "@example.com", "ada@" + "a." * 130 + "com"],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidEmail) as refusal:
        email_addresses.normalize(typed)
    assert refusal.value.field == "email"


@pytest.mark.usefixtures("ada")
def test_a_user_is_found_by_any_spelling() -> None:
    assert registration.find_user(" ADA@example.com ") is not None
    assert registration.find_user("nobody@example.com") is None
    assert registration.find_user("not an address") is None


# --- passwords --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    ["", "short", "123456789", "1234567890", "2345678901"[:9], "aaaaaaaaaa", "abababababab", "abcdefghijkl",
     "zyxwvutsrqponm", "Password123", "QWERTYUIOP", "iloveyou123", "ada@example.com", "ADA@EXAMPLE.COM", "x" * 201],
)  # fmt: skip
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword) as refusal:
        credentials.validate_password(password, "ada@example.com")
    assert refusal.value.field == "password"


def test_the_part_before_the_at_sign_is_no_password_either() -> None:
    with pytest.raises(WeakPassword):
        credentials.validate_password("adalovelace1815", "adalovelace1815@example.com")


@pytest.mark.parametrize("password", [PASSWORD, "tapcard-demo", "пароль из слов", "  spaces count  ", "ab12" * 50])
def test_a_good_password_is_allowed(password: str) -> None:
    credentials.validate_password(password, "ada@example.com")


def test_the_password_itself_is_not_stored(ada: User) -> None:
    assert ada.password_hash is not None
    assert ada.password_hash.startswith("$argon2id$")
    assert PASSWORD not in ada.password_hash


def test_the_right_password_gives_the_user(ada: User) -> None:
    assert credentials.authenticate("Ada@Example.com", PASSWORD, NOW) == ada
    assert ada.seen_at == NOW


def refused(email: str, password: str) -> str:
    with pytest.raises(WrongCredentials) as refusal:
        credentials.authenticate(email, password, NOW)
    assert refusal.value.field is None
    return str(refusal.value)


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords were compared with."""
    seen: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002  the library's name
            seen.append(hash)
            return super().verify(hash, password)

    monkeypatch.setattr(credentials, "_hasher", Counting(time_cost=1, memory_cost=8, parallelism=1))
    return seen


def test_every_refusal_reads_the_same_and_costs_the_same(
    ada: User, cleo: User, verifications: list[str], create_user: Callable[..., User]
) -> None:
    cleo.is_active = False
    create_user("new@example.com", password=None)
    db.session.commit()
    attempts = [
        ("ada@example.com", "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("cleo@example.com", PASSWORD),
        ("new@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("", ""),
    ]
    messages = {refused(email, password) for email, password in attempts}
    assert len(messages) == 1
    assert len(verifications) == len(attempts)
    parameters = {"$".join(each.split("$")[:4]) for each in verifications}
    lengths = {tuple(map(len, each.split("$"))) for each in verifications}
    assert len(parameters) == len(lengths) == 1


def test_with_the_real_parameters_an_unknown_address_costs_a_real_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_hasher", PasswordHasher())
    hasher = PasswordHasher()
    parameters = f"$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}$"
    assert parameters in credentials._dummy_hash()
    assert parameters in credentials.hash_password("x")


def test_a_damaged_hash_fits_nothing(ada: User) -> None:
    ada.password_hash = "pbkdf2:sha256:1000$abc$def"
    db.session.commit()
    refused("ada@example.com", PASSWORD)


def test_an_outdated_hash_is_renewed_at_the_next_log_in(ada: User) -> None:
    before = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    ada.password_hash = before
    db.session.commit()
    credentials.authenticate(ada.email, PASSWORD, NOW)
    db.session.commit()
    assert ada.password_hash != before
    assert "m=8,t=1,p=1" in (ada.password_hash or "")
    credentials.authenticate(ada.email, PASSWORD, NOW)


def test_a_hash_that_is_up_to_date_stays(ada: User) -> None:
    before = ada.password_hash
    credentials.authenticate(ada.email, PASSWORD, NOW)
    db.session.commit()
    assert ada.password_hash == before


def test_a_password_changed_during_log_in_is_looked_at_again(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    old = credentials._read_credentials(User.id == ada.id)
    ada.password_hash = credentials.hash_password(NEW_PASSWORD)
    db.session.commit()
    monkeypatch.setattr(credentials, "_read_credentials", lambda _condition: old)
    refused(ada.email, PASSWORD)


def test_a_password_is_changed_by_whoever_knows_it(ada: User) -> None:
    credentials.change_password(ada.id, PASSWORD, NEW_PASSWORD, keep_sid_hash="", now=NOW)
    db.session.commit()
    assert credentials.authenticate(ada.email, NEW_PASSWORD, NOW) == ada
    refused(ada.email, PASSWORD)
    assert promised("mail.password_changed") == [{"user_id": ada.id}]


def test_a_password_is_not_changed_without_the_present_one(ada: User) -> None:
    with pytest.raises(WrongPassword) as refusal:
        credentials.change_password(ada.id, "wrong password", NEW_PASSWORD, keep_sid_hash="", now=NOW)
    assert refusal.value.field == "current"
    db.session.rollback()
    assert credentials.authenticate(ada.email, PASSWORD, NOW) == ada


def test_a_password_is_not_changed_to_a_weak_one(ada: User) -> None:
    with pytest.raises(WeakPassword):
        credentials.change_password(ada.id, PASSWORD, "ada@example.com", keep_sid_hash="", now=NOW)


def test_other_sessions_end_and_nobody_elses(ada: User, cleo: User) -> None:
    for user, sid in ((ada, "a1"), (ada, "a2"), (cleo, "c1")):
        db.session.add(
            WebSession(sid_hash=sid, user_id=user.id, data=b"{}", seen_at=NOW, expires_at=NOW + timedelta(days=1))
        )
    db.session.commit()
    sessions.end_other_sessions(ada, "a2")
    assert set(db.session.scalars(select(WebSession.sid_hash))) == {"a2", "c1"}
    sessions.end_other_sessions(ada, None)
    assert set(db.session.scalars(select(WebSession.sid_hash))) == {"c1"}


# --- making accounts --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("app")
def test_signing_up_makes_an_unverified_customer() -> None:
    user = signed_up("  Dora@Example.com")
    assert (user.email, user.first_name, user.last_name) == ("dora@example.com", "Dora", "Lu")
    assert not user.is_verified
    assert user.is_active
    assert user.roles == []
    assert promised("mail.verify_email") == [{"user_id": user.id}]


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", " ada@Example.com "])
def test_an_address_is_signed_up_once_in_any_spelling(ada: User, email: str) -> None:
    with pytest.raises(EmailTaken) as refusal:
        registration.sign_up("Eve", "Evil", email, NEW_PASSWORD, NOW)
    assert refusal.value.field == "email"
    db.session.rollback()
    assert ada.first_name == "Ada"
    assert credentials.authenticate("ada@example.com", PASSWORD, NOW) == ada


def test_signing_up_to_a_prepared_account_only_sends_a_link(create_user: Callable[..., User]) -> None:
    prepared = create_user("new@example.com", first_name="Nia", password=None, verified=False)
    assert registration.sign_up("Eve", "Evil", "New@example.com", NEW_PASSWORD, NOW) is None
    db.session.commit()
    assert promised("mail.set_password") == [{"email": "new@example.com"}]
    assert (prepared.first_name, prepared.password_hash, prepared.is_verified) == ("Nia", None, False)


def test_an_account_that_is_switched_off_keeps_its_address(create_user: Callable[..., User]) -> None:
    create_user("gone@example.com", password=None, is_active=False)
    with pytest.raises(EmailTaken):
        registration.sign_up("Gus", "Gone", "gone@example.com", PASSWORD, NOW)


def test_two_sign_ups_at_once_make_one_account(app: Flask) -> None:
    results = together(app, 8, lambda: registration.sign_up("Dora", "Lu", "dora@example.com", PASSWORD, NOW))
    assert sorted(map(str, results)) == sorted(["done", *[str(EmailTaken)] * 7])
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert len(promised("mail.verify_email")) == 1


def test_an_account_is_made_for_somebody_once(app: Flask) -> None:
    first = registration.get_or_create_account("Gus@Example.com", "Gus", "Moss")
    assert registration.get_or_create_account("gus@example.com", "Other", "Name").id == first.id
    assert (first.first_name, first.password_hash, first.is_verified) == ("Gus", None, False)
    refused("gus@example.com", "")


def test_an_account_made_twice_at_once_is_one(app: Flask) -> None:
    results = together(app, 6, lambda: registration.get_or_create_account("gus@example.com", "Gus", "Moss"))
    assert results == ["done"] * 6
    assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_an_imported_name_fits_its_column(app: Flask) -> None:
    user = registration.get_or_create_account("gus@example.com", "G" * 80, "")
    assert len(user.first_name) == 50


def test_an_account_with_the_name_of_no_address_is_refused(app: Flask) -> None:
    with pytest.raises(InvalidEmail):
        registration.get_or_create_account("gus", "Gus", "Moss")


def test_the_first_owner_is_made_by_a_command(app: Flask) -> None:
    user = roles.create_owner("Olu@example.com", "Olu", "Ade", PASSWORD)
    db.session.commit()
    assert [role.name for role in user.roles] == ["owner"]
    assert user.may("anything at all")
    assert credentials.authenticate("olu@example.com", PASSWORD, NOW) == user
    assert user.is_verified


def test_an_owner_without_a_password_gets_a_link(app: Flask) -> None:
    roles.create_owner("olu@example.com", "Olu", "Ade")
    assert promised("mail.set_password") == [{"email": "olu@example.com"}]


def test_somebody_with_an_account_becomes_owner_and_keeps_the_rest(ada: User) -> None:
    for _time in range(2):
        user = roles.create_owner("ada@example.com", "Other", "Name")
        db.session.commit()
    assert user.id == ada.id
    assert [role.name for role in ada.roles] == ["owner"]
    assert ada.first_name == "Ada"
    assert credentials.authenticate("ada@example.com", PASSWORD, NOW) == ada
    assert promised("mail.set_password") == []


def test_a_stranger_who_signed_up_with_the_owners_address_gets_nothing_of_it(app: Flask) -> None:
    registration.sign_up("Not", "Olu", "olu@example.com", PASSWORD, NOW)
    db.session.commit()
    stranger = registration.find_user("olu@example.com")
    assert stranger is not None
    db.session.add(TwoFactor(user_id=stranger.id, secret="sealed", confirmed_at=NOW))
    values = {"sid_hash": "0" * 64, "user_id": stranger.id, "data": b"{}", "seen_at": NOW, "expires_at": NOW}
    db.session.add(WebSession(**values))
    db.session.commit()
    roles.create_owner("olu@example.com", "Olu", "Ade")
    db.session.commit()
    assert db.session.scalars(select(WebSession)).all() == []
    assert not stranger.has_two_factor
    with pytest.raises(WrongCredentials):
        credentials.authenticate("olu@example.com", PASSWORD, NOW)
    assert len(promised("mail.set_password")) == 1


def test_an_owner_with_a_weak_password_is_not_made(app: Flask) -> None:
    with pytest.raises(WeakPassword):
        roles.create_owner("olu@example.com", "Olu", "Ade", "1234567890")
    assert registration.find_user("olu@example.com") is None


def test_the_fixed_roles_are_seeded_and_corrected(app: Flask) -> None:
    staff = db.session.scalars(select(Role).where(Role.name == "staff")).one()
    staff.permissions, staff.is_fixed = [], False
    db.session.commit()
    roles.seed_roles()
    roles.seed_roles()
    db.session.commit()
    stored = {role.name: role for role in db.session.scalars(select(Role))}
    assert {"owner", "staff", "teacher", "assistant"} <= set(stored)
    assert all(stored[name].is_fixed for name in roles.fixed_roles())
    assert "cards.register" in stored["staff"].permissions
    assert "*" not in stored["staff"].permissions


def test_a_role_keeps_working_that_names_permissions_nobody_asks_for(app: Flask, ben: User) -> None:
    """Roles that an earlier version stored, or that were made by hand."""
    desk = Role(name="desk", permissions=["cards.lock", "cards.view", "users.view"], is_fixed=False)
    ben.roles = [desk]
    db.session.commit()
    roles.seed_roles()
    db.session.commit()
    assert [ben.may(permission) for permission in ("cards.view", "cards.lock", "orders.view")] == [True, True, False]
    assert desk.permissions == ["cards.lock", "cards.view", "users.view"]
    ben.roles = []
    db.session.delete(desk)
    db.session.commit()


def test_who_may_what(ada: User, ben: User, olu: User) -> None:
    answers = [(user.may("cards.register"), user.may("settings.edit")) for user in (ada, ben, olu)]
    assert answers == [(False, False), (True, False), (True, True)]


# --- links ------------------------------------------------------------------------------------------------------------


def test_only_the_hash_of_a_link_is_stored(ada: User) -> None:
    token = link(ada, LinkPurpose.VERIFY_EMAIL)
    row = db.session.scalars(select(LinkToken)).one()
    assert token not in (row.token_hash, row.email)
    assert row.token_hash == LinkToken.hash_of(token)
    assert len(token) >= 43


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [
        (LinkPurpose.VERIFY_EMAIL, timedelta(days=7)),
        (LinkPurpose.SET_PASSWORD, timedelta(hours=1)),
        (LinkPurpose.CHANGE_EMAIL, timedelta(days=1)),
        (LinkPurpose.UNDO_EMAIL, timedelta(days=7)),
    ],
)
def test_a_link_lives_as_long_as_its_purpose_allows(ada: User, purpose: LinkPurpose, lifetime: timedelta) -> None:
    token = link(ada, purpose)
    assert email_links.read_link(token, purpose, NOW + lifetime - timedelta(seconds=1)).user_id == ada.id
    with pytest.raises(LinkExpired):
        email_links.read_link(token, purpose, NOW + lifetime)
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, purpose, NOW + lifetime)
    db.session.rollback()
    assert email_links.follow_link(token, purpose, NOW + lifetime - timedelta(seconds=1)).user == ada


def test_a_link_works_once(ada: User) -> None:
    token = link(ada, LinkPurpose.SET_PASSWORD)
    email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)
    db.session.commit()
    for look in (email_links.follow_link, email_links.read_link):
        with pytest.raises(LinkUsed):
            look(token, LinkPurpose.SET_PASSWORD, NOW)


def test_a_link_works_once_however_many_follow_it_at_once(app: Flask, ada: User) -> None:
    token = link(ada, LinkPurpose.SET_PASSWORD)
    results = together(app, 12, lambda: email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW))
    assert results.count("done") == 1
    assert results.count(LinkUsed) == 11


def test_a_link_serves_no_other_purpose(ada: User) -> None:
    token = link(ada, LinkPurpose.VERIFY_EMAIL)
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)


@pytest.mark.parametrize("token", ["", "x", "\x00", "%00", "🎉", "a" * 5000])
def test_a_made_up_link_does_not_work(app: Flask, token: str) -> None:
    with pytest.raises(LinkExpired):
        email_links.read_link(token, LinkPurpose.SET_PASSWORD, NOW)
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)


def test_a_link_of_somebody_switched_off_does_not_work(ada: User) -> None:
    token = link(ada, LinkPurpose.SET_PASSWORD)
    ada.is_active = False
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)
    with pytest.raises(LinkExpired):
        email_links.read_link(token, LinkPurpose.SET_PASSWORD, NOW)


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD])
def test_a_link_mailed_to_a_former_address_does_not_work(ada: User, purpose: LinkPurpose) -> None:
    token = link(ada, purpose)
    ada.email = "lovelace@example.com"
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, purpose, NOW)
    with pytest.raises(LinkExpired):
        email_links.read_link(token, purpose, NOW)


def test_verifying_marks_the_address(app: Flask) -> None:
    user = signed_up()
    email_change.verify_email(link(user, LinkPurpose.VERIFY_EMAIL), NOW, by=user.id)
    assert user.verified_at == NOW


def test_verifying_again_keeps_the_first_time(ada: User) -> None:
    before = ada.verified_at
    email_change.verify_email(link(ada, LinkPurpose.VERIFY_EMAIL), NOW + timedelta(days=1), by=None)
    assert ada.verified_at == before
    assert credentials.authenticate(ada.email, PASSWORD, NOW) == ada, "nothing else changes either"


def prepared_by_a_stranger() -> User:
    """An account whose address nobody proved, with all that lets somebody in, or moves it elsewhere."""
    user = signed_up()
    db.session.add(WebSession(sid_hash="0" * 64, user_id=user.id, data=b"{}", seen_at=NOW, expires_at=NOW))
    db.session.add(TwoFactor(user_id=user.id, secret="sealed", confirmed_at=NOW))
    db.session.add(RecoveryCode(user_id=user.id, code_hash="0" * 64))
    db.session.commit()
    return user


def nothing_lets_into(user: User) -> bool:
    """Whether no session, app, code or link of an account is left."""
    left = [
        *(db.session.scalar(select(model).where(model.user_id == user.id)) for model in (WebSession, TwoFactor)),
        db.session.scalar(select(RecoveryCode).where(RecoveryCode.user_id == user.id)),
        db.session.scalar(select(LinkToken).where(LinkToken.used_at.is_(None), LinkToken.expires_at > NOW)),
    ]
    return left == [None] * len(left)


@pytest.mark.parametrize("is_anybody", [True, False])
def test_verifying_from_outside_ends_every_way_into_the_account(cleo: User, is_anybody: bool) -> None:
    user = prepared_by_a_stranger()
    email_change.request_email_change(user.id, PASSWORD, "elsewhere@example.com", NOW)
    db.session.commit()
    email_change.verify_email(link(user, LinkPurpose.VERIFY_EMAIL), NOW, by=cleo.id if is_anybody else None)
    db.session.commit()
    assert user.verified_at == NOW
    assert nothing_lets_into(user)
    with pytest.raises(WrongCredentials):
        credentials.authenticate(user.email, PASSWORD, NOW)


def test_verifying_by_the_holder_leaves_everything(app: Flask) -> None:
    user = prepared_by_a_stranger()
    email_change.verify_email(link(user, LinkPurpose.VERIFY_EMAIL), NOW, by=user.id)
    db.session.commit()
    assert user.has_two_factor
    assert db.session.scalars(select(WebSession)).one().user_id == user.id
    assert credentials.authenticate(user.email, PASSWORD, NOW) == user


def test_a_password_set_by_link_ends_what_a_stranger_had_prepared(app: Flask) -> None:
    user = prepared_by_a_stranger()
    credentials.set_password(link(user, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    db.session.commit()
    assert nothing_lets_into(user)
    assert credentials.authenticate(user.email, NEW_PASSWORD, NOW) == user


def test_a_password_set_by_link_leaves_the_second_factor_of_whoever_proved_the_address(ada: User) -> None:
    db.session.add(TwoFactor(user_id=ada.id, secret="sealed", confirmed_at=NOW))
    credentials.set_password(link(ada, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    db.session.commit()
    assert ada.has_two_factor


def test_a_password_set_by_link_verifies_the_address(create_user: Callable[..., User]) -> None:
    user = create_user("new@example.com", password=None, verified=False)
    credentials.set_password(link(user, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    db.session.commit()
    assert user.is_verified
    assert credentials.authenticate("new@example.com", NEW_PASSWORD, NOW) == user


def test_a_weak_password_leaves_the_link_usable(ada: User) -> None:
    token = link(ada, LinkPurpose.SET_PASSWORD)
    with pytest.raises(WeakPassword):
        credentials.set_password(token, "1234567890", NOW)
    db.session.rollback()
    credentials.set_password(token, NEW_PASSWORD, NOW)


@pytest.mark.parametrize("purpose", [LinkPurpose.SET_PASSWORD, LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL])
@pytest.mark.parametrize("how", ["set", "change"])
def test_a_new_password_ends_every_open_link(ada: User, purpose: LinkPurpose, how: str) -> None:
    other = link(ada, purpose)
    if how == "set":
        credentials.set_password(link(ada, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    else:
        credentials.change_password(ada.id, PASSWORD, NEW_PASSWORD, keep_sid_hash="", now=NOW)
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.follow_link(other, purpose, NOW)


def test_a_new_password_leaves_the_way_back_to_a_former_address_open(ada: User) -> None:
    undo = link(ada, LinkPurpose.UNDO_EMAIL, "former@example.com")
    credentials.change_password(ada.id, PASSWORD, NEW_PASSWORD, keep_sid_hash="", now=NOW)
    db.session.commit()
    assert email_links.follow_link(undo, LinkPurpose.UNDO_EMAIL, NOW).email == "former@example.com"


# --- changing the address ---------------------------------------------------------------------------------------------


def ask(user: User, email: str = "lovelace@example.com") -> str:
    """Ask for another address; gives the token that its mail carries."""
    email_change.request_email_change(user.id, PASSWORD, email, NOW)
    db.session.commit()
    return link_of(promised("mail.email_change")[-1])


def move(user: User, email: str = "lovelace@example.com") -> str | None:
    """Change an address; gives the token that undoes it, if the old one is told."""
    before = len(promised("mail.email_changed"))
    email_change.confirm_email_change(ask(user, email), NOW)
    db.session.commit()
    told = promised("mail.email_changed")[before:]
    return link_of(told[0]) if told else None


def test_an_address_does_not_change_before_the_new_one_confirms(ada: User) -> None:
    ask(ada)
    assert ada.email == "ada@example.com"
    assert credentials.authenticate("ada@example.com", PASSWORD, NOW) == ada
    refused("lovelace@example.com", PASSWORD)


def test_an_address_changes_when_the_new_one_confirms(ada: User) -> None:
    move(ada, "Lovelace@Example.com")
    assert ada.email == "lovelace@example.com"
    assert ada.is_verified
    assert credentials.authenticate("lovelace@example.com", PASSWORD, NOW) == ada
    refused("ada@example.com", PASSWORD)


def test_a_change_of_address_asks_the_password(ada: User) -> None:
    with pytest.raises(WrongPassword):
        email_change.request_email_change(ada.id, "wrong password", "lovelace@example.com", NOW)
    db.session.rollback()
    assert promised("mail.email_change") == []


def test_the_present_address_is_not_a_new_one(ada: User) -> None:
    with pytest.raises(EmailUnchanged):
        email_change.request_email_change(ada.id, PASSWORD, " ADA@example.com", NOW)


def test_a_second_wish_ends_the_first(ada: User) -> None:
    first, second = ask(ada), ask(ada, "third@example.com")
    with pytest.raises(LinkExpired):
        email_change.confirm_email_change(first, NOW)
    db.session.rollback()
    email_change.confirm_email_change(second, NOW)
    assert ada.email == "third@example.com"


def test_asking_does_not_tell_that_an_address_is_taken(ada: User, cleo: User) -> None:
    email_change.request_email_change(ada.id, PASSWORD, cleo.email, NOW)
    db.session.commit()
    assert len(promised("mail.email_change")) == 1


def test_an_address_that_was_taken_meanwhile_is_not_taken_over(ada: User) -> None:
    token = ask(ada)
    other = signed_up("lovelace@example.com")
    with pytest.raises(EmailTaken):
        email_change.confirm_email_change(token, NOW)
    db.session.rollback()
    assert (ada.email, other.email) == ("ada@example.com", "lovelace@example.com")
    assert promised("mail.email_changed") == []


def test_two_accounts_that_want_one_address_at_once_do_not_both_get_it(app: Flask, ada: User, cleo: User) -> None:
    tokens = [ask(ada), ask(cleo)]
    results = together(app, 2, lambda: email_change.confirm_email_change(tokens.pop(), NOW))
    assert sorted(map(str, results)) == sorted(["done", str(EmailTaken)])
    assert len({ada.email, cleo.email}) == 2


def test_the_former_address_can_undo_the_change(ada: User) -> None:
    undo = move(ada)
    assert undo is not None
    email_change.undo_email_change(undo, NOW + timedelta(days=6))
    db.session.commit()
    assert ada.email == "ada@example.com"
    assert ada.is_verified


def test_after_a_week_the_change_stands(ada: User) -> None:
    undo = move(ada)
    assert undo is not None
    with pytest.raises(LinkExpired):
        email_change.undo_email_change(undo, NOW + timedelta(days=7))


def test_whoever_changed_the_address_is_out_after_the_undoing(ada: User) -> None:
    undo = move(ada)
    assert undo is not None
    reset = link(ada, LinkPurpose.SET_PASSWORD)
    db.session.add(
        WebSession(sid_hash="evil", user_id=ada.id, data=b"{}", seen_at=NOW, expires_at=NOW + timedelta(days=1))
    )
    db.session.commit()
    email_change.undo_email_change(undo, NOW)
    db.session.commit()
    refused("ada@example.com", PASSWORD)
    refused("lovelace@example.com", PASSWORD)
    assert db.session.scalars(select(WebSession)).all() == []
    with pytest.raises(LinkExpired):
        email_links.follow_link(reset, LinkPurpose.SET_PASSWORD, NOW)


def test_a_later_change_cannot_be_undone_back_after_an_earlier_one_was(ada: User) -> None:
    first, second = move(ada, "evil@example.com"), move(ada, "evil2@example.com")
    assert first is not None
    assert second is not None
    email_change.undo_email_change(first, NOW)
    db.session.commit()
    assert ada.email == "ada@example.com"
    with pytest.raises(LinkExpired):
        email_change.undo_email_change(second, NOW)


def test_nobody_else_gets_an_address_that_may_be_taken_back(ada: User, cleo: User) -> None:
    undo = move(ada)
    assert undo is not None
    token = ask(cleo, "ada@example.com")
    for attempt in (
        lambda: registration.sign_up("Eve", "Evil", "ada@example.com", PASSWORD, NOW),
        lambda: registration.get_or_create_account("ada@example.com", "Eve", "Evil", NOW),
        lambda: email_change.confirm_email_change(token, NOW),
    ):
        with pytest.raises(EmailTaken):
            attempt()
        db.session.rollback()
    email_change.undo_email_change(undo, NOW)
    assert ada.email == "ada@example.com"


def test_an_address_is_free_again_after_a_week(ada: User) -> None:
    move(ada)
    assert registration.sign_up("Eve", "Other", "ada@example.com", PASSWORD, NOW + timedelta(days=7)) is not None


def test_one_may_move_back_by_oneself(ada: User) -> None:
    move(ada)
    move(ada, "ada@example.com")
    assert ada.email == "ada@example.com"


def test_an_address_that_was_never_confirmed_has_no_power_over_the_account(app: Flask) -> None:
    user = signed_up("typo@example.com")
    assert move(user, "dora@example.com") is None
    assert user.email == "dora@example.com"
    assert promised("mail.email_changed") == []


def test_what_happened_is_in_the_book_without_addresses(ada: User) -> None:
    undo = move(ada)
    assert undo is not None
    email_change.undo_email_change(undo, NOW)
    book = select(AuditEntry.tag, AuditEntry.subject_id, AuditEntry.details).order_by(AuditEntry.id)
    entries = db.session.execute(book).all()
    assert [tag for tag, _subject, _details in entries] == [
        "user.email_change_asked",
        "user.email_changed",
        "user.email_change_undone",
    ]
    assert {subject for _tag, subject, _details in entries} == {ada.id}
    assert "@" not in str(entries)


def test_details_are_changed(ada: User) -> None:
    registration.update_details(ada, title="Dr", first_name="Augusta", last_name="King", born_on=date(1815, 12, 10))
    db.session.commit()
    assert (ada.title, ada.full_name, ada.born_on) == ("Dr", "Augusta King", date(1815, 12, 10))
    registration.update_details(ada, title="", first_name="Augusta", last_name="King", born_on=None)
    assert ada.title is None
    assert ada.born_on is None
