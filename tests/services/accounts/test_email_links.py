"""Links sent by email: purpose, lifetime, single use."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tapcard.db import db
from tapcard.models import LinkPurpose, LinkToken, User
from tapcard.services.accounts import email_links
from tapcard.services.accounts.email_links import LinkExpired, LinkUsed
from tests.services.accounts.helpers import NOW, create_link, run_concurrently


def test_only_the_hash_of_a_link_is_stored(ada: User) -> None:
    token = create_link(ada, LinkPurpose.VERIFY_EMAIL)
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
def test_a_link_expires_after_the_lifetime_of_its_purpose(ada: User, purpose: LinkPurpose, lifetime: timedelta) -> None:
    token = create_link(ada, purpose)
    assert email_links.read_link(token, purpose, NOW + lifetime - timedelta(seconds=1)).user_id == ada.id
    with pytest.raises(LinkExpired):
        email_links.read_link(token, purpose, NOW + lifetime)
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, purpose, NOW + lifetime)
    db.session.rollback()
    assert email_links.follow_link(token, purpose, NOW + lifetime - timedelta(seconds=1)).user == ada


def test_a_link_works_once(ada: User) -> None:
    token = create_link(ada, LinkPurpose.SET_PASSWORD)
    email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)
    db.session.commit()
    for look in (email_links.follow_link, email_links.read_link):
        with pytest.raises(LinkUsed):
            look(token, LinkPurpose.SET_PASSWORD, NOW)


def test_a_link_followed_concurrently_works_once(app: Flask, ada: User) -> None:
    token = create_link(ada, LinkPurpose.SET_PASSWORD)
    results = run_concurrently(app, 12, lambda: email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW))
    assert results.count("done") == 1
    assert results.count(LinkUsed) == 11


def test_a_link_works_only_for_its_purpose(ada: User) -> None:
    token = create_link(ada, LinkPurpose.VERIFY_EMAIL)
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)


@pytest.mark.parametrize("token", ["", "x", "\x00", "%00", "🎉", "a" * 5000])
def test_an_invented_link_is_refused(app: Flask, token: str) -> None:
    with pytest.raises(LinkExpired):
        email_links.read_link(token, LinkPurpose.SET_PASSWORD, NOW)
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)


def test_a_link_of_a_deactivated_user_is_refused(ada: User) -> None:
    token = create_link(ada, LinkPurpose.SET_PASSWORD)
    ada.is_active = False
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, LinkPurpose.SET_PASSWORD, NOW)
    with pytest.raises(LinkExpired):
        email_links.read_link(token, LinkPurpose.SET_PASSWORD, NOW)


@pytest.mark.parametrize("purpose", [LinkPurpose.VERIFY_EMAIL, LinkPurpose.SET_PASSWORD])
def test_a_link_sent_to_a_former_address_is_refused(ada: User, purpose: LinkPurpose) -> None:
    token = create_link(ada, purpose)
    ada.email = "lovelace@example.com"
    db.session.commit()
    with pytest.raises(LinkExpired):
        email_links.follow_link(token, purpose, NOW)
    with pytest.raises(LinkExpired):
        email_links.read_link(token, purpose, NOW)
