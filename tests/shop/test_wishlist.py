"""Wishlist: adding, removing and moving products to the cart with the usual checks."""

import re
from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy import select

from tapcard.db import db
from tapcard.models import Availability, CartLine, Category, OptionKind, Product, User, WishlistEntry
from tapcard.models import ProductKind as Kind
from tapcard.services.cart import wishlist
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to, words_of
from tests.statements import queries, statements


@pytest.fixture
def adas(client: FormClient, ada: User) -> FormClient:
    login(client, ada)
    return client


def wishes(user: User) -> set[int]:
    wanted = select(WishlistEntry.product_id).where(WishlistEntry.user_id == user.id)
    return set(db.session.scalars(wanted))


def lines() -> list[tuple[int | None, int]]:
    return [(line.product_id, line.quantity) for line in db.session.scalars(select(CartLine).order_by(CartLine.id))]


def test_the_wishlist_button_adds_a_product_once_and_removes_it(adas: FormClient, ada: User, bottle: Product) -> None:
    for _time in range(2):
        answer = adas.post(f"/wishlist/add/{bottle.slug}", data={"next": "/designs"})
        assert (answer.status_code, answer.location) == (302, "/designs")
    assert wishes(ada) == {bottle.id}
    assert "Steel bottle" in words_of(adas.get("/wishlist").text)
    assert adas.post(f"/wishlist/remove/{bottle.slug}", data={"next": "https://evil.example/"}).status_code == 302
    assert wishes(ada) == set()
    assert "Your wishlist is empty" in adas.get("/wishlist").text


@pytest.mark.parametrize("way", ["add", "remove"])
def test_a_logged_out_user_logs_in_and_returns_to_the_page(
    client: FormClient, ada: User, bottle: Product, way: str
) -> None:
    answer = client.post(f"/wishlist/{way}/{bottle.slug}", data={"next": "/designs"})
    assert answer.location == "/log-in?next=/designs"
    answer = client.post(answer.location, data={"email": ada.email, "password": PASSWORD})
    assert answer.location == "/designs"
    assert client.get("/wishlist").status_code == 200


WITH_HEARTS = ["/", "/shop", "/shop?search=bottle", "/products/steel-bottle"]


def hearts(page: str) -> set[str]:
    """Return the URLs of the wishlist buttons on a page."""
    return set(re.findall(r'class="tc-wishlist-button">\s*<(?:form method="post" action|a [^>]*href)="([^"]+)"', page))


@pytest.fixture
def flask(bottle: Product, create_category: Callable[..., Category], create_product: Callable[..., Product]) -> Product:
    """Create a product in the same category as the bottle."""
    bottle.category = create_category("Desk")
    return create_product("Flask bottle", category=bottle.category)


@pytest.mark.parametrize("path", WITH_HEARTS)
def test_each_product_has_a_button_that_adds_and_removes_it(
    adas: FormClient, ada: User, bottle: Product, flask: Product, path: str
) -> None:
    for way, other, wished in (("add", "remove", {bottle.id}), ("remove", "add", set())):
        page = adas.get(path).text
        assert hearts(page) == {f"/wishlist/{way}/steel-bottle", "/wishlist/add/flask-bottle"}
        form = form_to(page, f"/wishlist/{way}/steel-bottle")
        assert adas.post(form.action, data=form.values, csrf=False).location == path
        assert wishes(ada) == wished
        assert f'action="/wishlist/{other}/steel-bottle"' in adas.get(path).text


@pytest.mark.parametrize("path", WITH_HEARTS)
def test_wishlist_buttons_of_a_guest_lead_to_log_in_and_back(
    client: FormClient, ada: User, bottle: Product, flask: Product, path: str
) -> None:
    [to_log_in] = hearts(client.get(path).text)
    answer = client.post(unescape(to_log_in), data={"email": ada.email, "password": PASSWORD})
    assert answer.location == path
    assert "/wishlist/add/steel-bottle" in hearts(client.get(path).text)


