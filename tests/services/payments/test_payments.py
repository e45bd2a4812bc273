"""Payments: creating and checking them, the sandbox, and fulfillment of paid orders."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard import settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import Charge, GatewayError, Outcome, require_no_transaction
from tapcard.gateways.offline import OfflineGateway
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    CardStatus,
    ClaimPolicy,
    Design,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductKind,
    SandboxCharge,
    User,
)
from tapcard.services.cards import cards, claims
from tapcard.services.cards import transitions as card_transitions
from tapcard.services.cart import editing
from tapcard.services.orders import fulfillment, queries
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import payments, settlement
from tapcard.services.payments.payments import NotPayable, PaymentInProgress
from tapcard.settings import ShopSettings
from tests import purchases
from tests.purchases import create_order, paid_evidence, pay, pounds, start_payment

HOUR = timedelta(hours=1)


def settle(payment: Payment, **values: Any) -> bool:
    changed = settlement.settle(payment, paid_evidence(payment, **values), purchases.keys(), utcnow())
    db.session.commit()
    return changed


@pytest.fixture
def order(ada: User, bottle: Product) -> Order:
    """Create an unpaid order of two bottles for Ada."""
    return create_order(ada, bottle, quantity=2)


def charge(payment: Payment) -> Charge:
    return payments.build_charge(payment, settings.load(), "http://localhost/back")


def test_an_order_has_only_one_open_payment(order: Order) -> None:
    payments.create(order, OfflineGateway(), None)
    with pytest.raises(PaymentInProgress):
        payments.create(order, OfflineGateway(), None)


@pytest.mark.parametrize("status", [status for status in OrderStatus if status is not OrderStatus.PENDING])
def test_only_an_order_awaiting_payment_can_be_paid(order: Order, status: OrderStatus) -> None:
    order.status = status
    db.session.commit()
    with pytest.raises(NotPayable):
        payments.create(order, OfflineGateway(), None)


def test_a_charge_matches_its_order(order: Order) -> None:
    offline_charge = charge(payments.create(order, OfflineGateway(), None))
    assert (offline_charge.amount, offline_charge.order_number, offline_charge.description) == (
        pounds(4800),
        order.number,
        f"tapcard {order.number}",
    )


def test_offline_payment_extends_the_deadline_by_days(order: Order, outbox: Callable[[], list[str]]) -> None:
    payment = payments.create(order, OfflineGateway(), None)
    payments.record_started(
        payment, OfflineGateway().start(charge(payment)), OfflineGateway(), settings.load(), utcnow()
    )
    db.session.commit()
    assert order.expires_at > utcnow() + timedelta(days=6)
    assert outbox().count("mail.order_received") == 2  # at once, and the one that waits, which then says nothing


def test_a_free_order_is_paid_at_once(
    ada: User, product: Product, create_promotion: Callable[..., Any], keys: Keys
) -> None:
    cart = purchases.create_cart(ada, product)
    cart.promotion = create_promotion(percent=10000)
    db.session.commit()
    order = purchases.place(cart)
    assert order.total_amount == 0
    assert settlement.settle_free(order, keys, utcnow())
    db.session.commit()
    assert order.status is OrderStatus.PAID
    assert not settlement.settle_free(order, keys, utcnow())


def test_an_order_with_a_total_cannot_be_settled_as_free(order: Order, keys: Keys) -> None:
    assert not settlement.settle_free(order, keys, utcnow())


def test_the_owner_can_hide_a_gateway(set_setting: Callable[[str, Any], None]) -> None:
    both = {"sandbox": SandboxGateway(str), "offline": OfflineGateway()}
    assert [gateway.code for gateway in payments.available_gateways(both, settings.load())] == ["sandbox", "offline"]  # type: ignore[arg-type]
    set_setting("hidden_gateways", "sandbox, nosuch")
    assert [gateway.code for gateway in payments.available_gateways(both, settings.load())] == ["offline"]  # type: ignore[arg-type]


def test_open_payments_are_checked_until_they_are_settled(order: Order) -> None:
    payment = start_payment(order)

    def waiting(**later: int) -> list[tuple[int, bool]]:
        return [
            (due_payment.id, due_payment.is_over)
            for due_payment in payments.payments_to_check(utcnow() + timedelta(**later))
        ]

    assert waiting() == [(payment.id, False)]
    assert waiting(days=3) == [(payment.id, True)]  # to be closed, and read once more
    payment.status, payment.reference = PaymentStatus.CREATED, None
    assert waiting() == []  # its gateway is being called
    assert waiting(minutes=2) == [(payment.id, True)]
    payment.status, payment.reference = PaymentStatus.PENDING, f"ref-{payment.id}"
    settle(payment)
    assert waiting() == []


def test_each_button_of_the_sandbox_has_its_outcome(order: Order) -> None:
    gateway = SandboxGateway(lambda public_id: f"/pay/{public_id}")
    payment = payments.create(order, gateway, None)
    new_charge = charge(payment)
    db.session.commit()
    first, again = gateway.start(new_charge), gateway.start(new_charge)
    assert first == again
    assert gateway.fetch(first.reference).outcome is Outcome.PENDING
    here = SandboxCharge.reference == first.reference
    assert sandbox.change(here, sandbox.OPEN, delayed=True)
    assert gateway.fetch(first.reference).outcome is Outcome.PENDING
    assert sandbox.change(here, sandbox.PAID)
    evidence = gateway.fetch(first.reference)
    assert (evidence.outcome, evidence.amount) == (Outcome.PAID, pounds(4800))
    assert not sandbox.change(here, sandbox.DECLINED), "what has ended stays as it is"
    with pytest.raises(GatewayError):
        gateway.fetch("unknown")


def test_gateways_are_not_called_during_a_transaction(order: Order) -> None:
    gateway = SandboxGateway(str)
    payment = payments.create(order, gateway, None)
    new_charge = charge(payment)
    for ask in (lambda: gateway.start(new_charge), lambda: gateway.fetch("x"), lambda: gateway.close("x")):
        with pytest.raises(RuntimeError, match="transaction"):
            ask()
    db.session.commit()
    require_no_transaction()


@pytest.fixture
def card_order(ada: User, create_product: Callable[..., Product], design: Design) -> Order:
    """Create an order of five cards for Ada."""
    cart = purchases.create_cart(ada)
    purchases.fill(cart, create_product(kind=ProductKind.CARD), 5, design=design)
    order = purchases.place(cart)
    db.session.commit()
    return order


def test_paid_cards_are_created_once_with_their_own_codes(card_order: Order, design: Design, keys: Keys) -> None:
    """H12"""
    assert fulfillment.unclaimed_cards(card_order) == []
    payment = pay(card_order)
    settle(payment)
    fulfillment.fulfill(card_order, keys, utcnow())
    db.session.commit()
    ordered_cards = fulfillment.unclaimed_cards(card_order)
    assert (
        len({card.token for card in ordered_cards})
        == len({claims.read_claim_code(card, keys) for card in ordered_cards})
        == 5
    )
    assert {(card.status, card.design_id, card.claim_policy) for card in ordered_cards} == {
        (CardStatus.UNCLAIMED, design.id, ClaimPolicy.CODE)
    }
    assert card_order.status is OrderStatus.PAID


def test_a_buyer_claims_one_or_all_cards_of_their_own_order(
    card_order: Order, ada: User, cleo: User, card: Card
) -> None:
    pay(card_order)
    first = fulfillment.unclaimed_cards(card_order)[0]
    with pytest.raises(queries.OrderNotFound):
        fulfillment.claim_cards(card_order, cleo)
    with pytest.raises(cards.CardNotFound):
        fulfillment.claim_cards(card_order, ada, card.token)
    assert fulfillment.claim_cards(card_order, ada, first.token) == 1
    assert fulfillment.claim_cards(card_order, ada) == 4
    assert fulfillment.claim_cards(card_order, ada) == 0
    db.session.commit()
    assert {
        ordered_card.owner_id
        for ordered_card in db.session.scalars(db.select(Card).where(Card.order_line_id.is_not(None)))
    } == {ada.id}


def activation(user: User, card: Card) -> Order:
    cart = purchases.create_cart(user)
    editing.add_activation(cart, card, purchases.context(), reservations_for)
    db.session.commit()
    order = purchases.place(cart)
    db.session.commit()
    return order


def test_a_paid_activation_claims_the_card_and_needs_no_shipping(ada: User, create_card: Callable[..., Card]) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    order = activation(ada, card)
    assert card.status is CardStatus.UNCLAIMED
    pay(order)
    assert (card.owner_id, card.status, order.status) == (ada.id, CardStatus.ACTIVE, OrderStatus.DELIVERED)


def test_an_unavailable_card_makes_its_paid_order_oversold(
    ada: User, ben: User, create_card: Callable[..., Card]
) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    order = activation(ada, card)
    card_transitions.retire(card, ben, "broken")
    db.session.commit()
    payment = pay(order)
    assert (order.status, order.is_oversold, card.owner_id) == (OrderStatus.PAID, True, None)
    assert payment.refund_proposed


class PoundsOnly(OfflineGateway):
    """A gateway that accepts only pounds."""

    code = "pounds"

    def supports_currency(self, currency: str) -> bool:
        return currency == "GBP"


@pytest.mark.parametrize(("currency", "codes"), [("GBP", ["pounds", "offline"]), ("EUR", ["offline"])])
def test_a_gateway_without_the_shops_currency_is_not_offered(currency: str, codes: list[str]) -> None:
    gateways = {"pounds": PoundsOnly(), "offline": OfflineGateway()}
    offered = payments.available_gateways(gateways, ShopSettings(currency=currency))
    assert [gateway.code for gateway in offered] == codes


def test_an_offline_payment_is_never_checked_at_a_gateway(order: Order) -> None:
    payment = payments.create(order, OfflineGateway(), order.user)
    payment.reference, payment.status = payment.public_id, PaymentStatus.PENDING
    db.session.commit()
    assert payments.payments_to_check(utcnow()) == []
    assert payments.payments_to_check(utcnow() + timedelta(days=30)) == []
