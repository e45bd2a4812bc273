"""Shelves as staff keep them: categories, a tree without circles, and collections across it."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from ...db import acquire_lock, db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Category, Collection, Product, User, product_collections
from ..core import audit, optimistic_lock, rows, uploads
from .products import free_slug, slug_of

DEEPEST = 5
LOCK = "categories"


class BadShelf(DomainError):
    """What was typed cannot be a category or collection."""

    status = 422


class GoesInCircles(DomainError):
    """A category would stand below itself."""

    field = "parent"


class Taken(DomainError):
    """This URL is already in use."""

    field = "slug"


def tree() -> list[tuple[Category, int]]:
    """All categories with how deep they stand, each right before those below it."""
    children: dict[int | None, list[Category]] = {}
    for category in db.session.scalars(select(Category).order_by(Category.position, Category.id)):
        children.setdefault(category.parent_id, []).append(category)
    found: list[tuple[Category, int]] = []

    def put(parent_id: int | None, depth: int) -> None:
        for category in children.get(parent_id, []):
            found.append((category, depth))
            put(category.id, depth + 1)

    put(None, 0)
    return found


def collections() -> list[Collection]:
    """All collections by kind and name."""
    return list(db.session.scalars(select(Collection).order_by(Collection.kind, Collection.name, Collection.id)))


def product_counts() -> tuple[dict[int, int], dict[int, int]]:
    """How many products stand in each category, and in each collection."""
    by_category = select(Product.category_id, func.count()).where(Product.category_id.is_not(None))
    of_collections = product_collections.c
    by_collection = select(of_collections.collection_id, func.count()).group_by(of_collections.collection_id)
    return (
        {number or 0: count for number, count in db.session.execute(by_category.group_by(Product.category_id))},
        dict(db.session.execute(by_collection).all()),
    )


# --- categories -------------------------------------------------------------------------------------------------------


def create_category(typed: Mapping[str, Any], actor: User) -> Category:
    """Make a category, the last of those beside it; raises `BadShelf`, `GoesInCircles` or `Taken`."""
    acquire_lock(LOCK)
    values = _cleaned(typed, Category, None)
    _refuse_parent(values.get("parent_id"), None)
    last = select(func.max(Category.position)).where(Category.parent_id.is_not_distinct_from(values.get("parent_id")))
    position = db.session.scalar(last)
    category = Category(position=0 if position is None else position + 1)
    _save(category, values)
    audit.record("category.made", subject=category, actor=actor, name=category.name)
    return category


def change_category(category: Category, typed: Mapping[str, Any], seen: str, actor: User) -> None:
    """Store what was typed over what was seen; raises what making one does, and `EditConflict`."""
    acquire_lock(LOCK)
    optimistic_lock.lock_unchanged(category, seen)
    values = _cleaned(typed, Category, category)
    _refuse_parent(values.get("parent_id"), category)
    former = category.picture
    fields = _changed(category, values)
    if fields:
        _save(category, values)
        audit.record("category.changed", subject=category, actor=actor, fields=fields)
    if former != category.picture:
        uploads.schedule_deletion([former], actor.id)


def move_category(category: Category, by: int, actor: User) -> None:
    """Put a category so many places further on among those beside it."""
    acquire_lock(LOCK)
    beside = select(Category).where(Category.parent_id.is_not_distinct_from(category.parent_id))
    siblings = list(db.session.scalars(beside.order_by(Category.position, Category.id)))
    rows.set_positions(rows.reordered(siblings, category, by))
    audit.record("category.moved", subject=category, actor=actor)


def _refuse_parent(parent_id: int | None, category: Category | None) -> None:
    """Refuse a parent that is not there, stands below the category itself, or too deep."""
    if parent_id is None:
        return
    if db.session.get(Category, parent_id) is None:
        raise BadShelf(_("That category doesn't exist."), field="parent")
    if category is not None and parent_id in below(category.id):
        raise GoesInCircles(_("A category can't be inside itself or one of its subcategories."))
    if _depth(parent_id) + _height(category) > DEEPEST:
        raise BadShelf(_("Categories can be nested up to %(most)d levels deep."), field="parent", most=DEEPEST)


def _depth(category_id: int) -> int:
    """How many categories lead down to one, itself among them."""
    parents = dict(db.session.execute(select(Category.id, Category.parent_id)).all())
    depth, at = 0, category_id
    while depth <= len(parents):
        depth += 1
        above = parents.get(at)
        if above is None:
            break
        at = above
    return depth


def _height(category: Category | None) -> int:
    """How many categories stand below each other from one on."""
    if category is None:
        return 1
    depths = {each.id: depth for each, depth in tree()}
    return 1 + max(depths[number] for number in below(category.id)) - depths[category.id]


# --- collections ------------------------------------------------------------------------------------------------------


def create_collection(typed: Mapping[str, Any], actor: User) -> Collection:
    """Make a collection; raises `BadShelf` or `Taken`."""
    values = _cleaned(typed, Collection, None)
    collection = Collection()
    _save(collection, values)
    audit.record("collection.made", subject=collection, actor=actor, name=collection.name)
    return collection


def change_collection(collection: Collection, typed: Mapping[str, Any], seen: str, actor: User) -> None:
    """Store what was typed over what was seen; raises what making one does, and `EditConflict`."""
    optimistic_lock.lock_unchanged(collection, seen)
    values = _cleaned(typed, Collection, collection)
    fields = _changed(collection, values)
    if fields:
        _save(collection, values)
        audit.record("collection.changed", subject=collection, actor=actor, fields=fields)


# --- both -------------------------------------------------------------------------------------------------------------


def _cleaned(
    typed: Mapping[str, Any], model: type[Category] | type[Collection], row: Category | Collection | None
) -> dict[str, Any]:
    values = dict(typed)
    if values.get("slug"):
        values["slug"] = slug_of(values["slug"])
        if not values["slug"]:
            raise BadShelf(_("Use letters without accents, digits and single hyphens."), field="slug")
    else:
        values["slug"] = row.slug if row is not None else free_slug(values["name"], model)
    own_id = row.id if row is not None else 0
    if db.session.scalar(select(model.id).where(model.slug == values["slug"], model.id != own_id)) is not None:
        raise _taken()
    return values


def _changed(row: Category | Collection, values: Mapping[str, Any]) -> Sequence[str]:
    return sorted(name for name, value in values.items() if getattr(row, name) != value)


def _save(row: Category | Collection, values: Mapping[str, Any]) -> None:
    """Store a row now, to know whether somebody was faster."""
    try:
        with db.session.begin_nested():
            for name, value in values.items():
                setattr(row, name, value)
            db.session.add(row)
    except IntegrityError:
        raise _taken() from None


def _taken() -> Taken:
    return Taken(_("This URL is already in use."))


def below(category_id: int | None) -> set[int]:
    """The ids of a category and of everything below it."""
    shelves = select(sa.literal(category_id, sa.BigInteger).label("id")).cte("shelves", recursive=True)
    shelves = shelves.union(select(Category.id).join(shelves, Category.parent_id == shelves.c.id))
    return set(db.session.scalars(select(shelves.c.id)))
