"""Catalogue search: filters, sort orders and counts, checked against a model; categories and related products."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Availability, Category, Collection, CollectionKind, Product, ProductKind
from tapcard.services.catalogue import category_tree, product_lists, products, search
from tapcard.services.catalogue.product_lists import Sort
from tapcard.services.catalogue.search import PAGE_SIZE, Filter, Listing

KINDS = {
    CollectionKind.BRAND: ("obi", "northfold"),
    CollectionKind.THEME: ("travel", "home"),
    CollectionKind.SEASON: ("winter",),
}
PARENTS = {"desk": None, "journals": "desk", "slim": "journals", "drinks": None, "attic": None, "boxes": "attic"}
HIDDEN = {"attic", "boxes"}  # the attic is inactive, and with it the categories below it


def find(**asked: Any) -> Listing:
    return search.find(Filter(**asked), category_tree.load(), search.collections())


def names(**asked: Any) -> set[str]:
    return {tile.product.name for tile in find(**asked).products}


# --- against a model in plain Python ----------------------------------------------------------------------------------


@pytest.fixture
def stock(app: Flask) -> list[Product]:
    """Create sixty varied products in categories and collections."""
    shelves: dict[str, Category] = {}
    for name, parent in PARENTS.items():
        above = shelves[parent] if parent else None
        shelves[name] = seeds.create_category(name, above, slug=name, is_active=name != "attic")
    groups = {slug: seeds.create_collection(slug, kind, slug=slug) for kind, slugs in KINDS.items() for slug in slugs}
    products = []
    for number in range(60):
        shelf = [None, *shelves][number % 7]
        product = seeds.create_product(
            f"{('Oak', 'FELT', '100%_Straße')[number % 3]} thing {number}",
            category=shelves[shelf] if shelf else None,
            unit_amount=500 + number * 37 % 900,
            discount_percent=(0, 0, 15)[number % 3],
            stock=(None, 4, 0, 9)[number % 4],
            availability=list(Availability)[number % 5 % 3],
            is_featured=number % 11 == 0,
            is_active=number % 13 != 5,
            rating_count=number % 4,
            rating_sum=number % 4 * (1 + number % 5),
            created_at=utcnow() - timedelta(days=number * 17 % 60),
        )
        product.collections = [groups[slug] for place, slug in enumerate(groups) if number % (place + 2) == 0]
        products.append(product)
    db.session.commit()
    for product in products:  # the model reads them without the database
        db.session.refresh(product)
        _read = product.collections, product.category
    db.session.expunge_all()
    return products


def state(product: Product) -> Availability:
    return Availability.OUT_OF_STOCK if product.is_sold_out else product.availability


def is_below(slug: str | None, top: str) -> bool:
    while slug is not None and slug != top:
        slug = PARENTS[slug]
    return slug == top


def fits(product: Product, filters: Filter) -> bool:
    """Return whether a product matches a filter, computed in plain Python."""
    shelf = product.category.slug if product.category else None
    return (
        product.is_active
        and shelf not in HIDDEN
        and (filters.category is None or is_below(shelf, filters.category))
        and all(
            slug in {collection.slug for collection in product.collections} for slug in filters.collections.values()
        )
        and filters.availability in (None, state(product))
        and (product.discount_percent > 0 or not filters.discounted)
        and (filters.min_amount is None or product.price_amount >= filters.min_amount)
        and (filters.max_amount is None or product.price_amount <= filters.max_amount)
        and all(word in product.name.casefold() for word in filters.search.casefold().split())
    )


def ordered(products: list[Product], sort: Sort) -> list[Product]:
    newest = sorted(products, key=lambda product: (product.created_at, product.id), reverse=True)
    return {
        Sort.FEATURED: sorted(newest, key=lambda product: not product.is_featured),
        Sort.NEWEST: newest,
        Sort.PRICE_UP: sorted(products, key=lambda product: (product.price_amount, product.id)),
        Sort.PRICE_DOWN: sorted(products, key=lambda product: (product.price_amount, product.id), reverse=True),
        Sort.RATING: sorted(
            products, key=lambda product: (product.rating or 0, product.rating_count, product.id), reverse=True
        ),
    }[sort]


filters = st.builds(
    Filter,
    category=st.sampled_from([None, None, *(slug for slug in PARENTS if slug not in HIDDEN)]),
    collections=st.fixed_dictionaries({}, optional={kind: st.sampled_from(slugs) for kind, slugs in KINDS.items()}),
    availability=st.sampled_from([None, None, *Availability]),
    discounted=st.booleans(),
    min_amount=st.one_of(st.none(), st.integers(400, 1000)),
    max_amount=st.one_of(st.none(), st.integers(700, 1500)),
    search=st.sampled_from(["", "", "oak", "FELT thing", "strasse", "STRASSE 1", "100%_", "%", "_", "\\", "nothing"]),
    sort=st.sampled_from(Sort),
    page=st.integers(1, 3),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(criteria=filters)
@example(Filter())
@example(Filter(category="desk"))
def test_lists_match_the_model(stock: list[Product], criteria: Filter) -> None:
    expected = ordered([product for product in stock if fits(product, criteria)], criteria.sort)
    page = search.find(criteria, category_tree.load(), search.collections())
    pages = max(1, -(-len(expected) // PAGE_SIZE))
    first = (min(criteria.page, pages) - 1) * PAGE_SIZE
    assert [tile.product.id for tile in page.products] == [
        product.id for product in expected[first : first + PAGE_SIZE]
    ]
    assert (page.total, page.pages) == (len(expected), pages)

    def number(**changes: Any) -> int:
        changed = replace(criteria, **changes)
        return sum(fits(product, changed) for product in stock)

    for option in page.category_facets:
        assert option.count == number(category=option.value), option
    for kind, options in page.collection_facets.items():
        for option in options:
            assert option.count == number(collections={**criteria.collections, kind: option.value}), option
    for option in page.availability_facets:
        assert option.count == number(availability=Availability(option.value)), option
    assert page.discount_facet.count == number(discounted=True)
    offered = {option.value for option in page.category_facets}
    assert offered >= {slug for slug in PARENTS if slug not in HIDDEN and number(category=slug)}
    db.session.rollback()


# --- categories -------------------------------------------------------------------------------------------------------


def test_a_category_shows_the_products_of_its_subcategories(
    create_category: Callable[..., Category], create_product: Callable[..., Product]
) -> None:
    """H38"""
    desk = create_category("Desk")
    journals = create_category("Journals", desk)
    slim = create_category("Slim", journals)
    create_category("Drinks")
    for name, shelf in {"On the desk": desk, "A journal": journals, "A slim one": slim}.items():
        create_product(name, category=shelf)
    create_product("On no shelf")
    assert names(category="desk") == {"On the desk", "A journal", "A slim one"}
    assert names(category="journals") == {"A journal", "A slim one"}
    assert names(category="drinks") == set()
    assert [shelf.name for shelf in find(category="slim").category_path] == ["Desk", "Journals", "Slim"]


def test_a_hidden_category_hides_its_products_and_subcategories(
    create_category: Callable[..., Category], create_product: Callable[..., Product]
) -> None:
    attic = create_category("Attic", is_active=False)
    box = create_category("Box", attic)
    create_product("Old", category=attic)
    create_product("Older", category=box)
    create_product("Seen")
    assert names() == {"Seen"}
    assert find(category="box").category is None
    assert find().category_facets == []


def test_a_large_tree_is_expanded_only_along_the_chosen_path(
    create_category: Callable[..., Category], create_product: Callable[..., Product]
) -> None:
    def build(tops: range) -> None:
        for top in tops:
            shelf = create_category(f"Top {top}", slug=f"top-{top}")
            for number in range(3):
                child = create_category(f"Child {number}", shelf, slug=f"child-{top}-{number}")
                create_product(category=child)

    def offered(category: str | None = None) -> set[str]:
        return {option.value for option in find(category=category).category_facets}

    build(range(7))
    assert len(offered()) == 7 * 4  # small enough to be fully expanded
    build(range(7, 9))
    tops = {f"top-{top}" for top in range(9)}
    assert offered() == tops
    assert offered("top-2") == tops | {"child-2-0", "child-2-1", "child-2-2"}
    assert offered("child-2-1") == tops | {"child-2-0", "child-2-1", "child-2-2"}


def test_a_cycle_of_categories_causes_no_endless_loop(
    create_category: Callable[..., Category], create_product: Callable[..., Product]
) -> None:
    first, second = create_category("One"), create_category("Other")
    create_product("Lost", category=first)
    create_product("Seen")
    db.session.execute(sa.update(Category).where(Category.id == first.id).values(parent_id=second.id))
    db.session.execute(sa.update(Category).where(Category.id == second.id).values(parent_id=first.id))
    db.session.commit()
    assert names() == {"Seen"}


def test_unknown_filter_values_are_ignored(product: Product, create_collection: Callable[..., Collection]) -> None:
    create_collection("Gone", CollectionKind.BRAND, is_active=False)
    page = find(category="nope", collections={CollectionKind.BRAND: "gone", CollectionKind.THEME: "nope"}, page=900)
    assert (page.total, page.filter) == (1, Filter())


# --- tiles ------------------------------------------------------------------------------------------------------------


def test_a_product_without_required_options_can_be_added_at_once(
    create_product: Callable[..., Product], create_option: Callable[..., Any]
) -> None:
    create_product("Plain")
    create_option(create_product("Engraved if wanted"))
    create_option(create_product("Engraved"), is_required=True)
    create_product("Sold out", stock=0)
    create_product("Card", kind=ProductKind.CARD)
    db.session.commit()
    assert {tile.product.name for tile in find().products if tile.can_be_added} == {"Plain", "Engraved if wanted"}


def test_a_tile_shows_the_first_picture(create_product: Callable[..., Product]) -> None:
    create_product("Seen", pictures=[("a.webp", "From the front"), ("b.webp", "From behind")])
    create_product("Unseen")
    shown = {tile.product.name: (tile.picture, tile.alt) for tile in find().products}
    assert shown == {"Seen": ("a.webp", "From the front"), "Unseen": (None, "")}


def test_related_products_share_a_collection_or_the_category(
    create_category: Callable[..., Category], create_collection: Callable[..., Collection],
    create_product: Callable[..., Product],
) -> None:  # fmt: skip
    desk, drinks, travel = create_category("Desk"), create_category("Drinks"), create_collection("Travel")
    product = create_product("This", category=desk, collections=[travel])
    create_product("Same shelf", category=desk)
    create_product("Same theme", category=drinks, collections=[travel])
    create_product("Neither", category=drinks)
    create_product("Sold out", category=desk, stock=0)
    create_product("Hidden", category=desk, is_active=False)
    related = product_lists.related(product, category_tree.load())
    assert [tile.product.name for tile in related] == ["Same theme", "Same shelf"]


# --- search -----------------------------------------------------------------------------------------------------------

SEARCHED = {
    "name": "Moorland journal",
    "promo_text": "Ideal for travelers",
    "color": "Moss green",
    "size": "148 mm",
    "material": "Linen",
    "sku": "HH-0042",
}


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("name", "moorland"), ("promo_text", "ideal"), ("color", "MOSS"), ("size", "148"), ("material", "linen"),
        ("sku", "hh-0042"),
    ],
)  # fmt: skip
def test_a_product_is_found_by_each_searched_column(
    create_product: Callable[..., Product], column: str, text: str
) -> None:
    product = create_product("Plain", sku="P-1", slug="plain")
    create_product("Other", sku="O-1")
    assert names(search=text) == set()
    setattr(product, column, SEARCHED[column])
    db.session.commit()
    assert names(search=text) == {product.name}
    assert [product.id for product in db.session.scalars(products.filter_products(text))] == [product.id]


def test_a_product_is_found_without_its_accents(create_product: Callable[..., Product]) -> None:
    create_product("Café crème", color="Grün")
    assert names(search="cafe creme gruen") == {"Café crème"}
    assert names(search="CAFÉ grun") == {"Café crème"}
