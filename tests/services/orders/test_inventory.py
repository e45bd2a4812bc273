"""Reservations of orders, and their release when orders end unpaid."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    CreditEntry,
    Order,
    OrderStatus,
    Product,
    User,
)
from tapcard.services.cart import credit
from tapcard.services.orders import transitions
from tapcard.services.orders.transitions import IllegalMove
from tests.purchases import create_cart, create_order, place

HOUR = timedelta(hours=1)


def number_of_orders() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Order)) or 0


def test_a_canceled_order_releases_its_reservations_once(
    ada: User, bottle: Product, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    """H31"""
    credit.give(ada, 500, "sorry")
    cart = create_cart(ada, bottle, quantity=4)
    cart.uses_credit = True
    db.session.commit()
    order = place(cart)
    db.session.commit()
    assert (order.credit_amount, credit.balance(ada.id), bottle.stock) == (500, 0, 6)
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert (credit.balance(ada.id), bottle.stock, order.status) == (500, 10, OrderStatus.CANCELED)
    with pytest.raises(IllegalMove):
        transitions.cancel(order, ada, keys, utcnow())
    db.session.rollback()
    assert (credit.balance(ada.id), bottle.stock) == (500, 10)
    entries = db.session.scalars(db.select(CreditEntry.amount).order_by(CreditEntry.id)).all()
    assert entries == [500, -500, 500]
    assert outbox().count("mail.order_canceled") == 1


def test_an_expired_order_releases_its_reservations(ada: User, bottle: Product, keys: Keys) -> None:
    order = create_order(ada, bottle, quantity=4)
    assert transitions.expire_due(utcnow(), keys) == 0
    assert transitions.expire_due(utcnow() + HOUR, keys) == 1
    db.session.commit()
    assert (order.status, bottle.stock) == (OrderStatus.EXPIRED, 10)
    assert transitions.expire_due(utcnow() + HOUR, keys) == 0


def test_expired_reservations_are_released_without_a_worker(ada: User, cleo: User, bottle: Product) -> None:
    late = create_order(ada, bottle, quantity=10)
    late.expires_at = utcnow() - HOUR
    db.session.commit()
    order = create_order(cleo, bottle, quantity=10)
    assert (late.status, order.status, bottle.stock) == (OrderStatus.EXPIRED, OrderStatus.PENDING, 0)


def test_untracked_stock_is_neither_reserved_nor_released(ada: User, product: Product, keys: Keys) -> None:
    order = create_order(ada, product, quantity=99)
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert product.stock is None


def test_stock_that_is_no_longer_tracked_is_not_released(ada: User, bottle: Product, keys: Keys) -> None:
    order = create_order(ada, bottle, quantity=3)
    bottle.stock = None
    db.session.commit()
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert bottle.stock is None
