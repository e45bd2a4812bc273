"""Cards of an order: access to claim codes, claiming, and packing cards from stock."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    AuditEntry,
    Card,
    CardEvent,
    CardHold,
    CardMove,
    CardStatus,
    ClaimPolicy,
    Design,
    LockedBecause,
    Order,
    OrderLine,
    OrderStatus,
    Product,
    Target,
    User,
)
from tapcard.services.accounts import credentials
from tapcard.services.cards import cards, claims, replacement
from tapcard.services.cards import transitions as card_transitions
from tapcard.services.cart import carts, editing
from tapcard.services.orders import fulfillment, queries, transitions
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.concurrency import run_concurrently
from tests.statements import queries as recorded_queries
from tests.statements import statements


@pytest.fixture
def order_cards(app: Flask, design: Design) -> Callable[..., Order]:
    """Return a function that orders cards of the design and pays for them."""
    return partial(purchases.order_cards, design=design)


@pytest.fixture
def order(order_cards: Callable[..., Order], ada: User) -> Order:
    """Create an order of five cards, paid by Ada."""
    return order_cards(ada)


@pytest.fixture
def stock(create_card: Callable[..., Card], design: Design) -> Card:
    """Create a card of the same design that is in stock."""
    return create_card(token="STOCK222", code="CARD2345", design=design)


# --- the order line of a card -----------------------------------------------------------------------------------------


def test_a_line_with_cards_cannot_be_deleted(order: Order, stock: Card, ben: User) -> None:
    """`cards.order_line_id` has no foreign key, but a line only gets cards with its grant, which has one."""
    fulfillment.swap_card(order.lines[0].cards[0], stock, ben, utcnow())
    db.session.flush()
    lines = db.session.scalars(sa.select(Card.order_line_id).where(Card.order_line_id.is_not(None)).distinct()).all()
    assert lines == [order.lines[0].id]
    assert db.session.scalars(sa.select(CardHold)).all() == []
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.delete(OrderLine).where(OrderLine.id.in_(lines)))


# --- claiming ---------------------------------------------------------------------------------------------------------


def test_claiming_all_cards_skips_those_claimed_by_others(order: Order, ada: User, cleo: User, keys: Keys) -> None:
    claimed, *others = fulfillment.unclaimed_cards(order)
    claims.claim(claimed, cleo, keys, code=claims.read_claim_code(claimed, keys) or "")
    db.session.commit()
    assert fulfillment.claim_cards(order, ada) == 4
    db.session.commit()
    assert claimed.owner_id == cleo.id
    assert {(card.owner_id, card.status, card.claim_code, card.claim_code_hash) for card in others} == {
        (ada.id, CardStatus.ACTIVE, None, None)
    }
    moves = sa.select(CardEvent.actor_id).where(CardEvent.card_id == others[0].id, CardEvent.move == CardMove.CLAIM)
    assert list(db.session.scalars(moves)) == [ada.id]
    entries = sa.select(sa.func.count()).where(AuditEntry.tag == "card.claimed")
    assert db.session.scalar(entries) == 5
    with pytest.raises(claims.AlreadyClaimed):
        fulfillment.claim_cards(order, ada, claimed.token)
    assert fulfillment.claim_cards(order, ada, others[0].token) == 0, "pressed twice"


def test_a_released_card_does_not_return_to_the_buyer(order: Order, ada: User, cleo: User, keys: Keys) -> None:
    card = fulfillment.unclaimed_cards(order)[0]
    claims.claim(card, cleo, keys, code=claims.read_claim_code(card, keys) or "")
    claims.release(card, cleo, keys)
    db.session.commit()
    assert card not in fulfillment.unclaimed_cards(order)
    assert fulfillment.claim_cards(order, ada) == 4
    assert card.owner_id is None


def test_claiming_requires_a_paid_order_and_an_active_account(
    order: Order, ada: User, order_cards: Callable[..., Order]
) -> None:
    for status in (OrderStatus.PENDING, OrderStatus.REFUNDED):
        order.status = status
        with pytest.raises(queries.OrderNotFound):
            fulfillment.claim_cards(order, ada)
    order.status = OrderStatus.PAID
    ada.is_active = False
    db.session.flush()
    assert fulfillment.claim_cards(order, ada) == 0


def test_claiming_many_cards_needs_no_more_statements(order_cards: Callable[..., Order], ada: User) -> None:
    asked_for = {}
    for number in (2, 500):
        order = order_cards(ada, number)
        with statements() as recorded:
            assert fulfillment.claim_cards(order, ada) == number
            db.session.commit()
        asked_for[number] = len(
            [statement for statement in recorded_queries(recorded) if not statement.startswith("INSERT")]
        )
        assert len(recorded) < 40
    assert asked_for[500] == asked_for[2]


def test_concurrent_requests_claim_each_card_once(app: Flask, order: Order, ada: User, cleo: User, keys: Keys) -> None:
    order_id, ada_id, cleo_id = order.id, ada.id, cleo.id
    handed = fulfillment.unclaimed_cards(order)[0]
    card_id, code = handed.id, claims.read_claim_code(handed, keys) or ""

    def work(place: int) -> int:
        if place == 0:
            claims.claim(db.session.get_one(Card, card_id), db.session.get_one(User, cleo_id), keys, code=code)
            return 1
        return fulfillment.claim_cards(db.session.get_one(Order, order_id), db.session.get_one(User, ada_id))

    results = run_concurrently(app, 6, work)
    assert sum(result for result in results if isinstance(result, int)) == 5
    claim_events = sa.select(sa.func.count()).where(CardEvent.move == CardMove.CLAIM)
    assert db.session.scalar(claim_events) == 5


# --- access to codes --------------------------------------------------------------------------------------------------


def test_a_browser_sees_codes_only_while_the_buyer_cannot_log_in(
    order: Order, order_cards: Callable[..., Order], ada: User, cleo: User, ben: User
) -> None:
    def sees(expected: Order, user: User | None, *known: int) -> bool:
        try:
            return fulfillment.order_with_codes(expected.number, user=user, known_ids=known) is expected
        except queries.OrderNotFound:
            return False

    assert sees(order, ada)
    assert not any(sees(order, user, *known) for user in (None, cleo, ben) for known in ((), (order.id,)))
    guests = order_cards(None)
    assert guests.user is not None
    assert sees(guests, None, guests.id)
    assert sees(guests, cleo, guests.id)
    assert not sees(guests, None)
    assert not sees(guests, cleo, order.id)
    guests.user.verified_at = utcnow()
    assert not sees(guests, None, guests.id)
    guests.user.verified_at, guests.user.password_hash = None, credentials.hash_password("battery staple correct")
    assert not sees(guests, None, guests.id)
    guests.user = None  # attached when the owner of the address verifies it
    db.session.commit()
    assert sees(guests, None, guests.id)


# --- packing a card from stock ----------------------------------------------------------------------------------------


def test_a_card_from_stock_takes_over_order_line_and_code_once(
    order: Order, stock: Card, cleo: User, ben: User, keys: Keys, create_card: Callable[..., Card]
) -> None:
    ordered_card, line = fulfillment.unclaimed_cards(order)[0], order.lines[0]
    code = claims.read_claim_code(ordered_card, keys)
    fulfillment.swap_card(ordered_card, stock, ben, utcnow())
    db.session.commit()
    assert (stock.order_line_id, stock.status, claims.read_claim_code(stock, keys)) == (
        line.id,
        CardStatus.UNCLAIMED,
        code,
    )
    assert (ordered_card.status, ordered_card.order_line_id, ordered_card.claim_code, ordered_card.claim_code_hash) == (
        *(CardStatus.RETIRED, None),
        *(None, None),
    )
    assert ordered_card.replaced_by_id == stock.id
    assert len(fulfillment.unclaimed_cards(order)) == 5
    other_card = create_card(design=stock.design)
    for sold, packed_card in ((ordered_card, other_card), (fulfillment.unclaimed_cards(order)[1], stock)):
        with pytest.raises((replacement.CannotReplace, transitions.IllegalMove)):
            fulfillment.swap_card(sold, packed_card, ben, utcnow())
    claims.claim(stock, cleo, keys, code=code or "")
    assert stock.owner_id == cleo.id


def test_a_packed_card_takes_over_owner_and_setup(order: Order, stock: Card, ada: User, ben: User) -> None:
    ordered_card = fulfillment.unclaimed_cards(order)[0]
    fulfillment.claim_cards(order, ada, ordered_card.token)
    cards.edit(
        ordered_card,
        ada,
        cards.CardChanges(alias="Work", target=Target.URL, reroute_url="https://example.com/"),
        own_hosts=(),
    )
    db.session.commit()
    fulfillment.swap_card(ordered_card, stock, ben, utcnow())
    db.session.commit()
    assert (stock.owner_id, stock.status, stock.alias, stock.reroute_url, stock.claim_code) == (
        *(ada.id, CardStatus.ACTIVE, "Work"),
        *("https://example.com/", None),
    )
    assert stock.claimed_at == ordered_card.claimed_at
    assert (ordered_card.status, ordered_card.alias, ordered_card.reroute_url, ordered_card.replaced_by_id) == (
        *(CardStatus.RETIRED, None),
        *(None, stock.id),
    )
    assert [event.move for event in stock.events] == [CardMove.MAKE, CardMove.REPLACE]


def test_a_locked_card_stays_locked_after_the_swap(order: Order, stock: Card, ada: User, ben: User) -> None:
    ordered_card = fulfillment.unclaimed_cards(order)[0]
    fulfillment.claim_cards(order, ada)
    card_transitions.lock(ordered_card, LockedBecause.ABUSE, ben)
    fulfillment.swap_card(ordered_card, stock, ben, utcnow())
    assert (stock.status, stock.locked_because, ordered_card.locked_because) == (
        CardStatus.LOCKED,
        LockedBecause.ABUSE,
        None,
    )


@pytest.mark.parametrize("wrong", ["design", "claimed", "had a holder", "retired", "sold", "held", "shipped", "itself"])
def test_an_unsuitable_card_is_not_packed(
    order: Order, stock: Card, ada: User, cleo: User, ben: User, keys: Keys, create_design: Callable[..., Design],
    wrong: str,
) -> None:  # fmt: skip
    ordered_card, other_card = fulfillment.unclaimed_cards(order)[:2]
    if wrong == "design":
        stock.design = create_design("Another")
    elif wrong in ("claimed", "had a holder"):
        claims.claim(stock, cleo, keys, code="CARD2345")
        if wrong == "had a holder":
            claims.release(stock, cleo, keys)
    elif wrong == "retired":
        card_transitions.retire(stock, ben, "broken")
    elif wrong == "held":
        stock.claim_policy = ClaimPolicy.PAY
        cart = carts.get_or_create(cleo)
        editing.add_activation(cart, stock, purchases.context(), reservations_for)
        purchases.place(cart)
    elif wrong == "shipped":
        transitions.ship(order, ben, utcnow())
    packed_card = {"sold": other_card, "itself": ordered_card}.get(wrong, stock)
    db.session.commit()
    with pytest.raises((replacement.CannotReplace, transitions.IllegalMove)):
        fulfillment.swap_card(ordered_card, packed_card, ben, utcnow())
    db.session.rollback()
    assert (ordered_card.status, ordered_card.order_line_id) == (CardStatus.UNCLAIMED, order.lines[0].id)
    if wrong == "held":  # until no order is paying for it
        fulfillment.swap_card(ordered_card, stock, ben, utcnow() + timedelta(hours=2))
        assert stock.claim_policy is ClaimPolicy.CODE


# --- undelivered cards ------------------------------------------------------------------------------------------------


def test_ordered_cards_are_listed_from_payment_to_delivery_or_refund(
    order_cards: Callable[..., Order], ada: User, cleo: User, ben: User, product: Product
) -> None:
    """H25"""
    purchases.pay(purchases.create_order(ada, product))  # no cards in it
    order = order_cards(ada, is_paid=False)
    assert queries.undelivered_card_lines(ada) == []
    purchases.pay(order)
    assert [line.order for line in queries.undelivered_card_lines(ada)] == [order]
    assert queries.undelivered_card_lines(cleo) == []
    transitions.process(order, ben)
    transitions.ship(order, ben, utcnow())
    assert len(queries.undelivered_card_lines(ada)) == 1
    transitions.deliver(order, ben, utcnow())
    assert queries.undelivered_card_lines(ada) == []
    order.status = OrderStatus.REFUNDED
    db.session.commit()
    assert queries.undelivered_card_lines(ada) == []
