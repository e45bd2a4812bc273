"""Product page: details, prices, structured data and reviews."""

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.models import (
    Availability,
    Category,
    Design,
    Product,
    ProductKind,
    Review,
    ReviewStatus,
    User,
)
from tests import purchases
from tests.conftest import FormClient, login
from tests.pages import error_of, words_of

# --- one product ------------------------------------------------------------------------------------------------------


def test_a_product_page_shows_all_details(
    client: FormClient, app: Flask, desk: Category, create_product: Callable[..., Product]
) -> None:
    create_product(
        "Moorland journal", category=desk, page_title="The moorland journal", page_description="Bound by hand.",
        availability=Availability.PRE_ORDER, available_on=date(2026, 12, 3), material="Linen", details="Lies flat.",
        pictures=[("a" * 64 + ".webp", "From the front"), ("b" * 64 + ".webp", "Open")],
    )  # fmt: skip
    create_product("Slim journal", category=desk)
    page = client.get("/products/moorland-journal").text
    assert "<title>The moorland journal · tapcard</title>" in page
    assert '<meta name="description" content="Bound by hand.">' in page
    assert f'<link rel="canonical" href="{app.config["SITE_URL"]}/products/moorland-journal">' in page
    words = words_of(page)
    for expected in ("Pre-order, ships from 3 Dec 2026", "Linen", "Lies flat.", "No reviews yet", "Slim journal"):
        assert expected in words
    assert 'alt="From the front"' in page
    assert 'href="#picture-2"' in page
    assert re.findall(r"<h(\d)", page.partition("<main")[2])[:2] == ["1", "2"]


@pytest.mark.parametrize(
    ("values", "label"),
    [
        ({}, "In stock"),
        ({"stock": 3}, "Only 3 left"),
        ({"stock": 0}, "Sold out"),
        ({"availability": Availability.OUT_OF_STOCK}, "Sold out"),
        ({"availability": Availability.PRE_ORDER}, "Pre-order"),
        (
            {"availability": Availability.PRE_ORDER, "available_on": date(2026, 12, 3)},
            "Pre-order, ships from 3 Dec 2026",
        ),
        ({"kind": ProductKind.CARD}, "In stock"),
    ],
)
def test_a_product_page_shows_the_availability_once(
    client: FormClient, create_product: Callable[..., Product], values: dict[str, Any], label: str
) -> None:
    product = create_product("Moorland journal", **values)
    words = words_of(client.get(f"/products/{product.slug}").text)
    assert words.count(label) == 1
    assert sum(words.count(text) for text in ("In stock", "Sold out", "Pre-order", "Only 3 left")) == 1


def offers_in(page: str) -> tuple[str | None, ...]:
    """Return the price data for search engines: the type of offer, the price, the lowest and the highest price."""
    [data] = re.findall(r'<script type="application/ld\+json"[^>]*>(.*?)</script>', page)
    offers = json.loads(data)["offers"]
    return tuple(offers.get(name) for name in ("@type", "price", "lowPrice", "highPrice"))


def test_a_card_shows_its_lowest_price_when_designs_have_their_own_prices(
    client: FormClient, create_product: Callable[..., Product], create_design: Callable[..., Design]
) -> None:
    card = create_product("Card", kind=ProductKind.CARD, unit_amount=3000, discount_percent=10)
    path = f"/products/{card.slug}"
    create_design("Like the product")
    create_design("Private", is_public=False, card_amount=1)
    page = client.get(path).text
    assert "Was £30.00 now £27.00" in words_of(page)
    assert offers_in(page) == ("Offer", "27", None, None)
    create_design("Cheap", card_amount=2000)
    create_design("Dear", card_amount=4000)
    page = client.get(path).text
    assert "Card From £18.00 −10%" in words_of(page)
    assert offers_in(page) == ("AggregateOffer", None, "18", "36")


NASTY = '</script><script>alert("x")</script> & \u2028 <!--'


def test_structured_data_describes_the_product_and_is_escaped(
    client: FormClient, app: Flask, create_product: Callable[..., Product]
) -> None:
    create_product(NASTY, slug="nasty", sku="N-1", unit_amount=1250, discount_percent=10, stock=0, promo_text=NASTY,
                   rating_count=3, rating_sum=13)  # fmt: skip
    answer = client.get("/products/nasty")
    found = re.findall(r'<script type="application/ld\+json" nonce="([^"]+)">(.*?)</script>', answer.text, re.DOTALL)
    [(nonce, text)] = found
    assert f"'nonce-{nonce}'" in answer.headers["Content-Security-Policy"]
    assert "<" not in text
    assert "<script>alert" not in answer.text
    data = json.loads(text)
    assert (data["name"], data["sku"]) == (NASTY, "N-1")
    assert data["url"] == f"{app.config['SITE_URL']}/products/nasty"
    assert data["offers"]["price"] == "11.25"
    assert data["offers"]["priceCurrency"] == "GBP"
    assert data["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert data["aggregateRating"] == {"@type": "AggregateRating", "ratingValue": 4.3, "reviewCount": 3}


# --- reviews ----------------------------------------------------------------------------------------------------------


def test_a_buyer_reviews_once_and_the_review_shows_when_approved(
    client: FormClient, new_client: Callable[[], FormClient], product: Product, ada: User, cleo: User
) -> None:
    purchases.pay_and_deliver(purchases.create_order(ada, product))
    path = f"/products/{product.slug}"
    stranger = new_client()
    login(stranger, cleo)
    assert "Write a review" not in stranger.get(path).text
    assert stranger.post(f"{path}/review", data={"rating": "5", "author": "Cleo"}).status_code == 404
    login(client, ada)
    assert f'href="{path}/review"' in client.get(path).text
    wrong = client.post(f"{path}/review", data={"rating": "6", "author": "", "text": "Lies flat."})
    assert wrong.status_code == 422
    assert "Lies flat." in wrong.text
    assert [error_of(wrong.text, name) != "" for name in ("rating", "author", "text")] == [True, True, False]
    drawn = wrong.text.partition('class="tc-field tc-rate"')[2].partition("</fieldset>")[0]
    assert re.findall(r'<label class="tc-choice" for="(rating-\d)"', drawn) == [f"rating-{place}" for place in range(5)]
    assert drawn.count('<span class="tc-rating" aria-hidden="true">') == 5
    assert 'href="#rating-0"' in wrong.text
    assert client.post(f"{path}/review", data={"rating": "4", "author": "Ada", "text": "Lies flat."}).location == path
    review = db.session.scalars(sa.select(Review)).one()
    assert (review.status, review.rating, review.author) == (ReviewStatus.WAITING, 4, "Ada")
    assert "Lies flat." not in client.get(path).text
    assert "Write a review" not in client.get(path).text
    assert client.get(f"{path}/review").status_code == 409
    review.status, product.rating_count, product.rating_sum = ReviewStatus.APPROVED, 1, 4
    db.session.commit()
    words = words_of(stranger.get(path).text)
    assert "Lies flat." in words
    assert "4.0 1 review" in words
