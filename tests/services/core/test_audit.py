"""Append-only audit log: who did what to which row."""

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import AuditEntry, Card, User
from tapcard.services.core import audit


def only_entry() -> AuditEntry:
    return db.session.scalars(sa.select(AuditEntry)).one()


def test_an_entry_records_actor_subject_and_details(card: Card, ben: User) -> None:
    audit.record("card.locked", subject=card, actor=ben, origin="192.0.2.1", because="abuse")
    db.session.commit()
    logged = only_entry()
    assert (logged.tag, logged.actor, logged.origin) == ("card.locked", ben, "192.0.2.1")
    assert (logged.subject_type, logged.subject_id) == ("cards", card.id)
    assert logged.details == {"because": "abuse"}
    assert logged.happened_at is not None


def test_subject_and_actor_are_optional(card: Card) -> None:
    audit.record("cards.imported", number=3)
    db.session.commit()
    logged = only_entry()
    assert (logged.subject_type, logged.subject_id, logged.actor_id, logged.details) == ("", None, None, {"number": 3})


def test_an_entry_is_rolled_back_with_its_transaction(card: Card) -> None:
    audit.record("card.locked", subject=card)
    db.session.rollback()
    assert db.session.scalars(sa.select(AuditEntry)).all() == []


@pytest.mark.usefixtures("app")
def test_an_entry_cannot_be_changed_or_deleted() -> None:
    audit.record("card.locked")
    db.session.commit()
    only_entry().tag = "card.unlocked"
    with pytest.raises(TypeError, match="append-only"):
        db.session.flush()
    db.session.rollback()
    db.session.delete(only_entry())
    with pytest.raises(TypeError, match="append-only"):
        db.session.flush()
    db.session.rollback()
    assert only_entry().tag == "card.locked"
