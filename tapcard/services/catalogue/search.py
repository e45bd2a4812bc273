"""Product search: lists filtered by category, collection, price, availability and words, with facet counts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select

from ... import search_text
from ...db import db
from ...models import Availability, Collection, CollectionKind, Product, product_collections
from . import product_lists
from .category_tree import CategoryNode, CategoryTree
from .product_lists import Condition, ListedProduct, Sort

PAGE_SIZE = 24
MAX_PAGE = 1_000_000
MAX_SEARCH_LENGTH = 100
MAX_EXPANDED_CATEGORIES = 30  # a larger tree shows only what is above, beside and right below the chosen category


@dataclass(frozen=True)
class Filter:
    """The filter of a product list: categories and collections by slug, amounts in the shop's minor units."""

    category: str | None = None
    collections: Mapping[CollectionKind, str] = field(default_factory=dict)
    availability: Availability | None = None
    discounted: bool = False
    min_amount: int | None = None
    max_amount: int | None = None
    search: str = ""
    sort: Sort = Sort.FEATURED
    page: int = 1

    @property
    def is_empty(self) -> bool:
        """Return whether it excludes nothing."""
        return replace(self, sort=Sort.FEATURED, page=1) == Filter()


@dataclass(frozen=True)
class Facet:
    """A value to filter by, and how many products there would be."""

    value: str
    label: str
    count: int
    is_chosen: bool = False
    depth: int = 0


@dataclass(frozen=True)
class Listing:
    """A page of products with facets; `filter` is without requested values that do not exist."""

    filter: Filter
    products: Sequence[ListedProduct]
    total: int
    pages: int
    category: CategoryNode | None
    category_path: Sequence[CategoryNode]
    subcategories: Sequence[CategoryNode]
    chosen_collections: Mapping[CollectionKind, Collection]
    category_facets: Sequence[Facet]
    collection_facets: Mapping[CollectionKind, Sequence[Facet]]
    availability_facets: Sequence[Facet]
    discount_facet: Facet


def collections() -> list[Collection]:
    """Return the active collections."""
    query = select(Collection).where(Collection.is_active)
    return list(db.session.scalars(query.order_by(Collection.kind, Collection.name, Collection.id)))


