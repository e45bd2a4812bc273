"""Pictures of a product, the first of which is the main one, and the options buyers can fill in."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import DomainError
from ...errors import mark as _
from ...models import OptionKind, Product, ProductOption, ProductPicture, User
from ...models.products import SLUG_LENGTH
from ...slugs import slugify
from ..core import audit, optimistic_lock, rows, uploads
from . import customization, option_templates

MAX_PICTURES = 20
MAX_OPTIONS = 20
MAX_KEY_LENGTH = 40
KINDS_WITH_CHOICES = (OptionKind.CHOICE, OptionKind.COLOR)


class LimitExceeded(DomainError):
    """The product has as many pictures or options as it can have."""

    status = 422


class InvalidOption(DomainError):
    """The submitted values are not a valid option."""

    status = 422


# --- pictures ---------------------------------------------------------------------------------------------------------


def check_picture_count(product: Product, added: int) -> None:
    """Raise `LimitExceeded` if the added pictures exceed the product's maximum."""
    if len(product.pictures) + added > MAX_PICTURES:
        raise LimitExceeded(_("A product can have up to %(most)d images."), field="pictures", most=MAX_PICTURES)


def add_pictures(product: Product, names: Sequence[str], actor: User) -> None:
    """Append stored uploads to the pictures of a product; raise `LimitExceeded`."""
    existing = {picture.name for picture in product.pictures}
    new_names = [name for name in dict.fromkeys(names) if name not in existing]
    check_picture_count(product, len(new_names))
    position = 1 + max((picture.position for picture in product.pictures), default=-1)
    product.pictures.extend(
        ProductPicture(name=name, alt="", position=position + index) for index, name in enumerate(new_names)
    )
    if new_names:
        audit.record("product.picture_added", subject=product, actor=actor, pictures=new_names)


def get_picture(product: Product, picture_id: int) -> ProductPicture:
    """Return a picture of a product; raise `RowNotFound`, also for one of another product."""
    return rows.get(ProductPicture, picture_id, product_id=product.id)


def set_alt_text(product: Product, picture: ProductPicture, alt: str, actor: User) -> None:
    """Store the alternative text of a picture."""
    if picture.alt != alt:
        picture.alt = alt
        audit.record("product.picture_described", subject=product, actor=actor, picture=picture.name)


def move_picture(product: Product, picture: ProductPicture, by: int, actor: User) -> None:
    """Move a picture by a number of places."""
    rows.set_positions(rows.reordered(product.pictures, picture, by))
    audit.record("product.pictures_arranged", subject=product, actor=actor)


def remove_picture(product: Product, picture: ProductPicture, actor: User) -> None:
    """Remove a picture; its file is deleted once nothing refers to it, not even an order."""
    product.pictures.remove(picture)
    uploads.schedule_deletion([picture.name], actor.id)
    audit.record("product.picture_removed", subject=product, actor=actor, picture=picture.name)


# --- options ----------------------------------------------------------------------------------------------------------


def get_option(product: Product, option_id: int) -> ProductOption:
    """Return an option of a product; raise `RowNotFound`, also for one of another product."""
    return rows.get(ProductOption, option_id, product_id=product.id)


def add_option(product: Product, submitted: Mapping[str, Any], actor: User) -> ProductOption:
    """Add an option; raise `InvalidOption` or `LimitExceeded`."""
    if len(product.options) >= MAX_OPTIONS:
        raise LimitExceeded(_("A product can have up to %(most)d options."), most=MAX_OPTIONS)
    position = 1 + max((option.position for option in product.options), default=-1)
    option = ProductOption(**_clean_option(submitted), key=_unused_key(product, submitted["label"]), position=position)
    product.options.append(option)
    audit.record("product.option_added", subject=product, actor=actor, label=option.label)
    return option


def change_option(
    product: Product, option: ProductOption, submitted: Mapping[str, Any], seen_fingerprint: str, actor: User
) -> None:
    """Change an option; carts validate their answers again. Raise `InvalidOption` or `EditConflict`."""
    optimistic_lock.lock_unchanged(option, seen_fingerprint)
    for name, value in _clean_option(submitted).items():
        setattr(option, name, value)
    audit.record("product.option_changed", subject=product, actor=actor, label=option.label)


def move_option(product: Product, option: ProductOption, by: int, actor: User) -> None:
    """Move an option by a number of places."""
    rows.set_positions(rows.reordered(product.options, option, by))
    audit.record("product.options_arranged", subject=product, actor=actor)


def remove_option(product: Product, option: ProductOption, actor: User) -> None:
    """Remove an option; orders keep the answers."""
    product.options.remove(option)
    audit.record("product.option_removed", subject=product, actor=actor, label=option.label)


def apply_option_template(product: Product, name: str, actor: User) -> int:
    """Add the options of a template that the product lacks; return how many were added."""
    added = option_templates.apply(option_templates.TEMPLATES[name], product)
    if added:
        audit.record("product.option_added", subject=product, actor=actor, set=name, number=len(added))
    return len(added)


def _clean_option(submitted: Mapping[str, Any]) -> dict[str, Any]:
    values = dict(submitted)
    kind = values["kind"]
    if kind not in KINDS_WITH_CHOICES:
        values["choices"] = []
    elif kind is OptionKind.CHOICE and len(values["choices"]) < 2:
        raise InvalidOption(_("Enter at least two choices, one per line."), field="choices")
    if kind in (OptionKind.PICTURE, OptionKind.PHONE, OptionKind.CHOICE) or values["choices"]:
        values["max_length"] = None
    elif (values["max_length"] or 0) > customization.MAX_LENGTHS.get(kind, 100) * 2:
        max_length = customization.MAX_LENGTHS.get(kind, 100) * 2
        raise InvalidOption(_("Enter a limit of %(most)d characters or fewer."), field="max_length", most=max_length)
    return values


def _unused_key(product: Product, label: str) -> str:
    """Return a key made of the label's letters, with a letter appended if it is taken."""
    existing = {option.key for option in product.options}
    key = re.sub(r"[^a-z]+", "_", slugify(label, SLUG_LENGTH)).strip("_")[: MAX_KEY_LENGTH - 3].strip("_") or "option"
    candidates = (key, *(f"{key}_{chr(ord('a') + index)}" for index in range(26)))
    return next(candidate for candidate in candidates if candidate not in existing)
