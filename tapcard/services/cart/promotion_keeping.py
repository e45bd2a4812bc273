"""Promotions as staff keep them: made, changed, switched off; how often one was used is counted by orders alone."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...models import Category, Collection, Product, Promotion, PromotionScope, User
from ..core import audit, optimistic_lock

CODE = re.compile(r"[0-9A-Z_-]{2,40}")
NAMED = {
    PromotionScope.CATEGORY: ("category", Category),
    PromotionScope.COLLECTION: ("collection", Collection),
}


class BadPromotion(DomainError):
    """What was typed cannot be a promotion."""

    status = 422


class CodeTaken(DomainError):
    """There is a promotion of this code."""

    field = "code"


def listed() -> Select[Promotion]:
    """All promotions, the newest first."""
    named = (joinedload(Promotion.category), joinedload(Promotion.collection), joinedload(Promotion.product))
    return select(Promotion).options(*named).order_by(Promotion.id.desc())


def create(typed: Mapping[str, Any], actor: User) -> Promotion:
    """Make a promotion; raises `BadPromotion` or `CodeTaken`."""
    promotion = Promotion()
    _save(promotion, _cleaned(typed, None))
    audit.record("promotion.made", subject=promotion, actor=actor, code=promotion.code)
    return promotion


def change(promotion: Promotion, typed: Mapping[str, Any], version: int, actor: User) -> None:
    """Store what was typed over the version that was seen; raises what making one does, and `EditConflict`."""
    if promotion.version != version:
        raise optimistic_lock.edit_conflict()
    values = _cleaned(typed, promotion)
    fields = sorted(name for name, value in values.items() if getattr(promotion, name) != value)
    if fields:
        _save(promotion, values)
        audit.record("promotion.changed", subject=promotion, actor=actor, fields=fields)


def _cleaned(typed: Mapping[str, Any], promotion: Promotion | None) -> dict[str, Any]:
    values = dict(typed)
    values["code"] = code = "".join(values["code"].split()).upper()
    if not CODE.fullmatch(code):
        raise BadPromotion(_("Use 2 to 40 unaccented letters, numbers, hyphens and underscores."), field="code")
    if (values["percent"] is None) == (values["amount"] is None):
        raise BadPromotion(_("Enter either a percentage or an amount."), field="percent")
    starts, ends = values["starts_at"], values["ends_at"]
    if starts is not None and ends is not None and starts >= ends:
        raise BadPromotion(_("Choose an end date after the start date."), field="ends_at")
    values |= _scope(values["applies_to"], values)
    values.pop("product_sku", None)
    own_id = promotion.id if promotion is not None else 0
    if db.session.scalar(select(Promotion.id).where(Promotion.code == code, Promotion.id != own_id)) is not None:
        raise _taken()
    return values


def _scope(scope: PromotionScope, values: Mapping[str, Any]) -> dict[str, int | None]:
    """The one row that a promotion is for; what else was chosen counts for nothing."""
    found: dict[str, int | None] = dict.fromkeys(("category_id", "collection_id", "product_id"))
    if scope in NAMED:
        name, model = NAMED[scope]
        number = values[f"{name}_id"]
        if number is None or db.session.get(model, number) is None:
            raise BadPromotion(_("Choose what it applies to."), field=name)
        found[f"{name}_id"] = number
    if scope is PromotionScope.PRODUCT:
        product_id = db.session.scalar(select(Product.id).where(Product.sku == values["product_sku"]))
        if product_id is None:
            raise BadPromotion(_("No product has that SKU. Check the spelling."), field="product_sku")
        found["product_id"] = product_id
    return found


def _save(promotion: Promotion, values: Mapping[str, Any]) -> None:
    """Store a promotion now, to know whether somebody was faster."""
    try:
        with db.session.begin_nested():
            for name, value in values.items():
                setattr(promotion, name, value)
            db.session.add(promotion)
    except IntegrityError:
        raise _taken() from None
    except StaleDataError:
        raise optimistic_lock.edit_conflict() from None


def _taken() -> CodeTaken:
    return CodeTaken(_("Another promotion uses that code. Enter a different one."))