def find(requested: Filter, tree: CategoryTree, all_collections: Sequence[Collection]) -> Listing:
    """Return the products that match a filter, with facet counts; executes three statements."""
    category = tree.by_slug.get(requested.category or "")
    by_slug = {(collection.kind, collection.slug): collection for collection in all_collections}
    collections = {kind: by_slug[kind, slug] for kind, slug in requested.collections.items() if (kind, slug) in by_slug}
    applied = replace(
        requested,
        category=category.slug if category is not None else None,
        collections={kind: collection.slug for kind, collection in collections.items()},
    )
    query = _Query(applied, tree, category, collections)
    counts = query.counts()
    pages = max(1, -(-counts.total // PAGE_SIZE))
    applied = replace(applied, page=min(max(applied.page, 1), pages))
    order, offset = product_lists.order_columns(applied.sort), (applied.page - 1) * PAGE_SIZE
    return Listing(
        filter=applied,
        products=product_lists.load(query.conditions(), order, PAGE_SIZE, offset),
        total=counts.total,
        pages=pages,
        category=category,
        category_path=tree.path(category.id if category is not None else None),
        subcategories=[child for child in tree.children(category) if counts.in_subtree(child)],
        chosen_collections=collections,
        category_facets=counts.category_facets(),
        collection_facets=query.collection_facets(all_collections),
        availability_facets=counts.availability_facets(),
        discount_facet=counts.discount_facet(),
    )


@dataclass(frozen=True)
class _Query:
    """A filter with slugs resolved, as groups of conditions that facet counts leave out one by one."""

    filter: Filter
    tree: CategoryTree
    category: CategoryNode | None
    chosen: Mapping[CollectionKind, Collection]

    def base_conditions(self) -> list[Condition]:
        """Return the conditions that every count applies: for sale, price and words."""
        conditions = product_lists.for_sale_conditions(self.tree)
        if self.filter.min_amount is not None:
            conditions.append(Product.price_amount >= self.filter.min_amount)
        if self.filter.max_amount is not None:
            conditions.append(Product.price_amount <= self.filter.max_amount)
        if self.filter.search:
            conditions.append(search_text.contains(Product.search_text, self.filter.search))
        return conditions

    def facet_conditions(self) -> list[Condition]:
        """Return the conditions on category, availability and discount."""
        conditions: list[Condition] = []
        if self.category is not None:
            conditions.append(Product.category_id.in_(sorted(self.tree.subtree_ids(self.category))))
        if self.filter.availability is not None:
            conditions.append(product_lists.availability_column() == self.filter.availability.value)
        if self.filter.discounted:
            conditions.append(product_lists.is_discounted())
        return conditions

    def collection_conditions(self, *, except_kind: CollectionKind | None = None) -> list[Condition]:
        """Return the conditions on collections, all but those of one kind."""
        return [
            product_lists.in_collection(collection)
            for kind, collection in self.chosen.items()
            if kind is not except_kind
        ]

    def conditions(self) -> list[Condition]:
        """Return all conditions."""
        return [*self.base_conditions(), *self.facet_conditions(), *self.collection_conditions()]

    def counts(self) -> "_Counts":
        """Count products by category, availability and discount; executes one statement."""
        key = (
            Product.category_id,
            product_lists.availability_column().label("availability"),
            product_lists.is_discounted().label("is_discounted"),
        )
        inner = select(*key).where(*self.base_conditions(), *self.collection_conditions()).subquery()
        grouped = select(*inner.c, sa.func.count()).group_by(*inner.c)
        rows = [(row[0], Availability(row[1]), bool(row[2]), int(row[3])) for row in db.session.execute(grouped)]
        return _Counts(self, rows)

    def collection_facets(self, all_collections: Sequence[Collection]) -> dict[CollectionKind, list[Facet]]:
        """Count products by collection, ignoring the chosen collection of the same kind; executes one statement."""
        counts: Counter[int] = Counter()
        for collection_id, count in db.session.execute(sa.union_all(*self._collection_counts())):
            counts[collection_id] += count
        return {
            kind: [
                Facet(collection.slug, collection.name, counts[collection.id], self.chosen.get(kind) == collection)
                for collection in all_collections
                if collection.kind is kind and (counts[collection.id] or self.chosen.get(kind) == collection)
            ]
            for kind in CollectionKind
        }

    def _collection_counts(self) -> list[Select[Any]]:
        link = product_collections.c
        counted = select(link.collection_id, sa.func.count()).group_by(link.collection_id)
        if self.filter.is_empty:  # subtracting the few unlisted products is faster than counting the listed ones
            listed = sa.and_(*product_lists.for_sale_conditions(self.tree))
            unlisted = select(Product.id).where(sa.not_(listed))
            subtracted = select(link.collection_id, -sa.func.count()).group_by(link.collection_id)
            return [counted, subtracted.where(link.product_id.in_(unlisted))]
        kinds: list[CollectionKind | None] = list(CollectionKind) if self.chosen else [None]
        return [self._collection_count(counted, kind) for kind in kinds]

    def _collection_count(self, counted: Select[Any], kind: CollectionKind | None) -> Select[Any]:
        conditions = [
            *self.base_conditions(),
            *self.facet_conditions(),
            *self.collection_conditions(except_kind=kind),
        ]
        query = counted.where(product_collections.c.product_id.in_(select(Product.id).where(*conditions)))
        if kind is not None:
            query = query.join(Collection).where(Collection.kind == kind)
        return query


class _Counts:
    """Facet counts of a query by category, availability and discount."""

    def __init__(self, query: _Query, rows: Sequence[tuple[int | None, Availability, bool, int]]) -> None:
        self._query = query
        applied, tree = query.filter, query.tree
        subtree = None if query.category is None else set(tree.subtree_ids(query.category))
        self.total, self._discounted = 0, 0
        self._by_category: Counter[int | None] = Counter()
        self._by_availability: Counter[Availability] = Counter()
        for category_id, availability, is_discounted, count in rows:
            in_category = subtree is None or category_id in subtree
            has_availability = applied.availability is None or availability is applied.availability
            has_discount = is_discounted or not applied.discounted
            self.total += count if in_category and has_availability and has_discount else 0
            self._by_category[category_id] += count if has_availability and has_discount else 0
            self._by_availability[availability] += count if in_category and has_discount else 0
            self._discounted += count if in_category and has_availability and is_discounted else 0
        self._by_subtree = {
            category.id: sum(self._by_category[category_id] for category_id in tree.subtree_ids(category))
            for category in tree.visible.values()
        }

    def in_subtree(self, category: CategoryNode) -> int:
        """Return how many products are in a category and its descendants."""
        return self._by_subtree[category.id]

    def category_facets(self) -> list[Facet]:
        """Return the facets of the categories that have products, and of the chosen one."""
        tree, category = self._query.tree, self._query.category
        offered = [node for node in tree.visible.values() if self.in_subtree(node) or node == category]
        if len(offered) > MAX_EXPANDED_CATEGORIES:
            expanded = {None, *(node.id for node in tree.path(category.id if category is not None else None))}
            offered = [node for node in offered if node.parent_id in expanded]
        return [Facet(node.slug, node.name, self.in_subtree(node), node == category, node.depth) for node in offered]

    def availability_facets(self) -> list[Facet]:
        """Return the facets of the availabilities that have products, and of the chosen one."""
        selected = self._query.filter.availability
        return [
            Facet(availability.value, availability.value, self._by_availability[availability], availability is selected)
            for availability in Availability
            if self._by_availability[availability] or availability is selected
        ]

    def discount_facet(self) -> Facet:
        """Return the facet of discounted products."""
        return Facet("1", "deals", self._discounted, self._query.filter.discounted)
