"""Carts: equal things are one line, nobody gets more than there is, and a look changes nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tapcard import settings
from tapcard.clock import utcnow
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
    ProductOption,
    User,
)
from tapcard.models import ProductKind as Kind
from tapcard.services.cart import carts, editing, items, merging
from tapcard.services.cart.carts import LineNotFound
from tapcard.services.cart.editing import BadQuantity, ChooseDesign, NotForSale, SoldOut
from tapcard.services.catalogue import customization
from tapcard.services.orders import placement, reorder, transitions
from tapcard.services.orders.replacement import reservations_for
from tests import buying
from tests.buying import fill, whole


@pytest.fixture
def cart(app: Flask) -> Cart:
    """A guest's cart, empty."""
    return buying.cart_of(None)


@pytest.fixture
def engraved(bottle: Product, create_option: Callable[..., object]) -> Product:
    """A bottle with an inscription, a colour and a phone number."""
    create_option(bottle, "inscription", OptionKind.TEXT, max_length=20, extra_amount=300)
    create_option(bottle, "color", OptionKind.COLOR, choices=["night", "sand"], is_required=True)
    create_option(bottle, "phone", OptionKind.PHONE)
    return bottle


@pytest.fixture
def card_product(create_product: Callable[..., Product]) -> Product:
    return create_product("NFC card", kind=Kind.CARD, unit_amount=2600)


def look(cart: Cart) -> list[items.CartItem]:
    return items.current_items(whole(cart), settings.load(), reservations_for(whole(cart), utcnow()))


# --- filling ----------------------------------------------------------------------------------------------------------


def test_the_same_product_raises_the_quantity(cart: Cart, product: Product) -> None:
    fill(cart, product, 2)
    fill(cart, product, 3)
    assert [item.quantity for item in look(cart)] == [5]


def test_other_answers_are_a_line_of_their_own_and_blank_equals_missing(cart: Cart, engraved: Product) -> None:
    fill(cart, engraved, answers={"color": "night"})
    fill(cart, engraved, answers={"color": "night", "inscription": "  ", "phone": ""})
    fill(cart, engraved, answers={"color": "night", "inscription": "For Mum"})
    assert [(item.quantity, item.unit_amount) for item in look(cart)] == [(2, 2400), (1, 2700)]


@pytest.mark.parametrize("quantity", [0, -1, -99, 100, 10**30])
def test_a_quantity_out_of_range_is_refused(cart: Cart, product: Product, quantity: int) -> None:
    """H28"""
    with pytest.raises(BadQuantity):
        fill(cart, product, quantity)
    db.session.rollback()
    fill(cart, product)
    with pytest.raises(BadQuantity):
        editing.change_quantity(whole(cart), whole(cart).lines[0].id, quantity, buying.context(), reservations_for)


def test_together_a_line_never_exceeds_what_one_may_order(cart: Cart, product: Product) -> None:
    fill(cart, product, 60)
    fill(cart, product, 60)
    assert [item.quantity for item in look(cart)] == [99]


def test_beyond_the_stock_a_line_is_capped_and_says_so(cart: Cart, bottle: Product) -> None:
    item = fill(cart, bottle, 40)
    assert (item.quantity, item.is_capped) == (10, True)
    assert [(item.quantity, item.is_capped) for item in look(cart)] == [(10, False)]


def test_lines_of_one_product_share_its_stock(cart: Cart, engraved: Product) -> None:
    fill(cart, engraved, 7, answers={"color": "night"})
    fill(cart, engraved, 7, answers={"color": "sand"})
    assert [item.quantity for item in look(cart)] == [7, 3]


