"""Products for staff: created, changed, hidden and duplicated; never deleted, because orders refer to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.attributes import flag_modified
from sqlalchemy.orm.exc import StaleDataError

from ... import search_text
from ...db import db, execute_update
from ...errors import DomainError
from ...errors import mark as _
from ...models import Availability, Category, Collection, Product, ProductKind, ProductOption, ProductPicture, User
from ...models.products import NAME_LENGTH, SLUG_LENGTH
from ...slugs import slugify
from ...tokens import new_token
from ..core import audit, optimistic_lock, rows

LOW_STOCK_THRESHOLD = 5
MAX_STOCK = 1_000_000
STATES = ("active", "hidden", "low", "sold_out")


class InvalidProduct(DomainError):
    """The submitted values are not a valid product."""

    status = 422


class ProductConflict(DomainError):
    """Another product has this slug or SKU."""


class NotEnoughStock(DomainError):
    """The stock cannot be reduced by this number, because pieces were sold meanwhile."""

    field = "stock"


@dataclass(frozen=True)
class ProductInput:
    """The values that staff submit for a product: its columns, collections and stock, and the version they saw."""

    values: Mapping[str, Any]
    collection_ids: Sequence[int] = ()
    stock: int | None = None
    version: int = 1
    seen_stock: int | None = None


# --- look-ups ---------------------------------------------------------------------------------------------------------


def get(product_id: int) -> Product:
    """Return a product with pictures, options and collections; raise `RowNotFound`."""
    return rows.get(
        Product,
        product_id,
        selectinload(Product.pictures),
        selectinload(Product.options),
        selectinload(Product.collections),
    )


def filter_products(search: str = "", state: str = "", kind: str = "") -> Select[Product]:
    """Return a query of products, newest first; an unknown state or kind filters nothing."""
    query = select(Product).options(joinedload(Product.category), selectinload(Product.pictures))
    if search:
        query = query.where(search_text.contains(Product.search_text, search))
    if state in STATES:
        query = query.where(_state_condition(state))
    if kind in set(ProductKind):
        query = query.where(Product.kind == ProductKind(kind))
    return query.order_by(Product.id.desc())


def _state_condition(state: str) -> sa.ColumnElement[bool]:
    return {
        "active": Product.is_active.is_(True),
        "hidden": Product.is_active.is_(False),
        "low": low_stock_condition(),
        "sold_out": sa.and_(
            Product.is_active, sa.or_(Product.stock == 0, Product.availability == Availability.OUT_OF_STOCK)
        ),
    }[state]


def low_stock_condition() -> sa.ColumnElement[bool]:
    """Return the condition that an active product is low on stock or sold out."""
    return sa.and_(Product.is_active, Product.stock <= LOW_STOCK_THRESHOLD)


# --- creating and changing --------------------------------------------------------------------------------------------


def create(submitted: ProductInput, actor: User) -> Product:
    """Create a product; raise `InvalidProduct` or `ProductConflict`."""
    values = _clean_values(submitted.values, None)
    product = Product(stock=submitted.stock)
    _save(product, values | {"collections": _collections(submitted.collection_ids)})
    audit.record("product.made", subject=product, actor=actor, name=product.name)
    return product


def change(product: Product, submitted: ProductInput, actor: User) -> None:
    """Save a product over the version that was seen; the stock changes by the difference to the stock that was seen.

    So sales that happened meanwhile are not undone. Raise `InvalidProduct`, `ProductConflict`, `NotEnoughStock` or
    `EditConflict`.
    """
    if product.version != submitted.version:
        raise optimistic_lock.edit_conflict()
    values = _clean_values(submitted.values, product)
    collections = _collections(submitted.collection_ids)
    fields = sorted(name for name, value in values.items() if getattr(product, name) != value)
    if {row.id for row in collections} != {row.id for row in product.collections}:
        fields.append("collections")
    if fields:
        _save(product, values | {"collections": collections})
        audit.record("product.changed", subject=product, actor=actor, fields=fields)
    _change_stock(product, submitted.seen_stock, submitted.stock, actor)


def set_active(product: Product, actor: User, *, is_active: bool) -> None:
    """Show or hide a product; raise `EditConflict`."""
    if product.is_active is is_active:
        return
    product.is_active = is_active
    try:
        db.session.flush()  # compares the version
    except StaleDataError:
        raise optimistic_lock.edit_conflict() from None
    audit.record("product.shown" if is_active else "product.hidden", subject=product, actor=actor)


def duplicate(product: Product, actor: User) -> Product:
    """Create a hidden copy of a product with its pictures and options; a tracked stock starts at 0."""
    names = (
        *("kind", "category_id", "unit_amount", "discount_percent", "promo_text", "size", "material", "color"),
        *("details", "availability", "available_on", "tax_rate", "page_title", "page_description"),
    )
    name = f"{product.name[: NAME_LENGTH - 10]} (copy)"
    values = {column: getattr(product, column) for column in names} | {"name": name, "slug": "", "sku": ""}
    values = {**_clean_values(values, None), "is_active": False, "stock": None if product.stock is None else 0}
    copy = Product()
    copy.pictures = [
        ProductPicture(name=picture.name, alt=picture.alt, position=picture.position) for picture in product.pictures
    ]
    columns = ("key", "kind", "label", "is_required", "max_length", "choices", "extra_amount", "position")
    for option in product.options:
        copy.options.append(ProductOption(**{column: getattr(option, column) for column in columns}))
    _save(copy, values | {"collections": list(product.collections)})
    audit.record("product.made", subject=copy, actor=actor, name=copy.name, copy_of=product.id)
    return copy


def _clean_values(submitted: Mapping[str, Any], product: Product | None) -> dict[str, Any]:
    """Return the columns as they are stored: a blank slug comes from the name, a blank SKU from the slug."""
    values = dict(submitted)
    own_id = product.id if product is not None else None
    values["slug"] = _clean_slug(values, product)
    values["sku"] = values.get("sku") or (product.sku if product is not None else "") or _unused_sku(values["slug"])
    if values.get("availability") is Availability.PRE_ORDER:
        if values.get("available_on") is None:
            raise InvalidProduct(_("Enter the date it ships from."), field="available_on")
    else:
        values["available_on"] = None
    category_id = values.get("category_id")
    if category_id is not None and db.session.get(Category, category_id) is None:
        raise InvalidProduct(_("That category doesn't exist."), field="category")
    for name, column in (("slug", Product.slug), ("sku", Product.sku)):
        if db.session.scalar(select(Product.id).where(column == values[name], Product.id != (own_id or 0))) is not None:
            raise _conflict(name)
    return values


def _clean_slug(values: Mapping[str, Any], product: Product | None) -> str:
    typed = values.get("slug") or ""
    if not typed:
        return product.slug if product is not None else unused_slug(values["name"], Product)
    slug = slugify(typed, SLUG_LENGTH)
    if not slug:
        raise InvalidProduct(_("Use letters without accents, numbers and single hyphens."), field="slug")
    return slug


def _unused_sku(slug: str) -> str:
    sku = slug.upper()[:100]
    is_taken = db.session.scalar(select(Product.id).where(Product.sku == sku)) is not None
    return f"{sku[:80]}-{new_token()}" if is_taken else sku


def _collections(ids: Sequence[int]) -> list[Collection]:
    return list(db.session.scalars(select(Collection).where(Collection.id.in_(ids)).order_by(Collection.name)))


def _save(product: Product, values: Mapping[str, Any]) -> None:
    """Flush columns and collections, so that a conflict with another editor is known."""
    try:
        with db.session.begin_nested():
            for name, value in values.items():
                setattr(product, name, value)
            flag_modified(product, "name")  # so that the version increases even if only the collections change
            db.session.add(product)
    except IntegrityError:
        is_slug = db.session.scalar(select(Product.id).where(Product.slug == values["slug"])) is not None
        raise _conflict("slug" if is_slug else "sku") from None
    except StaleDataError:
        raise optimistic_lock.edit_conflict() from None


def _conflict(name: str) -> ProductConflict:
    if name == "slug":
        return ProductConflict(_("Another product already uses this URL."), field="slug")
    return ProductConflict(_("Another product already uses this SKU."), field="sku")


def _change_stock(product: Product, seen_stock: int | None, submitted_stock: int | None, actor: User) -> None:
    """Change the stock by the difference between the seen and the submitted number."""
    if seen_stock == submitted_stock:
        return
    update = sa.update(Product).where(Product.id == product.id)
    if submitted_stock is None:
        update = update.values(stock=None)
    elif seen_stock is None:
        update = update.where(Product.stock.is_(None)).values(stock=submitted_stock)
    else:
        new_stock = Product.stock + (submitted_stock - seen_stock)
        update = update.where(new_stock.between(0, MAX_STOCK)).values(stock=new_stock)
    if execute_update(update) != 1:
        left = db.session.scalar(select(Product.stock).where(Product.id == product.id))
        if seen_stock is None or left is None:
            raise optimistic_lock.edit_conflict()
        raise NotEnoughStock(_("Only %(left)d are left now. Reload the page and check the stock."), left=left)
    db.session.expire(product, ["stock"])
    audit.record("product.counted", subject=product, actor=actor, before=seen_stock, after=submitted_stock)


# --- slugs ------------------------------------------------------------------------------------------------------------


def unused_slug(name: str, model: type[Product] | type[Category] | type[Collection]) -> str:
    """Return a slug for a name that no row of the model has yet."""
    slug = slugify(name, SLUG_LENGTH) or new_token().lower()
    is_taken = db.session.scalar(select(model.id).where(model.slug == slug)) is not None
    return f"{slug[: SLUG_LENGTH - 20]}-{new_token().lower()}" if is_taken else slug
