"""Catalogue pages: product lists with filters, tiles, currencies and the sitemap."""

import gzip
import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import seeds
from tapcard.db import db
from tapcard.models import (
    Availability,
    Category,
    Collection,
    CollectionKind,
    DisplayRate,
    Product,
    Review,
    ReviewStatus,
    User,
)
from tests import purchases
from tests.conftest import FormClient, login
from tests.pages import error_of, words_of
from tests.statements import queries, statements


def shown(client: FormClient, path: str) -> list[str]:
    """Return the names of the products of a list."""
    page = client.get(path)
    assert page.status_code == 200, path
    return re.findall(r'<h3><a href="/products/[^"]+">([^<]+)</a>', page.text)


def number_found(page: str) -> str:
    found = re.search(r'id="found-title"><span role="status">([^<]*)<', page)
    return found[1].strip() if found else ""


# --- lists ------------------------------------------------------------------------------------------------------------


def test_an_empty_shop_shows_a_message(client: FormClient) -> None:
    page = client.get("/shop")
    assert page.status_code == 200
    empty = page.text.partition("No products yet")[2].partition("</main>")[0]
    assert 'href="/designs"' in empty


def test_every_combination_of_filters_has_its_own_url(
    client: FormClient, desk: Category, create_category: Callable[..., Category],
    create_collection: Callable[..., Collection], create_product: Callable[..., Product],
) -> None:  # fmt: skip
    journals, travel = create_category("Journals", desk), create_collection("Travel")
    brand = create_collection("Northfold", CollectionKind.BRAND)
    create_product("Slim journal", category=journals, collections=[travel, brand], unit_amount=1200, material="Felt")
    create_product("Thick journal", category=journals, collections=[travel], unit_amount=3000, discount_percent=50)
    create_product("Stand", category=desk, unit_amount=3000, stock=0)
    create_product("Bottle", collections=[brand], availability=Availability.PRE_ORDER, available_on=date(2026, 12, 3))
    for path, wanted in {
        "/shop": {"Slim journal", "Thick journal", "Stand", "Bottle"},
        "/shop/category/desk": {"Slim journal", "Thick journal", "Stand"},
        "/shop/category/journals": {"Slim journal", "Thick journal"},
        "/shop/collection/travel": {"Slim journal", "Thick journal"},
        "/shop?brand=northfold": {"Slim journal", "Bottle"},
        "/shop/collection/travel?brand=northfold": {"Slim journal"},
        "/shop?deals=1": {"Thick journal"},
        "/shop?availability=out_of_stock": {"Stand"},
        "/shop?availability=pre_order": {"Bottle"},
        "/shop/category/desk?min=13&max=15.00": {"Thick journal"},
        "/shop?search=felt+slim": {"Slim journal"},
        "/shop?search=felt+thick": set(),
    }.items():
        assert set(shown(client, path)) == wanted, path
    page = client.get("/shop?theme=travel&brand=northfold&min=2").text
    assert number_found(page) == "1 product"
    links = re.search(r'<ul class="tc-active-filters">.*?</ul>', page, re.DOTALL)
    assert links is not None
    assert re.findall(r'href="([^"]+)"', links[0]) == [
        *("/shop/collection/travel?min=2", "/shop/collection/northfold?min=2"),
        *("/shop?brand=northfold&amp;theme=travel", "/shop"),
    ]
    assert shown(client, "/shop?sort=price_asc") == ["Bottle", "Slim journal", "Thick journal", "Stand"]


def test_empty_parameters_are_removed_from_the_url(client: FormClient, desk: Category) -> None:
    answer = client.get("/shop?category=desk&brand=&theme=&min=&max=9&availability=&search=")
    assert (answer.status_code, answer.location) == (302, "/shop?category=desk&max=9&search=")


@pytest.mark.parametrize("query", ["find=1&search=", "find=1&search=%20%20", "find=1"])
def test_an_empty_search_shows_an_error(client: FormClient, product: Product, query: str) -> None:
    page = client.get(f"/shop?{query}")
    assert page.status_code == 422
    assert error_of(page.text, "search") == "Enter a search term."


