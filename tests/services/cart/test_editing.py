"""Adding products, cards and activations to a cart, within stock and limits."""

from collections.abc import Callable

import pytest

from tapcard.db import db
from tapcard.models import (
    Availability,
    Card,
    Cart,
    ClaimPolicy,
    Design,
    DesignStatus,
    OptionKind,
    Product,
    User,
)
from tapcard.services.cart import editing
from tapcard.services.cart.carts import LineNotFound
from tapcard.services.cart.editing import BadQuantity, ChooseDesign, NotForSale, SoldOut
from tapcard.services.catalogue import customization
from tapcard.services.orders import reorder
from tapcard.services.orders.replacement import reservations_for
from tests import purchases
from tests.purchases import fill, load_cart


def test_adding_the_same_product_raises_the_quantity(cart: Cart, product: Product) -> None:
    fill(cart, product, 2)
    fill(cart, product, 3)
    assert [item.quantity for item in purchases.current_items(cart)] == [5]


def test_other_options_make_a_new_line_and_blank_equals_missing(cart: Cart, engraved: Product) -> None:
    fill(cart, engraved, answers={"color": "night"})
    fill(cart, engraved, answers={"color": "night", "inscription": "  ", "phone": ""})
    fill(cart, engraved, answers={"color": "night", "inscription": "For Mum"})
    assert [(item.quantity, item.unit_amount) for item in purchases.current_items(cart)] == [(2, 2400), (1, 2700)]


@pytest.mark.parametrize("quantity", [0, -1, -99, 100, 10**30])
def test_a_quantity_out_of_range_is_refused(cart: Cart, product: Product, quantity: int) -> None:
    """H28"""
    with pytest.raises(BadQuantity):
        fill(cart, product, quantity)
    db.session.rollback()
    fill(cart, product)
    with pytest.raises(BadQuantity):
        editing.change_quantity(
            load_cart(cart), load_cart(cart).lines[0].id, quantity, purchases.context(), reservations_for
        )


def test_repeated_adding_never_exceeds_the_maximum_quantity(cart: Cart, product: Product) -> None:
    fill(cart, product, 60)
    fill(cart, product, 60)
    assert [item.quantity for item in purchases.current_items(cart)] == [99]


def test_a_quantity_above_the_stock_is_capped_and_reported(cart: Cart, bottle: Product) -> None:
    item = fill(cart, bottle, 40)
    assert (item.quantity, item.is_capped) == (10, True)
    assert [(item.quantity, item.is_capped) for item in purchases.current_items(cart)] == [(10, False)]


def test_lines_of_one_product_share_its_stock(cart: Cart, engraved: Product) -> None:
    fill(cart, engraved, 7, answers={"color": "night"})
    fill(cart, engraved, 7, answers={"color": "sand"})
    assert [item.quantity for item in purchases.current_items(cart)] == [7, 3]


