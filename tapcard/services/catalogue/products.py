"""Products as staff keep them: made, changed, hidden, never deleted; what was ordered stays as it was sold."""

import re
import unicodedata
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
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Availability, Category, Collection, Product, ProductKind, ProductOption, ProductPicture, User
from ...models.products import NAME_LENGTH, SLUG_LENGTH
from ...tokens import new_token
from ..core import audit, optimistic_lock, rows

LOW_STOCK = 5
MAX_SEARCH_WORDS = 10
MOST_STOCK = 1_000_000
STATES = ("active", "hidden", "low", "sold_out")


class BadProduct(DomainError):
    """What was typed cannot be a product."""

    status = 422


class Taken(DomainError):
    """Another product has this address, or this number."""


class NotEnoughLeft(DomainError):
    """So many were sold meanwhile that as many cannot be taken away."""

    field = "stock"


@dataclass(frozen=True)
class Typed:
    """What staff typed about a product: its columns, the collections, how many there are now."""

    values: Mapping[str, Any]
    collection_ids: Sequence[int] = ()
    stock: int | None = None
    version: int = 1  # that was seen
    seen_stock: int | None = None


# --- finding ----------------------------------------------------------------------------------------------------------


def find(product_id: int) -> Product:
    """A product with all that its page in the back office shows; raises `RowNotFound`."""
    return rows.get(
        Product,
        product_id,
        selectinload(Product.pictures),
        selectinload(Product.options),
        selectinload(Product.collections),
    )


def listed(search: str = "", state: str = "", kind: str = "") -> Select[Product]:
    """Products for staff, the newest first; of a state or kind that does not exist there are all."""
    found = select(Product).options(joinedload(Product.category), selectinload(Product.pictures))
    for word in search_text.words(search, MAX_SEARCH_WORDS):
        found = found.where(Product.search_text.contains(word, autoescape=True))
    if state in STATES:
        found = found.where(_in_state(state))
    if kind in set(ProductKind):
        found = found.where(Product.kind == ProductKind(kind))
    return found.order_by(Product.id.desc())


def _in_state(state: str) -> sa.ColumnElement[bool]:
    return {
        "active": Product.is_active.is_(True),
        "hidden": Product.is_active.is_(False),
        "low": running_low(),
        "sold_out": sa.and_(
            Product.is_active, sa.or_(Product.stock == 0, Product.availability == Availability.OUT_OF_STOCK)
        ),
    }[state]


def running_low() -> sa.ColumnElement[bool]:
    """The condition that a product on sale is about to run out, or has."""
    return sa.and_(Product.is_active, Product.stock <= LOW_STOCK)


# --- making and changing ----------------------------------------------------------------------------------------------


def create(typed: Typed, actor: User) -> Product:
    """Make a product; raises `BadProduct` or `Taken`."""
    values = _cleaned(typed.values, None)
    product = Product(stock=typed.stock)
    _save(product, values | {"collections": _collections(typed.collection_ids)})
    audit.record("product.made", subject=product, actor=actor, name=product.name)
    return product


def change(product: Product, typed: Typed, actor: User) -> None:
    """Store what was typed over the version that was seen; the stock changes by as much as was added or taken away.

    Sales go on meanwhile: they change the stock alone, and are never undone. Raises `BadProduct`, `Taken`,
    `NotEnoughLeft` or `EditConflict`.
    """
    if product.version != typed.version:
        raise optimistic_lock.edit_conflict()
    values = _cleaned(typed.values, product)
    collections = _collections(typed.collection_ids)
    fields = sorted(name for name, value in values.items() if getattr(product, name) != value)
    if {each.id for each in collections} != {each.id for each in product.collections}:
        fields.append("collections")
    if fields:
        _save(product, values | {"collections": collections})
        audit.record("product.changed", subject=product, actor=actor, fields=fields)
    _change_stock(product, typed.seen_stock, typed.stock, actor)


def show(product: Product, actor: User, *, is_active: bool) -> None:
    """Put a product on sale, or hide it; nothing else of it changes."""
    if product.is_active is is_active:
        return
    product.is_active = is_active
    try:
        db.session.flush()  # to know whether somebody was faster
    except StaleDataError:
        raise optimistic_lock.edit_conflict() from None
    audit.record("product.shown" if is_active else "product.hidden", subject=product, actor=actor)


def duplicate(product: Product, actor: User) -> Product:
    """Make a hidden copy of a product with its pictures and options; of counted ones there are none yet."""
    names = (
        *("kind", "category_id", "unit_amount", "discount_percent", "promo_text", "size", "material", "color"),
        *("details", "availability", "available_on", "tax_rate", "page_title", "page_description"),
    )
    name = f"{product.name[: NAME_LENGTH - 10]} (copy)"
    values = {each: getattr(product, each) for each in names} | {"name": name, "slug": "", "sku": ""}
    values = {**_cleaned(values, None), "is_active": False, "stock": None if product.stock is None else 0}
    copy = Product()
    copy.pictures = [ProductPicture(name=each.name, alt=each.alt, position=each.position) for each in product.pictures]
    copied = ("key", "kind", "label", "is_required", "max_length", "choices", "extra_amount", "position")
    copy.options = [ProductOption(**{each: getattr(option, each) for each in copied}) for option in product.options]
    _save(copy, values | {"collections": list(product.collections)})
    audit.record("product.made", subject=copy, actor=actor, name=copy.name, copy_of=product.id)
    return copy


