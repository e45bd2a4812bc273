"""Cart items: today's prices and stock, and what changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Cart,
    OptionKind,
    Product,
    ProductOption,
    User,
)
from tapcard.models import ProductKind as Kind
from tapcard.services.cart import editing
from tapcard.services.cart.editing import SoldOut
from tapcard.services.orders import placement
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.purchases import fill, load_cart


def test_changes_are_reported_until_they_are_accepted(
    cart: Cart, bottle: Product, product: Product, create_product: Callable[..., Product]
) -> None:
    gone = create_product("Gone")
    for item_product in (bottle, product, gone):
        fill(cart, item_product, 4)
    bottle.stock, product.unit_amount, gone.is_active = 3, 1100, False
    db.session.commit()
    seen = [(item.quantity, item.is_capped, item.is_repriced, item.is_gone) for item in purchases.current_items(cart)]
    assert seen == [(3, True, False, False), (4, False, True, False), (0, False, False, True)]
    assert purchases.current_items(cart)[1].former_unit == purchases.pounds(1000)
    assert editing.accept_changes(load_cart(cart), purchases.context(), reservations_for)
    db.session.commit()
    assert [(item.quantity, item.has_changed) for item in purchases.current_items(cart)] == [(3, False), (4, False)]
    assert not editing.accept_changes(load_cart(cart), purchases.context(), reservations_for)


def test_options_are_validated_whenever_the_cart_is_read(cart: Cart, engraved: Product) -> None:
    fill(cart, engraved, answers={"color": "night", "inscription": "For Mum", "phone": "020 7946 0018"})
    inscription, color, phone = sorted(engraved.options, key=lambda option: ["i", "c", "p"].index(option.key[0]))

    def told() -> str | None:
        db.session.commit()
        [item] = purchases.current_items(cart)
        assert (item.has_changed, item.is_gone, item.quantity) == (item.validation_error is not None, False, 1)
        return str(item.validation_error) if item.validation_error is not None else None

    def of(option: ProductOption, name: str, value: object) -> str | None:
        former = getattr(option, name)
        setattr(option, name, value)
        changes = told()
        setattr(option, name, former)
        assert told() is None
        return changes

    assert told() is None
    assert of(color, "choices", ["sand"]) == "Color: “night” is no longer available."
    assert of(color, "key", "shade") == "“night” is no longer an option for this product."
    assert of(color, "kind", OptionKind.PICTURE) == "“Color” has changed. Choose again."
    assert of(inscription, "max_length", 5) == "Inscription: “For Mum” is no longer available."
    assert of(inscription, "kind", OptionKind.PHONE) == "Inscription: “For Mum” is no longer available."
    assert of(inscription, "is_required", True) is None
    assert of(phone, "label", "Telephone") is None
    assert of(engraved, "kind", Kind.GIFT_PACK) is None
    assert of(engraved, "kind", Kind.CARD) == "The way this product is ordered has changed."  # type: ignore[arg-type]


def test_an_option_that_became_required_must_be_chosen_before_ordering(
    cart: Cart, bottle: Product, product: Product, create_option: Callable[..., ProductOption]
) -> None:
    for item_product in (bottle, product):
        fill(cart, item_product)
    option = create_option(bottle, "note", OptionKind.TEXT)
    assert not any(item.has_changed for item in purchases.current_items(cart))
    option.is_required = True
    db.session.commit()
    seen = [(str(item.validation_error), item.has_changed) for item in purchases.current_items(cart)]
    assert seen == [("“Note” is now required.", True), ("None", False)]
    with pytest.raises(placement.CartChanged):
        purchases.place(cart)
    db.session.rollback()
    editing.accept_changes(load_cart(cart), purchases.context(), reservations_for)
    db.session.commit()
    assert [item.needs_choice for item in purchases.current_items(cart)] == [True, False], "a press cannot answer it"
    editing.remove(load_cart(cart), load_cart(cart).lines[0].id)
    db.session.commit()
    assert purchases.place(cart).total_amount == 1000


def test_the_picture_of_a_removed_option_is_described_as_a_picture(
    cart: Cart, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    option = create_option(bottle, "logo", OptionKind.PICTURE)
    fill(cart, bottle, uploads={"logo": "a" * 64 + ".webp"})
    assert purchases.current_items(cart)[0].validation_error is None
    option.kind = OptionKind.TEXT
    assert str(purchases.current_items(cart)[0].validation_error) == "“Logo” has changed. Choose again."
    db.session.delete(option)
    db.session.commit()
    assert (
        str(purchases.current_items(cart)[0].validation_error) == "This product no longer takes the image you uploaded."
    )


def test_stock_held_by_an_open_order_is_available_to_its_cart(bottle: Product, ada: User, cleo: User) -> None:
    cart = purchases.create_cart(ada, bottle, quantity=10)
    purchases.place(cart)
    db.session.commit()
    assert bottle.stock == 0
    assert [item.quantity for item in purchases.current_items(cart)] == [10]
    with pytest.raises(SoldOut):
        purchases.create_cart(cleo, bottle)


def test_stock_held_by_an_expired_order_is_available(bottle: Product, ada: User, cleo: User) -> None:
    order = purchases.create_order(ada, bottle, quantity=10)
    order.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    assert fill(purchases.create_cart(cleo), bottle, 6).quantity == 6
