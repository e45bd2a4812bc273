"""Registration: signing up, accounts created for guests, personal details."""

from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from sqlalchemy import func, select

from tapcard.db import db
from tapcard.email_addresses import InvalidEmail
from tapcard.models import User
from tapcard.services.accounts import credentials, registration
from tapcard.services.accounts.registration import EmailTaken
from tests.conftest import PASSWORD
from tests.services.accounts.helpers import (
    NEW_PASSWORD,
    NOW,
    create_unverified_user,
    queued_payloads,
    refusal_message,
    run_concurrently,
)


@pytest.mark.usefixtures("ada")
def test_a_user_is_found_by_any_spelling_of_the_address() -> None:
    assert registration.find_user(" ADA@example.com ") is not None
    assert registration.find_user("nobody@example.com") is None
    assert registration.find_user("not an address") is None


@pytest.mark.usefixtures("app")
def test_signing_up_creates_an_unverified_customer() -> None:
    user = create_unverified_user("  Dora@Example.com")
    assert (user.email, user.first_name, user.last_name) == ("dora@example.com", "Dora", "Lu")
    assert not user.is_verified
    assert user.is_active
    assert user.roles == []
    assert queued_payloads("mail.verify_email") == [{"user_id": user.id}]


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", " ada@Example.com "])
def test_an_address_can_sign_up_once_in_any_spelling(ada: User, email: str) -> None:
    with pytest.raises(EmailTaken) as refusal:
        registration.sign_up("Eve", "Evil", email, NEW_PASSWORD, NOW)
    assert refusal.value.field == "email"
    db.session.rollback()
    assert ada.first_name == "Ada"
    assert credentials.authenticate("ada@example.com", PASSWORD, NOW) == ada


def test_signing_up_to_an_account_without_a_password_only_sends_a_link(create_user: Callable[..., User]) -> None:
    prepared = create_user("new@example.com", first_name="Nia", password=None, verified=False)
    assert registration.sign_up("Eve", "Evil", "New@example.com", NEW_PASSWORD, NOW) is None
    db.session.commit()
    assert queued_payloads("mail.set_password") == [{"email": "new@example.com"}]
    assert (prepared.first_name, prepared.password_hash, prepared.is_verified) == ("Nia", None, False)


def test_a_deactivated_account_keeps_its_address(create_user: Callable[..., User]) -> None:
    create_user("gone@example.com", password=None, is_active=False)
    with pytest.raises(EmailTaken):
        registration.sign_up("Gus", "Gone", "gone@example.com", PASSWORD, NOW)


def test_concurrent_sign_ups_create_one_account(app: Flask) -> None:
    results = run_concurrently(app, 8, lambda: registration.sign_up("Dora", "Lu", "dora@example.com", PASSWORD, NOW))
    assert sorted(map(str, results)) == sorted(["done", *[str(EmailTaken)] * 7])
    assert db.session.scalar(select(func.count()).select_from(User)) == 1
    assert len(queued_payloads("mail.verify_email")) == 1


def test_an_account_is_created_once_for_an_address(app: Flask) -> None:
    first = registration.get_or_create_account("Gus@Example.com", "Gus", "Moss")
    assert registration.get_or_create_account("gus@example.com", "Other", "Name").id == first.id
    assert (first.first_name, first.password_hash, first.is_verified) == ("Gus", None, False)
    refusal_message("gus@example.com", "")


def test_concurrent_requests_create_one_account(app: Flask) -> None:
    results = run_concurrently(app, 6, lambda: registration.get_or_create_account("gus@example.com", "Gus", "Moss"))
    assert results == ["done"] * 6
    assert db.session.scalar(select(func.count()).select_from(User)) == 1


def test_a_long_imported_name_is_truncated(app: Flask) -> None:
    user = registration.get_or_create_account("gus@example.com", "G" * 80, "")
    assert len(user.first_name) == 50


def test_an_account_with_an_invalid_address_is_refused(app: Flask) -> None:
    with pytest.raises(InvalidEmail):
        registration.get_or_create_account("gus", "Gus", "Moss")


def test_personal_details_are_changed_and_removed(ada: User) -> None:
    registration.update_details(ada, title="Dr", first_name="Augusta", last_name="King", born_on=date(1815, 12, 10))
    db.session.commit()
    assert (ada.title, ada.full_name, ada.born_on) == ("Dr", "Augusta King", date(1815, 12, 10))
    registration.update_details(ada, title="", first_name="Augusta", last_name="King", born_on=None)
    assert ada.title is None
    assert ada.born_on is None
