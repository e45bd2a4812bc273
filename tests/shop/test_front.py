"""Public information pages: front page, designs, card search, terms and privacy."""

import gzip
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tapcard.models import Card, Design, DesignStatus, Product, ProductKind, User
from tests.conftest import login
from tests.pages import words_of


def text_of(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/designs"])
def test_pages_without_designs_still_offer_an_action(
    client: FlaskClient, create_product: Callable[..., Product], path: str
) -> None:
    def offered() -> str:
        rest = text_of(client, path).partition("No designs yet")[2]
        return rest.partition("</div>")[0]

    assert 'href="/contact"' in offered()
    create_product("NFC card", kind=ProductKind.CARD)
    assert 'href="/cards/order"' in offered()


def test_the_front_page_shows_designs_with_their_prices(
    client: FlaskClient, create_design: Callable[..., Design]
) -> None:
    create_design("Ember ridge", card_amount=2650)
    create_design("Contour")
    page = text_of(client, "/")
    assert "Ember ridge" in page
    assert "£26.50" in page
    assert "£24.00" in page  # the shop's default price, for a design without its own
    assert re.search(r"<small>From</small>\s*<span[^>]*>£24\.00", page)


def test_a_design_has_the_same_price_on_every_page_and_in_the_cart(
    client: FlaskClient, create_design: Callable[..., Design], create_product: Callable[..., Product]
) -> None:
    card = create_product("NFC card", kind=ProductKind.CARD, unit_amount=3000, discount_percent=10)
    create_product("Metal card", kind=ProductKind.CARD, unit_amount=6000)
    for design, price in ((create_design("Contour"), "£27.00"), (create_design("Ember", card_amount=2650), "£23.85")):
        for path in ("/", "/designs", "/cards/order"):
            assert re.search(rf"{design.name}\W.{{0,80}}{price}", words_of(text_of(client, path))), path
        client.post("/cards/order", data={"design": str(design.id), "quantity": "1"})
        assert f"Design: {design.name} {price} each" in words_of(text_of(client, "/cart"))
    assert "Your own artwork £27.00" in words_of(text_of(client, "/cards/order"))
    assert "claim code From £23.85" in words_of(text_of(client, "/"))
    assert "From £23.85" in words_of(text_of(client, f"/products/{card.slug}"))


def test_a_single_price_is_shown_without_from(client: FlaskClient, create_design: Callable[..., Design]) -> None:
    create_design("Contour", card_amount=1900)
    page = text_of(client, "/")
    assert "£19.00" in page
    assert "<small>From</small>" not in page


def test_a_free_card_shows_a_price_of_zero(client: FlaskClient, create_design: Callable[..., Design]) -> None:
    create_design("Contour", card_amount=0)
    assert "£0.00" in text_of(client, "/designs")


def test_prices_are_in_the_shops_currency(
    client: FlaskClient, design: Design, set_setting: Callable[[str, Any], None]
) -> None:
    set_setting("currency", "NGN")
    set_setting("card_amount", 1500000)
    page = text_of(client, "/designs")
    assert "15,000.00" in page
    assert "£" not in page


def test_private_and_rejected_designs_stay_private(
    client: FlaskClient, ada: User, create_design: Callable[..., Design]
) -> None:
    create_design("Adas own", is_public=False, owner_id=ada.id, card_amount=1)
    create_design("Refused", status=DesignStatus.REJECTED, card_amount=2)
    for path in ("/", "/designs"):
        page = text_of(client, path)
        assert "Adas own" not in page
        assert "Refused" not in page
        assert "£0.01" not in page


def test_a_design_without_a_picture_shows_a_drawing(client: FlaskClient, design: Design) -> None:
    page = text_of(client, "/designs")
    assert design.name in page
    assert '<svg class="art"' in page


def test_many_designs_fill_several_pages(client: FlaskClient, create_design: Callable[..., Design]) -> None:
    for number in range(26):
        create_design(f"Design {number:02}")
    first, second = text_of(client, "/designs"), text_of(client, "/designs?page=2")
    assert "Design 23" in first
    assert "Design 24" not in first
    assert "Design 25" in second
    assert 'rel="next"' in first
    assert 'rel="next"' not in second


@pytest.mark.parametrize("page", ["0", "-1", "99", "x", "1e9", "9" * 30, "%00"])
def test_a_page_that_does_not_exist_is_not_found(client: FlaskClient, design: Design, page: str) -> None:
    assert client.get(f"/designs?page={page}").status_code == 404


def test_the_front_page_says_when_cards_cannot_be_ordered(
    client: FlaskClient, app: Flask, design: Design, set_setting: Callable[[str, Any], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delitem(app.view_functions, "shop.order_cards", raising=False)
    assert "Cards can't be ordered online at the moment" in text_of(client, "/")
    set_setting("support_email", "shop@example.com")
    assert 'href="mailto:shop@example.com"' in text_of(client, "/")


def test_a_holder_sees_a_link_to_the_dashboard_instead_of_sign_up(client: FlaskClient, ada: User) -> None:
    login(client, ada)
    page = text_of(client, "/").partition("<main")[2]
    assert 'href="/dashboard"' in page
    assert 'href="/sign-up"' not in page


@pytest.mark.parametrize(
    "typed",
    [
        "ADASCARD",
        " adascard ",
        "adas card",
        "ADAS-CARD",
        "https://cards.example.com/t/adascard",
        "x.example/q/ADASCARD/?a=1",
    ],
)
def test_an_entered_token_redirects_to_its_card(client: FlaskClient, card: Card, typed: str) -> None:
    response = client.get("/find-card", query_string={"token": typed})
    assert response.status_code == 302
    assert response.headers["Location"] == "/activate/ADASCARD"


@pytest.mark.parametrize(
    "typed", ["", "   ", "a" * 21, "bäcker", "A\x00B", "//evil.example/", "../../admin", "a" * 5000, "<b>"]
)
def test_an_invalid_token_shows_an_error_and_stays_in_the_field(client: FlaskClient, typed: str) -> None:
    response = client.get("/find-card", query_string={"token": typed})
    assert response.status_code in (302, 422)
    if response.status_code == 302:
        assert re.fullmatch(r"/activate/[A-Z0-9]{1,20}", response.headers["Location"])
    else:
        assert "invalid-feedback" in response.get_data(as_text=True)


def test_the_form_to_find_a_card_needs_no_session(client: FlaskClient) -> None:
    response = client.get("/find-card")
    assert response.status_code == 200
    assert "invalid-feedback" not in response.get_data(as_text=True)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", ["/", "/designs", "/terms", "/privacy"])
def test_public_pages_set_no_cookie(client: FlaskClient, design: Design, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "Set-Cookie" not in response.headers


def test_the_privacy_page_names_every_cookie_and_no_address(client: FlaskClient) -> None:
    page = text_of(client, "/privacy")
    for cookie in ("tc_session", "tc_me", "tc_theme"):
        assert cookie in page
    assert "48 hours" in page


@pytest.mark.parametrize("path", ["/terms", "/privacy"])
def test_terms_and_privacy_use_the_shop_name(
    client: FlaskClient, set_setting: Callable[[str, Any], None], path: str
) -> None:
    set_setting("shop_name", "Obi & Daughters")
    page = text_of(client, path)
    assert "Obi &amp; Daughters" in page.partition("<main")[2]


def test_the_front_page_weighs_less_than_150_kilobytes(
    client: FlaskClient, create_design: Callable[..., Design]
) -> None:
    for number in range(12):
        create_design(f"Design {number}")
    page = client.get("/").data
    files = set(re.findall(rb'(?:href|src)="(/static/[^"]+)"', page))
    weight = len(gzip.compress(page))
    for path in files:
        with client.get(path.decode(), headers={"Accept-Encoding": "gzip"}) as response:
            weight += len(response.data)
    assert len(files) >= 5
    assert weight < 150_000


def test_the_front_page_shows_a_card_held_to_a_phone(client: FlaskClient) -> None:
    hero = text_of(client, "/").partition("</section>")[0]
    assert 'class="tc-scene"' in hero
    assert 'role="img"' in hero
