"""Carts: removing ordered lines and purging abandoned carts."""

from datetime import timedelta

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Cart,
    Product,
    User,
)
from tapcard.services.cart import carts
from tapcard.services.orders import transitions
from tests import purchases
from tests.purchases import fill, load_cart


def test_payment_removes_only_the_ordered_lines(bottle: Product, product: Product, ada: User) -> None:
    cart = purchases.create_cart(ada, bottle, quantity=2)
    order = purchases.place(cart)
    db.session.commit()
    fill(cart, bottle, 1)
    fill(cart, product, 1)
    transitions.mark_paid(order, purchases.keys(), utcnow())
    db.session.commit()
    assert [(item.line.product_id, item.quantity) for item in purchases.current_items(cart)] == [
        (bottle.id, 1),
        (product.id, 1),
    ]


def test_abandoned_guest_carts_are_deleted(cart: Cart, product: Product, ada: User) -> None:
    fill(cart, product)
    own = purchases.create_cart(ada, product)
    order = purchases.place(cart)
    db.session.commit()
    assert carts.delete_abandoned(utcnow() - timedelta(days=1)) == 0
    assert carts.delete_abandoned(utcnow() + timedelta(days=1)) == 1
    db.session.commit()
    db.session.expire_all()
    assert (order.cart_id, load_cart(own).lines[0].quantity) == (None, 1)
