"""Designs as staff keep them: public ones made and changed, buyers' own artwork approved or rejected, once."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from ... import outbox
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Design, DesignStatus, Order, OrderLine, OrderStatus, User
from ..core import audit, optimistic_lock, rows
from ..core import uploads as pictures

STATES = ("waiting", "public", "private", "rejected")
LONGEST_REASON = 300
DROPPED = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


class BadDecision(DomainError):
    """Whoever is rejected has to be told why."""

    status = 422
    field = "why"


class AlreadyDecided(DomainError):
    """Somebody else looked at the artwork before."""


def find(design_id: int) -> Design:
    """A design with its owner; raises `RowNotFound`."""
    return rows.get(Design, design_id, joinedload(Design.owner))


def listed(state: str = "", search: str = "") -> Select[Design]:
    """Designs for staff: what waits first, then the newest; of a state that does not exist there are all."""
    found = select(Design).options(joinedload(Design.owner))
    if search:
        found = found.where(sa.func.lower(Design.name).contains(search.lower(), autoescape=True))
    if state in STATES:
        found = found.where(
            {
                "waiting": Design.status == DesignStatus.REQUESTED,
                "public": sa.and_(Design.is_public, Design.status == DesignStatus.APPROVED),
                "private": sa.and_(~Design.is_public, Design.status == DesignStatus.APPROVED),
                "rejected": Design.status == DesignStatus.REJECTED,
            }[state]
        )
    return found.order_by((Design.status == DesignStatus.REQUESTED).desc(), Design.id.desc())


def order_of(design: Design) -> Order | None:
    """The last order that wants cards of a design."""
    theirs = select(OrderLine.order_id).where(OrderLine.design_id == design.id)
    wanted = select(Order).where(Order.id.in_(theirs), Order.status.not_in(DROPPED))
    return db.session.scalar(wanted.order_by(Order.id.desc()).limit(1))


def is_ours(design: Design) -> bool:
    """Whether the shop made a design itself, and may change it; what a guest sent in stays the guest's."""
    if design.owner_id is not None or design.status is not DesignStatus.APPROVED:
        return False
    first = select(OrderLine.pictures).where(OrderLine.design_id == design.id).order_by(OrderLine.id).limit(1)
    uploads = db.session.scalar(first)  # of the line that it was made for, or that just ordered it
    return uploads is None or design.front_picture not in uploads


def create(typed: Mapping[str, Any], actor: User) -> Design:
    """Make an approved design."""
    design = Design(**typed, status=DesignStatus.APPROVED)
    db.session.add(design)
    db.session.flush()  # for its id
    audit.record("design.made", subject=design, actor=actor, name=design.name)
    return design


def change(design: Design, typed: Mapping[str, Any], seen: str, actor: User) -> None:
    """Store what was typed over what was seen; cards that were ordered before keep their price."""
    optimistic_lock.lock_unchanged(design, seen)
    if not is_ours(design):
        raise optimistic_lock.edit_conflict()
    former = {design.front_picture, design.rear_picture}
    fields = sorted(name for name, value in typed.items() if getattr(design, name) != value)
    for name in fields:
        setattr(design, name, typed[name])
    pictures.leave(former - {design.front_picture, design.rear_picture}, actor.id)
    if fields:
        audit.record("design.changed", subject=design, actor=actor, fields=fields)


def decide(design: Design, *, approve: bool, why: str, by: User) -> None:
    """Approve or reject artwork that waits, and promise the mail that says so; of two people at once one decides."""
    if not approve and not why:
        raise BadDecision(_("Enter a reason for the customer."))
    status = DesignStatus.APPROVED if approve else DesignStatus.REJECTED
    decided = db.session.execute(
        sa.update(Design)
        .where(Design.id == design.id, Design.status == DesignStatus.REQUESTED)
        .values(status=status, why_rejected="" if approve else why[:LONGEST_REASON])
        .execution_options(synchronize_session=False)
    )
    if decided.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided(_("This artwork has already been approved or rejected."))
    db.session.refresh(design)
    order = order_of(design)
    if order is not None or design.owner_id is not None:
        outbox.post("mail.artwork_decided", design_id=design.id, order_id=order.id if order is not None else None)
    audit.record(f"design.{status.value}", subject=design, actor=by)
