"""Orders in the back office: access, search, filters and figures."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from tapcard import settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Order,
    OrderStatus,
    Product,
    Role,
    User,
)
from tapcard.services.orders import production
from tests import purchases
from tests.admin.orders.conftest import listed, note_payment, path_to
from tests.conftest import FormClient, login
from tests.pages import forms_on, words_of
from tests.purchases import create_order, pay
from tests.statements import queries, statements

DAY = timedelta(days=1)


# --- access -----------------------------------------------------------------------------------------------------------


def test_staff_who_can_only_view_orders_cannot_change_them(
    client: FormClient, create_user: Callable[..., User], card_order: Order
) -> None:
    db.session.add(Role(name="viewer", permissions=["orders.view"]))
    db.session.commit()
    login(client, create_user("viewer@example.com", roles=["viewer"]))
    page = client.get(path_to(card_order))
    assert page.status_code == 200
    assert not [form for form in forms_on(page.text) if "/admin/" in form.action]
    code = client.get(path_to(card_order, "/cards")).text
    assert card_order.lines[0].cards[0].token in code
    assert "Claim code" not in code
    line = card_order.lines[0].id
    for step in ("process", "ship", "deliver", "cancel", "extend", "note", "payment", "give", f"lines/{line}/produce"):
        assert client.post(path_to(card_order, f"/{step}"), data={"why": "x"}).status_code == 404
    assert client.get(path_to(card_order, "/cards.csv")).status_code == 404
    assert client.get("/admin/credit").status_code == 404
    assert card_order.status is OrderStatus.PAID
    db.session.execute(sa.delete(Role).where(Role.name == "viewer"))
    db.session.commit()


# --- the list ---------------------------------------------------------------------------------------------------------


def test_orders_in_progress_are_listed_first(ben_client: FormClient, ada: User, product: Product) -> None:
    statuses = (OrderStatus.PAID, OrderStatus.DELIVERED, OrderStatus.PROCESSING, OrderStatus.PENDING)
    made = {}
    for status in statuses:
        made[status] = create_order(ada, product)
        made[status].status = status
        db.session.commit()
    first = [OrderStatus.PROCESSING, OrderStatus.PAID, OrderStatus.PENDING, OrderStatus.DELIVERED]
    assert listed(ben_client) == [made[status].number for status in first]
    assert listed(ben_client, "?show=delivered") == [made[OrderStatus.DELIVERED].number]
    assert listed(ben_client, "?show=no-such-thing&page=-3") == listed(ben_client)
    assert listed(ben_client, "?page=99999999999999999999") == listed(ben_client)
    assert listed(ben_client, "?page=0") == listed(ben_client)  # as the first page was numbered before
    assert listed(ben_client, "?page=2") == []


def test_search_finds_orders_by_number_name_email_and_card(
    ben_client: FormClient, card_order: Order, cleo: User, product: Product
) -> None:
    other = create_order(cleo, product)
    token = card_order.lines[0].cards[1].token
    for text in (card_order.number, card_order.number.lower(), card_order.number[-4:], "ADA@EXAMPLE.com", "ada o",
                 "Obi", "obí", "OBIS", "obi ada", f" {token.lower()} "):  # fmt: skip
        assert listed(ben_client, f"?search={text}") == [card_order.number], text
    assert listed(ben_client, "?search=Nemo") == [other.number]
    for text in ("100%25", "_", "x" * 500):
        assert listed(ben_client, f"?search={text}") == []


def test_the_start_page_counts_what_the_filters_show(
    ben_client: FormClient, card_order: Order, order: Order, ada: User, bottle: Product, cleo: User, product: Product
) -> None:
    to_ship = create_order(cleo, product)
    pay(to_ship)
    odd = pay(create_order(cleo, product))
    odd.refund_proposed = True
    odd.order.is_oversold = True
    old = pay(create_order(cleo, product))
    old.settled_at, old.order.status = utcnow() - 31 * DAY, OrderStatus.DELIVERED
    waiting = create_order(cleo, product)
    assert note_payment(ben_client, waiting, "4").status_code == 302
    shown = {
        show: set(listed(ben_client, f"?show={show}"))
        for show in ("to_produce", "to_ship", "offline", "oversold", "care", "pending")
    }
    assert shown == {
        "to_produce": {card_order.number},
        "to_ship": {to_ship.number},
        "offline": {waiting.number},
        "oversold": {odd.order.number},
        "care": {odd.order.number},
        "pending": {order.number, waiting.number},
    }
    numbers = production.order_figures(utcnow(), settings.load())
    assert (numbers.to_produce, numbers.to_ship, numbers.offline, numbers.oversold, numbers.to_review) == (
        1,
        1,
        1,
        1,
        1,
    )
    assert numbers.month == purchases.pounds(4800 + 1000 + 1000 + 400)
    page = ben_client.get("/admin/").text
    assert "1 Orders to produce 1 Orders to ship" in words_of(page)
    assert "£72.00 Revenue, last 30 days" in words_of(page)


def test_today_begins_at_midnight_in_the_shops_time_zone(
    order: Order, set_setting: Callable[[str, Any], None], ada: User, bottle: Product
) -> None:
    payment = pay(order)
    set_setting("time_zone", "Pacific/Auckland")
    shop = settings.load()
    now = payment.settled_at
    assert now is not None
    noon = now.replace(hour=12, minute=0)  # midnight there or an hour past it
    payment.settled_at = noon - timedelta(hours=2)
    db.session.flush()
    assert production.order_figures(noon, shop).today.amount == 0
    payment.settled_at = noon
    db.session.flush()
    assert production.order_figures(noon, shop).today.amount == 4800


def test_pages_run_a_fixed_number_of_statements(
    ben_client: FormClient, ada: User, card_order: Order, product: Product, bottle: Product
) -> None:
    cart = purchases.create_cart(ada, bottle, product)
    busy = purchases.place(cart)
    db.session.commit()
    for _time in range(3):
        note_payment(ben_client, busy, "1")
        ben_client.post(path_to(busy, "/note"), data={"note": "Call first"})
    for path in (path_to(busy), path_to(card_order), "/admin/orders", path_to(card_order, "/cards"), "/admin/credit"):
        ben_client.get(path)
        db.session.commit()
        with statements(all_of_them=True) as asked:
            ben_client.get(path)
        assert len(queries(asked)) <= 12, path + "\n" + "\n".join(queries(asked))
