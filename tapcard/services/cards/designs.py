"""Designs, the artwork of cards: selection for buyers, and maintenance and approval by staff."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from ... import outbox, search_text
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...models import Card, Design, DesignStatus, Order, OrderLine, OrderStatus, Product, ProductKind, User
from ..core import audit, optimistic_lock, rows
from ..core import uploads as upload_service

FILTERS = {
    "waiting": Design.status == DesignStatus.REQUESTED,
    "public": sa.and_(Design.is_public, Design.status == DesignStatus.APPROVED),
    "private": sa.and_(~Design.is_public, Design.status == DesignStatus.APPROVED),
    "rejected": Design.status == DesignStatus.REJECTED,
}
MAX_REASON_LENGTH = 300
CANCELED_STATUSES = (OrderStatus.CANCELED, OrderStatus.EXPIRED)


def public_designs() -> Select[Design]:
    """Select the designs that all visitors can see, by name."""
    return (
        select(Design).where(Design.is_public, Design.status == DesignStatus.APPROVED).order_by(Design.name, Design.id)
    )


def orderable(user_id: int | None) -> Select[Design]:
    """Select the designs that a user (or a guest, None) can order: their private ones first, then the public ones."""
    is_public = sa.and_(Design.is_public, Design.status == DesignStatus.APPROVED)
    if user_id is None:
        return select(Design).where(is_public).order_by(Design.name, Design.id)
    is_own = sa.and_(Design.is_public.is_(False), Design.owner_id == user_id, Design.status != DesignStatus.REJECTED)
    return select(Design).where(sa.or_(is_public, is_own)).order_by(Design.is_public, Design.name, Design.id)


def card_products() -> Select[Product]:
    """Select the active card products; a design is ordered on the first one unless another is chosen."""
    return select(Product).where(Product.kind == ProductKind.CARD, Product.is_active).order_by(Product.id)


class ReasonRequired(DomainError):
    """A rejection needs a reason."""

    status = 422
    field = "why"


class AlreadyDecided(DomainError):
    """The artwork was approved or rejected before."""


def get_design(design_id: int) -> Design:
    """Return a design with its owner loaded; raise `RowNotFound` if there is none."""
    return rows.get(Design, design_id, joinedload(Design.owner))


def filter_designs(state: str = "", search: str = "") -> Select[Design]:
    """Select the designs for staff, those awaiting approval first, then the newest; an unknown state means all."""
    designs = select(Design).options(joinedload(Design.owner))
    if search:
        designs = designs.where(search_text.matches(search, Design.name))
    if state in FILTERS:
        designs = designs.where(FILTERS[state])
    return designs.order_by((Design.status == DesignStatus.REQUESTED).desc(), Design.id.desc())


def latest_order(design: Design) -> Order | None:
    """Return the latest order for cards of a design that was not canceled and did not expire."""
    order_ids = select(OrderLine.order_id).where(OrderLine.design_id == design.id)
    orders = select(Order).where(Order.id.in_(order_ids), Order.status.not_in(CANCELED_STATUSES))
    return db.session.scalar(orders.order_by(Order.id.desc()).limit(1))


def is_shop_design(design: Design) -> bool:
    """Return whether the shop made a design itself and so may change it; guests' artwork has no owner either."""
    if design.owner_id is not None or design.status is not DesignStatus.APPROVED:
        return False
    first_uploads = select(OrderLine.pictures).where(OrderLine.design_id == design.id).order_by(OrderLine.id).limit(1)
    uploads = db.session.scalar(first_uploads)  # of the line that the design was made for or first ordered on
    return uploads is None or design.front_picture not in uploads


def create(values: Mapping[str, Any], actor: User) -> Design:
    """Create an approved design."""
    design = Design(**values, status=DesignStatus.APPROVED)
    db.session.add(design)
    db.session.flush()  # for its id
    audit.record("design.made", subject=design, actor=actor, name=design.name)
    return design


def update(design: Design, values: Mapping[str, Any], seen_fingerprint: str, actor: User) -> None:
    """Update a shop design that staff saw; cards already ordered keep their price. Raises `EditConflict`."""
    optimistic_lock.lock_unchanged(design, seen_fingerprint)
    if not is_shop_design(design):
        raise optimistic_lock.edit_conflict()
    former = {design.front_picture, design.rear_picture}
    fields = sorted(name for name, value in values.items() if getattr(design, name) != value)
    for name in fields:
        setattr(design, name, values[name])
    upload_service.schedule_deletion(former - {design.front_picture, design.rear_picture}, actor.id)
    if fields:
        audit.record("design.changed", subject=design, actor=actor, fields=fields)


def decide(design: Design, *, approve: bool, why: str, actor: User) -> None:
    """Approve or reject requested artwork, exactly once, and queue an email to the customer.

    Raises `ReasonRequired` or `AlreadyDecided`.
    """
    if not approve and not why:
        raise ReasonRequired(_("Enter a reason for the customer."))
    status = DesignStatus.APPROVED if approve else DesignStatus.REJECTED
    reason = "" if approve else why[:MAX_REASON_LENGTH]
    requested = sa.update(Design).where(Design.id == design.id, Design.status == DesignStatus.REQUESTED)
    if execute_update(requested.values(status=status, why_rejected=reason)) != 1:
        raise AlreadyDecided(_("This artwork has already been approved or rejected."))
    db.session.refresh(design)
    order = latest_order(design)
    if order is not None or design.owner_id is not None:
        outbox.post("mail.artwork_decided", design_id=design.id, order_id=order.id if order is not None else None)
    audit.record(f"design.{status.value}", subject=design, actor=actor)


def own_artwork(user_id: int) -> sa.ColumnElement[bool]:
    """Return the condition for a user's private artwork without cards of other owners."""
    others_cards = select(Card.id).where(
        Card.design_id == Design.id, Card.owner_id.is_not(None), Card.owner_id != user_id
    )
    return sa.and_(Design.owner_id == user_id, ~Design.is_public, ~others_cards.exists())