def test_moving_to_the_cart_applies_its_checks_and_names_refused_products(
    adas: FormClient, ada: User, bottle: Product, create_product: Callable[..., Product],
    create_option: Callable[..., object],
) -> None:  # fmt: skip
    ring = create_product("Ring")
    create_option(ring, "inscription", OptionKind.TEXT, is_required=True)
    things = [
        bottle, ring, create_product("Out", availability=Availability.OUT_OF_STOCK), create_product("None", stock=0),
        create_product("NFC card", kind=Kind.CARD), create_product("Former"),
    ]  # fmt: skip
    for thing in things:
        adas.post(f"/wishlist/add/{thing.slug}")
    things[-1].is_active = False
    kept = create_product("Kept")
    adas.post(f"/wishlist/add/{kept.slug}")
    answer = adas.post("/wishlist/move", data={"product": [str(thing.id) for thing in things]})
    assert answer.location == "/wishlist"
    said = words_of(adas.get("/wishlist").text)
    assert lines() == [(bottle.id, 1)]
    assert wishes(ada) == {kept.id, *(thing.id for thing in things[1:])}
    for words in ("1 item moved to your cart.", "Ring: Enter a value for “Inscription”.",
                  "Out: This product isn't available at the moment.", "None: None is sold out.",
                  "NFC card: Choose a design", "Former: This product isn't available at the moment."):  # fmt: skip
        assert words in said, words
    assert "data-cart-count>1<" in adas.get("/wishlist").text


def test_moving_more_than_the_stock_shows_a_message(adas: FormClient, bottle: Product) -> None:
    adas.post(f"/cart/add/{bottle.slug}", data={"quantity": "10"})
    adas.post(f"/wishlist/add/{bottle.slug}")
    adas.post("/wishlist/move", data={"product": str(bottle.id)})
    assert "Steel bottle: only 10 left" in adas.get("/wishlist").text
    assert lines() == [(bottle.id, 10)]


def test_selecting_all_needs_no_javascript(adas: FormClient, bottle: Product, product: Product, ada: User) -> None:
    for thing in (bottle, product):
        adas.post(f"/wishlist/add/{thing.slug}")
    assert adas.get("/wishlist").text.count(" checked") == 0
    assert adas.get("/wishlist?all=y").text.count(" checked") == 2
    adas.post("/wishlist/remove", data={"product": [str(bottle.id), str(product.id)]})
    assert "2 items removed from your wishlist." in adas.get("/wishlist").text
    assert wishes(ada) == set()


@pytest.mark.parametrize("path", ["/wishlist/move", "/wishlist/remove"])
def test_invalid_product_ids_change_nothing(
    adas: FormClient, ada: User, cleo: User, bottle: Product, product: Product, path: str
) -> None:
    adas.post(f"/wishlist/add/{bottle.slug}")
    wishlist.add(cleo, product)
    db.session.commit()
    for odd in ("", "-1", "NaN", "x" * 3000, "1.5", "9" * 30, "٣"):
        answer = adas.post(path, data={"product": odd})
        assert (answer.status_code, "Select at least one item." in answer.text) == (422, True), odd
    assert adas.post(path).status_code == 422
    assert adas.post(path, data={"product": [str(product.id), "9" * 18]}).status_code == 302  # Cleo's
    assert (wishes(ada), wishes(cleo), lines()) == ({bottle.id}, {product.id}, [])


def test_a_full_wishlist_refuses_more_products(
    adas: FormClient, ada: User, bottle: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wishlist, "MAX_WISHES", 0)
    answer = adas.post(f"/wishlist/add/{bottle.slug}")
    assert (answer.status_code, "Your wishlist is full" in answer.text) == (409, True)
    assert wishes(ada) == set()


def test_wished_products_are_read_by_one_statement(ada: User, bottle: Product, product: Product) -> None:
    wishlist.add(ada, bottle)
    user_id, ids = ada.id, [bottle.id, product.id]
    with statements() as asked:
        assert wishlist.wished_product_ids(user_id, ids) == {ids[0]}
        assert wishlist.wished_product_ids(None, ids) == set()
    assert len(queries(asked)) == 1


def test_get_requests_change_nothing(adas: FormClient, ada: User, bottle: Product) -> None:
    """H24"""
    adas.post(f"/wishlist/add/{bottle.slug}")
    for path in (f"/wishlist/add/{bottle.slug}", f"/wishlist/remove/{bottle.slug}", "/wishlist/move"):
        assert adas.get(path).status_code == 405
    assert wishes(ada) == {bottle.id}
