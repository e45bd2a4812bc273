"""Settlement: an order is marked as paid once; late, double and wrong payments are recorded."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard import settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways.base import Charge, Outcome
from tapcard.gateways.offline import OfflineGateway
from tapcard.keys import Keys
from tapcard.models import (
    PAYMENT_MOVES,
    LineGrant,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    Promotion,
    User,
)
from tapcard.services.cart import credit
from tapcard.services.orders import transitions
from tapcard.services.payments import payments, settlement
from tapcard.services.payments.payments import NotPayable
from tests import purchases
from tests.purchases import create_order, paid_evidence, pay, pounds, start_payment

HOUR = timedelta(hours=1)


def settle(payment: Payment, **values: Any) -> bool:
    changed = settlement.settle(payment, paid_evidence(payment, **values), purchases.keys(), utcnow())
    db.session.commit()
    return changed


def charge(payment: Payment) -> Charge:
    return payments.build_charge(payment, settings.load(), "http://localhost/back")


@pytest.fixture
def order(ada: User, bottle: Product) -> Order:
    """Create an unpaid order of two bottles for Ada."""
    return create_order(ada, bottle, quantity=2)


def test_a_settled_payment_marks_its_order_as_paid_once(order: Order, outbox: Callable[[], list[str]]) -> None:
    payment = start_payment(order)
    assert settle(payment)
    assert (order.status, payment.status, payment.captured_amount) == (OrderStatus.PAID, PaymentStatus.SUCCEEDED, 4800)
    for _time in range(3):
        assert not settle(payment)
    assert [kind for kind in outbox() if kind == "mail.order_paid"] == ["mail.order_paid"]
    assert len(order.events) == 2
    assert not payment.refund_proposed


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": pounds(1)},
        {"amount": pounds(4801)},
        {"amount": pounds(0)},
        {"amount": purchases.Money(4800, "EUR")},
        {"amount": None},
        {"reference": "another"},
    ],
)
def test_a_mismatched_payment_pays_nothing_and_is_reported(
    order: Order, outbox: Callable[[], list[str]], wrong: dict[str, Any]
) -> None:
    """H46, H47"""
    payment = start_payment(order)
    assert settle(payment, **wrong)
    assert (order.status, payment.status, payment.refund_proposed) == (
        OrderStatus.PENDING,
        PaymentStatus.MISMATCH,
        True,
    )
    assert "mail.payment_needs_care" in outbox()
    assert not settle(payment)
    assert order.status is OrderStatus.PENDING


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.PAID])
def test_only_a_successful_outcome_marks_an_order_as_paid(order: Order, outcome: Outcome) -> None:
    """H48"""
    payment = start_payment(order)
    settle(payment, outcome=outcome)
    assert order.status is OrderStatus.PENDING
    assert payment.captured_amount == 0


@pytest.mark.parametrize("late", [Outcome.FAILED, Outcome.CANCELED, Outcome.EXPIRED])
def test_a_late_failure_does_not_undo_a_success(order: Order, late: Outcome) -> None:
    """H50"""
    payment = start_payment(order)
    settle(payment)
    assert not settle(payment, outcome=late)
    assert (order.status, payment.status) == (OrderStatus.PAID, PaymentStatus.SUCCEEDED)


@pytest.mark.parametrize("early", [Outcome.FAILED, Outcome.CANCELED, Outcome.EXPIRED])
def test_a_success_after_a_failure_counts(order: Order, early: Outcome) -> None:
    payment = start_payment(order)
    settle(payment, outcome=early)
    assert settle(payment)
    assert order.status is OrderStatus.PAID


@pytest.mark.parametrize("status", PaymentStatus)
@pytest.mark.parametrize("outcome", [Outcome.PAID, Outcome.FAILED, Outcome.CANCELED, Outcome.EXPIRED])
def test_a_payment_changes_status_only_as_its_table_allows(
    order: Order, status: PaymentStatus, outcome: Outcome
) -> None:
    payment = start_payment(order)
    payment.status = status
    db.session.commit()
    target = settlement.STATUS_BY_OUTCOME.get(outcome, PaymentStatus.SUCCEEDED)
    settle(payment, outcome=outcome)
    assert payment.status is (target if status in PAYMENT_MOVES[target] else status)


def test_a_refund_is_proposed_for_the_payment_of_a_canceled_order(
    order: Order, ada: User, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    """H51"""
    payment = start_payment(order)
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    settle(payment)
    assert (order.status, payment.captured_amount, payment.refund_proposed) == (OrderStatus.CANCELED, 4800, True)
    assert "mail.payment_needs_care" in outbox()


def test_an_order_paid_after_expiry_reserves_its_stock_again(order: Order, bottle: Product, keys: Keys) -> None:
    payment = start_payment(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    db.session.commit()
    assert bottle.stock == 10
    settle(payment)
    assert (order.status, order.is_oversold, bottle.stock) == (OrderStatus.PAID, False, 8)


def test_a_late_payment_for_sold_out_stock_marks_the_order_as_oversold(
    order: Order, bottle: Product, keys: Keys, cleo: User, outbox: Callable[[], list[str]]
) -> None:
    payment = start_payment(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    create_order(cleo, bottle, quantity=9)
    settle(payment)
    assert (order.status, order.is_oversold, bottle.stock) == (OrderStatus.PAID, True, 1)
    assert payment.refund_proposed
    assert "mail.payment_needs_care" in outbox()
    assert db.session.scalars(db.select(LineGrant)).all() == []


def test_a_late_payment_with_a_used_up_code_marks_the_order_as_oversold(
    create_promotion: Callable[..., Promotion], product: Product, keys: Keys
) -> None:
    """H30: the usage limit also applies to late payments."""
    promotion = create_promotion(most_uses=1)

    def ordered(name: str) -> Order:
        cart = purchases.create_cart(None, product)
        cart.promotion = promotion
        order = purchases.place(cart, purchases.buyer(email=f"{name}@example.com"))
        db.session.commit()
        return order

    first = ordered("first")
    late = start_payment(first)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    db.session.commit()
    assert promotion.use_count == 0
    second = ordered("second")
    pay(second)
    settle(late)
    assert (first.status, first.is_oversold, late.refund_proposed) == (OrderStatus.PAID, True, True)
    assert (second.is_oversold, promotion.use_count) == (False, 1)


def test_a_late_payment_counts_the_use_of_its_code_again(
    create_promotion: Callable[..., Promotion], product: Product, keys: Keys
) -> None:
    promotion = create_promotion(most_uses=1)
    cart = purchases.create_cart(None, product)
    cart.promotion = promotion
    order = purchases.place(cart)
    late = start_payment(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    db.session.commit()
    settle(late)
    assert (order.is_oversold, promotion.use_count) == (False, 1)


def test_a_late_payment_without_its_credit_reserves_no_stock(ada: User, bottle: Product, keys: Keys) -> None:
    credit.give(ada, 1000, "sorry")
    cart = purchases.create_cart(ada, bottle)
    cart.uses_credit = True
    order = purchases.place(cart)
    late = start_payment(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    other_order = create_order(ada, bottle)  # the same cart, with one more piece and the same credit
    settle(late)
    assert (other_order.credit_amount, credit.balance(ada.id)) == (1000, 0)
    assert (order.status, order.is_oversold, bottle.stock) == (OrderStatus.PAID, True, 8)


def test_a_refund_is_proposed_for_parts_above_the_total(
    order: Order, olu: User, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    online = start_payment(order)
    payments.end_unpaid(online, PaymentStatus.CANCELED, utcnow())
    settlement.record_offline_payment(order, settlement.OfflineReceipt(pounds(2000)), purchases.context(olu), 4800)
    db.session.commit()
    settle(online)  # closed, but paid anyway
    assert (order.status, payments.captured_amount(order)) == (OrderStatus.PAID, 6800)
    assert online.refund_proposed
    assert payments.find_open(order) is None
    assert "mail.payment_needs_care" in outbox()


def test_a_refund_is_proposed_for_a_part_of_an_ended_order(order: Order, olu: User, keys: Keys) -> None:
    settlement.record_offline_payment(order, settlement.OfflineReceipt(pounds(2000)), purchases.context(olu), 4800)
    transitions.expire_due(utcnow() + timedelta(days=30), keys)
    db.session.commit()
    part = db.session.scalars(db.select(Payment).where(Payment.status == PaymentStatus.SUCCEEDED)).one()
    assert (order.status, part.refund_proposed) == (OrderStatus.EXPIRED, True)
    settlement.record_offline_payment(order, settlement.OfflineReceipt(pounds(2800)), purchases.context(olu), 2800)
    db.session.commit()
    db.session.refresh(part)
    assert (order.status, part.refund_proposed) == (OrderStatus.PAID, False)


def test_a_refund_is_proposed_for_a_second_payment(order: Order) -> None:
    first = start_payment(order)
    payments.end_unpaid(first, PaymentStatus.CANCELED, utcnow())
    second = start_payment(order)
    settle(second)
    settle(first)
    assert (first.status, first.refund_proposed, second.refund_proposed) == (PaymentStatus.SUCCEEDED, True, False)
    assert len(order.events) == 2


def test_partial_payments_add_up(order: Order, ben: User, keys: Keys) -> None:
    payment = payments.create(order, OfflineGateway(), None)
    payments.record_started(
        payment, OfflineGateway().start(charge(payment)), OfflineGateway(), settings.load(), utcnow()
    )
    db.session.commit()
    settlement.confirm_offline(payment, settlement.OfflineReceipt(pounds(800), note="cash"), purchases.context(ben))
    db.session.commit()
    assert (order.status, payments.amount_due(order)) == (OrderStatus.PENDING, pounds(4000))
    rest = payments.find_open(order)
    assert rest is not None
    with pytest.raises(NotPayable):
        settlement.confirm_offline(rest, settlement.OfflineReceipt(pounds(4001)), purchases.context(ben))
    db.session.rollback()
    settlement.confirm_offline(rest, settlement.OfflineReceipt(pounds(4000)), purchases.context(ben))
    db.session.commit()
    assert (order.status, payments.amount_due(order), payments.find_open(order)) == (OrderStatus.PAID, pounds(0), None)


def test_only_offline_payments_are_confirmed_by_staff(order: Order, ben: User, keys: Keys) -> None:
    payment = start_payment(order)
    with pytest.raises(NotPayable):
        settlement.confirm_offline(payment, settlement.OfflineReceipt(payment.money), purchases.context(ben))
