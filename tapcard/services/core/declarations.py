"""Declarations of the audit log, the outbox and rate limits: permissions, uploads, personal data."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, execute_update
from ...models import AuditEntry, Card, CardEvent, OutboxMessage, Schedule
from ...registry import Person, PersonalDataRule, declare_other_columns, declare_permissions, declare_personal_data
from .anonymization import RETIRED_REASON


def _blank_history(person: Person) -> None:
    """Blank reasons and details of a person's actions; action, time and user id stay."""
    is_own_card = CardEvent.card_id.in_(select(Card.id).where(Card.owner_id == person.id))
    condition = sa.or_(is_own_card, CardEvent.actor_id == person.id)
    execute_update(sa.update(CardEvent).where(condition, CardEvent.why.not_in(["", RETIRED_REASON])).values(why=""))
    card_ids = select(Card.id).where(Card.owner_id == person.id)
    concerns_person = sa.or_(
        AuditEntry.actor_id == person.id,
        sa.and_(AuditEntry.subject_type == "users", AuditEntry.subject_id == person.id),
        sa.and_(AuditEntry.subject_type == "profiles", AuditEntry.subject_id.in_(sorted(person.profile_ids))),
        sa.and_(AuditEntry.subject_type == "cards", AuditEntry.subject_id.in_(card_ids)),
        sa.and_(AuditEntry.subject_type == "orders", AuditEntry.subject_id.in_(sorted(person.order_ids))),
    )
    execute_update(sa.update(AuditEntry).where(concerns_person).values(details={}, origin=""))


def _delete_messages(person: Person) -> None:
    """Delete open and failed messages that concern a person; delivered ones hold no personal data."""
    rows = select(OutboxMessage.id, OutboxMessage.payload, OutboxMessage.error).where(OutboxMessage.done_at.is_(None))
    message_ids = [row.id for row in db.session.execute(rows) if _concerns(person, row.payload, row.error)]
    for start in range(0, len(message_ids), 500):
        execute_update(sa.delete(OutboxMessage).where(OutboxMessage.id.in_(message_ids[start : start + 500])))
    for schedule in db.session.execute(select(Schedule.name, Schedule.error).where(Schedule.error != "")).all():
        if _concerns(person, {}, schedule.error):
            execute_update(sa.update(Schedule).where(Schedule.name == schedule.name).values(error=""))


def _concerns(person: Person, payload: Mapping[str, Any], error: str) -> bool:
    """Return whether a message refers to a person or something that was theirs."""
    own_ids: dict[str, frozenset[int]] = {
        "user_id": frozenset({person.id}),
        "owner_id": frozenset({person.id}),
        "link_id": person.link_ids,
        "lead_id": person.lead_ids,
        "card_id": person.card_ids,
        "profile_id": person.profile_ids,
        "transfer_id": person.transfer_ids,
        "order_id": person.order_ids,
    }
    if any(value in own_ids.get(name, ()) for name, value in payload.items()):
        return True
    text = "\n".join([error, *(str(value) for value in payload.values())]).casefold()
    return any(address in text for address in person.emails)


declare_permissions("mails.view", "audit.view")
declare_personal_data(
    PersonalDataRule("addresses tried at login (keyed hash)", {"throttle_counters": ("subject",)}),
    PersonalDataRule(
        "pending emails (ids, sometimes a visitor's message), replaced images to be deleted",
        {"outbox": ("payload", "error"), "schedules": ("error",)},
        _delete_messages,
        runs_first=True,
    ),
    PersonalDataRule(
        "audit log", {"audit_entries": ("details", "origin"), "card_events": ("why",)}, _blank_history, runs_first=True
    ),
)
declare_other_columns(
    {
        "settings": ("name", "value"),
        "audit_entries": ("tag", "subject_type"),
        "outbox": ("kind",),
        "schedules": ("name",),
        "throttle_counters": ("scope",),
    }
)
