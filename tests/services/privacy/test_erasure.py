"""Erasure: the rows and files of others, accounts that cannot be erased."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import email_addresses, files, outbox, registry, seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardTransfer, Lead, Profile, Tap, User
from tapcard.registry import Job
from tapcard.services.accounts import registration
from tapcard.services.core import uploads
from tapcard.services.privacy import erasure
from tapcard.services.privacy.erasure import NotErasable
from tapcard.workflows import privacy
from tests.conftest import PASSWORD, FormClient, login
from tests.services.privacy.personal_data import AGENT, EMAIL, change_pictures, erase, write_personal_data


def rows_of_others(zeb: User) -> dict[str, list[str]]:
    """Return all rows that do not belong to a user, as text."""
    ids = {"cards": [card.id for card in db.session.scalars(sa.select(Card).where(Card.owner_id == zeb.id))]}
    texts: dict[str, list[str]] = {}
    for table in db.metadata.sorted_tables:
        columns = table.c
        query = table.select()
        for name in ("user_id", "owner_id", "actor_id", "from_user_id"):
            if name in columns:
                query = query.where(sa.or_(columns[name] != zeb.id, columns[name].is_(None)))
        if table.name == "users":
            query = query.where(columns.id != zeb.id)
        if "card_id" in columns:
            query = query.where(sa.or_(columns.card_id.not_in(ids["cards"]), columns.card_id.is_(None)))
        if table.name in ("audit_entries", "profile_links", "former_slugs"):
            continue
        texts[table.name] = sorted(str(tuple(row)) for row in db.session.execute(query))
    return texts


def test_erasing_leaves_rows_of_other_users_unchanged(
    app: Flask, zeb: User, ada: User, cleo: User, card: Card, profile: Profile
) -> None:
    write_personal_data(zeb, cleo, app)
    seeds.create_address(ada)
    db.session.add(Lead(owner_id=ada.id, profile_id=profile.id, name="Zebulon", email=EMAIL, consent_text="Yes"))
    outbox.post("mail.password_changed", user_id=ada.id)
    db.session.add(CardTransfer(card=card, from_user=ada, to_email="dora@example.com", expires_at=utcnow()))
    db.session.commit()
    before = rows_of_others(zeb)
    erase(zeb, app)
    assert rows_of_others(zeb) == before


def test_a_picture_used_by_another_user_is_kept(app: Flask, zeb: User, ada: User, profile: Profile) -> None:
    _card, data = write_personal_data(zeb, ada, app)
    profile.photo = files.store(data, files.folder(app.instance_path))
    db.session.commit()
    erase(zeb, app)
    assert files.exists(profile.photo, files.folder(app.instance_path))


def test_artwork_is_erased_unless_another_user_holds_a_card_with_it(
    app: Flask, zeb: User, ada: User, create_card: Callable[..., Card]
) -> None:
    folder = files.folder(app.instance_path)
    names = [files.store(text, folder) for text in (b"alone", b"shared", b"shown")]
    alone, shared, shown = (
        seeds.create_design(f"Design {name}", owner_id=zeb.id, front_picture=name, is_public=name == names[2])
        for name in names
    )
    create_card(ada, design=shared)
    create_card(zeb, design=alone)
    erase(zeb, app)
    db.session.expire_all()
    assert [design.front_picture for design in (alone, shared, shown)] == [None, names[1], names[2]]
    assert [design.owner_id for design in (alone, shared, shown)] == [None] * 3
    assert [files.exists(name, folder) for name in names] == [False, True, True]


def test_tap_counts_are_kept_and_own_taps_lose_all_details(
    app: Flask, zeb: User, client: FormClient, new_client: Callable[[], FormClient], run_worker: Callable[[], None],
    create_card: Callable[..., Card],
) -> None:  # fmt: skip
    create_card(zeb, token="ZEBSCARD", url="https://example.com/")
    login(client, zeb)
    for browser in (client, new_client()):
        browser.get("/t/ZEBSCARD", headers={"User-Agent": AGENT, "Accept-Language": "en-GB"})
    run_worker()
    erase(zeb, app)
    taps = db.session.scalars(sa.select(Tap).order_by(Tap.is_own)).all()
    assert [(tap.is_own, tap.language, bool(tap.visitor), tap.user_agent_id is None) for tap in taps] == [
        (False, "en-GB", True, False), (True, "", False, True)]  # fmt: skip


def test_former_and_unsaved_pictures_are_erased(app: Flask, zeb: User, cleo: User, client: FormClient) -> None:
    write_personal_data(zeb, cleo, app)
    login(client, zeb)
    names, folder = change_pictures(client, zeb, app), files.folder(app.instance_path)
    others = files.store(b"others", folder)
    uploads.schedule_deletion([others], cleo.id)
    db.session.commit()
    erase(zeb, app)
    assert [name for name in names if files.exists(name, folder)] == []
    assert files.exists(others, folder)  # recent upload of another user
    assert uploads.scheduled_deletions_of(zeb.id) == set()


def test_an_open_account_cannot_be_erased(zeb: User) -> None:
    with pytest.raises(NotErasable):
        erasure.erase(zeb.id, utcnow(), closed_before=utcnow())
    assert zeb.erased_at is None


def test_an_account_is_erased_once(app: Flask, zeb: User) -> None:
    erase(zeb, app)
    with pytest.raises(NotErasable):
        erasure.erase(zeb.id, utcnow(), closed_before=utcnow() + timedelta(days=1))


def test_an_erased_address_can_sign_up_again(app: Flask, zeb: User) -> None:
    erase(zeb, app)
    user = registration.sign_up("Zeb", "Two", EMAIL, PASSWORD, utcnow())
    assert user is not None
    assert user.id != zeb.id
    with pytest.raises(email_addresses.InvalidEmail):
        email_addresses.normalize(zeb.email)


def test_erasing_is_a_scheduled_job(app: Flask) -> None:
    assert registry.jobs["users.erase"] == Job(timedelta(days=1), privacy.erase_closed)
    shutil.rmtree(Path(app.instance_path) / "mail", ignore_errors=True)
    privacy.erase_closed()  # no due account and no emails
