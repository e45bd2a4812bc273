"""Append-only audit log: who did what to which row."""

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import AuditEntry, Card, User
from tapcard.services.core import audit


def entry() -> AuditEntry:
    return db.session.scalars(sa.select(AuditEntry)).one()


def test_a_deed_is_written_down_with_who_and_what(card: Card, ben: User) -> None:
    audit.record("card.locked", subject=card, actor=ben, origin="192.0.2.1", because="abuse")
    db.session.commit()
    found = entry()
    assert (found.tag, found.actor, found.origin) == ("card.locked", ben, "192.0.2.1")
    assert (found.subject_type, found.subject_id) == ("cards", card.id)
    assert found.details == {"because": "abuse"}
    assert found.happened_at is not None


def test_a_deed_may_have_neither_subject_nor_actor(card: Card) -> None:
    audit.record("cards.imported", number=3)
    db.session.commit()
    found = entry()
    assert (found.subject_type, found.subject_id, found.actor_id, found.details) == ("", None, None, {"number": 3})


def test_a_deed_that_was_not_committed_did_not_happen(card: Card) -> None:
    audit.record("card.locked", subject=card)
    db.session.rollback()
    assert db.session.scalars(sa.select(AuditEntry)).all() == []


@pytest.mark.usefixtures("app")
def test_an_entry_is_never_changed_nor_deleted() -> None:
    audit.record("card.locked")
    db.session.commit()
    entry().tag = "card.unlocked"
    with pytest.raises(TypeError, match="append-only"):
        db.session.flush()
    db.session.rollback()
    db.session.delete(entry())
    with pytest.raises(TypeError, match="append-only"):
        db.session.flush()
    db.session.rollback()
    assert entry().tag == "card.locked"