def test_sold_out_or_hidden_products_cannot_be_added(cart: Cart, create_product: Callable[..., Product]) -> None:
    with pytest.raises(SoldOut):
        fill(cart, create_product(stock=0))
    db.session.rollback()
    with pytest.raises(NotForSale):
        fill(cart, create_product(is_active=False))
    with pytest.raises(NotForSale):
        fill(cart, create_product(availability=Availability.OUT_OF_STOCK))


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({}, customization.InvalidAnswer),
        ({"color": "pink"}, customization.InvalidAnswer),
        ({"color": "night", "inscription": "x" * 21}, customization.InvalidAnswer),
        ({"color": "night", "inscription": "a\0b"}, customization.InvalidAnswer),
        ({"color": "night", "phone": "call me"}, customization.InvalidAnswer),
        ({"color": "night", "price": "0"}, customization.UnknownOption),
    ],
)
def test_an_option_value_that_is_not_offered_is_refused(
    cart: Cart, engraved: Product, answers: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        fill(cart, engraved, answers=answers)


def test_a_picture_cannot_be_set_by_entered_text(
    cart: Cart, product: Product, create_option: Callable[..., object]
) -> None:
    create_option(product, "artwork", OptionKind.PICTURE)
    with pytest.raises(customization.UnknownOption):
        fill(cart, product, answers={"artwork": "0" * 32 + ".webp"})
    db.session.rollback()
    item = fill(cart, product, uploads={"artwork": "0" * 32 + ".webp"})
    assert item.line.pictures == ["0" * 32 + ".webp"]


def test_a_line_of_another_cart_is_not_found(cart: Cart, product: Product) -> None:
    """H36"""
    other_cart = purchases.create_cart(None, product)
    with pytest.raises(LineNotFound):
        editing.remove(load_cart(cart), other_cart.lines[0].id)
    with pytest.raises(LineNotFound):
        editing.change_quantity(load_cart(cart), other_cart.lines[0].id, 1, purchases.context(), reservations_for)


def test_a_card_requires_either_a_design_or_artwork(cart: Cart, card_product: Product, design: Design) -> None:
    """H20"""
    for values in ({}, {"design": design, "front_picture": "f" * 32 + ".webp"}):
        with pytest.raises(ChooseDesign):
            fill(cart, card_product, **values)
        db.session.rollback()


@pytest.mark.parametrize("status", DesignStatus)
def test_a_private_design_can_be_ordered_only_by_its_owner(
    cart: Cart, card_product: Product, create_design: Callable[..., Design], ada: User, cleo: User, status: DesignStatus
) -> None:
    private = create_design(is_public=False, owner=ada, status=status)
    for stranger in (cart, purchases.create_cart(cleo)):
        with pytest.raises(ChooseDesign):
            fill(stranger, card_product, design=private)
        db.session.rollback()
    if status is DesignStatus.REJECTED:
        with pytest.raises(ChooseDesign):
            fill(purchases.create_cart(ada), card_product, design=private)
    else:
        assert fill(purchases.create_cart(ada), card_product, design=private).quantity == 1


def test_a_design_without_approval_is_not_for_sale(
    cart: Cart, card_product: Product, create_design: Callable[..., Design]
) -> None:
    with pytest.raises(ChooseDesign):
        fill(cart, card_product, design=create_design(is_public=True, status=DesignStatus.REQUESTED))


def test_a_card_has_the_price_of_its_design_or_else_of_its_product(
    cart: Cart, card_product: Product, create_design: Callable[..., Design]
) -> None:
    card_product.discount_percent = 10
    dear, plain = create_design("Dear", card_amount=3005), create_design("Plain")
    assert fill(cart, card_product, 500, design=dear).unit_amount == 2705
    assert fill(cart, card_product, design=plain).unit_amount == 2340, "lists show it, not the shop's 24.00"
    assert fill(cart, card_product, front_picture="f" * 32 + ".webp").unit_amount == 2340


def test_reordering_own_artwork_costs_the_same(
    ada: User, card_product: Product, create_option: Callable[..., object]
) -> None:
    create_option(card_product, "name", extra_amount=100)
    card_product.discount_percent = 10
    cart = purchases.create_cart(ada)
    fill(cart, card_product, front_picture="f" * 32 + ".webp", answers={"name": "Ada"})
    order = purchases.place(cart)
    purchases.pay(order)
    [line] = order.lines
    assert line.unit_amount == 2440
    assert line.design is not None
    assert fill(cart, card_product, design=line.design, answers={"name": "Ada"}).unit_amount == 2440
    editing.clear(load_cart(cart))
    assert reorder.reorder_lines(order, load_cart(cart), purchases.context()) == reorder.ReorderResult()
    assert [(item.unit_amount, item.design) for item in purchases.current_items(cart)] == [(2440, line.design)]


def test_an_activation_is_added_only_once(cart: Cart, create_card: Callable[..., Card]) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    for _time in range(2):
        editing.add_activation(cart, card, purchases.context(), reservations_for)
    assert [(item.quantity, item.unit_amount, item.ships) for item in purchases.current_items(cart)] == [
        (1, 1000, False)
    ]


@pytest.mark.parametrize("policy", [ClaimPolicy.CODE, ClaimPolicy.OPEN])
def test_only_a_card_awaiting_payment_can_be_activated(
    cart: Cart, create_card: Callable[..., Card], card: Card, policy: ClaimPolicy
) -> None:
    for other_card in (create_card(policy=policy), card):
        with pytest.raises(editing.CannotActivate):
            editing.add_activation(cart, other_card, purchases.context(), reservations_for)
