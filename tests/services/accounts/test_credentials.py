"""Credentials: password rules, hashes, login, and setting and changing a password."""

from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask

from tapcard.db import db
from tapcard.models import LinkPurpose, TwoFactor, User
from tapcard.services.accounts import credentials, email_links
from tapcard.services.accounts.credentials import WeakPassword, WrongPassword
from tapcard.services.accounts.email_links import LinkExpired
from tests.conftest import PASSWORD
from tests.services.accounts.helpers import (
    NEW_PASSWORD,
    NOW,
    create_account_of_stranger,
    create_link,
    has_no_access,
    queued_payloads,
    refusal_message,
)


@pytest.mark.parametrize(
    "password",
    ["", "short", "123456789", "1234567890", "2345678901"[:9], "aaaaaaaaaa", "abababababab", "abcdefghijkl",
     "zyxwvutsrqponm", "Password123", "QWERTYUIOP", "iloveyou123", "ada@example.com", "ADA@EXAMPLE.COM", "x" * 201],
)  # fmt: skip
def test_a_weak_password_is_refused(password: str) -> None:
    with pytest.raises(WeakPassword) as refusal:
        credentials.validate_password(password, "ada@example.com")
    assert refusal.value.field == "password"


def test_the_local_part_of_the_email_address_is_refused_as_a_password() -> None:
    with pytest.raises(WeakPassword):
        credentials.validate_password("adalovelace1815", "adalovelace1815@example.com")


@pytest.mark.parametrize("password", [PASSWORD, "tapcard-demo", "пароль из слов", "  spaces count  ", "ab12" * 50])
def test_a_strong_password_is_accepted(password: str) -> None:
    credentials.validate_password(password, "ada@example.com")


def test_only_the_hash_of_a_password_is_stored(ada: User) -> None:
    assert ada.password_hash is not None
    assert ada.password_hash.startswith("$argon2id$")
    assert PASSWORD not in ada.password_hash


