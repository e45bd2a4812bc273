"""Fixtures and helpers for tests of the back office's orders."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tapcard import files
from tapcard.db import db
from tapcard.models import (
    Order,
    Product,
    ProductKind,
    User,
)
from tapcard.services.payments import payments
from tests import purchases
from tests.conftest import FormClient, login
from tests.purchases import create_order, pay


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the browser of Ben, who is staff."""
    login(client, ben)
    return client


@pytest.fixture
def order(ada: User, bottle: Product) -> Order:
    """Place an unpaid order of two bottles for Ada, 48.00 in total."""
    return create_order(ada, bottle, quantity=2)


@pytest.fixture
def card_order(app: Flask, ada: User, create_product: Callable[..., Product]) -> Order:
    """Place a paid order of two cards with Ada's own artwork."""
    folder = files.folder(app.instance_path)
    front, rear = (files.store(side, folder) for side in (b"front", b"rear"))
    product = create_product("Own card", kind=ProductKind.CARD, unit_amount=2400)
    cart = purchases.create_cart(ada)
    purchases.fill(cart, product, 2, front_picture=front, rear_picture=rear)
    order = purchases.place(cart)
    db.session.commit()
    pay(order)
    return order


def path_to(order: Order, rest: str = "") -> str:
    """Return the path of an order's page, or of a page below it."""
    return f"/admin/orders/{order.number}{rest}"


def note_payment(client: FormClient, order: Order, amount: str, **fields: str) -> Any:
    """Record an offline payment by its form."""
    seen = str(payments.amount_due(order).amount)
    return client.post(path_to(order, "/payment"), data={"amount": amount, "how": "cash", "seen": seen, **fields})


def listed(client: FormClient, query: str = "") -> list[str]:
    """Return the numbers of the orders in a list."""
    page = client.get(f"/admin/orders{query}")
    assert page.status_code == 200
    return re.findall(r'href="/admin/orders/(TC-[^"]+)"', page.text)
