"""Payments: evidence alone makes an order paid, once; money that comes late, twice or wrong is recorded, never lost."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard import settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import Charge, GatewayError, Outcome, must_be_outside_a_transaction
from tapcard.gateways.offline import OfflineGateway
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import (
    PAYMENT_MOVES,
    Card,
    CardStatus,
    ClaimPolicy,
    Design,
    LineGrant,
    Order,
    OrderStatus,
    Payment,
    PaymentStatus,
    Product,
    ProductKind,
    Promotion,
    SandboxCharge,
    User,
)
from tapcard.services.cards import cards, claims
from tapcard.services.cards import transitions as card_transitions
from tapcard.services.cart import credit, editing
from tapcard.services.orders import fulfillment, queries, transitions
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import payments, settlement
from tapcard.services.payments.payments import NotPayable, PaymentInProgress
from tapcard.settings import ShopSettings
from tests import buying
from tests.buying import begin, order_of, paid, pay, pounds

HOUR = timedelta(hours=1)


def settle(payment: Payment, **values: Any) -> bool:
    changed = settlement.settle(payment, paid(payment, **values), buying.keys(), utcnow())
    db.session.commit()
    return changed


@pytest.fixture
def order(ada: User, bottle: Product) -> Order:
    """Two bottles for Ada, unpaid."""
    return order_of(ada, bottle, quantity=2)


# --- one way to paid --------------------------------------------------------------------------------------------------


def test_a_settled_payment_makes_its_order_paid_once(order: Order, outbox: Callable[[], list[str]]) -> None:
    payment = begin(order)
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
        {"amount": buying.Money(4800, "EUR")},
        {"amount": None},
        {"reference": "another"},
    ],
)
def test_what_does_not_agree_pays_nothing_and_people_are_told(
    order: Order, outbox: Callable[[], list[str]], wrong: dict[str, Any]
) -> None:
    """H46, H47"""
    payment = begin(order)
    assert settle(payment, **wrong)
    assert (order.status, payment.status, payment.refund_proposed) == (
        OrderStatus.PENDING,
        PaymentStatus.MISMATCH,
        True,
    )
    assert "mail.payment_needs_care" in outbox()
    assert not settle(payment)
    assert order.status is OrderStatus.PENDING


@pytest.mark.parametrize("outcome", [each for each in Outcome if each is not Outcome.PAID])
def test_nothing_but_money_pays(order: Order, outcome: Outcome) -> None:
    """H48"""
    payment = begin(order)
    settle(payment, outcome=outcome)
    assert order.status is OrderStatus.PENDING
    assert payment.captured_amount == 0


@pytest.mark.parametrize("late", [Outcome.FAILED, Outcome.CANCELED, Outcome.EXPIRED])
def test_a_late_failure_does_not_undo_a_success(order: Order, late: Outcome) -> None:
    """H50"""
    payment = begin(order)
    settle(payment)
    assert not settle(payment, outcome=late)
    assert (order.status, payment.status) == (OrderStatus.PAID, PaymentStatus.SUCCEEDED)


@pytest.mark.parametrize("early", [Outcome.FAILED, Outcome.CANCELED, Outcome.EXPIRED])
def test_money_that_comes_after_a_failure_counts(order: Order, early: Outcome) -> None:
    payment = begin(order)
    settle(payment, outcome=early)
    assert settle(payment)
    assert order.status is OrderStatus.PAID


@pytest.mark.parametrize("status", PaymentStatus)
@pytest.mark.parametrize("outcome", [Outcome.PAID, Outcome.FAILED, Outcome.CANCELED, Outcome.EXPIRED])
def test_a_payment_moves_as_its_table_says(order: Order, status: PaymentStatus, outcome: Outcome) -> None:
    payment = begin(order)
    payment.status = status
    db.session.commit()
    target = settlement.STATUS_BY_OUTCOME.get(outcome, PaymentStatus.SUCCEEDED)
    settle(payment, outcome=outcome)
    assert payment.status is (target if status in PAYMENT_MOVES[target] else status)


# --- late, twice, in parts --------------------------------------------------------------------------------------------


def test_money_for_a_canceled_order_is_kept_and_proposed_to_go_back(
    order: Order, ada: User, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    """H51"""
    payment = begin(order)
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    settle(payment)
    assert (order.status, payment.captured_amount, payment.refund_proposed) == (OrderStatus.CANCELED, 4800, True)
    assert "mail.payment_needs_care" in outbox()


def test_an_order_paid_after_it_expired_takes_its_stock_again(order: Order, bottle: Product, keys: Keys) -> None:
    payment = begin(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    db.session.commit()
    assert bottle.stock == 10
    settle(payment)
    assert (order.status, order.is_oversold, bottle.stock) == (OrderStatus.PAID, False, 8)


def test_paid_too_late_for_the_last_pieces_it_is_oversold_and_says_so(
    order: Order, bottle: Product, keys: Keys, cleo: User, outbox: Callable[[], list[str]]
) -> None:
    payment = begin(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    order_of(cleo, bottle, quantity=9)
    settle(payment)
    assert (order.status, order.is_oversold, bottle.stock) == (OrderStatus.PAID, True, 1)
    assert payment.refund_proposed
    assert "mail.payment_needs_care" in outbox()
    assert db.session.scalars(db.select(LineGrant)).all() == []


def test_a_code_that_was_used_up_meanwhile_makes_a_late_payment_one_to_decide_about(
    create_promotion: Callable[..., Promotion], product: Product, keys: Keys
) -> None:
    """H30: the limit holds for those who pay late as well."""
    promotion = create_promotion(most_uses=1)

    def ordered(name: str) -> Order:
        cart = buying.cart_of(None, product)
        cart.promotion = promotion
        order = buying.place(cart, buying.buyer(email=f"{name}@example.com"))
        db.session.commit()
        return order

    first = ordered("first")
    late = begin(first)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    db.session.commit()
    assert promotion.use_count == 0
    second = ordered("second")
    pay(second)
    settle(late)
    assert (first.status, first.is_oversold, late.refund_proposed) == (OrderStatus.PAID, True, True)
    assert (second.is_oversold, promotion.use_count) == (False, 1)


def test_a_code_that_still_has_room_is_counted_again_for_a_late_payment(
    create_promotion: Callable[..., Promotion], product: Product, keys: Keys
) -> None:
    promotion = create_promotion(most_uses=1)
    cart = buying.cart_of(None, product)
    cart.promotion = promotion
    order = buying.place(cart)
    late = begin(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    db.session.commit()
    settle(late)
    assert (order.is_oversold, promotion.use_count) == (False, 1)


def test_credit_that_was_spent_meanwhile_leaves_stock_alone(ada: User, bottle: Product, keys: Keys) -> None:
    credit.give(ada, 1000, "sorry")
    cart = buying.cart_of(ada, bottle)
    cart.uses_credit = True
    order = buying.place(cart)
    late = begin(order)
    transitions.expire_due(utcnow() + 2 * HOUR, keys)
    other = order_of(ada, bottle)  # the same cart, with one more and the same credit
    settle(late)
    assert (other.credit_amount, credit.balance(ada.id)) == (1000, 0)
    assert (order.status, order.is_oversold, bottle.stock) == (OrderStatus.PAID, True, 8)


def test_more_than_the_total_in_parts_is_proposed_to_go_back(
    order: Order, olu: User, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    online = begin(order)
    payments.end_unpaid(online, PaymentStatus.CANCELED, utcnow())
    settlement.record_offline_payment(order, settlement.OfflineReceipt(pounds(2000)), buying.context(olu), 4800)
    db.session.commit()
    settle(online)  # closed, and paid all the same
    assert (order.status, payments.captured_amount(order)) == (OrderStatus.PAID, 6800)
    assert online.refund_proposed
    assert payments.find_open(order) is None
    assert "mail.payment_needs_care" in outbox()


def test_a_part_of_an_order_that_is_over_is_proposed_to_go_back(order: Order, olu: User, keys: Keys) -> None:
    settlement.record_offline_payment(order, settlement.OfflineReceipt(pounds(2000)), buying.context(olu), 4800)
    transitions.expire_due(utcnow() + timedelta(days=30), keys)
    db.session.commit()
    part = db.session.scalars(db.select(Payment).where(Payment.status == PaymentStatus.SUCCEEDED)).one()
    assert (order.status, part.refund_proposed) == (OrderStatus.EXPIRED, True)
    settlement.record_offline_payment(order, settlement.OfflineReceipt(pounds(2800)), buying.context(olu), 2800)
    db.session.commit()
    db.session.refresh(part)
    assert (order.status, part.refund_proposed) == (OrderStatus.PAID, False)


def test_paid_twice_it_is_paid_once_and_the_rest_is_proposed_to_go_back(order: Order) -> None:
    first = begin(order)
    payments.end_unpaid(first, PaymentStatus.CANCELED, utcnow())
    second = begin(order)
    settle(second)
    settle(first)
    assert (first.status, first.refund_proposed, second.refund_proposed) == (PaymentStatus.SUCCEEDED, True, False)
    assert len(order.events) == 2


def test_parts_add_up(order: Order, ben: User, keys: Keys) -> None:
    payment = payments.create(order, OfflineGateway(), None)
    payments.record_started(
        payment, OfflineGateway().start(charge(payment)), OfflineGateway(), settings.load(), utcnow()
    )
    db.session.commit()
    settlement.confirm_offline(payment, settlement.OfflineReceipt(pounds(800), note="cash"), buying.context(ben))
    db.session.commit()
    assert (order.status, payments.amount_due(order)) == (OrderStatus.PENDING, pounds(4000))
    rest = payments.find_open(order)
    assert rest is not None
    with pytest.raises(NotPayable):
        settlement.confirm_offline(rest, settlement.OfflineReceipt(pounds(4001)), buying.context(ben))
    db.session.rollback()
    settlement.confirm_offline(rest, settlement.OfflineReceipt(pounds(4000)), buying.context(ben))
    db.session.commit()
    assert (order.status, payments.amount_due(order), payments.find_open(order)) == (OrderStatus.PAID, pounds(0), None)


def test_only_money_outside_the_web_is_confirmed_by_hand(order: Order, ben: User, keys: Keys) -> None:
    payment = begin(order)
    with pytest.raises(NotPayable):
        settlement.confirm_offline(payment, settlement.OfflineReceipt(payment.money), buying.context(ben))


# --- beginning --------------------------------------------------------------------------------------------------------


def charge(payment: Payment) -> Charge:
    return payments.build_charge(payment, settings.load(), "http://localhost/back")


def test_one_payment_of_an_order_is_open(order: Order) -> None:
    payments.create(order, OfflineGateway(), None)
    with pytest.raises(PaymentInProgress):
        payments.create(order, OfflineGateway(), None)


@pytest.mark.parametrize("status", [each for each in OrderStatus if each is not OrderStatus.PENDING])
def test_only_an_order_that_waits_can_be_paid(order: Order, status: OrderStatus) -> None:
    order.status = status
    db.session.commit()
    with pytest.raises(NotPayable):
        payments.create(order, OfflineGateway(), None)


def test_a_charge_says_what_the_order_says(order: Order) -> None:
    told = charge(payments.create(order, OfflineGateway(), None))
    assert (told.amount, told.order_number, told.description) == (pounds(4800), order.number, f"tapcard {order.number}")


def test_money_outside_the_web_gives_the_order_days(order: Order, outbox: Callable[[], list[str]]) -> None:
    payment = payments.create(order, OfflineGateway(), None)
    payments.record_started(
        payment, OfflineGateway().start(charge(payment)), OfflineGateway(), settings.load(), utcnow()
    )
    db.session.commit()
    assert order.expires_at > utcnow() + timedelta(days=6)
    assert outbox().count("mail.order_received") == 2  # at once, and the one that waits, which then says nothing


def test_an_order_that_costs_nothing_is_paid_at_once(
    ada: User, product: Product, create_promotion: Callable[..., Any], keys: Keys
) -> None:
    cart = buying.cart_of(ada, product)
    cart.promotion = create_promotion(percent=10000)
    db.session.commit()
    order = buying.place(cart)
    assert order.total_amount == 0
    assert settlement.settle_free(order, keys, utcnow())
    db.session.commit()
    assert order.status is OrderStatus.PAID
    assert not settlement.settle_free(order, keys, utcnow())


def test_an_order_that_costs_something_is_not_free(order: Order, keys: Keys) -> None:
    assert not settlement.settle_free(order, keys, utcnow())


def test_the_owner_may_hide_a_gateway(set_setting: Callable[[str, Any], None]) -> None:
    both = {"sandbox": SandboxGateway(str), "offline": OfflineGateway()}
    assert [each.code for each in payments.available_gateways(both, settings.load())] == ["sandbox", "offline"]  # type: ignore[arg-type]
    set_setting("hidden_gateways", "sandbox, nosuch")
    assert [each.code for each in payments.available_gateways(both, settings.load())] == ["offline"]  # type: ignore[arg-type]


def test_payments_that_nobody_told_us_about_are_looked_at(order: Order) -> None:
    payment = begin(order)

    def waiting(**later: int) -> list[tuple[int, bool]]:
        return [(each.id, each.is_over) for each in payments.payments_to_check(utcnow() + timedelta(**later))]

    assert waiting() == [(payment.id, False)]
    assert waiting(days=3) == [(payment.id, True)]  # to be closed, and read once more
    payment.status, payment.reference = PaymentStatus.CREATED, None
    assert waiting() == []  # its gateway is just being asked
    assert waiting(minutes=2) == [(payment.id, True)]
    payment.status, payment.reference = PaymentStatus.PENDING, f"ref-{payment.id}"
    settle(payment)
    assert waiting() == []


# --- the sandbox ------------------------------------------------------------------------------------------------------


def test_the_sandbox_does_what_its_buttons_say(order: Order) -> None:
    gateway = SandboxGateway(lambda public_id: f"/pay/{public_id}")
    payment = payments.create(order, gateway, None)
    told = charge(payment)
    db.session.commit()
    first, again = gateway.start(told), gateway.start(told)
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


def test_no_gateway_is_asked_while_a_transaction_is_open(order: Order) -> None:
    gateway = SandboxGateway(str)
    payment = payments.create(order, gateway, None)
    told = charge(payment)
    for ask in (lambda: gateway.start(told), lambda: gateway.fetch("x"), lambda: gateway.close("x")):
        with pytest.raises(RuntimeError, match="transaction"):
            ask()
    db.session.commit()
    must_be_outside_a_transaction()


# --- what was paid for ------------------------------------------------------------------------------------------------


@pytest.fixture
def card_order(ada: User, create_product: Callable[..., Product], design: Design) -> Order:
    """Five cards for Ada."""
    cart = buying.cart_of(ada)
    buying.fill(cart, create_product(kind=ProductKind.CARD), 5, design=design)
    order = buying.place(cart)
    db.session.commit()
    return order


def test_paid_cards_are_made_once_with_codes_of_their_own(card_order: Order, design: Design, keys: Keys) -> None:
    """H12"""
    assert fulfillment.unclaimed_cards(card_order) == []
    payment = pay(card_order)
    settle(payment)
    fulfillment.fulfill(card_order, keys, utcnow())
    db.session.commit()
    made = fulfillment.unclaimed_cards(card_order)
    assert len({card.token for card in made}) == len({claims.read_claim_code(card, keys) for card in made}) == 5
    assert {(card.status, card.design_id, card.claim_policy) for card in made} == {
        (CardStatus.UNCLAIMED, design.id, ClaimPolicy.CODE)
    }
    assert card_order.status is OrderStatus.PAID


def test_a_buyer_claims_one_card_or_all_and_nobody_elses(card_order: Order, ada: User, cleo: User, card: Card) -> None:
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
    assert {each.owner_id for each in db.session.scalars(db.select(Card).where(Card.order_line_id.is_not(None)))} == {
        ada.id
    }


def activation(user: User, card: Card) -> Order:
    cart = buying.cart_of(user)
    editing.add_activation(cart, card, buying.context(), reservations_for)
    db.session.commit()
    order = buying.place(cart)
    db.session.commit()
    return order


def test_a_card_that_is_paid_for_is_its_payers_and_nothing_is_sent(ada: User, create_card: Callable[..., Card]) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    order = activation(ada, card)
    assert card.status is CardStatus.UNCLAIMED
    pay(order)
    assert (card.owner_id, card.status, order.status) == (ada.id, CardStatus.ACTIVE, OrderStatus.DELIVERED)


def test_a_card_that_went_away_before_it_was_paid_makes_the_order_oversold(
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
    """A gateway that takes pounds and nothing else."""

    code = "pounds"

    def takes(self, currency: str) -> bool:
        return currency == "GBP"


@pytest.mark.parametrize(("currency", "codes"), [("GBP", ["pounds", "offline"]), ("EUR", ["offline"])])
def test_a_gateway_that_does_not_take_the_shops_currency_is_not_offered(currency: str, codes: list[str]) -> None:
    gateways = {"pounds": PoundsOnly(), "offline": OfflineGateway()}
    offered = payments.available_gateways(gateways, ShopSettings(currency=currency))
    assert [gateway.code for gateway in offered] == codes


def test_an_offline_payment_is_never_checked_at_a_gateway(order: Order) -> None:
    payment = payments.create(order, OfflineGateway(), order.user)
    payment.reference, payment.status = payment.public_id, PaymentStatus.PENDING
    db.session.commit()
    assert payments.payments_to_check(utcnow()) == []
    assert payments.payments_to_check(utcnow() + timedelta(days=30)) == []
