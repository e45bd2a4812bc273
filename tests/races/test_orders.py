"""Concurrent buyers: limits hold exactly, and fail without their guards."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    CardEvent,
    CardHold,
    CardMove,
    Cart,
    CartLine,
    ClaimPolicy,
    LineGrant,
    Order,
    OrderEvent,
    OrderMove,
    OrderStatus,
    Payment,
    Product,
    Promotion,
    User,
)
from tapcard.services.cart import carts, credit, editing, merging, promotions
from tapcard.services.cart.editing import CannotActivate, LineRequest
from tapcard.services.orders import checkout, inventory, placement, transitions
from tapcard.services.orders.placement import CartChanged
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import settlement
from tests import purchases
from tests.concurrency import run_concurrently

BUYERS = 40


@pytest.fixture
def buyers(create_user: Callable[..., User]) -> Callable[[int], list[User]]:
    return lambda number: [create_user(f"buyer{place}@example.com") for place in range(number)]


@pytest.fixture
def all_looked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str, int], None]:
    """Let everybody have looked at a thing before anybody takes it: the worst moment there is."""

    def hold_back(module: Any, name: str, number: int) -> None:
        start, real = Barrier(number, timeout=60), getattr(module, name)

        def held(*args: Any, **values: Any) -> Any:
            db.session.commit()  # lets go of SQLite's write lock, or nobody else could look
            start.wait()
            return real(*args, **values)

        monkeypatch.setattr(module, name, held)

    return hold_back


def place_own(ids: list[int], totals: dict[int, int]) -> Callable[[int], int]:
    def work(place: int) -> int:
        user = db.session.get_one(User, ids[place])
        cart = carts.find_by_user(user)
        assert cart is not None
        order = checkout.place_order(cart, purchases.buyer(user), totals[place], purchases.context())  # fmt: skip
        return order.id

    return work


def filled(users: list[User], product: Product) -> tuple[list[int], dict[int, int]]:
    found = [purchases.create_cart(user, product) for user in users]
    totals = {place: purchases.checkout_total(cart, purchases.buyer(cart.user)) for place, cart in enumerate(found)}
    return [user.id for user in users], totals


def test_forty_buyers_get_ten_items(app: Flask, buyers: Callable[[int], list[User]], bottle: Product) -> None:
    results = run_concurrently(app, BUYERS, place_own(*filled(buyers(BUYERS), bottle)))
    assert sum(isinstance(each, int) for each in results) == 10
    assert results.count(CartChanged) == 30
    db.session.refresh(bottle)
    assert bottle.stock == 0


def test_ten_items_are_sold_even_if_all_buyers_saw_the_stock(
    app: Flask, buyers: Callable[[int], list[User]], bottle: Product, all_looked: Callable[[Any, str, int], None]
) -> None:
    bottle.stock = 3
    db.session.commit()
    all_looked(placement, "_reserve", 6)
    results = run_concurrently(app, 6, place_own(*filled(buyers(6), bottle)))
    db.session.refresh(bottle)
    taken = db.session.scalar(sa.select(sa.func.sum(placement.OrderLine.stock_taken)))
    assert (sum(isinstance(each, int) for each in results), bottle.stock, taken) == (3, 0, 3)


def test_without_its_guard_the_stock_would_be_oversold(
    app: Flask, buyers: Callable[[int], list[User]], bottle: Product, all_looked: Callable[[Any, str, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    bottle.stock = 3
    db.session.commit()
    seen: dict[int, int | None] = {}

    def look(product_id: int) -> int | None:
        return db.session.scalar(sa.select(Product.stock).where(Product.id == product_id))

    def read_then_write(product_id: int, number: int) -> bool:
        stock = seen.setdefault(product_id, look(product_id)) or 0
        db.session.execute(sa.update(Product).where(Product.id == product_id).values(stock=max(0, stock - number)))
        return stock >= number

    monkeypatch.setattr(inventory, "lower_stock", read_then_write)
    all_looked(placement, "_reserve", 6)
    results = run_concurrently(app, 6, place_own(*filled(buyers(6), bottle)))
    assert sum(isinstance(each, int) for each in results) > 3


def with_code(users: list[User], product: Product, promotion: Promotion) -> tuple[list[int], dict[int, int]]:
    for user in users:
        purchases.create_cart(user, product).promotion = promotion
    db.session.commit()
    return [user.id for user in users], dict.fromkeys(range(len(users)), 900)


def test_forty_buyers_get_ten_uses_of_a_code(
    app: Flask, buyers: Callable[[int], list[User]], product: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion(most_uses=10)
    results = run_concurrently(app, BUYERS, place_own(*with_code(buyers(BUYERS), product, promotion)))
    db.session.refresh(promotion)
    assert (sum(isinstance(each, int) for each in results), promotion.use_count) == (10, 10)
    assert results.count(promotions.UsedUp) == 30


@pytest.mark.parametrize("is_guarded", [True, False])
def test_without_the_count_of_uses_a_code_is_used_too_often(
    app: Flask, buyers: Callable[[int], list[User]], product: Product, create_promotion: Callable[..., Promotion],
    all_looked: Callable[[Any, str, int], None], monkeypatch: pytest.MonkeyPatch, is_guarded: bool,
) -> None:  # fmt: skip
    promotion = create_promotion(most_uses=2)

    def uncounted(promotion: Promotion, *_rest: Any) -> None:
        more = sa.update(Promotion).where(Promotion.id == promotion.id).values(use_count=Promotion.use_count + 1)
        db.session.execute(more.execution_options(synchronize_session=False))

    if not is_guarded:
        monkeypatch.setattr(promotions, "count_use", uncounted)
    all_looked(placement, "_reserve", 5)
    results = run_concurrently(app, 5, place_own(*with_code(buyers(5), product, promotion)))
    assert (sum(isinstance(each, int) for each in results) == 2) is is_guarded


def test_a_customer_uses_a_code_once_in_several_browsers(
    app: Flask, product: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion(most_uses_each=1)
    ids = []
    for _browser in range(8):
        cart = purchases.create_cart(None, product)
        cart.promotion = promotion
        ids.append(cart.id)
    db.session.commit()

    def work(place: int) -> int:
        cart = carts.find_guest_cart(ids[place])
        assert cart is not None
        return checkout.place_order(cart, purchases.buyer(), 900, purchases.context()).id

    results = run_concurrently(app, 8, work)
    assert sum(isinstance(each, int) for each in results) == 1
    assert results.count(promotions.UsedByCustomer) == 7


def test_paying_in_two_tabs_creates_one_order(app: Flask, ada: User, bottle: Product) -> None:
    ids, totals = filled([ada], bottle)
    results = run_concurrently(app, 8, lambda _place: place_own(ids, totals)(0))
    assert len(set(results)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Order)) == 1
    db.session.refresh(bottle)
    assert bottle.stock == 9


@pytest.mark.postgresql
def test_without_the_cart_lock_two_tabs_create_two_orders(
    app: Flask, ada: User, bottle: Product, monkeypatch: pytest.MonkeyPatch,
    all_looked: Callable[[Any, str, int], None],
) -> None:  # fmt: skip
    ids, totals = filled([ada], bottle)
    monkeypatch.setattr(carts, "acquire_lock", lambda *_args, **_values: None)
    all_looked(placement, "_write", 4)
    run_concurrently(app, 4, lambda _place: place_own(ids, totals)(0))
    assert (db.session.scalar(sa.select(sa.func.count()).select_from(Order)) or 0) > 1


def test_merging_while_an_item_is_added_loses_nothing(app: Flask, ada: User, product: Product) -> None:
    for _round in range(4):
        for line in db.session.scalars(sa.select(CartLine)).all():
            db.session.delete(line)
        db.session.commit()
        guest_id = purchases.create_cart(None, product, quantity=3).id
        ada_id, product_id = ada.id, product.id

        def work(place: int, guest_id: int = guest_id, ada_id: int = ada_id, product_id: int = product_id) -> None:
            user = db.session.get_one(User, ada_id)
            if place == 0:
                merging.merge_guest_cart(guest_id, user, purchases.context(), reservations_for)
            else:
                wish = LineRequest(db.session.get_one(Product, product_id), 1)
                editing.add(carts.get_or_create(user), wish, purchases.context(), reservations_for)

        results = run_concurrently(app, 6, work)
        assert results == [None] * 6
        assert carts.piece_count(user_id=ada.id, cart_id=None) == 8
        assert db.session.scalar(sa.select(sa.func.count()).select_from(CartLine)) == 1


def test_twenty_people_pay_for_a_card_and_one_gets_it(
    app: Flask, buyers: Callable[[int], list[User]], create_card: Callable[..., Card]
) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    people = buyers(20)
    for user in people:
        editing.add_activation(purchases.create_cart(user), card, purchases.context(), reservations_for)
    db.session.commit()
    ids = [user.id for user in people]
    results = run_concurrently(app, 20, place_own(ids, dict.fromkeys(range(20), 1000)))
    placed = [each for each in results if isinstance(each, int)]
    assert len(placed) == 1
    assert set(results) - set(placed) <= {CartChanged, CannotActivate}
    purchases.pay(db.session.get_one(Order, placed[0]))
    assert card.owner_id == db.session.get_one(Order, placed[0]).user_id
    claims = sa.select(sa.func.count()).where(CardEvent.card_id == card.id, CardEvent.move == CardMove.CLAIM)
    assert db.session.scalar(claims) == 1


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_hold_decides_who_can_pay_for_a_card(
    app: Flask, buyers: Callable[[int], list[User]], create_card: Callable[..., Card],
    all_looked: Callable[[Any, str, int], None], monkeypatch: pytest.MonkeyPatch, is_guarded: bool,
) -> None:  # fmt: skip
    card = create_card(policy=ClaimPolicy.PAY)
    people = buyers(4)
    for user in people:
        editing.add_activation(purchases.create_cart(user), card, purchases.context(), reservations_for)
    db.session.commit()
    if not is_guarded:
        monkeypatch.setattr(inventory, "hold_cards", lambda *_args: True)
    all_looked(placement, "_reserve", 4)
    results = run_concurrently(app, 4, place_own([user.id for user in people], dict.fromkeys(range(4), 1000)))
    assert (sum(isinstance(each, int) for each in results) == 1) is is_guarded
    assert (db.session.scalar(sa.select(sa.func.count()).select_from(CardHold)) == 1) is is_guarded


def settle_in_threads(app: Flask, payment: Payment, number: int) -> list[object]:
    payment_id, evidence = payment.id, purchases.paid_evidence(payment)
    return run_concurrently(
        app,
        number,
        lambda _place: settlement.settle(db.session.get_one(Payment, payment_id), evidence, purchases.keys(), utcnow()),
    )


def test_concurrent_settlements_pay_and_fulfill_an_order_once(
    app: Flask, ada: User, bottle: Product, outbox: Callable[[], list[str]]
) -> None:
    order = purchases.create_order(ada, bottle)
    results = settle_in_threads(app, purchases.start_payment(order), 8)
    assert results.count(True) == 1
    moves = db.session.scalars(sa.select(OrderEvent.move).order_by(OrderEvent.id)).all()
    assert moves == [OrderMove.PLACE, OrderMove.PAY]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(LineGrant)) == 1
    assert outbox().count("mail.order_paid") == 1


def test_only_one_of_cancellation_and_payment_succeeds(app: Flask, ada: User, bottle: Product) -> None:
    for _round in range(4):
        order = purchases.create_order(ada, bottle)
        payment = purchases.start_payment(order)
        order_id, payment_id, evidence = order.id, payment.id, purchases.paid_evidence(payment)

        def work(
            place: int, order_id: int = order_id, payment_id: int = payment_id, evidence: Any = evidence
        ) -> bool | None:
            if place:
                return settlement.settle(db.session.get_one(Payment, payment_id), evidence, purchases.keys(), utcnow())
            return transitions.cancel(db.session.get_one(Order, order_id), None, purchases.keys(), utcnow())

        stock = bottle.stock
        run_concurrently(app, 2, work)
        db.session.refresh(order), db.session.refresh(payment), db.session.refresh(bottle)
        assert order.status in (OrderStatus.PAID, OrderStatus.CANCELED)
        assert payment.captured_amount == order.total_amount
        assert payment.refund_proposed is (order.status is OrderStatus.CANCELED)
        given_back = order.lines[0].quantity if order.status is OrderStatus.CANCELED else 0
        assert bottle.stock == (stock or 0) + given_back


def test_an_order_paid_while_it_expires_gets_its_items(
    app: Flask, product: Product, bottle: Product, create_promotion: Callable[..., Promotion]
) -> None:
    for number in range(6):
        promotion = create_promotion(f"CODE{number}", most_uses=1)
        cart = purchases.create_cart(None, bottle)
        cart.promotion = promotion
        order = purchases.place(cart, purchases.buyer(email=f"buyer{number}@example.com"))
        payment = purchases.start_payment(order)
        order.expires_at = utcnow() - timedelta(minutes=1)
        db.session.commit()
        payment_id, evidence, stock = payment.id, purchases.paid_evidence(payment), bottle.stock

        def work(place: int, payment_id: int = payment_id, evidence: Any = evidence) -> int | bool:
            if place:
                return settlement.settle(db.session.get_one(Payment, payment_id), evidence, purchases.keys(), utcnow())
            return transitions.expire_due(utcnow(), purchases.keys())

        run_concurrently(app, 2, work)
        for row in (order, bottle, promotion):
            db.session.refresh(row)
        assert (order.status, order.is_oversold) == (OrderStatus.PAID, False)
        assert (bottle.stock, promotion.use_count, order.lines[0].stock_taken) == (stock, 1, 1)


def test_without_the_cart_lock_merging_fails(
    app: Flask, ada: User, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest_id, ada_id, product_id = purchases.create_cart(None, product, quantity=3).id, ada.id, product.id
    db.session.commit()
    looked, made, find = Event(), Event(), carts.find_by_user

    def held_back(user: User) -> Cart | None:
        found = find(user)
        db.session.commit()  # lets go of SQLite's write lock
        looked.set()
        made.wait(30)
        return found

    def work(place: int) -> None:
        if place == 0:
            merging.merge_guest_cart(guest_id, db.session.get_one(User, ada_id), purchases.context(), reservations_for)
            return
        looked.wait(30)
        user = db.session.get_one(User, ada_id)
        editing.add(
            carts.get_or_create(user),
            LineRequest(db.session.get_one(Product, product_id), 1),
            purchases.context(),
            reservations_for,
        )
        db.session.commit()
        made.set()

    monkeypatch.setattr(carts, "acquire_lock", lambda *_args, **_values: None)
    monkeypatch.setattr(carts, "find_by_user", held_back)
    with pytest.raises(sa.exc.IntegrityError):
        run_concurrently(app, 2, work)


def test_credit_is_spent_once(app: Flask, ada: User, product: Product) -> None:
    credit.give(ada, 1500, "sorry")
    db.session.commit()
    order_ids = [purchases.create_order(ada, product, note=str(number)).id for number in range(6)]
    ada_id = ada.id
    results = run_concurrently(
        app, 6, lambda place: credit.spend(ada_id, 500, db.session.get_one(Order, order_ids[place]))
    )
    assert (results.count(None), results.count(credit.NotEnoughCredit)) == (3, 3)
    assert credit.balance(ada.id) == 0


def test_a_user_gets_one_cart(app: Flask, ada: User) -> None:
    ada_id = ada.id
    results = run_concurrently(app, 8, lambda _place: carts.get_or_create(db.session.get_one(User, ada_id)).id)
    assert len(set(results)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Cart)) == 1
