"""Orders: all that is taken is taken at once, pressed twice is once, what comes to nothing gives everything back."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    ORDER_MOVES,
    Card,
    CardHold,
    ClaimPolicy,
    CreditEntry,
    DeliveryKind,
    Design,
    DesignStatus,
    Order,
    OrderEvent,
    OrderMove,
    OrderStatus,
    Product,
    ProductionStatus,
    User,
)
from tapcard.models import ProductKind as Kind
from tapcard.services.accounts import credentials
from tapcard.services.cart import carts, credit, editing
from tapcard.services.orders import ownership, placement, queries, transitions
from tapcard.services.orders.placement import CartChanged, EmptyCart, PriceChanged
from tapcard.services.orders.queries import OrderNotFound
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.orders.transitions import IllegalMove
from tests import buying
from tests.buying import buyer, cart_of, fill, order_of, place

HOUR = timedelta(hours=1)


def number_of_orders() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Order)) or 0


# --- placing ----------------------------------------------------------------------------------------------------------


def test_an_order_keeps_everything_as_it_was_sold(
    ada: User, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    """H32"""
    method = create_delivery_method()
    order = order_of(ada, bottle, quantity=2, method=method, note="Ring twice")
    bottle.name, bottle.unit_amount, bottle.is_active, method.name = "Renamed", 1, False, "Other"
    db.session.commit()
    [line] = order.lines
    assert (line.title, line.unit_amount, line.line_amount, line.tax_rate) == ("Steel bottle", 2400, 4800, 2000)
    assert (order.subtotal_amount, order.delivery_amount, order.total_amount) == (4800, 350, 5150)
    assert (order.tax_amount, order.delivery_name, order.note) == (858, "Standard delivery", "Ring twice")
    assert order.address["city"] == "London"


def test_an_order_remembers_that_its_delivery_is_to_be_agreed(
    ada: User, bottle: Product, pay_card: Card, create_delivery_method: Callable[..., Any]
) -> None:
    agreed, flat = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED), create_delivery_method()
    assert buying.order_of(ada, bottle, method=agreed).is_delivery_open
    assert buying.order_of(ada, bottle).is_delivery_open, "there was none to choose"
    assert not buying.order_of(ada, bottle, method=flat).is_delivery_open
    cart = carts.get_or_create(ada)
    editing.clear(cart)
    editing.add_activation(cart, pay_card, buying.context(), reservations_for)
    db.session.commit()
    assert not buying.place(cart).is_delivery_open, "nothing is sent"


def test_a_number_can_be_read_out_and_does_not_count_up(ada: User, product: Product) -> None:
    """H03"""
    numbers = {order_of(ada, product).number for _time in range(3)}
    assert len(numbers) == 3
    for number in numbers:
        assert re.fullmatch(r"TC-[2-9A-HJKMNP-TV-Z]{4}-[2-9A-HJKMNP-TV-Z]{4}", number)


def test_the_stock_is_lowered_when_an_order_is_placed_not_before(ada: User, bottle: Product) -> None:
    cart = cart_of(ada, bottle, quantity=4)
    assert bottle.stock == 10
    place(cart)
    db.session.commit()
    assert bottle.stock == 6


def test_an_empty_cart_is_no_order(ada: User) -> None:
    """H43"""
    with pytest.raises(EmptyCart):
        place(cart_of(ada), expected_total=0)


def test_a_total_that_the_buyer_did_not_see_is_not_charged(ada: User, product: Product) -> None:
    """H27"""
    cart = cart_of(ada, product)
    seen = buying.total_of(cart, buyer(ada))
    fill(cart, product)
    for total in (seen, 0, -1, 1):
        with pytest.raises(PriceChanged):
            place(cart, expected_total=total)
        db.session.rollback()
    assert place(cart).total_amount == 2 * seen


def test_what_changed_since_the_last_look_stops_the_order(ada: User, bottle: Product) -> None:
    cart = cart_of(ada, bottle, quantity=8)
    bottle.stock = 5
    db.session.commit()
    with pytest.raises(CartChanged):
        place(cart)
    db.session.rollback()
    bottle.stock, bottle.unit_amount = 10, 2500
    db.session.commit()
    with pytest.raises(CartChanged):
        place(cart)


def test_a_refused_order_takes_nothing(ada: User, bottle: Product, create_promotion: Callable[..., Any]) -> None:
    promotion = create_promotion(most_uses_each=1)
    cart = cart_of(ada, bottle)
    cart.promotion = promotion
    db.session.commit()
    with pytest.raises(PriceChanged):
        place(cart, expected_total=7)
    db.session.rollback()
    assert (bottle.stock, promotion.use_count, number_of_orders()) == (10, 0, 0)


def test_pressed_twice_it_is_one_order(ada: User, bottle: Product, create_promotion: Callable[..., Any]) -> None:
    """H35"""
    promotion = create_promotion(most_uses_each=1)
    cart = cart_of(ada, bottle, quantity=10)
    cart.promotion = promotion
    db.session.commit()
    total = buying.total_of(cart, buyer(ada))
    first, second = (place(cart, expected_total=total).number for _time in range(2))
    db.session.commit()
    assert (first, number_of_orders(), bottle.stock, promotion.use_count) == (second, 1, 0, 1)


def test_pressed_again_while_a_payment_is_under_way_it_is_still_one_order(ada: User, bottle: Product) -> None:
    cart = cart_of(ada, bottle, quantity=10)
    order = place(cart)
    db.session.commit()
    buying.begin(order)
    assert place(cart).id == order.id


@pytest.mark.parametrize("change", ["quantity", "address", "note"])
def test_ordered_anew_the_older_order_is_canceled(ada: User, bottle: Product, change: str) -> None:
    cart = cart_of(ada, bottle, quantity=6)
    first = place(cart)
    db.session.commit()
    values: dict[str, Any] = {"note": {"note": "Ring"}, "address": {"address": {**buying.ADDRESS, "city": "Leeds"}}}
    if change == "quantity":
        editing.change_quantity(buying.whole(cart), cart.lines[0].id, 9, buying.context(), reservations_for)
        db.session.commit()
    second = place(cart, buyer(ada, **values.get(change, {})))
    db.session.commit()
    assert (first.status, second.status) == (OrderStatus.CANCELED, OrderStatus.PENDING)
    assert bottle.stock == 10 - second.lines[0].quantity


def test_an_order_whose_payment_is_under_way_is_not_canceled_by_another(ada: User, bottle: Product) -> None:
    cart = cart_of(ada, bottle, quantity=3)
    first = place(cart)
    db.session.commit()
    buying.begin(first)
    second = place(cart, buyer(ada, note="another"))
    db.session.commit()
    assert (first.status, second.status, bottle.stock) == (OrderStatus.PENDING, OrderStatus.PENDING, 4)


def test_a_second_order_of_a_guest_is_priced_by_itself(bottle: Product, product: Product) -> None:
    """H34"""
    assert [order_of(None, each).total_amount for each in (bottle, product)] == [2400, 1000]


# --- whose it is ------------------------------------------------------------------------------------------------------


def test_a_guest_gets_an_account_that_nobody_can_log_in_to_yet(product: Product) -> None:
    order = order_of(None, product)
    assert order.user is not None
    assert (order.user.email, order.user.password_hash, order.user.verified_at) == ("gus@example.com", None, None)


def test_an_order_for_the_address_of_an_existing_account_waits(product: Product, ada: User, cleo: User) -> None:
    order = order_of(None, product, email=ada.email)
    assert order.user_id is None
    for stranger in (cleo, None):
        with pytest.raises(OrderNotFound):
            queries.own_order(order.number, user=stranger, known=[])
    with pytest.raises(OrderNotFound):
        queries.own_order(order.number, user=ada, known=[])
    assert queries.own_order(order.number.lower(), user=None, known=[order.id]) == order
    with pytest.raises(IllegalMove):
        ownership.attach_order(order, cleo)
    ownership.attach_order(order, ada)
    db.session.commit()
    assert queries.own_order(order.number, user=ada, known=[]) == order


def test_an_unverified_person_does_not_get_orders_of_their_address(
    product: Product, create_user: Callable[..., User]
) -> None:
    zoe = create_user("zoe@example.com", verified=False)
    order = order_of(None, product, email=zoe.email)
    assert order.user_id is None
    with pytest.raises(IllegalMove):
        ownership.attach_order(order, zoe)


def test_proving_an_address_brings_what_waited_for_it(product: Product, ada: User, cleo: User) -> None:
    waiting = order_of(None, product, email=ada.email)
    other = order_of(None, product, email=cleo.email)
    assert ownership.attach_orders(ada) == 1
    db.session.commit()
    assert (waiting.user_id, other.user_id) == (ada.id, None)


def test_artwork_of_a_guest_is_theirs_once_the_order_is(ada: User, create_product: Callable[..., Product]) -> None:
    cart = cart_of(None)
    fill(cart, create_product(kind=Kind.CARD), front_picture="f" * 32 + ".webp")
    order = place(cart, buyer(email=ada.email))
    db.session.commit()
    design = order.lines[0].design
    assert design is not None
    assert (design.owner_id, design.is_public, design.status) == (None, False, DesignStatus.REQUESTED)
    ownership.attach_orders(ada)
    db.session.commit()
    db.session.expire_all()
    assert design.owner_id == ada.id


def test_an_order_keeps_the_names_of_its_designs_and_tells_them_apart(
    ada: User, create_product: Callable[..., Product], create_design: Callable[..., Design], bottle: Product
) -> None:
    lake, third, again = (create_design(name) for name in ("Lake", "Lake 2", "Lake"))
    cards = create_product("Card", kind=Kind.CARD)
    cart = cart_of(ada, bottle)
    for design in (lake, third, again):
        fill(cart, cards, design=design)
    for name in "ab":
        fill(cart, cards, front_picture=name * 32 + ".webp")
    order = place(cart)
    db.session.commit()
    lake.name = "Renamed"
    db.session.commit()
    names = ["", "Lake", "Lake 2", "Lake 3", "Own artwork", "Own artwork 2"]
    assert [line.design_name for line in order.lines] == names
    assert [line.full_title for line in order.lines[:2]] == ["Steel bottle", "Card · Lake"]


@pytest.mark.parametrize("odd", ["", "TC-\0", "TC-é", "'; --", "%", "x" * 3000, "TC-2222-2222"])
def test_an_odd_number_is_no_order(product: Product, odd: str) -> None:
    order_of(None, product)
    assert queries.find(odd) is None


def test_a_link_of_an_order_cannot_be_made_up(product: Product, keys: Keys) -> None:
    order = order_of(None, product)
    token = queries.link_token(order, keys)
    assert queries.find_by_link_token(token, keys) == order
    other = order_of(None, product)
    for forged in ("", "-", token[:-1], token + "0", token.replace(order.number, other.number), order.number, "é-é"):
        with pytest.raises(OrderNotFound):
            queries.find_by_link_token(forged, keys)
    assert queries.find_by_link_token(token, Keys("a new one", [keys._secrets[0]])) == order


# --- giving back ------------------------------------------------------------------------------------------------------


def test_a_canceled_order_gives_everything_back_once(
    ada: User, bottle: Product, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    """H31"""
    credit.give(ada, 500, "sorry")
    cart = cart_of(ada, bottle, quantity=4)
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


def test_an_order_that_nobody_pays_expires_and_gives_everything_back(ada: User, bottle: Product, keys: Keys) -> None:
    order = order_of(ada, bottle, quantity=4)
    assert transitions.expire_due(utcnow(), keys) == 0
    assert transitions.expire_due(utcnow() + HOUR, keys) == 1
    db.session.commit()
    assert (order.status, bottle.stock) == (OrderStatus.EXPIRED, 10)
    assert transitions.expire_due(utcnow() + HOUR, keys) == 0


def test_a_hold_whose_time_is_over_makes_way_without_a_worker(ada: User, cleo: User, bottle: Product) -> None:
    late = order_of(ada, bottle, quantity=10)
    late.expires_at = utcnow() - HOUR
    db.session.commit()
    order = order_of(cleo, bottle, quantity=10)
    assert (late.status, order.status, bottle.stock) == (OrderStatus.EXPIRED, OrderStatus.PENDING, 0)


def test_stock_that_nobody_counts_is_neither_taken_nor_given_back(ada: User, product: Product, keys: Keys) -> None:
    order = order_of(ada, product, quantity=99)
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert product.stock is None


def test_stock_that_is_counted_no_more_is_not_given_back(ada: User, bottle: Product, keys: Keys) -> None:
    order = order_of(ada, bottle, quantity=3)
    bottle.stock = None
    db.session.commit()
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert bottle.stock is None


# --- cards to be activated --------------------------------------------------------------------------------------------


@pytest.fixture
def pay_card(create_card: Callable[..., Card]) -> Card:
    return create_card(policy=ClaimPolicy.PAY)


def activation_order(user: User, card: Card) -> Order:
    cart = cart_of(user)
    editing.add_activation(cart, card, buying.context(), reservations_for)
    db.session.commit()
    order = place(cart)
    db.session.commit()
    return order


def test_a_card_that_somebody_pays_for_is_held(pay_card: Card, ada: User, cleo: User, keys: Keys) -> None:
    cart = cart_of(cleo)
    editing.add_activation(cart, pay_card, buying.context(), reservations_for)
    db.session.commit()
    order = activation_order(ada, pay_card)
    with pytest.raises(CartChanged):
        place(cart)
    db.session.rollback()
    with pytest.raises(editing.CannotActivate):
        editing.add_activation(cart_of(cleo), pay_card, buying.context(), reservations_for)
    db.session.rollback()
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    assert db.session.get(CardHold, pay_card.id) is None
    assert place(cart).status is OrderStatus.PENDING


def test_a_hold_ends_by_itself(pay_card: Card, ada: User, cleo: User) -> None:
    order = activation_order(ada, pay_card)
    order.expires_at = utcnow() - HOUR
    db.session.get_one(CardHold, pay_card.id).expires_at = order.expires_at
    db.session.commit()
    assert activation_order(cleo, pay_card).status is OrderStatus.PENDING


def test_a_card_is_activated_for_somebody_who_is_signed_in(pay_card: Card) -> None:
    cart = cart_of(None)
    editing.add_activation(cart, pay_card, buying.context(), reservations_for)
    db.session.commit()
    with pytest.raises(placement.NeedsAccount):
        place(cart)


# --- moves ------------------------------------------------------------------------------------------------------------

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
def test_a_move_starts_where_the_table_says_and_nowhere_else(
    ada: User, ben: User, product: Product, keys: Keys, status: OrderStatus, move: OrderMove
) -> None:
    """H25, H40"""
    order = order_of(ada, product)
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


def test_every_step_is_written_down(ada: User, ben: User, product: Product) -> None:
    order = order_of(ada, product)
    buying.pay(order)
    transitions.ship(order, ben, utcnow(), carrier="Post", tracking_number="X1")
    transitions.deliver(order, ben, utcnow())
    db.session.commit()
    moves = db.session.scalars(db.select(OrderEvent.move).order_by(OrderEvent.id)).all()
    assert moves == [OrderMove.PLACE, OrderMove.PAY, OrderMove.SHIP, OrderMove.DELIVER]
    assert (order.carrier, order.tracking_number) == ("Post", "X1")


def test_only_cards_are_produced(
    ada: User, ben: User, product: Product, create_product: Callable[..., Product], design: Design
) -> None:
    cart = cart_of(ada, product)
    fill(cart, create_product(kind=Kind.CARD), design=design)
    order = place(cart)
    db.session.commit()
    goods, card = order.lines
    transitions.produce(card, ProductionStatus.PRINTED, ben)
    assert card.production_status is ProductionStatus.PRINTED
    with pytest.raises(IllegalMove):
        transitions.produce(goods, ProductionStatus.PRINTED, ben)


def test_orders_under_way_end_with_delivery(ada: User, product: Product) -> None:
    """H25"""
    order = order_of(ada, product)
    assert list(queries.undelivered_orders(ada)) == []
    buying.pay(order)
    assert list(queries.undelivered_orders(ada)) == [order]
    transitions.deliver(order, None, utcnow())
    db.session.commit()
    assert list(queries.undelivered_orders(ada)) == []


def test_the_account_of_a_guest_stays_out_of_sight_until_its_person_comes(product: Product) -> None:
    order = order_of(None, product)
    with pytest.raises(credentials.WrongCredentials):
        credentials.authenticate(order.email, "", utcnow())


def test_placing_an_order_releases_the_promotion_uses_of_expired_orders(
    product: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion(most_uses=1)
    orders = []
    for email in ("gus@example.com", "nora@example.com"):
        cart = buying.cart_of(None, product)
        cart.promotion = promotion
        db.session.commit()
        order = buying.place(cart, buying.buyer(email=email), expected_total=900)
        order.expires_at = utcnow() - timedelta(minutes=1)  # and no worker runs
        db.session.commit()
        orders.append(order)
    db.session.refresh(promotion)
    assert [order.status for order in orders] == [OrderStatus.EXPIRED, OrderStatus.PENDING]
    assert promotion.use_count == 1


def test_canceling_an_order_does_not_report_a_payment_twice(
    ada: User, bottle: Product, keys: Keys, outbox: Callable[[], list[str]]
) -> None:
    order = buying.order_of(ada, bottle)
    payment = buying.begin(order)
    payment.status, payment.captured_amount = PaymentStatus.SUCCEEDED, 100
    payment.refund_proposed = True  # the owner was emailed then
    db.session.commit()
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    db.session.refresh(payment)
    assert (order.status, payment.refund_proposed) == (OrderStatus.CANCELED, True)
    assert "mail.payment_needs_care" not in outbox()


def test_a_cancel_reason_is_read_from_what_is_stored(product: Product) -> None:
    cart = buying.cart_of(None, product)
    first = buying.place(cart)
    db.session.commit()
    buying.fill(cart, product)
    buying.place(cart)
    db.session.commit()
    db.session.refresh(first)
    event = first.events[-1]
    assert (event.why, event.cancel_reason) == ("ordered anew", CancelReason.REPLACED)
    event.why = "No longer made"
    assert event.cancel_reason is None
