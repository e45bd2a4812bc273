"""Helpers for tests of carts: adding products by their forms, and what the cart and its page hold."""

from typing import Any

from sqlalchemy import select

from tapcard.db import db
from tapcard.models import (
    Cart,
    CartLine,
    Product,
)
from tests.conftest import FormClient
from tests.pages import words_of


def add(client: FormClient, product: Product, quantity: int = 1, **fields: Any) -> None:
    """Add a product to the cart by its form."""
    answer = client.post(f"/cart/add/{product.slug}", data={"quantity": str(quantity), **fields})
    assert answer.location == "/cart"


def lines() -> list[tuple[int | None, int]]:
    """Return the product id and quantity of every line."""
    return [(line.product_id, line.quantity) for line in db.session.scalars(select(CartLine).order_by(CartLine.id))]


def line_ids() -> list[int]:
    """Return the ids of all lines."""
    return list(db.session.scalars(select(CartLine.id).order_by(CartLine.id)))


def the_cart() -> Cart:
    """Return the only cart."""
    return db.session.scalars(select(Cart)).one()


def badge(client: FormClient, path: str = "/") -> str:
    """Return the text of the cart's badge on a page."""
    return client.get(path).text.partition("data-cart-count")[2].partition("</span>")[0].strip(" >")


def said(client: FormClient) -> str:
    """Return the text of the cart page."""
    return words_of(client.get("/cart").text)
