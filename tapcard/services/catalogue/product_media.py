"""What belongs to a product: its pictures, the first of which is the main one, and what its buyers may say."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import DomainError
from ...errors import mark as _
from ...models import OptionKind, Product, ProductOption, ProductPicture, User
from ..core import audit, optimistic_lock, rows, uploads
from . import customization, option_templates
from .products import slug_of

MOST_PICTURES = 20
MOST_OPTIONS = 20
KEY_LENGTH = 40
WITH_CHOICES = (OptionKind.CHOICE, OptionKind.COLOR)


class TooMany(DomainError):
    """A product with more would be looked at by nobody."""

    status = 422


class BadOption(DomainError):
    """What was typed cannot be an option."""

    status = 422


# --- pictures ---------------------------------------------------------------------------------------------------------


def refuse_many_pictures(product: Product, more: int) -> None:
    """Raise `TooMany` if a product may not have so many pictures more."""
    if len(product.pictures) + more > MOST_PICTURES:
        raise TooMany(_("A product can have up to %(most)d images."), field="pictures", most=MOST_PICTURES)


def add_pictures(product: Product, names: Sequence[str], actor: User) -> None:
    """Put stored uploads behind the pictures a product has; raises `TooMany`."""
    shown = {each.name for each in product.pictures}
    fresh = [name for name in dict.fromkeys(names) if name not in shown]
    refuse_many_pictures(product, len(fresh))
    place = 1 + max((each.position for each in product.pictures), default=-1)
    product.pictures.extend(
        ProductPicture(name=name, alt="", position=place + number) for number, name in enumerate(fresh)
    )
    if fresh:
        audit.record("product.picture_added", subject=product, actor=actor, pictures=fresh)


def picture_of(product: Product, picture_id: int) -> ProductPicture:
    """A picture of a product; one of another product does not exist."""
    return rows.get(ProductPicture, picture_id, product_id=product.id)


def describe(product: Product, picture: ProductPicture, alt: str, actor: User) -> None:
    """Say what a picture shows, for those who do not see it."""
    if picture.alt != alt:
        picture.alt = alt
        audit.record("product.picture_described", subject=product, actor=actor, picture=picture.name)


def move_picture(product: Product, picture: ProductPicture, by: int, actor: User) -> None:
    """Put a picture so many places further on."""
    rows.set_positions(rows.reordered(product.pictures, picture, by))
    audit.record("product.pictures_arranged", subject=product, actor=actor)


def remove_picture(product: Product, picture: ProductPicture, actor: User) -> None:
    """Take a picture off a product; its file goes once nothing shows it, not even an order."""
    product.pictures.remove(picture)
    uploads.schedule_deletion([picture.name], actor.id)
    audit.record("product.picture_removed", subject=product, actor=actor, picture=picture.name)


# --- options ----------------------------------------------------------------------------------------------------------


def option_of(product: Product, option_id: int) -> ProductOption:
    """An option of a product; one of another product does not exist."""
    return rows.get(ProductOption, option_id, product_id=product.id)


def add_option(product: Product, typed: Mapping[str, Any], actor: User) -> ProductOption:
    """Ask buyers one thing more; raises `BadOption` or `TooMany`."""
    if len(product.options) >= MOST_OPTIONS:
        raise TooMany(_("A product can have up to %(most)d options."), most=MOST_OPTIONS)
    place = 1 + max((each.position for each in product.options), default=-1)
    option = ProductOption(**_cleaned(typed), key=_free_key(product, typed["label"]), position=place)
    product.options.append(option)
    audit.record("product.option_added", subject=product, actor=actor, label=option.label)
    return option


def change_option(product: Product, option: ProductOption, typed: Mapping[str, Any], seen: str, actor: User) -> None:
    """Ask it otherwise; answers that lie in carts are looked at again there. Raises `BadOption`, `EditConflict`."""
    optimistic_lock.lock_unchanged(option, seen)
    for name, value in _cleaned(typed).items():
        setattr(option, name, value)
    audit.record("product.option_changed", subject=product, actor=actor, label=option.label)


def move_option(product: Product, option: ProductOption, by: int, actor: User) -> None:
    """Ask it so many places later."""
    rows.set_positions(rows.reordered(product.options, option, by))
    audit.record("product.options_arranged", subject=product, actor=actor)


def remove_option(product: Product, option: ProductOption, actor: User) -> None:
    """Ask it no more; orders keep what was answered."""
    product.options.remove(option)
    audit.record("product.option_removed", subject=product, actor=actor, label=option.label)


def apply_set(product: Product, name: str, actor: User) -> int:
    """Ask everything of a set that is not asked yet; tells how many questions were added."""
    added = option_templates.apply(option_templates.SETS[name], product)
    if added:
        audit.record("product.option_added", subject=product, actor=actor, set=name, number=len(added))
    return len(added)


def _cleaned(typed: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(typed)
    kind = values["kind"]
    if kind not in WITH_CHOICES:
        values["choices"] = []
    elif kind is OptionKind.CHOICE and len(values["choices"]) < 2:
        raise BadOption(_("Enter at least two choices, one per line."), field="choices")
    if kind in (OptionKind.PICTURE, OptionKind.PHONE, OptionKind.CHOICE) or values["choices"]:
        values["max_length"] = None
    elif (values["max_length"] or 0) > customization.LONGEST.get(kind, 100) * 2:
        most = customization.LONGEST.get(kind, 100) * 2
        raise BadOption(_("Enter a limit of %(most)d characters or fewer."), field="max_length", most=most)
    return values


def _free_key(product: Product, label: str) -> str:
    """The name of its field: what the label says in a to z, with a number behind where it is taken."""
    taken = {each.key for each in product.options}
    key = re.sub(r"[^a-z]+", "_", slug_of(label)).strip("_")[: KEY_LENGTH - 3].strip("_") or "option"
    letters = (key, *(f"{key}_{chr(ord('a') + number)}" for number in range(26)))
    return next(each for each in letters if each not in taken)
