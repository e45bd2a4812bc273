"""Replacement of an unpaid order by a new one of the same cart, which can use its reservations.

For a card that is replaced by another one, see `services/cards/replacement`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import aliased

from ...db import db
from ...gateways.base import OFFLINE
from ...models import (
    PAYMENT_OPEN,
    CardHold,
    Cart,
    CreditAccount,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    PaymentStatus,
)
from ..cart.items import Reservations
from ..cart.promotions import Customer


def replaceable_orders_filter(cart_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for the open orders that a new order of the cart replaces.

    An order that awaits an offline payment, or is paid in part, is not replaced: its buyer may be on the way to the
    bank.
    """
    payment = aliased(Payment)
    is_awaited = sa.and_(payment.status == PaymentStatus.PENDING, payment.gateway == OFFLINE)
    is_firm = select(payment.id).where(
        payment.order_id == Order.id, sa.or_(is_awaited, payment.status == PaymentStatus.SUCCEEDED)
    )
    return Order.cart_id == cart_id, Order.status == OrderStatus.PENDING, ~is_firm.exists()


def cancelable_orders_filter(cart_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions for replaceable orders without an open payment, which can be canceled at once."""
    payment = aliased(Payment)
    open_payment = select(payment.id).where(payment.order_id == Order.id, payment.status.in_(PAYMENT_OPEN))
    return *replaceable_orders_filter(cart_id), ~open_payment.exists()


def open_payments(cart_id: int) -> Sequence[Payment]:
    """Return the open payments of the orders that a new order of the cart replaces."""
    payments = select(Payment).join(Payment.order).where(*replaceable_orders_filter(cart_id))
    return db.session.scalars(payments.where(Payment.status.in_(PAYMENT_OPEN)).order_by(Payment.id)).all()


def reservations_for(cart: Cart, now: datetime) -> Reservations:
    """Return the reservations of stock and cards that concern a cart."""
    return Reservations(_releasable_stock(cart, now), _cards_held_by_others(cart, now))


def quote_reservations(cart: Cart, customer: Customer, now: datetime) -> Reservations:
    """Return the same with the credit that the customer can spend, and whether the promotion's use is counted."""
    reservations = reservations_for(cart, now)
    if customer.user is None and cart.promotion is None:
        return reservations
    user_id = customer.user.id if customer.user is not None else None
    promotion_id = cart.promotion.id if cart.promotion is not None else None
    is_replaceable = replaceable_orders_filter(cart.id)
    balance, held_credit, use_count = db.session.execute(
        select(
            select(CreditAccount.amount).where(CreditAccount.user_id == user_id).scalar_subquery(),
            select(sa.func.sum(Order.credit_amount)).where(*is_replaceable).scalar_subquery(),
            select(sa.func.count(Order.id))
            .where(*is_replaceable, Order.promotion_id == promotion_id)
            .scalar_subquery(),
        )
    ).one()
    credit = int(balance or 0) + int(held_credit or 0) if user_id is not None else 0
    return replace(reservations, spendable_credit=credit, has_promotion_use=bool(use_count))


def _releasable_stock(cart: Cart, now: datetime) -> dict[int, int]:
    """Return the pieces by product id that replaceable orders of the cart, or any expired orders, hold."""
    product_ids = [
        line.product_id for line in cart.lines if line.product is not None and line.product.stock is not None
    ]
    if not product_ids:
        return {}
    is_expired = sa.and_(Order.status == OrderStatus.PENDING, Order.expires_at <= now)
    lines = (
        select(OrderLine.product_id, sa.func.sum(OrderLine.stock_taken))
        .join(OrderLine.order)
        .where(OrderLine.product_id.in_(product_ids), OrderLine.stock_taken > 0)
        .where(sa.or_(sa.and_(*replaceable_orders_filter(cart.id)), is_expired))
        .group_by(OrderLine.product_id)
    )
    return {product_id: int(pieces) for product_id, pieces in db.session.execute(lines) if product_id is not None}


def _cards_held_by_others(cart: Cart, now: datetime) -> frozenset[int]:
    """Return the ids of cards in the cart whose activation an order that is not replaced is about to pay."""
    card_ids = [line.card_id for line in cart.lines if line.card_id is not None]
    if not card_ids:
        return frozenset()
    holds = (
        select(CardHold.card_id)
        .join(OrderLine, OrderLine.id == CardHold.order_line_id)
        .join(OrderLine.order)
        .where(CardHold.card_id.in_(card_ids), CardHold.expires_at > now)
        .where(sa.not_(sa.and_(*replaceable_orders_filter(cart.id))))
    )
    return frozenset(db.session.scalars(holds))