def test_the_right_password_authenticates(ada: User) -> None:
    assert credentials.authenticate("Ada@Example.com", PASSWORD, NOW) == ada
    assert ada.seen_at == NOW


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of hashes that passwords are compared with."""
    seen: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002  the library's name
            seen.append(hash)
            return super().verify(hash, password)

    monkeypatch.setattr(credentials, "_hasher", Counting(time_cost=1, memory_cost=8, parallelism=1))
    return seen


def test_every_refusal_has_the_same_message_and_cost(
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
    messages = {refusal_message(email, password) for email, password in attempts}
    assert len(messages) == 1
    assert len(verifications) == len(attempts)
    parameters = {"$".join(verified_hash.split("$")[:4]) for verified_hash in verifications}
    lengths = {tuple(map(len, verified_hash.split("$"))) for verified_hash in verifications}
    assert len(parameters) == len(lengths) == 1


def test_an_unknown_address_costs_a_hash_with_production_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_hasher", PasswordHasher())
    hasher = PasswordHasher()
    parameters = f"$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}$"
    assert parameters in credentials._dummy_hash()
    assert parameters in credentials.hash_password("x")


def test_an_invalid_hash_matches_no_password(ada: User) -> None:
    ada.password_hash = "pbkdf2:sha256:1000$abc$def"
    db.session.commit()
    refusal_message("ada@example.com", PASSWORD)


def test_an_outdated_hash_is_renewed_at_the_next_login(ada: User) -> None:
    before = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(PASSWORD)
    ada.password_hash = before
    db.session.commit()
    credentials.authenticate(ada.email, PASSWORD, NOW)
    db.session.commit()
    assert ada.password_hash != before
    assert "m=8,t=1,p=1" in (ada.password_hash or "")
    credentials.authenticate(ada.email, PASSWORD, NOW)


def test_a_current_hash_is_kept(ada: User) -> None:
    before = ada.password_hash
    credentials.authenticate(ada.email, PASSWORD, NOW)
    db.session.commit()
    assert ada.password_hash == before


def test_a_password_changed_during_login_is_checked_again(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    old = credentials._read_credentials(User.id == ada.id)
    ada.password_hash = credentials.hash_password(NEW_PASSWORD)
    db.session.commit()
    monkeypatch.setattr(credentials, "_read_credentials", lambda _condition: old)
    refusal_message(ada.email, PASSWORD)


def test_a_new_password_replaces_the_old_one(ada: User) -> None:
    credentials.change_password(ada.id, PASSWORD, NEW_PASSWORD, keep_sid_hash="", now=NOW)
    db.session.commit()
    assert credentials.authenticate(ada.email, NEW_PASSWORD, NOW) == ada
    refusal_message(ada.email, PASSWORD)
    assert queued_payloads("mail.password_changed") == [{"user_id": ada.id}]


def test_a_password_is_not_changed_with_a_wrong_current_one(ada: User) -> None:
    with pytest.raises(WrongPassword) as refusal:
        credentials.change_password(ada.id, "wrong password", NEW_PASSWORD, keep_sid_hash="", now=NOW)
    assert refusal.value.field == "current"
    db.session.rollback()
    assert credentials.authenticate(ada.email, PASSWORD, NOW) == ada


def test_a_password_is_not_changed_to_a_weak_one(ada: User) -> None:
    with pytest.raises(WeakPassword):
        credentials.change_password(ada.id, PASSWORD, "ada@example.com", keep_sid_hash="", now=NOW)


def test_setting_a_password_by_link_removes_all_access_of_a_stranger(app: Flask) -> None:
    user = create_account_of_stranger()
    credentials.set_password(create_link(user, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    db.session.commit()
    assert has_no_access(user)
    assert credentials.authenticate(user.email, NEW_PASSWORD, NOW) == user


def test_setting_a_password_by_link_keeps_two_factor_of_a_verified_user(ada: User) -> None:
    db.session.add(TwoFactor(user_id=ada.id, secret="sealed", confirmed_at=NOW))
    credentials.set_password(create_link(ada, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    db.session.commit()
    assert ada.has_two_factor


def test_setting_a_password_by_link_verifies_the_address(create_user: Callable[..., User]) -> None:
    user = create_user("new@example.com", password=None, verified=False)
    credentials.set_password(create_link(user, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    db.session.commit()
    assert user.is_verified
    assert credentials.authenticate("new@example.com", NEW_PASSWORD, NOW) == user


def test_a_weak_password_keeps_the_link_valid(ada: User) -> None:
    token = create_link(ada, LinkPurpose.SET_PASSWORD)
    with pytest.raises(WeakPassword):
        credentials.set_password(token, "1234567890", NOW)
    db.session.rollback()
    credentials.set_password(token, NEW_PASSWORD, NOW)


@pytest.mark.parametrize("purpose", [LinkPurpose.SET_PASSWORD, LinkPurpose.VERIFY_EMAIL, LinkPurpose.CHANGE_EMAIL])
@pytest.mark.parametrize("how", ["set", "change"])
def test_a_new_password_invalidates_open_links(ada: User, purpose: LinkPurpose, how: str) -> None:
    other_token = create_link(ada, purpose)
    if how == "set":
        credentials.set_password(create_link(ada, LinkPurpose.SET_PASSWORD), NEW_PASSWORD, NOW)
    else:
        credentials.change_password(ada.id, PASSWORD, NEW_PASSWORD, keep_sid_hash="", now=NOW)
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.follow_link(other_token, purpose, NOW)


def test_a_new_password_keeps_the_link_that_undoes_an_address_change(ada: User) -> None:
    undo = create_link(ada, LinkPurpose.UNDO_EMAIL, "former@example.com")
    credentials.change_password(ada.id, PASSWORD, NEW_PASSWORD, keep_sid_hash="", now=NOW)
    db.session.commit()
    assert email_links.follow_link(undo, LinkPurpose.UNDO_EMAIL, NOW).email == "former@example.com"
