"""From the cart to a paid order: what was typed is kept, pressed twice is once, what changed is said before paying."""

from collections.abc import Callable
from typing import Any

from tapcard.db import db
from tapcard.models import (
    OrderStatus,
    Product,
)
from tests.conftest import FormClient
from tests.shop.conftest import GUEST, fill, give_details, order_now, press, the_order
from tests.watching import words_of


def number_of(model: type[Any]) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(model)) or 0


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_a_guest_orders_pays_and_reads_that_it_is_paid(
    guest: FormClient, bottle: Product, create_delivery_method: Callable[..., Any]
) -> None:
    create_delivery_method()
    cart = fill(guest, bottle, quantity=2)
    assert give_details(guest, **GUEST, note="Ring twice").location == "/checkout/review"
    review = words_of(guest.get("/checkout/review").text)
    for words in (
        "Steel bottle",
        "2 × £24.00",
        "Gus Lind",
        "1 High Street",
        "Standard delivery",
        "£51.50",
        "Ring twice",
    ):
        assert words in review
    paying = order_now(guest)
    back = press(guest, paying)
    order = the_order()
    assert back.location == f"/orders/{order.number}"
    page = words_of(guest.get(back.location).text)
    for words in (order.number, "Paid", "It is paid.", "Steel bottle", "£51.50", "1 High Street", "N1 9GU"):
        assert words in page
    assert (order.status, order.total_amount, order.email, order.phone) == (
        OrderStatus.PAID, 5150, "gus@example.com", None
    )  # fmt: skip
    assert "None" not in page
    db.session.refresh(cart)
    assert cart.lines == []
