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
    Cart,
    LineKind,
    Order,
    OrderLine,
    OrderStatus,
    User,
)
from ...models.orders import PAID_STATUSES

LINK_PURPOSE = "order_link"


KINDS_OF_CARDS = (LineKind.CARD, LineKind.ACTIVATION)


class OrderNotFound(NotFound):
    """The order does not exist, or the visitor may not see it."""


def load_options() -> tuple[Any, ...]:
    """Return the loader options for what the page of an order shows."""
    return (
        selectinload(Order.lines).selectinload(OrderLine.cards),
        selectinload(Order.lines).joinedload(OrderLine.product),
        selectinload(Order.lines).joinedload(OrderLine.design),
        selectinload(Order.events),
    )


def orders_of_user(user: User) -> Select[Order]:
    """Return the query for a person's orders, newest first."""
    return select(Order).where(Order.user_id == user.id).order_by(Order.id.desc())


def find(number: str) -> Order | None:
    """Return the order with a number, in upper or lower case; None when there is none."""
    text = "".join(number.split()).upper()
    can_be_one = text.isascii() and text.replace("-", "").isalnum()
    return db.session.scalar(select(Order).where(Order.number == text).options(*load_options())) if can_be_one else None


def own_order(number: str, *, user: User | None, known_ids: Collection[int]) -> Order:
    """Return an order that belongs to the visitor or is known to their browser; raises `OrderNotFound`.

    `known_ids`: ids of the orders that the browser placed or opened by an emailed link.
    """
    order = find(number)
    is_theirs = order is not None and (order.id in known_ids or (user is not None and order.user_id == user.id))
    if order is None or not is_theirs:
        raise OrderNotFound(_("We couldn't find that order."))
    return order


def visible_orders(user: User | None, known_ids: Collection[int]) -> Select[Order]:
    """Return the query for a person's orders and those known to their browser, newest first."""
    is_theirs: sa.ColumnElement[bool] = Order.id.in_(sorted(known_ids))
    if user is not None:
        is_theirs = sa.or_(is_theirs, Order.user_id == user.id)
    return select(Order).where(is_theirs).order_by(Order.id.desc()).options(*load_options())


def undelivered_orders(user: User) -> Sequence[Order]:
    """Return a person's orders that are paid and not yet delivered, newest first."""
    waiting = PAID_STATUSES - {OrderStatus.DELIVERED}
    return db.session.scalars(orders_of_user(user).where(Order.status.in_(waiting)).options(*load_options())).all()


def undelivered_card_lines(user: User) -> Sequence[OrderLine]:
    """Return the lines of a person's paid, undelivered orders that sell or activate cards, newest first."""
    is_due = (Order.user_id == user.id, Order.status.in_(PAID_STATUSES - {OrderStatus.DELIVERED}))
    lines = select(OrderLine).join(OrderLine.order).where(*is_due, OrderLine.kind.in_(KINDS_OF_CARDS))
    whole_lines = lines.options(contains_eager(OrderLine.order), joinedload(OrderLine.design))
    return db.session.scalars(whole_lines.order_by(Order.id.desc(), OrderLine.id)).all()


def link_token(order: Order, keys: Keys) -> str:
    """Return the token of the link in an order's emails, which opens that order alone; it never expires."""
    return keys.sign_link(LINK_PURPOSE, order.number)


def find_by_link_token(token: str, keys: Keys) -> Order:
    """Return the order of such a token; raise `OrderNotFound` if it is forged or truncated."""
    number, digest = split_link(token)
    order = find(number) if keys.verify_link(LINK_PURPOSE, digest, number) else None
    if order is None:
        raise OrderNotFound(_("This link isn't valid. Check that you copied all of it."))
    return order


def find_last_of_cart(cart: Cart) -> Order | None:
    """Return the latest order placed from a cart that was neither canceled nor expired."""
    is_alive = Order.status.not_in((OrderStatus.CANCELED, OrderStatus.EXPIRED))
    orders = select(Order).where(Order.cart_id == cart.id, is_alive).order_by(Order.id.desc())
    return db.session.scalar(orders.limit(1))
