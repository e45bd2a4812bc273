"""Queries of the products that are for sale: list conditions, sort orders, list entries, related products."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import defer, joinedload

from ...db import db
from ...models import (
    Availability,
    Collection,
    Product,
    ProductKind,
    ProductOption,
    ProductPicture,
    product_collections,
)
from .category_tree import CategoryTree

MAX_FEATURED = 8
MAX_RELATED = 4

Condition = sa.ColumnExpressionArgument[bool]


class Sort(enum.StrEnum):
    """The order of a list of products."""

    FEATURED = "featured"
    PRICE_UP = "price_asc"
    PRICE_DOWN = "price_desc"
    NEWEST = "newest"
    RATING = "rating"


# --- conditions and orders --------------------------------------------------------------------------------------------


def availability_column() -> sa.ColumnElement[str]:
    """Return the availability of a product as a column; `Product.is_sold_out` is the same for one row."""
    is_sold_out = sa.or_(Product.availability == Availability.OUT_OF_STOCK, Product.stock == 0)
    return sa.case(
        (is_sold_out, Availability.OUT_OF_STOCK.value),
        (Product.availability == Availability.PRE_ORDER, Availability.PRE_ORDER.value),
        else_=Availability.IN_STOCK.value,
    )


def for_sale_conditions(tree: CategoryTree) -> list[Condition]:
    """Return the conditions of a product that lists show: active, and not in a hidden category."""
    conditions: list[Condition] = [Product.is_active]
    if tree.hidden_ids:
        conditions.append(sa.or_(Product.category_id.is_(None), Product.category_id.not_in(sorted(tree.hidden_ids))))
    return conditions


def in_collection(collection: Collection) -> Condition:
    """Return the condition that a product is in a collection."""
    inside = select(product_collections.c.product_id).where(product_collections.c.collection_id == collection.id)
    return Product.id.in_(inside)


def is_discounted() -> sa.ColumnElement[bool]:
    """Return the condition that a product has a discount."""
    return Product.discount_percent > 0


def order_columns(sort: Sort) -> list[sa.ColumnElement[Any]]:
    """Return the columns to order a list by."""
    newest: list[sa.ColumnElement[Any]] = [Product.created_at.desc(), Product.id.desc()]
    average = sa.case((Product.rating_count > 0, Product.rating_sum * 1000 / Product.rating_count), else_=0)
    orders: dict[Sort, list[sa.ColumnElement[Any]]] = {
        Sort.FEATURED: [Product.is_featured.desc(), *newest],
        Sort.PRICE_UP: [Product.price_amount.asc(), Product.id.asc()],
        Sort.PRICE_DOWN: [Product.price_amount.desc(), Product.id.desc()],
        Sort.NEWEST: newest,
        Sort.RATING: [average.desc(), Product.rating_count.desc(), Product.id.desc()],
    }
    return orders[sort]


# --- list entries -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ListedProduct:
    """A product with the values that a list shows."""

    product: Product
    picture: str | None
    alt: str
    needs_choice: bool  # a required option has to be answered before it can be added to a cart

    @property
    def can_be_added(self) -> bool:
        """Return whether one click adds it to the cart."""
        product = self.product
        return not self.needs_choice and not product.is_sold_out and product.kind is not ProductKind.CARD


def load(conditions: Sequence[Condition], order: Sequence[Any], limit: int, offset: int = 0) -> list[ListedProduct]:
    """Return some products; executes one statement, which looks pictures and options up for these products alone."""
    ids = select(Product.id).where(*conditions).order_by(*order).limit(limit).offset(offset).subquery()
    query = select_listed().join(ids, ids.c.id == Product.id).order_by(*order)
    return [
        ListedProduct(product, picture, alt or "", bool(needs_choice))
        for product, picture, alt, needs_choice in db.session.execute(query)
    ]


def select_listed() -> Select[Any]:
    """Return a SELECT of products with their main picture, its alternative text, and whether an option is required."""
    picture = (
        select(ProductPicture.name)
        .where(ProductPicture.product_id == Product.id)
        .order_by(ProductPicture.position, ProductPicture.id)
        .limit(1)
        .correlate(Product)
    )
    required = select(ProductOption.id).where(ProductOption.product_id == Product.id, ProductOption.is_required)
    return select(
        Product,
        picture.scalar_subquery().label("picture"),
        picture.with_only_columns(ProductPicture.alt).scalar_subquery().label("alt"),
        required.correlate(Product).exists().label("needs_choice"),
    ).options(defer(Product.details), defer(Product.search_text), defer(Product.page_description))


def featured(tree: CategoryTree) -> list[ListedProduct]:
    """Return the products of the front page: featured ones first, then the newest."""
    return load(for_sale_conditions(tree), order_columns(Sort.FEATURED), MAX_FEATURED)


# --- one product ------------------------------------------------------------------------------------------------------


def get_for_sale(slug: str, *columns: sa.ColumnElement[Any]) -> sa.Row[Any] | None:
    """Return an active product with pictures and options, and further columns on request; executes one statement."""
    query = select(Product, *columns).where(Product.slug == slug, Product.is_active)
    rows = db.session.execute(query.options(joinedload(Product.pictures), joinedload(Product.options))).unique()
    return rows.one_or_none()


def related(product: Product, tree: CategoryTree) -> list[ListedProduct]:
    """Return available products of the same category or collections, most shared collections first."""
    link = product_collections.c
    own_collections = select(link.collection_id).where(link.product_id == product.id)
    shared_count = (
        select(sa.func.count())
        .select_from(product_collections)
        .where(link.product_id == Product.id, link.collection_id.in_(own_collections))
        .correlate(Product)
        .scalar_subquery()
    )
    neighbors = select(link.product_id).where(link.collection_id.in_(own_collections))
    is_near: list[Condition] = [Product.id.in_(neighbors)]
    if product.category_id is not None:
        is_near.append(Product.category_id == product.category_id)
    conditions = [
        *for_sale_conditions(tree),
        Product.id != product.id,
        availability_column() != Availability.OUT_OF_STOCK.value,
        sa.or_(*is_near),
    ]
    return load(conditions, [shared_count.desc(), *order_columns(Sort.FEATURED)], MAX_RELATED)
