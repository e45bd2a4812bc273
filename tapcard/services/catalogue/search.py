"""The catalogue: which products a visitor finds, by shelf, collection, price and words, and how many there would be."""

import enum
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.orm import defer, joinedload

from ...db import db
from ...models import (
    Availability,
    Category,
    Collection,
    CollectionKind,
    Product,
    ProductKind,
    ProductOption,
    ProductPicture,
    product_collections,
)

A_PAGE = 24
IN_FRONT = 8
RELATED = 4
MOST_PAGE = 1_000_000
LONGEST_SEARCH = 100
MOST_WORDS = 8
UNFOLDED = 30  # shelves to filter by; of a larger tree only what is above, beside and right below the chosen one

Condition = sa.ColumnExpressionArgument[bool]


class Sort(enum.StrEnum):
    """In which order a list stands."""

    FEATURED = "featured"
    PRICE_UP = "price_asc"
    PRICE_DOWN = "price_desc"
    NEWEST = "newest"
    RATING = "rating"


@dataclass(frozen=True)
class Filter:
    """What a visitor asks for; categories and collections by their slugs, amounts in the shop's minor units."""

    category: str | None = None
    collections: Mapping[CollectionKind, str] = field(default_factory=dict)
    availability: Availability | None = None
    deals: bool = False
    least: int | None = None
    most: int | None = None
    search: str = ""
    sort: Sort = Sort.FEATURED
    page: int = 1

    @property
    def words(self) -> list[str]:
        """What has to occur, each of them."""
        return self.search.casefold().split()[:MOST_WORDS]

    @property
    def is_empty(self) -> bool:
        """Whether it leaves everything in."""
        return replace(self, sort=Sort.FEATURED, page=1) == Filter()


# --- shelves ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shelf:
    """A category, as lists need it."""

    id: int
    parent_id: int | None
    name: str
    slug: str
    description: str
    picture: str | None
    has_products: bool  # right on it
    depth: int = 0


SHELF_COLUMNS = tuple(each.name for each in fields(Shelf) if each.name != "depth")


class Shelves:
    """The tree of categories, read at once; one that is hidden hides all that stands below it."""

    def __init__(self, rows: Iterable[Any]) -> None:
        every: dict[int | None, list[Any]] = defaultdict(list)
        self.ids = set()
        for row in rows:
            every[row.parent_id].append(row)
            self.ids.add(row.id)
        self.shown: dict[int, Shelf] = {}  # in the order in which they are listed: children right after their parent
        self._children: dict[int | None, list[Shelf]] = defaultdict(list)
        self._put(every, None, 0)

    def _put(self, every: Mapping[int | None, list[Any]], parent_id: int | None, depth: int) -> None:
        for row in every.get(parent_id, ()):
            if row.is_active:
                shelf = Shelf(**{name: getattr(row, name) for name in SHELF_COLUMNS}, depth=depth)
                self.shown[shelf.id] = shelf
                self._children[parent_id].append(shelf)
                self._put(every, row.id, depth + 1)

    @cached_property
    def by_slug(self) -> dict[str, Shelf]:
        return {shelf.slug: shelf for shelf in self.shown.values()}

    @property
    def hidden(self) -> set[int]:
        """The ids of those that nobody sees."""
        return self.ids - self.shown.keys()

    def children(self, shelf: Shelf | None) -> list[Shelf]:
        """The shelves right below one, or the topmost."""
        return self._children.get(shelf.id if shelf is not None else None, [])

    def below(self, shelf: Shelf) -> Iterator[int]:
        """The ids of a shelf and of everything below it."""
        yield shelf.id
        for child in self.children(shelf):
            yield from self.below(child)

    def filled(self, shelf: Shelf | None = None) -> list[Shelf]:
        """The shelves right below one, or the topmost, on or below which anything stands."""
        return [each for each in self.children(shelf) if any(self.shown[one].has_products for one in self.below(each))]

    def trail(self, category_id: int | None) -> list[Shelf]:
        """The way from the top down to a shelf; empty when it is hidden."""
        found: list[Shelf] = []
        shelf = self.shown.get(category_id) if category_id is not None else None
        while shelf is not None:
            found.insert(0, shelf)
            shelf = self.shown.get(shelf.parent_id) if shelf.parent_id is not None else None
        return found


