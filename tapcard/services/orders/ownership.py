"""Attaching the orders of an email address to its account."""

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, execute_update
from ...errors import mark as _
from ...models import Design, Order, OrderLine, User
from . import transitions


def attach_orders(user: User) -> int:
    """Attach the orders of a verified email address to its account; return their number.

    Call it once an emailed link has proved that the person owns the address.
    """
    waiting = select(Order.id).where(Order.user_id.is_(None), Order.email == user.email)
    ids = list(db.session.scalars(waiting))
    for order_id in ids:
        _attach(order_id, user)
    return len(ids)


def attach_order(order: Order, user: User) -> None:
    """Attach one order to the account with its email address; raises `IllegalMove` for another address."""
    if order.user_id is not None or not user.is_verified or order.email != user.email:
        raise transitions.IllegalMove(_("This order was placed with a different email address."))
    _attach(order.id, user)
    db.session.refresh(order)


def _attach(order_id: int, user: User) -> None:
    if execute_update(sa.update(Order).where(Order.id == order_id, Order.user_id.is_(None)).values(user_id=user.id)):
        artwork = select(OrderLine.design_id).where(OrderLine.order_id == order_id)
        ownerless = (Design.id.in_(artwork), Design.owner_id.is_(None), ~Design.is_public)
        execute_update(sa.update(Design).where(*ownerless).values(owner_id=user.id))
