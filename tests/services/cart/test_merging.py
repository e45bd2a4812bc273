"""Merging a guest cart at login."""

from collections.abc import Callable

import pytest
from flask import Flask

from tapcard.db import db
from tapcard.models import (
    Cart,
    Product,
    User,
)
from tapcard.services.cart import carts, editing, merging
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.purchases import fill, load_cart


def test_a_guest_cart_becomes_the_cart_of_the_user(cart: Cart, product: Product, ada: User) -> None:
    fill(cart, product, 2)
    merging.merge_guest_cart(cart.id, ada, purchases.context(), reservations_for)
    db.session.commit()
    assert carts.find_guest_cart(cart.id) is None
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 2


def test_merging_adds_equal_lines_up_to_the_stock(
    cart: Cart, bottle: Product, product: Product, ada: User, create_promotion: Callable[..., object]
) -> None:
    own = purchases.create_cart(ada, bottle, quantity=6)
    fill(cart, bottle, 7)
    fill(cart, product, 1)
    cart.promotion = create_promotion()
    cart.checkout = {"email": "typed@example.com"}
    db.session.commit()
    guest_id = cart.id
    merging.merge_guest_cart(guest_id, ada, purchases.context(), reservations_for)
    db.session.commit()
    assert [item.quantity for item in purchases.current_items(own)] == [10, 1]
    assert (load_cart(own).promotion_id, load_cart(own).checkout) != (None, {})
    assert db.session.get(Cart, guest_id) is None


def test_merging_reports_lines_capped_by_stock_and_by_the_maximum(
    cart: Cart, bottle: Product, product: Product, ada: User
) -> None:
    own = purchases.create_cart(ada, bottle, product, quantity=6)
    fill(cart, bottle, 7)
    fill(cart, product, 95)
    merged = merging.merge_guest_cart(cart.id, ada, purchases.context(), reservations_for)
    db.session.commit()
    assert [item.quantity for item in purchases.current_items(own)] == [10, 99]
    assert [(item.title, item.quantity) for item in merged.capped] == [(bottle.name, 10)]
    assert [item.title for item in merged.limited] == [product.name]
    assert merged.left_out == []


def test_lines_without_room_are_left_out_and_the_others_are_merged(
    monkeypatch: pytest.MonkeyPatch, cart: Cart, product: Product, ada: User, create_product: Callable[..., Product]
) -> None:
    own = purchases.create_cart(ada, product)
    for _number in range(2):
        fill(cart, create_product())
    late = create_product("Late")
    fill(cart, late)
    fill(cart, product, 2)
    monkeypatch.setattr(editing, "MAX_LINES", 3)
    merged = merging.merge_guest_cart(cart.id, ada, purchases.context(), reservations_for)
    db.session.commit()
    assert merged.left_out == ["Late"]
    assert [item.quantity for item in purchases.current_items(own)] == [3, 1, 1]


def test_the_cart_of_another_user_is_never_merged(product: Product, ada: User, cleo: User) -> None:
    theirs = purchases.create_cart(ada, product)
    merging.merge_guest_cart(theirs.id, cleo, purchases.context(), reservations_for)
    db.session.commit()
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 1
    assert carts.piece_count(user_id=cleo.id, cart_id=None) == 0


def test_the_open_order_of_a_guest_cart_moves_to_the_merged_cart(bottle: Product, ada: User, product: Product) -> None:
    own, guest = purchases.create_cart(ada, product), purchases.create_cart(None, bottle, quantity=10)
    order = purchases.place(guest)
    db.session.commit()
    merging.merge_guest_cart(guest.id, ada, purchases.context(), reservations_for)
    db.session.commit()
    assert order.cart_id == own.id
    assert [item.quantity for item in purchases.current_items(own)] == [1, 10]


def test_a_session_never_opens_a_later_cart_with_the_same_id(app: Flask, product: Product) -> None:
    first = purchases.create_cart(None, product)
    cart_id, made_at = first.id, first.created_at
    assert carts.piece_count(user_id=None, cart_id=cart_id, made_at=made_at) == 1
    db.session.delete(first)
    db.session.commit()
    later = Cart(id=cart_id)
    db.session.add(later)
    fill(later, product)
    assert carts.find_guest_cart(cart_id, later.created_at) is not None
    assert carts.find_guest_cart(cart_id, made_at) is None
    assert carts.piece_count(user_id=None, cart_id=cart_id, made_at=made_at) == 0


def test_checkout_details_of_the_guest_override_those_of_the_user(cart: Cart, product: Product, ada: User) -> None:
    own = purchases.create_cart(ada, product)
    own.checkout, cart.checkout = {"city": "Leeds", "note": "old"}, {"note": "new"}
    db.session.commit()
    merging.merge_guest_cart(cart.id, ada, purchases.context(), reservations_for)
    db.session.commit()
    assert load_cart(own).checkout == {"city": "Leeds", "note": "new"}