def shelves() -> Shelves:
    """Read the tree of categories: one statement."""
    columns = [getattr(Category, name) for name in (*SHELF_COLUMNS[:-1], "is_active")]
    filled = select(Product.id).where(Product.category_id == Category.id, Product.is_active).correlate(Category)
    wanted = select(*columns, filled.exists().label("has_products"))
    return Shelves(db.session.execute(wanted.order_by(Category.position, Category.name, Category.id)))


def collections() -> list[Collection]:
    """The collections that can be chosen."""
    wanted = select(Collection).where(Collection.is_active).order_by(Collection.kind, Collection.name, Collection.id)
    return list(db.session.scalars(wanted))


# --- conditions -------------------------------------------------------------------------------------------------------


def availability_of() -> sa.ColumnElement[str]:
    """How a product can be had, as a column; `Product.is_sold_out` says the same of one."""
    is_out = sa.or_(Product.availability == Availability.OUT_OF_STOCK, Product.stock == 0)
    return sa.case(
        (is_out, Availability.OUT_OF_STOCK.value),
        (Product.availability == Availability.PRE_ORDER, Availability.PRE_ORDER.value),
        else_=Availability.IN_STOCK.value,
    )


def listed(tree: Shelves) -> list[Condition]:
    """The condition under which a product stands in lists at all."""
    is_shown: list[Condition] = [Product.is_active]
    if tree.hidden:
        is_shown.append(sa.or_(Product.category_id.is_(None), Product.category_id.not_in(sorted(tree.hidden))))
    return is_shown


def _is_in(collection: Collection) -> Condition:
    inside = select(product_collections.c.product_id).where(product_collections.c.collection_id == collection.id)
    return Product.id.in_(inside)


def _is_deal() -> sa.ColumnElement[bool]:
    return Product.discount_percent > 0


def _order(sort: Sort) -> list[sa.ColumnElement[Any]]:
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


# --- lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tile:
    """A product as it stands in a list."""

    product: Product
    picture: str | None
    alt: str
    needs_choice: bool  # the buyer has to say something before it can be put into a cart

    @property
    def can_be_added(self) -> bool:
        """Whether one press puts it into the cart."""
        product = self.product
        return not self.needs_choice and not product.is_sold_out and product.kind is not ProductKind.CARD


@dataclass(frozen=True)
class Option:
    """One thing to filter by, and how many products there would be."""

    value: str
    label: str
    count: int
    is_chosen: bool = False
    depth: int = 0


@dataclass(frozen=True)
class Listing:
    """A page of products, and what could be asked instead; what was asked for and does not exist is left out."""

    filter: Filter
    tiles: Sequence[Tile]
    total: int
    pages: int
    shelf: Shelf | None
    trail: Sequence[Shelf]
    below: Sequence[Shelf]
    chosen: Mapping[CollectionKind, Collection]
    categories: Sequence[Option]
    collections: Mapping[CollectionKind, Sequence[Option]]
    availabilities: Sequence[Option]
    deals: Option