def test_a_search_without_results_offers_all_products(client: FormClient, product: Product) -> None:
    page = client.get("/shop?search=unicorn")
    assert page.status_code == 200
    assert "No products found" in page.text
    assert number_found(page.text) == "0 products for “unicorn”"


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("min=x", "min", "Enter an amount such as 12.50."),
        ("max=1.234", "max", "Enter an amount such as 12.50."),
        ("min=-1", "min", "Enter an amount"),
        ("max=999999999999", "max", "amount is too high"),
        ("min=20&max=10", "max", "must be higher than the minimum"),
        ("search=a%00b", "search", "aren't allowed here"),
    ],
)
def test_invalid_filters_show_errors_and_stay_in_their_fields(
    client: FormClient, product: Product, query: str, field: str, words: str
) -> None:
    page = client.get(f"/shop?{query}")
    assert page.status_code == 422
    assert words in error_of(page.text, field)
    if field != "search":
        typed = query.rpartition("=")[2]
        assert re.search(rf'<input[^>]*name="{field}"[^>]*value="{re.escape(typed)}"', page.text)


@pytest.mark.parametrize(
    "query",
    ["category=nope", "brand=nope&theme=%00&season=%F0%9F%82%A1", "availability=x&deals=x&sort=x&page=x", "page=-1",
     "page=999999", "page=9999999999", "sort=price_asc&sort=rating", "category[]=1", "x=y"],
)  # fmt: skip
def test_invalid_values_in_the_url_are_ignored(client: FormClient, product: Product, query: str) -> None:
    assert shown(client, f"/shop?{query}") == [product.name]


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_price_filters_use_the_shops_currency(
    client: FormClient, product: Product, set_setting: Callable[[str, Any], None], currency: str
) -> None:
    set_setting("currency", currency)
    least, above = {"JPY": ("1000", "1001"), "KWD": ("1.000", "1.001")}[currency]  # 1,000 minor units
    assert shown(client, f"/shop?min={least}") == [product.name]
    assert shown(client, f"/shop?min={above}") == []


def test_pagination_links_keep_the_filter(
    client: FormClient, desk: Category, create_product: Callable[..., Product]
) -> None:
    for number in range(26):
        create_product(f"Thing {number:02}", category=desk, unit_amount=1000 + number)
    first = client.get("/shop/category/desk?sort=price_asc&min=5").text
    assert 'rel="next" href="/shop/category/desk?min=5&amp;sort=price_asc&amp;page=2"' in first
    assert shown(client, "/shop/category/desk?min=5&sort=price_asc&page=2") == ["Thing 24", "Thing 25"]


def test_a_list_has_a_canonical_url(client: FormClient, app: Flask, desk: Category, product: Product) -> None:
    site = app.config["SITE_URL"]
    for path, canonical, is_kept in (
        ("/shop?category=desk", "/shop/category/desk", True),
        ("/shop/category/desk?min=5&sort=rating", "/shop/category/desk", False),
        ("/shop?search=x", "/shop", False),
    ):
        page = client.get(path).text
        assert f'<link rel="canonical" href="{site}{canonical}">' in page
        assert ('content="noindex' not in page) is is_kept


