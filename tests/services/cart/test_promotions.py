"""Promotions: who may use a code, for what and how often; placing an order counts a use."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Category, Collection, Product, Promotion, PromotionCustomer, User
from tapcard.services.cart import promotions
from tapcard.services.cart.promotions import Customer
from tapcard.services.catalogue import categories
from tapcard.services.orders import placement, transitions
from tests import purchases

GUS = Customer(email="gus@example.com")
DAY = timedelta(days=1)


def check(promotion: Promotion, product: Product | None, customer: Customer = GUS, subtotal: int = 1000) -> None:
    promotions.check(promotion, [product], purchases.pounds(subtotal), customer, purchases.context())


@pytest.mark.parametrize("text", ["welcome10", " WELCOME10 ", "Wel Come10"])
def test_a_code_is_found_in_any_case(create_promotion: Callable[..., Promotion], text: str) -> None:
    promotion = create_promotion("Welcome10")
    assert promotions.find(text) == promotion


@pytest.mark.parametrize("text", ["", " ", "NOPE", "shop_name", "SHOP_NAME", "currency", "x" * 300, "a\0b", "'--", "%"])
def test_only_codes_of_promotions_are_accepted(
    create_promotion: Callable[..., Promotion], set_setting: Callable[[str, Any], None], text: str
) -> None:
    """H30"""
    set_setting("shop_name", "WELCOME10")
    create_promotion("REAL")
    with pytest.raises(promotions.UnknownCode):
        promotions.find(text)


def test_a_deactivated_code_is_unknown(create_promotion: Callable[..., Promotion]) -> None:
    create_promotion("OFF", is_active=False)
    with pytest.raises(promotions.UnknownCode):
        promotions.find("OFF")


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ({"starts_at": utcnow() + DAY}, promotions.NotStarted, "isn't active yet"),
        ({"ends_at": utcnow() - DAY}, promotions.Expired, "has expired"),
        ({"minimum_amount": 1001}, promotions.MinimumNotMet, "at least £10.01"),
        ({"needs_account": True}, promotions.LoginRequired, "Log in first"),
        ({"most_uses": 3, "use_count": 3}, promotions.UsedUp, "usage limit"),
    ],
)
def test_every_refusal_has_its_own_message(
    create_promotion: Callable[..., Promotion], product: Product, values: dict[str, Any],
    error: type[Exception], words: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=words):
        check(create_promotion(**values), product)


def test_a_subtotal_equal_to_the_minimum_is_enough(
    create_promotion: Callable[..., Promotion], product: Product
) -> None:
    check(create_promotion(minimum_amount=1000), product)


def test_a_promotion_applies_to_its_scope(
    create_promotion: Callable[..., Promotion],
    create_product: Callable[..., Product],
    create_category: Callable[..., Category],
    create_collection: Callable[..., Collection],
) -> None:
    shelf = create_category("Kitchen")
    below = create_category("Cups", parent=create_category("Drinking", parent=shelf))
    theme = create_collection("Winter")
    cup, star, other = create_product("Cup", category=below), create_product("Star"), create_product("Other")
    star.collections.append(theme)
    db.session.commit()
    everything = [cup, star, other, None]
    for values, expected in (
        ({}, [True, True, True, True]),
        ({"category": shelf}, [True, False, False, False]),
        ({"collection": theme}, [False, True, False, False]),
        ({"product": other}, [False, False, True, False]),
    ):
        promotion = create_promotion(f"CODE{len(values)}{next(iter(values), '')}", **values)
        assert promotions.promoted_flags(promotion, everything) == expected
        if not all(expected):
            with pytest.raises(promotions.NothingToPromote):
                check(promotion, None)


def test_a_cycle_of_categories_causes_no_endless_loop(create_category: Callable[..., Category]) -> None:
    category = create_category("One")
    two = create_category("Two", parent=category)
    category.parent = two
    db.session.commit()
    assert categories.descendant_ids(category.id) == {category.id, two.id}


# --- counting ---------------------------------------------------------------------------------------------------------


def order_with(promotion: Promotion, product: Product, who: placement.Buyer) -> placement.Order:
    cart = purchases.create_cart(who.user, product)
    cart.promotion = promotion
    db.session.commit()
    order = purchases.place(cart, who)
    db.session.commit()
    return order


def test_a_use_is_counted_when_ordering_not_when_entering_the_code(
    create_promotion: Callable[..., Promotion], product: Product, keys: Keys
) -> None:
    promotion = create_promotion(most_uses=1)
    promotions.find("WELCOME10")
    assert promotion.use_count == 0
    order = order_with(promotion, product, purchases.buyer())
    assert (promotion.use_count, order.discount_amount, order.promotion_code) == (1, 100, "WELCOME10")
    with pytest.raises(promotions.UsedUp):
        order_with(promotion, product, purchases.buyer(email="other@example.com"))
    db.session.rollback()
    transitions.cancel(order, None, keys, utcnow())
    db.session.commit()
    assert promotion.use_count == 0
    order_with(promotion, product, purchases.buyer(email="other@example.com"))


@pytest.mark.parametrize("again", ["gus@example.com", "GUS@Example.com", "gus+more@example.com"])
def test_spellings_of_an_address_count_as_one_customer(
    create_promotion: Callable[..., Promotion], product: Product, again: str
) -> None:
    promotion = create_promotion(most_uses_each=1)
    order_with(promotion, product, purchases.buyer())
    with pytest.raises(promotions.UsedByCustomer):
        order_with(promotion, product, purchases.buyer(email=again))


def test_a_customer_is_identified_by_account_and_by_address(
    create_promotion: Callable[..., Promotion], product: Product, ada: User
) -> None:
    promotion = create_promotion(most_uses_each=1)
    purchases.pay(order_with(promotion, product, purchases.buyer(ada, email="elsewhere@example.com")))
    for who in (purchases.buyer(ada, email="third@example.com"), purchases.buyer(email=ada.email)):
        with pytest.raises(promotions.UsedByCustomer):
            order_with(promotion, product, who)
        db.session.rollback()


def test_a_released_use_is_available_to_the_customer_again(
    create_promotion: Callable[..., Promotion], product: Product, keys: Keys, ada: User
) -> None:
    promotion = create_promotion(most_uses_each=2)
    for _time in range(2):
        order = order_with(promotion, product, purchases.buyer(ada))
        purchases.pay(order)
    with pytest.raises(promotions.UsedByCustomer):
        check(promotion, product, Customer(ada))
    other_promotion = create_promotion("OTHER", most_uses_each=1)
    order = order_with(other_promotion, product, purchases.buyer(ada))
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    check(other_promotion, product, Customer(ada))


def test_changing_the_secret_key_grants_no_further_use(
    create_promotion: Callable[..., Promotion], product: Product, ada: User
) -> None:
    promotion = create_promotion(most_uses_each=1)
    old, new = Keys("the old key"), Keys("the new key", ["the old key"])
    promotions.count_use(promotion, Customer(ada), old, utcnow())
    with pytest.raises(promotions.UsedByCustomer):
        promotions.count_use(promotion, Customer(ada), new, utcnow())
    db.session.rollback()


def test_customers_are_stored_only_as_keyed_hashes(
    create_promotion: Callable[..., Promotion], product: Product
) -> None:
    order_with(create_promotion(), product, purchases.buyer())
    [customer] = db.session.scalars(db.select(PromotionCustomer.customer)).all()
    assert len(customer) == 64
    assert "gus" not in customer


def test_a_cart_with_an_own_open_order_keeps_its_code(
    create_promotion: Callable[..., Promotion], product: Product, ada: User
) -> None:
    """Check that going back from the payment to the cart does not show "used already"."""
    promotion = create_promotion(most_uses=1, most_uses_each=1)
    order = order_with(promotion, product, purchases.buyer(ada))
    cart = purchases.create_cart(ada)
    assert purchases.checkout_total(cart, purchases.buyer(ada)) == 900
    purchases.fill(cart, product)
    again = purchases.place(cart)
    db.session.commit()
    assert (order.status, again.discount_amount, promotion.use_count) == ("canceled", 200, 1)