def test_what_is_sold_out_or_hidden_cannot_be_put_in(cart: Cart, create_product: Callable[..., Product]) -> None:
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
        ({}, customization.BadAnswer),
        ({"color": "pink"}, customization.BadAnswer),
        ({"color": "night", "inscription": "x" * 21}, customization.BadAnswer),
        ({"color": "night", "inscription": "a\0b"}, customization.BadAnswer),
        ({"color": "night", "phone": "call me"}, customization.BadAnswer),
        ({"color": "night", "price": "0"}, customization.NotAsked),
    ],
)
def test_an_answer_that_was_not_offered_is_refused(
    cart: Cart, engraved: Product, answers: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        fill(cart, engraved, answers=answers)


def test_a_picture_is_never_an_answer_that_somebody_typed(
    cart: Cart, product: Product, create_option: Callable[..., object]
) -> None:
    create_option(product, "artwork", OptionKind.PICTURE)
    with pytest.raises(customization.NotAsked):
        fill(cart, product, answers={"artwork": "0" * 32 + ".webp"})
    db.session.rollback()
    item = fill(cart, product, uploads={"artwork": "0" * 32 + ".webp"})
    assert item.line.pictures == ["0" * 32 + ".webp"]


def test_the_line_of_another_cart_does_not_exist(cart: Cart, product: Product) -> None:
    """H36"""
    other = buying.cart_of(None, product)
    with pytest.raises(LineNotFound):
        editing.remove(whole(cart), other.lines[0].id)
    with pytest.raises(LineNotFound):
        editing.change_quantity(whole(cart), other.lines[0].id, 1, buying.context(), reservations_for)


# --- cards ------------------------------------------------------------------------------------------------------------


def test_a_card_needs_a_design_or_a_picture_and_not_both(cart: Cart, card_product: Product, design: Design) -> None:
    """H20"""
    for values in ({}, {"design": design, "front_picture": "f" * 32 + ".webp"}):
        with pytest.raises(ChooseDesign):
            fill(cart, card_product, **values)
        db.session.rollback()


@pytest.mark.parametrize("status", DesignStatus)
def test_a_private_design_can_be_ordered_by_its_owner_alone(
    cart: Cart, card_product: Product, create_design: Callable[..., Design], ada: User, cleo: User, status: DesignStatus
) -> None:
    private = create_design(is_public=False, owner=ada, status=status)
    for stranger in (cart, buying.cart_of(cleo)):
        with pytest.raises(ChooseDesign):
            fill(stranger, card_product, design=private)
        db.session.rollback()
    if status is DesignStatus.REJECTED:
        with pytest.raises(ChooseDesign):
            fill(buying.cart_of(ada), card_product, design=private)
    else:
        assert fill(buying.cart_of(ada), card_product, design=private).quantity == 1


def test_a_design_that_nobody_approved_is_not_for_sale(
    cart: Cart, card_product: Product, create_design: Callable[..., Design]
) -> None:
    with pytest.raises(ChooseDesign):
        fill(cart, card_product, design=create_design(is_public=True, status=DesignStatus.REQUESTED))


def test_a_card_costs_what_its_design_costs_and_else_what_the_product_shows(
    cart: Cart, card_product: Product, create_design: Callable[..., Design]
) -> None:
    card_product.discount_percent = 10
    dear, plain = create_design("Dear", card_amount=3005), create_design("Plain")
    assert fill(cart, card_product, 500, design=dear).unit_amount == 2705
    assert fill(cart, card_product, design=plain).unit_amount == 2340, "lists show it, not the shop's 24.00"
    assert fill(cart, card_product, front_picture="f" * 32 + ".webp").unit_amount == 2340


def test_own_artwork_costs_the_same_at_first_and_ever_after(
    ada: User, card_product: Product, create_option: Callable[..., object]
) -> None:
    create_option(card_product, "name", extra_amount=100)
    card_product.discount_percent = 10
    cart = buying.cart_of(ada)
    fill(cart, card_product, front_picture="f" * 32 + ".webp", answers={"name": "Ada"})
    order = buying.place(cart)
    buying.pay(order)
    [line] = order.lines
    assert line.unit_amount == 2440
    assert line.design is not None
    assert fill(cart, card_product, design=line.design, answers={"name": "Ada"}).unit_amount == 2440
    editing.clear(whole(cart))
    assert reorder.reorder_lines(order, whole(cart), buying.context()) == reorder.ReorderResult()
    assert [(item.unit_amount, item.design) for item in look(cart)] == [(2440, line.design)]


def test_an_activation_is_in_a_cart_once(cart: Cart, create_card: Callable[..., Card]) -> None:
    card = create_card(policy=ClaimPolicy.PAY)
    for _time in range(2):
        editing.add_activation(cart, card, buying.context(), reservations_for)
    assert [(item.quantity, item.unit_amount, item.ships) for item in look(cart)] == [(1, 1000, False)]


@pytest.mark.parametrize("policy", [ClaimPolicy.CODE, ClaimPolicy.OPEN])
def test_only_a_card_that_waits_for_it_is_activated_by_paying(
    cart: Cart, create_card: Callable[..., Card], card: Card, policy: ClaimPolicy
) -> None:
    for other in (create_card(policy=policy), card):
        with pytest.raises(editing.CannotActivate):
            editing.add_activation(cart, other, buying.context(), reservations_for)


# --- looking again ----------------------------------------------------------------------------------------------------


def test_what_changed_meanwhile_is_told_and_taken_over_once_accepted(
    cart: Cart, bottle: Product, product: Product, create_product: Callable[..., Product]
) -> None:
    gone = create_product("Gone")
    for each in (bottle, product, gone):
        fill(cart, each, 4)
    bottle.stock, product.unit_amount, gone.is_active = 3, 1100, False
    db.session.commit()
    seen = [(item.quantity, item.is_capped, item.is_repriced, item.is_gone) for item in look(cart)]
    assert seen == [(3, True, False, False), (4, False, True, False), (0, False, False, True)]
    assert look(cart)[1].former_unit == buying.pounds(1000)
    assert editing.accept_changes(whole(cart), buying.context(), reservations_for)
    db.session.commit()
    assert [(item.quantity, item.has_changed) for item in look(cart)] == [(3, False), (4, False)]
    assert not editing.accept_changes(whole(cart), buying.context(), reservations_for)


def test_answers_are_checked_again_at_every_look(cart: Cart, engraved: Product) -> None:
    fill(cart, engraved, answers={"color": "night", "inscription": "For Mum", "phone": "020 7946 0018"})
    inscription, color, phone = sorted(engraved.options, key=lambda option: ["i", "c", "p"].index(option.key[0]))

    def told() -> str | None:
        db.session.commit()
        [item] = look(cart)
        assert (item.has_changed, item.is_gone, item.quantity) == (item.validation_error is not None, False, 1)
        return str(item.validation_error) if item.validation_error is not None else None

    def of(option: ProductOption, name: str, value: object) -> str | None:
        former = getattr(option, name)
        setattr(option, name, value)
        found = told()
        setattr(option, name, former)
        assert told() is None
        return found

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


def test_a_question_that_has_to_be_answered_now_is_asked_before_anything_is_ordered(
    cart: Cart, bottle: Product, product: Product, create_option: Callable[..., ProductOption]
) -> None:
    for each in (bottle, product):
        fill(cart, each)
    option = create_option(bottle, "note", OptionKind.TEXT)
    assert not any(item.has_changed for item in look(cart))
    option.is_required = True
    db.session.commit()
    seen = [(str(item.validation_error), item.has_changed) for item in look(cart)]
    assert seen == [("“Note” is now required.", True), ("None", False)]
    with pytest.raises(placement.CartChanged):
        buying.place(cart)
    db.session.rollback()
    editing.accept_changes(whole(cart), buying.context(), reservations_for)
    db.session.commit()
    assert [item.needs_choice for item in look(cart)] == [True, False], "a press cannot answer it"
    editing.remove(whole(cart), whole(cart).lines[0].id)
    db.session.commit()
    assert buying.place(cart).total_amount == 1000


def test_a_picture_that_is_not_asked_for_any_more_is_named_as_one(
    cart: Cart, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    option = create_option(bottle, "logo", OptionKind.PICTURE)
    fill(cart, bottle, uploads={"logo": "a" * 64 + ".webp"})
    assert look(cart)[0].validation_error is None
    option.kind = OptionKind.TEXT
    assert str(look(cart)[0].validation_error) == "“Logo” has changed. Choose again."
    db.session.delete(option)
    db.session.commit()
    assert str(look(cart)[0].validation_error) == "This product no longer takes the image you uploaded."


def test_a_carts_own_open_order_counts_as_available_to_it(bottle: Product, ada: User, cleo: User) -> None:
    cart = buying.cart_of(ada, bottle, quantity=10)
    buying.place(cart)
    db.session.commit()
    assert bottle.stock == 0
    assert [item.quantity for item in look(cart)] == [10]
    with pytest.raises(SoldOut):
        buying.cart_of(cleo, bottle)


def test_what_an_order_holds_whose_time_is_over_is_free(bottle: Product, ada: User, cleo: User) -> None:
    order = buying.order_of(ada, bottle, quantity=10)
    order.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    assert fill(buying.cart_of(cleo), bottle, 6).quantity == 6


# --- merging ----------------------------------------------------------------------------------------------------------


def test_a_guests_cart_becomes_that_of_whoever_signs_in(cart: Cart, product: Product, ada: User) -> None:
    fill(cart, product, 2)
    merging.merge_guest_cart(cart.id, ada, buying.context(), reservations_for)
    db.session.commit()
    assert carts.find_guest_cart(cart.id) is None
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 2


def test_merging_adds_equal_lines_up_to_the_stock(
    cart: Cart, bottle: Product, product: Product, ada: User, create_promotion: Callable[..., object]
) -> None:
    own = buying.cart_of(ada, bottle, quantity=6)
    fill(cart, bottle, 7)
    fill(cart, product, 1)
    cart.promotion = create_promotion()
    cart.checkout = {"email": "typed@example.com"}
    db.session.commit()
    guest_id = cart.id
    merging.merge_guest_cart(guest_id, ada, buying.context(), reservations_for)
    db.session.commit()
    assert [item.quantity for item in look(own)] == [10, 1]
    assert (whole(own).promotion_id, whole(own).checkout) != (None, {})
    assert db.session.get(Cart, guest_id) is None


def test_merging_says_what_was_capped_and_what_nobody_may_have_more_of(
    cart: Cart, bottle: Product, product: Product, ada: User
) -> None:
    own = buying.cart_of(ada, bottle, product, quantity=6)
    fill(cart, bottle, 7)
    fill(cart, product, 95)
    merged = merging.merge_guest_cart(cart.id, ada, buying.context(), reservations_for)
    db.session.commit()
    assert [item.quantity for item in look(own)] == [10, 99]
    assert [(item.title, item.quantity) for item in merged.capped] == [(bottle.name, 10)]
    assert [item.title for item in merged.limited] == [product.name]
    assert merged.left_out == []


def test_what_finds_no_room_is_left_out_and_all_else_goes_along(
    monkeypatch: pytest.MonkeyPatch, cart: Cart, product: Product, ada: User, create_product: Callable[..., Product]
) -> None:
    own = buying.cart_of(ada, product)
    for _number in range(2):
        fill(cart, create_product())
    late = create_product("Late")
    fill(cart, late)
    fill(cart, product, 2)
    monkeypatch.setattr(editing, "MAX_LINES", 3)
    merged = merging.merge_guest_cart(cart.id, ada, buying.context(), reservations_for)
    db.session.commit()
    assert merged.left_out == ["Late"]
    assert [item.quantity for item in look(own)] == [3, 1, 1]


def test_somebody_elses_cart_is_never_adopted(product: Product, ada: User, cleo: User) -> None:
    theirs = buying.cart_of(ada, product)
    merging.merge_guest_cart(theirs.id, cleo, buying.context(), reservations_for)
    db.session.commit()
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 1
    assert carts.piece_count(user_id=cleo.id, cart_id=None) == 0


def test_the_order_of_a_guest_goes_along_with_the_cart(bottle: Product, ada: User, product: Product) -> None:
    own, guest = buying.cart_of(ada, product), buying.cart_of(None, bottle, quantity=10)
    order = buying.place(guest)
    db.session.commit()
    merging.merge_guest_cart(guest.id, ada, buying.context(), reservations_for)
    db.session.commit()
    assert order.cart_id == own.id
    assert [item.quantity for item in look(own)] == [1, 10]


def test_a_session_never_names_a_cart_that_got_the_same_number_later(app: Flask, product: Product) -> None:
    first = buying.cart_of(None, product)
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


def test_what_a_guest_typed_a_moment_ago_counts_after_the_log_in(cart: Cart, product: Product, ada: User) -> None:
    own = buying.cart_of(ada, product)
    own.checkout, cart.checkout = {"city": "Leeds", "note": "old"}, {"note": "new"}
    db.session.commit()
    merging.merge_guest_cart(cart.id, ada, buying.context(), reservations_for)
    db.session.commit()
    assert whole(own).checkout == {"city": "Leeds", "note": "new"}


# --- afterwards -------------------------------------------------------------------------------------------------------


def test_payment_takes_out_what_was_ordered_and_leaves_the_rest(bottle: Product, product: Product, ada: User) -> None:
    cart = buying.cart_of(ada, bottle, quantity=2)
    order = buying.place(cart)
    db.session.commit()
    fill(cart, bottle, 1)
    fill(cart, product, 1)
    transitions.mark_paid(order, buying.keys(), utcnow())
    db.session.commit()
    assert [(item.line.product_id, item.quantity) for item in look(cart)] == [(bottle.id, 1), (product.id, 1)]


def test_carts_of_guests_are_forgotten_when_nobody_touches_them(cart: Cart, product: Product, ada: User) -> None:
    fill(cart, product)
    own = buying.cart_of(ada, product)
    order = buying.place(cart)
    db.session.commit()
    assert carts.delete_abandoned(utcnow() - timedelta(days=1)) == 0
    assert carts.delete_abandoned(utcnow() + timedelta(days=1)) == 1
    db.session.commit()
    db.session.expire_all()
    assert (order.cart_id, whole(own).lines[0].quantity) == (None, 1)