@pytest.mark.parametrize("path", ["/shop/category/nope", "/shop/collection/nope", "/products/nope"])
def test_unknown_pages_are_not_found(client: FormClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_hidden_product_is_not_found_and_breaks_no_order_or_cart(
    client: FormClient, desk: Category, create_product: Callable[..., Product],
    create_collection: Callable[..., Collection], ada: User,
) -> None:  # fmt: skip
    """H32, H33: orders and carts with a hidden product still open, and orders keep it as sold."""
    travel = create_collection("Travel")
    product = create_product("Gone", category=desk, collections=[travel])
    order = purchases.create_order(ada, product)
    purchases.pay_and_deliver(order)
    purchases.create_cart(ada, product)
    before = [(line.title, line.unit_amount) for line in order.lines]
    for path in ("/products/gone", "/shop/category/desk", "/shop/collection/travel"):
        assert client.get(path).status_code == 200, path
    desk.is_active = travel.is_active = False
    db.session.commit()
    assert client.get("/products/gone").status_code == 200, "its shelf is hidden, it is not"
    product.is_active, product.name = False, "Renamed"
    db.session.commit()
    login(client, ada)
    for path in ("/products/gone", "/products/gone/review", "/shop/category/desk", "/shop/collection/travel"):
        assert client.get(path).status_code == 404, path
    for path in ("/", "/shop", "/dashboard"):
        assert client.get(path).status_code == 200, path
    assert "Gone" not in client.get("/shop").text
    db.session.refresh(order)
    assert [(line.title, line.unit_amount) for line in order.lines] == before


# --- tiles ------------------------------------------------------------------------------------------------------------


def test_a_tile_shows_the_current_and_the_former_price(
    client: FormClient, create_product: Callable[..., Product]
) -> None:
    create_product("Journal", unit_amount=999, discount_percent=15, promo_text="Two weeks only", stock=3,
                   rating_count=2, rating_sum=9)  # fmt: skip
    words = words_of(client.get("/shop").text)
    assert "−15% Journal Two weeks only Was £9.99 now £8.49" in words
    assert "4.5 out of 5 stars, 2 reviews" in words
    assert "Only 3 left" in words


def test_a_tile_has_the_button_for_its_product(
    client: FormClient, new_client: Callable[[], FormClient], app: Flask, create_product: Callable[..., Product],
    olu: User, ada: User, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    create_product("Plain")
    seeds.create_option(create_product("Engraved"), is_required=True)
    db.session.commit()
    had = {rule.endpoint for rule in app.url_map.iter_rules()}
    if "backoffice.product" in had:
        login(client, olu)
        page = client.get("/shop").text
        assert page.count('href="/admin/products/') == 2
        assert 'action="/cart/add/' not in page
    others = new_client()
    login(others, ada)
    page = others.get("/shop").text
    assert "/admin/" not in page
    if "shop.add_to_cart" in had:
        assert page.count('action="/cart/add/') == 1
        assert 'action="/cart/add/plain"' in page
    assert 'href="/products/engraved">Choose' in page


# --- currencies -------------------------------------------------------------------------------------------------------


@pytest.fixture
def euros(app: Flask) -> None:
    db.session.add(DisplayRate(currency="EUR", rate=Decimal("1.17")))
    db.session.commit()


def choose(client: FormClient, currency: str, **more: str) -> Any:
    return client.post("/currency", data={"currency": currency, **more})


def test_an_approximate_price_in_another_currency_is_shown(client: FormClient, product: Product, euros: None) -> None:
    assert "€" not in client.get("/shop").text
    assert choose(client, "EUR", next="/products/moorland-journal").location == "/products/moorland-journal"
    for path in ("/shop", "/products/moorland-journal", "/"):
        words = words_of(client.get(path).text)
        assert "£10.00 ≈ about €11.70" in words, path
    assert "You'll be charged in GBP" in client.get("/shop").text
    choose(client, "GBP")
    assert "€" not in client.get("/shop").text


@pytest.mark.parametrize("currency", ["USD", "", "XXX", "eur", "<b>", "a\0b", "9" * 3000])
def test_a_currency_without_a_rate_selects_the_shops_currency(
    client: FormClient, product: Product, euros: None, currency: str
) -> None:
    assert choose(client, currency, next="//evil.example").location == "/shop"
    client.set_cookie("tc_currency", currency.replace("\0", ""))
    words = words_of(client.get("/shop").text)
    assert "£10.00" in words
    assert "about" not in words


def test_a_display_currency_is_never_charged(client: FormClient, product: Product, euros: None, ada: User) -> None:
    """H44"""
    login(client, ada)
    choose(client, "EUR")
    client.get("/shop")
    order = purchases.create_order(ada, product)
    payment = purchases.start_payment(order)
    assert (order.currency, order.total_amount) == ("GBP", 1000)
    assert (payment.money.currency, payment.money.amount) == ("GBP", 1000)
    data = re.search(r"ld\+json[^>]*>(.*?)</script>", client.get("/products/moorland-journal").text)
    assert data is not None
    assert json.loads(data[1])["offers"]["priceCurrency"] == "GBP"


# --- the whole shop ---------------------------------------------------------------------------------------------------


def test_the_sitemap_lists_only_public_pages(
    client: FormClient, app: Flask, desk: Category, create_category: Callable[..., Category],
    create_collection: Callable[..., Collection], create_product: Callable[..., Product],
) -> None:  # fmt: skip
    attic = create_category("Attic", is_active=False)
    create_collection("Travel")
    create_collection("Former", is_active=False)
    create_product("Seen", category=desk)
    create_product("Unseen", is_active=False)
    create_product("Stored", category=attic)
    answer = client.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    found = {each.removeprefix(app.config["SITE_URL"]) for each in re.findall(r"<loc>([^<]+)</loc>", answer.text)}
    assert found >= {"/", "/shop", "/designs", "/shop/category/desk", "/shop/collection/travel", "/products/seen"}
    assert not any(word in answer.text for word in ("attic", "former", "unseen", "stored", "/t/", "/admin", "/cart"))
    for path in found:
        assert client.get(path).status_code == 200, path


def test_robots_txt_disallows_taps_and_private_pages(client: FormClient) -> None:
    with client.get("/robots.txt") as answer:
        lines = answer.text.splitlines()
    for path in ("/t/", "/q/", "/card/", "/admin", "/account", "/cart", "/checkout", "/orders", "/wishlist"):
        assert f"Disallow: {path}" in lines


def test_the_front_page_shows_featured_products(
    client: FormClient, desk: Category, create_category: Callable[..., Category], create_product: Callable[..., Product]
) -> None:
    create_category("Empty")
    for number in range(9):
        create_product(f"Thing {number}", category=desk, is_featured=number == 0)
    page = client.get("/").text
    names = re.findall(r'<h3><a href="/products/[^"]+">([^<]+)</a>', page)
    assert names[0] == "Thing 0"
    assert len(names) == 8
    assert 'href="/shop/category/desk"' in page
    assert "Empty" not in page


def test_a_category_shows_its_picture(client: FormClient, desk: Category, product: Product) -> None:
    product.category = desk
    pages = ("/", "/shop/category/desk")
    for picture in (None, f"{1:032x}.webp"):
        desk.picture = picture
        db.session.commit()
        for path in pages:
            page = client.get(path).text
            assert ("<img" in page, f"/uploads/{1:032x}.webp" in page) == (bool(picture), bool(picture)), path
    tile = client.get("/").text.partition('class="tc-carousel tc-category-tiles" tabindex="0"')[2].partition("</ul>")[0]
    assert re.findall(r'<a class="tc-category-tile" href="([^"]+)">', tile) == ["/shop/category/desk"]
    assert "<img" in tile
    assert "<img" not in client.get("/shop").text, "of the one category alone"


@pytest.mark.parametrize("path", ["/", "/shop", "/products/thing-1"])
def test_pages_are_small_and_start_no_session(
    client: FormClient, create_product: Callable[..., Product], create_design: Callable[..., Any], path: str
) -> None:
    for number in range(30):
        create_product(f"Thing {number}", is_featured=True, promo_text="Two weeks only", discount_percent=10)
        create_design(f"Design {number}")
    answer = client.get(path)
    weight = len(gzip.compress(answer.data))
    for file in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text)):
        with client.get(file, headers={"Accept-Encoding": "gzip"}) as response:
            weight += len(response.data)
    assert weight < 150_000
    if path == "/":
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("who", ["nobody", "ada", "olu"])
def test_pages_run_a_fixed_number_of_statements(
    client: FormClient, request: pytest.FixtureRequest, create_category: Callable[..., Category], who: str, euros: None
) -> None:
    kinds = list(CollectionKind)

    def grow(number: int) -> None:
        for place in range(number):
            shelf = seeds.create_category(f"Shelf {number} {place}")
            collection = seeds.create_collection(f"Group {number} {place}", kinds[place % 3])
            product = seeds.create_product(f"Thing {number} {place}", category=shelf, collections=[collection],
                                           pictures=[(f"{place}.webp", "")] * 3)  # fmt: skip
            seeds.create_option(product)
            db.session.add(Review(product=product, author="X", rating=5, status=ReviewStatus.APPROVED))
        db.session.commit()

    def count(path: str) -> list[str]:
        client.get(path)
        db.session.commit()
        with statements(all_of_them=True) as asked:
            assert client.get(path).status_code == 200
        return queries(asked)

    grow(3)
    if who != "nobody":
        user = request.getfixturevalue(who)
        login(client, user)
        purchases.create_cart(user, db.session.scalars(sa.select(Product)).first())
    choose(client, "EUR")
    paths = (
        "/shop",
        "/shop?brand=group-3-0&search=thing&min=1",
        "/shop/category/shelf-3-0",
        "/products/thing-3-1",
        "/",
    )
    few = {path: count(path) for path in paths}
    grow(27)
    for path in paths:
        many = count(path)
        assert len(many) <= 12, f"{path}\n" + "\n".join(many)
        assert len(many) == len(few[path]), path
