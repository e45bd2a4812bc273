"""Categories, a tree without cycles, and collections, for staff."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from ...db import acquire_lock, db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Category, Collection, Product, User, product_collections
from ...models.products import SLUG_LENGTH
from ...slugs import slugify
from ..core import audit, optimistic_lock, rows, uploads
from .products import unused_slug

MAX_DEPTH = 5
LOCK = "categories"


class InvalidCategory(DomainError):
    """The submitted values are not a valid category or collection."""

    status = 422


class CategoryCycle(DomainError):
    """A category would be inside itself."""

    field = "parent"


class SlugTaken(DomainError):
    """Another category or collection has this slug."""

    field = "slug"


def category_tree() -> list[tuple[Category, int]]:
    """Return all categories with their depth, each right before its descendants."""
    children: dict[int | None, list[Category]] = {}
    for category in db.session.scalars(select(Category).order_by(Category.position, Category.id)):
        children.setdefault(category.parent_id, []).append(category)
    nodes: list[tuple[Category, int]] = []

    def add_children(parent_id: int | None, depth: int) -> None:
        for category in children.get(parent_id, []):
            nodes.append((category, depth))
            add_children(category.id, depth + 1)

    add_children(None, 0)
    return nodes


def collections() -> list[Collection]:
    """Return all collections, by kind and name."""
    return list(db.session.scalars(select(Collection).order_by(Collection.kind, Collection.name, Collection.id)))


def product_counts() -> tuple[dict[int, int], dict[int, int]]:
    """Return the number of products by category id, and by collection id."""
    by_category = select(Product.category_id, func.count()).where(Product.category_id.is_not(None))
    of_collections = product_collections.c
    by_collection = select(of_collections.collection_id, func.count()).group_by(of_collections.collection_id)
    return (
        {
            category_id or 0: count
            for category_id, count in db.session.execute(by_category.group_by(Product.category_id))
        },
        dict(db.session.execute(by_collection).all()),
    )


# --- categories -------------------------------------------------------------------------------------------------------


def create_category(submitted: Mapping[str, Any], actor: User) -> Category:
    """Create a category, the last of its siblings; raise `InvalidCategory`, `CategoryCycle` or `SlugTaken`."""
    acquire_lock(LOCK)
    values = _clean_values(submitted, Category, None)
    _check_parent(values.get("parent_id"), None)
    last = select(func.max(Category.position)).where(Category.parent_id.is_not_distinct_from(values.get("parent_id")))
    position = db.session.scalar(last)
    category = Category(position=0 if position is None else position + 1)
    _save(category, values)
    audit.record("category.made", subject=category, actor=actor, name=category.name)
    return category


def change_category(category: Category, submitted: Mapping[str, Any], seen_fingerprint: str, actor: User) -> None:
    """Update a category that staff saw; raise what `create_category` raises, or `EditConflict`."""
    acquire_lock(LOCK)
    optimistic_lock.lock_unchanged(category, seen_fingerprint)
    values = _clean_values(submitted, Category, category)
    _check_parent(values.get("parent_id"), category)
    old_picture = category.picture
    fields = _changed_fields(category, values)
    if fields:
        _save(category, values)
        audit.record("category.changed", subject=category, actor=actor, fields=fields)
    if old_picture != category.picture:
        uploads.schedule_deletion([old_picture], actor.id)


def move_category(category: Category, by: int, actor: User) -> None:
    """Move a category by a number of places among its siblings."""
    acquire_lock(LOCK)
    query = select(Category).where(Category.parent_id.is_not_distinct_from(category.parent_id))
    siblings = list(db.session.scalars(query.order_by(Category.position, Category.id)))
    rows.set_positions(rows.reordered(siblings, category, by))
    audit.record("category.moved", subject=category, actor=actor)


def _check_parent(parent_id: int | None, category: Category | None) -> None:
    """Raise unless a parent exists, is not inside the category, and is not too deep."""
    if parent_id is None:
        return
    if db.session.get(Category, parent_id) is None:
        raise InvalidCategory(_("That category doesn't exist."), field="parent")
    if category is not None and parent_id in descendant_ids(category.id):
        raise CategoryCycle(_("A category can't be inside itself or one of its subcategories."))
    if _depth(parent_id) + _subtree_height(category) > MAX_DEPTH:
        raise InvalidCategory(_("Categories can be nested up to %(most)d levels deep."), field="parent", most=MAX_DEPTH)


def _depth(category_id: int) -> int:
    """Return the depth of a category, 1 at the top; counting stops if the parents form a cycle."""
    parents = dict(db.session.execute(select(Category.id, Category.parent_id)).all())
    depth, current = 0, category_id
    while depth <= len(parents):
        depth += 1
        parent = parents.get(current)
        if parent is None:
            break
        current = parent
    return depth


def _subtree_height(category: Category | None) -> int:
    """Return the number of levels from a category down."""
    if category is None:
        return 1
    depths = {node.id: depth for node, depth in category_tree()}
    return 1 + max(depths[node_id] for node_id in descendant_ids(category.id)) - depths[category.id]


# --- collections ------------------------------------------------------------------------------------------------------


def create_collection(submitted: Mapping[str, Any], actor: User) -> Collection:
    """Create a collection; raise `InvalidCategory` or `SlugTaken`."""
    values = _clean_values(submitted, Collection, None)
    collection = Collection()
    _save(collection, values)
    audit.record("collection.made", subject=collection, actor=actor, name=collection.name)
    return collection


def change_collection(collection: Collection, submitted: Mapping[str, Any], seen_fingerprint: str, actor: User) -> None:
    """Update a collection that staff saw; raise what `create_collection` raises, or `EditConflict`."""
    optimistic_lock.lock_unchanged(collection, seen_fingerprint)
    values = _clean_values(submitted, Collection, collection)
    fields = _changed_fields(collection, values)
    if fields:
        _save(collection, values)
        audit.record("collection.changed", subject=collection, actor=actor, fields=fields)


# --- shared helpers ---------------------------------------------------------------------------------------------------


def _clean_values(
    submitted: Mapping[str, Any], model: type[Category] | type[Collection], row: Category | Collection | None
) -> dict[str, Any]:
    values = dict(submitted)
    if values.get("slug"):
        values["slug"] = slugify(values["slug"], SLUG_LENGTH)
        if not values["slug"]:
            raise InvalidCategory(_("Use letters without accents, numbers and single hyphens."), field="slug")
    else:
        values["slug"] = row.slug if row is not None else unused_slug(values["name"], model)
    own_id = row.id if row is not None else 0
    if db.session.scalar(select(model.id).where(model.slug == values["slug"], model.id != own_id)) is not None:
        raise _slug_taken()
    return values


def _changed_fields(row: Category | Collection, values: Mapping[str, Any]) -> Sequence[str]:
    return sorted(name for name, value in values.items() if getattr(row, name) != value)


def _save(row: Category | Collection, values: Mapping[str, Any]) -> None:
    """Flush a row, so that a conflict over its slug is known."""
    try:
        with db.session.begin_nested():
            for name, value in values.items():
                setattr(row, name, value)
            db.session.add(row)
    except IntegrityError:
        raise _slug_taken() from None


def _slug_taken() -> SlugTaken:
    return SlugTaken(_("This URL is already in use."))


def descendant_ids(category_id: int | None) -> set[int]:
    """Return the ids of a category and of all its descendants."""
    subtree = select(sa.literal(category_id, sa.BigInteger).label("id")).cte("subtree", recursive=True)
    subtree = subtree.union(select(Category.id).join(subtree, Category.parent_id == subtree.c.id))
    return set(db.session.scalars(select(subtree.c.id)))
