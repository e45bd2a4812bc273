"""Order lookups: by number, by owner, by emailed link."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from ...db import db
from ...errors import NotFound
from ...errors import mark as _
from ...keys import Keys, split_link
from ...models import (
    LineKind,
    Order,
    OrderLine,
    OrderStatus,
    User,
)
from ...models.orders import AFTER_PAID

LINK_PURPOSE = "order_link"


KINDS_OF_CARDS = (LineKind.CARD, LineKind.ACTIVATION)


class OrderNotFound(NotFound):
    """There is no such order, or it is somebody else's."""


def whole() -> tuple[Any, ...]:
    """What a page about an order shows of it."""
    return (
        selectinload(Order.lines).selectinload(OrderLine.cards),
        selectinload(Order.lines).joinedload(OrderLine.product),
        selectinload(Order.lines).joinedload(OrderLine.design),
        selectinload(Order.events),
    )


def owned_by(user: User) -> Select[Order]:
    """A person's orders, the newest first."""
    return select(Order).where(Order.user_id == user.id).order_by(Order.id.desc())


def find(number: str) -> Order | None:
    """The order of a number, in any case of letters."""
    text = "".join(number.split()).upper()
    can_be_one = text.isascii() and text.replace("-", "").isalnum()
    return db.session.scalar(select(Order).where(Order.number == text).options(*whole())) if can_be_one else None


def own_order(number: str, *, user: User | None, known: Collection[int]) -> Order:
    """An order that is the visitor's own, or that their browser placed or opened by its link; no other exists."""
    order = find(number)
    is_theirs = order is not None and (order.id in known or (user is not None and order.user_id == user.id))
    if order is None or not is_theirs:
        raise OrderNotFound(_("We can't find that order."))
    return order


def visible_to(user: User | None, known: Collection[int]) -> Select[Order]:
    """A person's orders and those that their browser may open, the newest first."""
    is_theirs: sa.ColumnElement[bool] = Order.id.in_(sorted(known))
    if user is not None:
        is_theirs = sa.or_(is_theirs, Order.user_id == user.id)
    return select(Order).where(is_theirs).order_by(Order.id.desc()).options(*whole())


def under_way(user: User) -> Sequence[Order]:
    """A person's orders that are paid and not yet with them, the newest first."""
    waiting = AFTER_PAID - {OrderStatus.DELIVERED}
    return db.session.scalars(owned_by(user).where(Order.status.in_(waiting)).options(*whole())).all()


def arriving(user: User) -> Sequence[OrderLine]:
    """The lines of a person's orders that sell or activate cards, paid and not yet with them, the newest first."""
    is_due = (Order.user_id == user.id, Order.status.in_(AFTER_PAID - {OrderStatus.DELIVERED}))
    lines = select(OrderLine).join(OrderLine.order).where(*is_due, OrderLine.kind.in_(KINDS_OF_CARDS))
    whole_lines = lines.options(contains_eager(OrderLine.order), joinedload(OrderLine.design))
    return db.session.scalars(whole_lines.order_by(Order.id.desc(), OrderLine.id)).all()


def token_of(order: Order, keys: Keys) -> str:
    """Return the token of the link in an order's emails, which opens that order alone; it never expires."""
    return keys.sign_link(LINK_PURPOSE, order.number)


def of_token(token: str, keys: Keys) -> Order:
    """Return the order of such a token; raise `OrderNotFound` if it is forged or truncated."""
    number, digest = split_link(token)
    order = find(number) if keys.verify_link(LINK_PURPOSE, digest, number) else None
    if order is None:
        raise OrderNotFound(_("This link isn't valid. Check that you copied all of it."))
    return order