def find(asked: Filter, tree: Shelves, every: Sequence[Collection]) -> Listing:
    """Find the products of a filter, with the counts beside each thing to filter by: three statements."""
    shelf = tree.by_slug.get(asked.category or "")
    by_slug = {(each.kind, each.slug): each for each in every}
    wanted = {kind: by_slug.get((kind, slug)) for kind, slug in asked.collections.items()}
    chosen = {kind: collection for kind, collection in wanted.items() if collection is not None}
    asked = replace(
        asked,
        category=shelf.slug if shelf is not None else None,
        collections={kind: collection.slug for kind, collection in chosen.items()},
    )
    query = _Query(asked, tree, shelf, chosen)
    counts = query.counts()
    total = counts.total()
    pages = max(1, -(-total // A_PAGE))
    asked = replace(asked, page=min(max(asked.page, 1), pages))
    return Listing(
        filter=asked,
        tiles=tiles(query.conditions(), _order(asked.sort), A_PAGE, (asked.page - 1) * A_PAGE),
        total=total,
        pages=pages,
        shelf=shelf,
        trail=tree.trail(shelf.id if shelf is not None else None),
        below=[each for each in tree.children(shelf) if counts.on_shelf(each)],
        chosen=chosen,
        categories=counts.categories(),
        collections=query.collection_options(every),
        availabilities=counts.availabilities(),
        deals=counts.deals(),
    )


@dataclass(frozen=True)
class _Query:
    """A filter whose names are resolved, as conditions that can be left out one by one."""

    asked: Filter
    tree: Shelves
    shelf: Shelf | None
    chosen: Mapping[CollectionKind, Collection]

    def common(self) -> list[Condition]:
        """What holds whatever is counted: price and words."""
        asked, found = self.asked, listed(self.tree)
        if asked.least is not None:
            found.append(Product.price_amount >= asked.least)
        if asked.most is not None:
            found.append(Product.price_amount <= asked.most)
        found += [Product.search_text.contains(word, autoescape=True) for word in asked.words]
        return found

    def of_columns(self) -> list[Condition]:
        """What is asked of the product's own columns that are counted."""
        found: list[Condition] = []
        if self.shelf is not None:
            found.append(Product.category_id.in_(sorted(self.tree.below(self.shelf))))
        if self.asked.availability is not None:
            found.append(availability_of() == self.asked.availability.value)
        if self.asked.deals:
            found.append(_is_deal())
        return found

    def of_collections(self, *, but: CollectionKind | None = None) -> list[Condition]:
        return [_is_in(collection) for kind, collection in self.chosen.items() if kind is not but]

    def conditions(self) -> list[Condition]:
        return [*self.common(), *self.of_columns(), *self.of_collections()]

    def counts(self) -> "_Counts":
        """Count by shelf, availability and deal, in one statement."""
        key = (Product.category_id, availability_of().label("state"), _is_deal().label("is_deal"))
        inner = select(*key).where(*self.common(), *self.of_collections()).subquery()
        wanted = select(*inner.c, sa.func.count()).group_by(*inner.c)
        rows = [(each[0], Availability(each[1]), bool(each[2]), int(each[3])) for each in db.session.execute(wanted)]
        return _Counts(self, rows)

    def collection_options(self, every: Sequence[Collection]) -> dict[CollectionKind, list[Option]]:
        """Count by collection, in one statement: of each kind as if another one of that kind were chosen."""
        numbers: Counter[int] = Counter()
        for collection_id, number in db.session.execute(sa.union_all(*self._counts_of_collections())):
            numbers[collection_id] += number
        return {
            kind: [
                Option(each.slug, each.name, numbers[each.id], self.chosen.get(kind) == each)
                for each in every
                if each.kind is kind and (numbers[each.id] or self.chosen.get(kind) == each)
            ]
            for kind in CollectionKind
        }

    def _counts_of_collections(self) -> list[Select[Any]]:
        link = product_collections.c
        counted = select(link.collection_id, sa.func.count()).group_by(link.collection_id)
        if self.asked.is_empty:  # all but those in no list, who are few, are sooner found than those in lists
            unlisted = select(Product.id).where(sa.not_(sa.and_(*listed(self.tree))))
            less = select(link.collection_id, -sa.func.count()).group_by(link.collection_id)
            return [counted, less.where(link.product_id.in_(unlisted))]
        kinds: list[CollectionKind | None] = list(CollectionKind) if self.chosen else [None]
        return [self._count_of(counted, kind) for kind in kinds]

    def _count_of(self, counted: Select[Any], kind: CollectionKind | None) -> Select[Any]:
        conditions = [*self.common(), *self.of_columns(), *self.of_collections(but=kind)]
        found = counted.where(product_collections.c.product_id.in_(select(Product.id).where(*conditions)))
        if kind is not None:
            found = found.join(Collection).where(Collection.kind == kind)
        return found


class _Counts:
    """How many products there are on each shelf, by availability and with or without a discount."""

    def __init__(self, query: _Query, rows: Sequence[tuple[int | None, Availability, bool, int]]) -> None:
        self._query = query
        asked, tree = query.asked, query.tree
        inside = None if query.shelf is None else set(tree.below(query.shelf))
        self._total, self._deals = 0, 0
        self._by_shelf: Counter[int | None] = Counter()
        self._by_state: Counter[Availability] = Counter()
        for shelf, state, is_deal, number in rows:
            fits = (
                inside is None or shelf in inside,
                asked.availability is None or state is asked.availability,
                is_deal or not asked.deals,
            )
            self._total += number if all(fits) else 0
            self._by_shelf[shelf] += number if fits[1] and fits[2] else 0
            self._by_state[state] += number if fits[0] and fits[2] else 0
            self._deals += number if fits[0] and fits[1] and is_deal else 0
        self._with_all_below = {
            shelf.id: sum(self._by_shelf[below] for below in tree.below(shelf)) for shelf in tree.shown.values()
        }

    def total(self) -> int:
        return self._total

    def on_shelf(self, shelf: Shelf) -> int:
        return self._with_all_below[shelf.id]

    def categories(self) -> list[Option]:
        tree, chosen = self._query.tree, self._query.shelf
        offered = [shelf for shelf in tree.shown.values() if self.on_shelf(shelf) or shelf == chosen]
        if len(offered) > UNFOLDED:
            opened = {None, *(shelf.id for shelf in tree.trail(chosen.id if chosen is not None else None))}
            offered = [shelf for shelf in offered if shelf.parent_id in opened]
        return [Option(each.slug, each.name, self.on_shelf(each), each == chosen, each.depth) for each in offered]

    def availabilities(self) -> list[Option]:
        asked = self._query.asked.availability
        return [
            Option(each.value, each.value, self._by_state[each], each is asked)
            for each in Availability
            if self._by_state[each] or each is asked
        ]

    def deals(self) -> Option:
        return Option("1", "deals", self._deals, self._query.asked.deals)


def tiles(conditions: Sequence[Condition], order: Sequence[Any], limit: int, offset: int = 0) -> list[Tile]:
    """Some products as tiles: one statement; what tiles show beside is looked up for these alone."""
    some = select(Product.id).where(*conditions).order_by(*order).limit(limit).offset(offset).subquery()
    wanted = tile_columns().join(some, some.c.id == Product.id).order_by(*order)
    return [
        Tile(product, picture, alt or "", bool(needs)) for product, picture, alt, needs in db.session.execute(wanted)
    ]


def tile_columns() -> Select[Any]:
    """Select products with their main picture, and whether they ask something of the buyer."""
    main = (
        select(ProductPicture.name)
        .where(ProductPicture.product_id == Product.id)
        .order_by(ProductPicture.position, ProductPicture.id)
        .limit(1)
        .correlate(Product)
    )
    asks = select(ProductOption.id).where(ProductOption.product_id == Product.id, ProductOption.is_required)
    return select(
        Product,
        main.scalar_subquery().label("picture"),
        main.with_only_columns(ProductPicture.alt).scalar_subquery().label("alt"),
        asks.correlate(Product).exists().label("needs_choice"),
    ).options(defer(Product.details), defer(Product.search_text), defer(Product.page_description))


def featured(tree: Shelves) -> list[Tile]:
    """The products of the front page: those that staff put there, filled up with the newest."""
    return tiles(listed(tree), _order(Sort.FEATURED), IN_FRONT)


# --- one product ------------------------------------------------------------------------------------------------------


def product_of(slug: str, *more: sa.ColumnElement[Any]) -> sa.Row[Any] | None:
    """A product that is sold, with its pictures and options, and more columns if asked for: one statement."""
    wanted = select(Product, *more).where(Product.slug == slug, Product.is_active)
    rows = db.session.execute(wanted.options(joinedload(Product.pictures), joinedload(Product.options))).unique()
    return rows.one_or_none()


def related(product: Product, tree: Shelves) -> list[Tile]:
    """What else might please: from the same collections or the same shelf."""
    link = product_collections.c
    theirs = select(link.collection_id).where(link.product_id == product.id)
    shared = (
        select(sa.func.count())
        .select_from(product_collections)
        .where(link.product_id == Product.id, link.collection_id.in_(theirs))
        .correlate(Product)
        .scalar_subquery()
    )
    neighbours = select(link.product_id).where(link.collection_id.in_(theirs))
    near: list[Condition] = [Product.id.in_(neighbours)]
    if product.category_id is not None:
        near.append(Product.category_id == product.category_id)
    fits = [
        *listed(tree),
        Product.id != product.id,
        availability_of() != Availability.OUT_OF_STOCK.value,
        sa.or_(*near),
    ]
    return tiles(fits, [shared.desc(), *_order(Sort.FEATURED)], RELATED)
