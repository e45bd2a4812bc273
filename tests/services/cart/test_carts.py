"""Carts: removing ordered lines and purging abandoned carts."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tapcard import settings
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Cart,
    OptionKind,
    Product,
    User,
)
from tapcard.models import ProductKind as Kind
from tapcard.services.cart import carts, items
from tapcard.services.orders import transitions
from tapcard.services.orders.replacement import reservations_for
from tests import buying
from tests.buying import fill, whole


@pytest.fixture
def cart(app: Flask) -> Cart:
    """Create an empty guest cart."""
    return buying.cart_of(None)


@pytest.fixture
def engraved(bottle: Product, create_option: Callable[..., object]) -> Product:
    """Create a bottle with options for an inscription, a colour and a phone number."""
    create_option(bottle, "inscription", OptionKind.TEXT, max_length=20, extra_amount=300)
    create_option(bottle, "color", OptionKind.COLOR, choices=["night", "sand"], is_required=True)
    create_option(bottle, "phone", OptionKind.PHONE)
    return bottle


@pytest.fixture
def card_product(create_product: Callable[..., Product]) -> Product:
    return create_product("NFC card", kind=Kind.CARD, unit_amount=2600)


def look(cart: Cart) -> list[items.CartItem]:
    return items.current_items(whole(cart), settings.load(), reservations_for(whole(cart), utcnow()))


def test_payment_removes_only_the_ordered_lines(bottle: Product, product: Product, ada: User) -> None:
    cart = buying.cart_of(ada, bottle, quantity=2)
    order = buying.place(cart)
    db.session.commit()
    fill(cart, bottle, 1)
    fill(cart, product, 1)
    transitions.mark_paid(order, buying.keys(), utcnow())
    db.session.commit()
    assert [(item.line.product_id, item.quantity) for item in look(cart)] == [(bottle.id, 1), (product.id, 1)]


def test_abandoned_guest_carts_are_deleted(cart: Cart, product: Product, ada: User) -> None:
    fill(cart, product)
    own = buying.cart_of(ada, product)
    order = buying.place(cart)
    db.session.commit()
    assert carts.delete_abandoned(utcnow() - timedelta(days=1)) == 0
    assert carts.delete_abandoned(utcnow() + timedelta(days=1)) == 1
    db.session.commit()
    db.session.expire_all()
    assert (order.cart_id, whole(own).lines[0].quantity) == (None, 1)
