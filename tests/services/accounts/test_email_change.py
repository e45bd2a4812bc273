"""Verifying an email address, changing it, and undoing a change."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tapcard.db import db
from tapcard.models import AuditEntry, LinkPurpose, User, WebSession
from tapcard.services.accounts import credentials, email_change, email_links, registration
from tapcard.services.accounts.credentials import WrongCredentials, WrongPassword
from tapcard.services.accounts.email_change import EmailUnchanged
from tapcard.services.accounts.email_links import LinkExpired
from tapcard.services.accounts.registration import EmailTaken
from tests.conftest import PASSWORD
from tests.services.accounts.helpers import (
    NOW,
    change_email,
    create_account_of_stranger,
    create_link,
    create_unverified_user,
    has_no_access,
    queued_payloads,
    refusal_message,
    request_change,
    run_concurrently,
)


def test_verifying_stores_the_time(app: Flask) -> None:
    user = create_unverified_user()
    email_change.verify_email(create_link(user, LinkPurpose.VERIFY_EMAIL), NOW, by=user.id)
    assert user.verified_at == NOW


def test_verifying_again_keeps_the_first_time(ada: User) -> None:
    before = ada.verified_at
    email_change.verify_email(create_link(ada, LinkPurpose.VERIFY_EMAIL), NOW + timedelta(days=1), by=None)
    assert ada.verified_at == before
    assert credentials.authenticate(ada.email, PASSWORD, NOW) == ada, "the password is unchanged"


@pytest.mark.parametrize("is_anybody", [True, False])
def test_verifying_without_login_removes_all_other_access(cleo: User, is_anybody: bool) -> None:
    user = create_account_of_stranger()
    email_change.request_email_change(user.id, PASSWORD, "elsewhere@example.com", NOW)
    db.session.commit()
    email_change.verify_email(create_link(user, LinkPurpose.VERIFY_EMAIL), NOW, by=cleo.id if is_anybody else None)
    db.session.commit()
    assert user.verified_at == NOW
    assert has_no_access(user)
    with pytest.raises(WrongCredentials):
        credentials.authenticate(user.email, PASSWORD, NOW)


def test_verifying_while_logged_in_keeps_all_access(app: Flask) -> None:
    user = create_account_of_stranger()
    email_change.verify_email(create_link(user, LinkPurpose.VERIFY_EMAIL), NOW, by=user.id)
    db.session.commit()
    assert user.has_two_factor
    assert db.session.scalars(select(WebSession)).one().user_id == user.id
    assert credentials.authenticate(user.email, PASSWORD, NOW) == user


def test_an_address_does_not_change_before_the_new_one_confirms(ada: User) -> None:
    request_change(ada)
    assert ada.email == "ada@example.com"
    assert credentials.authenticate("ada@example.com", PASSWORD, NOW) == ada
    refusal_message("lovelace@example.com", PASSWORD)


def test_an_address_changes_when_the_new_one_confirms(ada: User) -> None:
    change_email(ada, "Lovelace@Example.com")
    assert ada.email == "lovelace@example.com"
    assert ada.is_verified
    assert credentials.authenticate("lovelace@example.com", PASSWORD, NOW) == ada
    refusal_message("ada@example.com", PASSWORD)


def test_changing_the_address_requires_the_password(ada: User) -> None:
    with pytest.raises(WrongPassword):
        email_change.request_email_change(ada.id, "wrong password", "lovelace@example.com", NOW)
    db.session.rollback()
    assert queued_payloads("mail.email_change") == []


def test_the_current_address_is_refused_as_a_new_one(ada: User) -> None:
    with pytest.raises(EmailUnchanged):
        email_change.request_email_change(ada.id, PASSWORD, " ADA@example.com", NOW)


def test_a_second_request_replaces_the_first(ada: User) -> None:
    first, second = request_change(ada), request_change(ada, "third@example.com")
    with pytest.raises(LinkExpired):
        email_change.confirm_email_change(first, NOW)
    db.session.rollback()
    email_change.confirm_email_change(second, NOW)
    assert ada.email == "third@example.com"


def test_requesting_an_address_does_not_reveal_that_it_is_used(ada: User, cleo: User) -> None:
    email_change.request_email_change(ada.id, PASSWORD, cleo.email, NOW)
    db.session.commit()
    assert len(queued_payloads("mail.email_change")) == 1


def test_an_address_used_since_the_request_is_not_taken_over(ada: User) -> None:
    token = request_change(ada)
    other_user = create_unverified_user("lovelace@example.com")
    with pytest.raises(EmailTaken):
        email_change.confirm_email_change(token, NOW)
    db.session.rollback()
    assert (ada.email, other_user.email) == ("ada@example.com", "lovelace@example.com")
    assert queued_payloads("mail.email_changed") == []


def test_concurrent_changes_to_one_address_succeed_once(app: Flask, ada: User, cleo: User) -> None:
    tokens = [request_change(ada), request_change(cleo)]
    results = run_concurrently(app, 2, lambda: email_change.confirm_email_change(tokens.pop(), NOW))
    assert sorted(map(str, results)) == sorted(["done", str(EmailTaken)])
    assert len({ada.email, cleo.email}) == 2


def test_the_former_address_can_undo_the_change(ada: User) -> None:
    undo = change_email(ada)
    assert undo is not None
    email_change.undo_email_change(undo, NOW + timedelta(days=6))
    db.session.commit()
    assert ada.email == "ada@example.com"
    assert ada.is_verified


def test_a_change_cannot_be_undone_after_a_week(ada: User) -> None:
    undo = change_email(ada)
    assert undo is not None
    with pytest.raises(LinkExpired):
        email_change.undo_email_change(undo, NOW + timedelta(days=7))


def test_undoing_a_change_removes_all_access(ada: User) -> None:
    undo = change_email(ada)
    assert undo is not None
    reset = create_link(ada, LinkPurpose.SET_PASSWORD)
    db.session.add(
        WebSession(sid_hash="evil", user_id=ada.id, data=b"{}", seen_at=NOW, expires_at=NOW + timedelta(days=1))
    )
    db.session.commit()
    email_change.undo_email_change(undo, NOW)
    db.session.commit()
    refusal_message("ada@example.com", PASSWORD)
    refusal_message("lovelace@example.com", PASSWORD)
    assert db.session.scalars(select(WebSession)).all() == []
    with pytest.raises(LinkExpired):
        email_links.follow_link(reset, LinkPurpose.SET_PASSWORD, NOW)


def test_undoing_an_earlier_change_invalidates_the_undo_links_of_later_ones(ada: User) -> None:
    first, second = change_email(ada, "evil@example.com"), change_email(ada, "evil2@example.com")
    assert first is not None
    assert second is not None
    email_change.undo_email_change(first, NOW)
    db.session.commit()
    assert ada.email == "ada@example.com"
    with pytest.raises(LinkExpired):
        email_change.undo_email_change(second, NOW)


def test_a_former_address_is_reserved_while_the_change_can_be_undone(ada: User, cleo: User) -> None:
    undo = change_email(ada)
    assert undo is not None
    token = request_change(cleo, "ada@example.com")
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


def test_a_former_address_is_available_after_a_week(ada: User) -> None:
    change_email(ada)
    assert registration.sign_up("Eve", "Other", "ada@example.com", PASSWORD, NOW + timedelta(days=7)) is not None


def test_a_user_can_change_back_to_the_former_address(ada: User) -> None:
    change_email(ada)
    change_email(ada, "ada@example.com")
    assert ada.email == "ada@example.com"


def test_an_unverified_former_address_cannot_undo_the_change(app: Flask) -> None:
    user = create_unverified_user("typo@example.com")
    assert change_email(user, "dora@example.com") is None
    assert user.email == "dora@example.com"
    assert queued_payloads("mail.email_changed") == []


def test_address_changes_are_audited_without_addresses(ada: User) -> None:
    undo = change_email(ada)
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