def _cleaned(typed: Mapping[str, Any], product: Product | None) -> dict[str, Any]:
    """The columns as they are stored: a blank address comes from the name, a blank number from the address."""
    values = dict(typed)
    own_id = product.id if product is not None else None
    values["slug"] = _slug(values, product)
    values["sku"] = values.get("sku") or (product.sku if product is not None else "") or _free_sku(values["slug"])
    if values.get("availability") is Availability.PRE_ORDER:
        if values.get("available_on") is None:
            raise BadProduct(_("Enter the date it ships from."), field="available_on")
    else:
        values["available_on"] = None
    category_id = values.get("category_id")
    if category_id is not None and db.session.get(Category, category_id) is None:
        raise BadProduct(_("That category doesn't exist."), field="category")
    for name, column in (("slug", Product.slug), ("sku", Product.sku)):
        if db.session.scalar(select(Product.id).where(column == values[name], Product.id != (own_id or 0))) is not None:
            raise _taken(name)
    return values


def _slug(values: Mapping[str, Any], product: Product | None) -> str:
    typed = values.get("slug") or ""
    if not typed:
        return product.slug if product is not None else free_slug(values["name"], Product)
    slug = slug_of(typed)
    if not slug:
        raise BadProduct(_("Use letters without accents, digits and single hyphens."), field="slug")
    return slug


def _free_sku(slug: str) -> str:
    sku = slug.upper()[:100]
    is_taken = db.session.scalar(select(Product.id).where(Product.sku == sku)) is not None
    return f"{sku[:80]}-{new_token()}" if is_taken else sku


def _collections(ids: Sequence[int]) -> list[Collection]:
    return list(db.session.scalars(select(Collection).where(Collection.id.in_(ids)).order_by(Collection.name)))


def _save(product: Product, values: Mapping[str, Any]) -> None:
    """Store columns and collections now, to know whether somebody was faster."""
    try:
        with db.session.begin_nested():
            for name, value in values.items():
                setattr(product, name, value)
            flag_modified(product, "name")  # its version counts on, also where only its collections are others
            db.session.add(product)
    except IntegrityError:
        is_slug = db.session.scalar(select(Product.id).where(Product.slug == values["slug"])) is not None
        raise _taken("slug" if is_slug else "sku") from None
    except StaleDataError:
        raise optimistic_lock.edit_conflict() from None


def _taken(name: str) -> Taken:
    if name == "slug":
        return Taken(_("Another product already uses this URL."), field="slug")
    return Taken(_("Another product already uses this SKU."), field="sku")


def _change_stock(product: Product, seen: int | None, typed: int | None, actor: User) -> None:
    """Add to the stock, or take away, as much as makes the number that was seen the one that was typed."""
    if seen == typed:
        return
    found = sa.update(Product).where(Product.id == product.id)
    if typed is None:
        counted = found.values(stock=None)
    elif seen is None:
        counted = found.where(Product.stock.is_(None)).values(stock=typed)
    else:
        after = Product.stock + (typed - seen)
        counted = found.where(after.between(0, MOST_STOCK)).values(stock=after)
    done = db.session.execute(counted.execution_options(synchronize_session=False))
    if done.rowcount != 1:  # type: ignore[attr-defined]
        left = db.session.scalar(select(Product.stock).where(Product.id == product.id))
        if seen is None or left is None:
            raise optimistic_lock.edit_conflict()
        raise NotEnoughLeft(_("Only %(left)d are left now. Reload the page and check the stock."), left=left)
    db.session.expire(product, ["stock"])
    audit.record("product.counted", subject=product, actor=actor, before=seen, after=typed)


# --- addresses --------------------------------------------------------------------------------------------------------


def slug_of(text: str) -> str:
    """A text as an address has it: small letters without accents, digits, hyphens; empty when nothing is left."""
    plain = unicodedata.normalize("NFKD", text.replace("’", "").replace("'", "")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:SLUG_LENGTH].strip("-")


def free_slug(name: str, model: type[Product] | type[Category] | type[Collection]) -> str:
    """An address for a name that no row of a kind has yet."""
    slug = slug_of(name) or new_token().lower()
    is_taken = db.session.scalar(select(model.id).where(model.slug == slug)) is not None
    return f"{slug[: SLUG_LENGTH - 20]}-{new_token().lower()}" if is_taken else slug
