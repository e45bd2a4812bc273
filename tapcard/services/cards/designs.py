"""Designs: the artwork cards are made from."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from ... import outbox
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Design, DesignStatus, Order, OrderLine, OrderStatus, Product, ProductKind, User
from ..core import audit, keeping
from ..core import uploads as pictures


def public_designs() -> Select[Design]:
    """The designs everybody may see, in the order of their names."""
    return (
        select(Design).where(Design.is_public, Design.status == DesignStatus.APPROVED).order_by(Design.name, Design.id)
    )


def orderable(user_id: int | None) -> Select[Design]:
    """The designs somebody may order: their own private ones first, then those that everybody may see."""
    is_public = sa.and_(Design.is_public, Design.status == DesignStatus.APPROVED)
    if user_id is None:
        return select(Design).where(is_public).order_by(Design.name, Design.id)
    is_own = sa.and_(Design.is_public.is_(False), Design.owner_id == user_id, Design.status != DesignStatus.REJECTED)
    return select(Design).where(sa.or_(is_public, is_own)).order_by(Design.is_public, Design.name, Design.id)


def card_products() -> Select[Product]:
    """The products that are cards; the first is what a design is ordered on unless another one is chosen."""
    return select(Product).where(Product.kind == ProductKind.CARD, Product.is_active).order_by(Product.id)


FILTERS = ("waiting", "public", "private", "rejected")


MAX_REASON_LENGTH = 300


CANCELED_STATUSES = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


class ReasonRequired(DomainError):
    """Whoever is rejected has to be told why."""

    status = 422
    field = "why"


class AlreadyDecided(DomainError):
    """Somebody else looked at the artwork before."""


def get_design(design_id: int) -> Design:
    """A design with its owner; raises `RowNotFound`."""
    return keeping.find(Design, design_id, joinedload(Design.owner))


def search(state: str = "", search: str = "") -> Select[Design]:
    """Designs for staff: what waits first, then the newest; of a state that does not exist there are all."""
    found = select(Design).options(joinedload(Design.owner))
    if search:
        found = found.where(sa.func.lower(Design.name).contains(search.lower(), autoescape=True))
    if state in FILTERS:
        found = found.where(
            {
                "waiting": Design.status == DesignStatus.REQUESTED,
                "public": sa.and_(Design.is_public, Design.status == DesignStatus.APPROVED),
                "private": sa.and_(~Design.is_public, Design.status == DesignStatus.APPROVED),
                "rejected": Design.status == DesignStatus.REJECTED,
            }[state]
        )
    return found.order_by((Design.status == DesignStatus.REQUESTED).desc(), Design.id.desc())


def latest_order(design: Design) -> Order | None:
    """The last order that wants cards of a design."""
    theirs = select(OrderLine.order_id).where(OrderLine.design_id == design.id)
    wanted = select(Order).where(Order.id.in_(theirs), Order.status.not_in(CANCELED_STATUSES))
    return db.session.scalar(wanted.order_by(Order.id.desc()).limit(1))


def is_shop_design(design: Design) -> bool:
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


def update(design: Design, typed: Mapping[str, Any], seen: str, actor: User) -> None:
    """Store what was typed over what was seen; cards that were ordered before keep their price."""
    keeping.refuse_changed(design, seen)
    if not is_shop_design(design):
        raise keeping.changed()
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
        raise ReasonRequired(_("Enter a reason for the customer."))
    status = DesignStatus.APPROVED if approve else DesignStatus.REJECTED
    decided = db.session.execute(
        sa.update(Design)
        .where(Design.id == design.id, Design.status == DesignStatus.REQUESTED)
        .values(status=status, why_rejected="" if approve else why[:MAX_REASON_LENGTH])
        .execution_options(synchronize_session=False)
    )
    if decided.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided(_("This artwork has already been approved or rejected."))
    db.session.refresh(design)
    order = latest_order(design)
    if order is not None or design.owner_id is not None:
        outbox.post("mail.artwork_decided", design_id=design.id, order_id=order.id if order is not None else None)
    audit.record(f"design.{status.value}", subject=design, actor=by)
