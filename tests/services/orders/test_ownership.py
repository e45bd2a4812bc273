"""Access to orders, and attaching them to an account."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    Design,
    DesignStatus,
    Order,
    Product,
    User,
)
from tapcard.models import ProductKind as Kind
from tapcard.services.orders import ownership, queries
from tapcard.services.orders.queries import OrderNotFound
from tapcard.services.orders.transitions import IllegalMove
from tests.purchases import buyer, create_cart, create_order, fill, place

HOUR = timedelta(hours=1)


def number_of_orders() -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Order)) or 0


def test_a_guest_gets_an_account_that_nobody_can_log_in_to_yet(product: Product) -> None:
    order = create_order(None, product)
    assert order.user is not None
    assert (order.user.email, order.user.password_hash, order.user.verified_at) == ("gus@example.com", None, None)


def test_an_order_for_the_address_of_an_account_is_not_attached_at_once(
    product: Product, ada: User, cleo: User
) -> None:
    order = create_order(None, product, email=ada.email)
    assert order.user_id is None
    for stranger in (cleo, None):
        with pytest.raises(OrderNotFound):
            queries.own_order(order.number, user=stranger, known_ids=[])
    with pytest.raises(OrderNotFound):
        queries.own_order(order.number, user=ada, known_ids=[])
    assert queries.own_order(order.number.lower(), user=None, known_ids=[order.id]) == order
    with pytest.raises(IllegalMove):
        ownership.attach_order(order, cleo)
    ownership.attach_order(order, ada)
    db.session.commit()
    assert queries.own_order(order.number, user=ada, known_ids=[]) == order


def test_an_unverified_user_does_not_get_orders_of_their_address(
    product: Product, create_user: Callable[..., User]
) -> None:
    zoe = create_user("zoe@example.com", verified=False)
    order = create_order(None, product, email=zoe.email)
    assert order.user_id is None
    with pytest.raises(IllegalMove):
        ownership.attach_order(order, zoe)


def test_verifying_an_address_attaches_its_orders(product: Product, ada: User, cleo: User) -> None:
    waiting = create_order(None, product, email=ada.email)
    other_order = create_order(None, product, email=cleo.email)
    assert ownership.attach_orders(ada) == 1
    db.session.commit()
    assert (waiting.user_id, other_order.user_id) == (ada.id, None)


def test_artwork_of_a_guest_is_attached_with_the_order(ada: User, create_product: Callable[..., Product]) -> None:
    cart = create_cart(None)
    fill(cart, create_product(kind=Kind.CARD), front_picture="f" * 32 + ".webp")
    order = place(cart, buyer(email=ada.email))
    db.session.commit()
    design = order.lines[0].design
    assert design is not None
    assert (design.owner_id, design.is_public, design.status) == (None, False, DesignStatus.REQUESTED)
    ownership.attach_orders(ada)
    db.session.commit()
    db.session.expire_all()
    assert design.owner_id == ada.id


def test_an_order_keeps_distinct_names_of_its_designs(
    ada: User, create_product: Callable[..., Product], create_design: Callable[..., Design], bottle: Product
) -> None:
    lake, third, again = (create_design(name) for name in ("Lake", "Lake 2", "Lake"))
    cards = create_product("Card", kind=Kind.CARD)
    cart = create_cart(ada, bottle)
    for design in (lake, third, again):
        fill(cart, cards, design=design)
    for name in "ab":
        fill(cart, cards, front_picture=name * 32 + ".webp")
    order = place(cart)
    db.session.commit()
    lake.name = "Renamed"
    db.session.commit()
    names = ["", "Lake", "Lake 2", "Lake 3", "Own artwork", "Own artwork 2"]
    assert [line.design_name for line in order.lines] == names
    assert [line.full_title for line in order.lines[:2]] == ["Steel bottle", "Card · Lake"]


@pytest.mark.parametrize("odd", ["", "TC-\0", "TC-é", "'; --", "%", "x" * 3000, "TC-2222-2222"])
def test_an_invalid_order_number_finds_no_order(product: Product, odd: str) -> None:
    create_order(None, product)
    assert queries.find(odd) is None


def test_a_forged_order_link_is_refused(product: Product, keys: Keys) -> None:
    order = create_order(None, product)
    token = queries.link_token(order, keys)
    assert queries.find_by_link_token(token, keys) == order
    guest_order = create_order(None, product)
    for forged in (
        "",
        "-",
        token[:-1],
        token + "0",
        token.replace(order.number, guest_order.number),
        order.number,
        "é-é",
    ):
        with pytest.raises(OrderNotFound):
            queries.find_by_link_token(forged, keys)
    assert queries.find_by_link_token(token, Keys("a new one", [keys._secrets[0]])) == order
