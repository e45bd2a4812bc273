"""Order transitions: allowed steps, their emails and history."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    ORDER_MOVES,
    CancelReason,
    Design,
    Order,
    OrderEvent,
    OrderMove,
    OrderStatus,
    PaymentStatus,
    Product,
    ProductionStatus,
    User,
)
from tapcard.models import ProductKind as Kind
from tapcard.services.accounts import credentials
from tapcard.services.orders import queries, transitions
from tapcard.services.orders.transitions import IllegalMove
from tests import purchases
from tests.purchases import create_cart, create_order, fill, place

HOUR = timedelta(hours=1)


def number_of_orders() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Order)) or 0


DEEDS: dict[OrderMove, Callable[[Order, User, Keys], None]] = {
    OrderMove.PROCESS: lambda order, by, _keys: transitions.process(order, by),
    OrderMove.SHIP: lambda order, by, _keys: transitions.ship(
        order, by, utcnow(), carrier="Post", tracking_number="X1"
    ),
    OrderMove.DELIVER: lambda order, by, _keys: transitions.deliver(order, by, utcnow()),
    OrderMove.CANCEL: lambda order, by, keys: transitions.cancel(order, by, keys, utcnow()),
}


@pytest.mark.parametrize("status", OrderStatus)
@pytest.mark.parametrize("move", DEEDS)
def test_each_step_is_allowed_only_from_the_states_in_the_table(
    ada: User, ben: User, product: Product, keys: Keys, status: OrderStatus, move: OrderMove
) -> None:
    """H25, H40"""
    order = create_order(ada, product)
    order.status = status
    db.session.commit()
    start, end = ORDER_MOVES[move]
    if status in start:
        DEEDS[move](order, ben, keys)
        db.session.commit()
        assert order.status is end
        last = order.events[-1]
        assert (last.move, last.from_status, last.to_status, last.actor_id) == (move, status, end, ben.id)
    else:
        with pytest.raises(IllegalMove):
            DEEDS[move](order, ben, keys)
        db.session.rollback()
        assert order.status is status


def test_every_step_is_recorded_in_the_history(ada: User, ben: User, product: Product) -> None:
    order = create_order(ada, product)
    purchases.pay(order)
    transitions.ship(order, ben, utcnow(), carrier="Post", tracking_number="X1")
    transitions.deliver(order, ben, utcnow())
    db.session.commit()
    moves = db.session.scalars(db.select(OrderEvent.move).order_by(OrderEvent.id)).all()
    assert moves == [OrderMove.PLACE, OrderMove.PAY, OrderMove.SHIP, OrderMove.DELIVER]
    assert (order.carrier, order.tracking_number) == ("Post", "X1")


def test_only_lines_of_cards_have_a_production_status(
    ada: User, ben: User, product: Product, create_product: Callable[..., Product], design: Design
) -> None:
    cart = create_cart(ada, product)
    fill(cart, create_product(kind=Kind.CARD), design=design)
    order = place(cart)
    db.session.commit()
    goods, card = order.lines
    transitions.produce(card, ProductionStatus.PRINTED, ben)
    assert card.production_status is ProductionStatus.PRINTED
    with pytest.raises(IllegalMove):
        transitions.produce(goods, ProductionStatus.PRINTED, ben)


def test_paid_orders_are_listed_as_undelivered_until_delivery(ada: User, product: Product) -> None:
    """H25"""
    order = create_order(ada, product)
    assert list(queries.undelivered_orders(ada)) == []
    purchases.pay(order)
    assert list(queries.undelivered_orders(ada)) == [order]
    transitions.deliver(order, None, utcnow())
    db.session.commit()
    assert list(queries.undelivered_orders(ada)) == []


def test_nobody_can_log_in_to_a_guest_account_without_a_password(product: Product) -> None:
    order = create_order(None, product)
    with pytest.raises(credentials.WrongCredentials):
        credentials.authenticate(order.email, "", utcnow())


def test_canceling_an_order_does_not_report_a_payment_twice(
    ada: User, bottle: Product, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    order = purchases.create_order(ada, bottle)
    payment = purchases.start_payment(order)
    payment.status, payment.captured_amount = PaymentStatus.SUCCEEDED, 100
    payment.refund_proposed = True  # the owner was emailed then
    db.session.commit()
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    db.session.refresh(payment)
    assert (order.status, payment.refund_proposed) == (OrderStatus.CANCELED, True)
    assert "mail.payment_needs_care" not in outbox()


def test_a_cancel_reason_is_read_from_the_stored_event(product: Product) -> None:
    cart = purchases.create_cart(None, product)
    first = purchases.place(cart)
    db.session.commit()
    purchases.fill(cart, product)
    purchases.place(cart)
    db.session.commit()
    db.session.refresh(first)
    event = first.events[-1]
    assert (event.why, event.cancel_reason) == ("ordered anew", CancelReason.REPLACED)
    event.why = "No longer made"
    assert event.cancel_reason is None
