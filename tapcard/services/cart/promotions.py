"""Promotions: which code may lower which cart, and how often. A use is counted when an order is placed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.exc import StaleDataError

from ...db import db, insert
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import (
    Category,
    Collection,
    Product,
    Promotion,
    PromotionCustomer,
    PromotionScope,
    User,
    product_collections,
)
from ...models.promotions import CODE_LENGTH
from ...money import Money
from ..catalogue import categories
from ..core import audit, optimistic_lock

PURPOSE = "promotion_customer"


class PromotionRefused(DomainError):
    """The code cannot be used here and now; the sentence says why."""

    status = 422
    field = "code"


class UnknownCode(PromotionRefused):
    """There is no such promotion."""


class NotStarted(PromotionRefused):
    """It has not begun."""


class Expired(PromotionRefused):
    """It has ended."""


class MinimumNotMet(PromotionRefused):
    """The cart is too small."""


class NothingToPromote(PromotionRefused):
    """The cart holds nothing that it makes cheaper."""


class LoginRequired(PromotionRefused):
    """It is for people with an account."""


class UsedUp(PromotionRefused):
    """It has been used as often as it may be."""


class UsedByCustomer(PromotionRefused):
    """This customer has used it as often as they may."""


@dataclass(frozen=True)
class Customer:
    """Who uses a promotion: somebody with an account, or a guest with an address; None while nobody is known."""

    user: User | None = None
    email: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """What this customer is counted by: their account, and their address without what follows a plus."""
        found = [f"user:{self.user.id}"] if self.user is not None else []
        for email in {self.email, self.user.email if self.user is not None else None} - {None}:
            local, _at, domain = str(email).strip().lower().rpartition("@")
            found.append(f"email:{local.partition('+')[0]}@{domain}")
        return tuple(sorted(found))


def find(typed: str) -> Promotion:
    """The promotion of a code, in any case of letters; raises `UnknownCode`. No other setting of the shop is one."""
    code = "".join(typed.split()).upper()
    promotion = None
    if 0 < len(code) <= CODE_LENGTH and code.isprintable():
        wanted = select(Promotion).where(Promotion.code == code, Promotion.is_active)
        promotion = db.session.scalar(wanted.options(joinedload(Promotion.category)))
    if promotion is None:
        raise UnknownCode(_("That code isn't valid. Check the spelling."))
    return promotion


def check(
    promotion: Promotion, products: Sequence[Product | None], subtotal: Money, customer: Customer, keys: Keys,
    now: datetime, locale: str, *, is_counted: bool = False,
) -> list[bool]:  # fmt: skip
    """Say of each product whether a promotion makes it cheaper; what is counted is only looked at.

    Raises the `PromotionRefused` that says why it cannot lower a cart.
    `is_counted`: an order of this very cart that waits to be paid holds a use already.
    """
    if not promotion.is_active:
        raise UnknownCode(_("That code isn't valid. Check the spelling."))
    if promotion.starts_at is not None and now < promotion.starts_at:
        raise NotStarted(_("This code isn't active yet."))
    if promotion.ends_at is not None and now >= promotion.ends_at:
        raise Expired(_("This code has expired."))
    if promotion.needs_account and customer.user is None:
        raise LoginRequired(_("This code is only for customers with an account. Log in first, then enter it again."))
    if not is_counted:
        _check_uses(promotion, customer, keys)
    if subtotal.amount < promotion.minimum_amount:
        least = Money(promotion.minimum_amount, subtotal.currency)
        raise MinimumNotMet(_("Spend at least %(least)s to use this code."), least=least.format(locale))
    cheaper = is_promoted(promotion, products)
    if not any(cheaper):
        raise NothingToPromote(_("This code doesn't apply to anything in your cart."))
    return cheaper


def _check_uses(promotion: Promotion, customer: Customer, keys: Keys) -> None:
    if promotion.most_uses is not None and promotion.use_count >= promotion.most_uses:
        raise _used_up()
    if promotion.most_uses_each is not None and _use_count(promotion, customer, keys) >= promotion.most_uses_each:
        raise _used_by_you()


def is_promoted(promotion: Promotion, products: Sequence[Product | None]) -> list[bool]:
    """Say of each product whether a promotion makes it cheaper; None stands for an activation."""
    if promotion.applies_to is PromotionScope.ALL:
        return [True] * len(products)
    if promotion.applies_to is PromotionScope.PRODUCT:
        return [product is not None and product.id == promotion.product_id for product in products]
    if promotion.applies_to is PromotionScope.CATEGORY:
        shelves = categories.descendant_ids(promotion.category_id)
        return [product is not None and product.category_id in shelves for product in products]
    theirs = {product.id for product in products if product is not None}
    inside = set(
        db.session.scalars(
            select(product_collections.c.product_id).where(
                product_collections.c.collection_id == promotion.collection_id,
                product_collections.c.product_id.in_(theirs),
            )
        )
    )
    return [product is not None and product.id in inside for product in products]


# --- counting ---------------------------------------------------------------------------------------------------------


def count_use(promotion: Promotion, customer: Customer, keys: Keys, now: datetime) -> list[str]:
    """Count one use, if there is room: one conditional statement for all uses, one for each name of the customer.

    Gives what the customer is counted by (keyed hashes), so that this very use can be given back. Raises `UsedUp`,
    `UsedByCustomer` or `Expired`.
    """
    has_room = sa.or_(Promotion.most_uses.is_(None), Promotion.use_count < Promotion.most_uses)
    is_on = sa.and_(Promotion.is_active, sa.or_(Promotion.ends_at.is_(None), Promotion.ends_at > now))
    taken = db.session.execute(
        sa.update(Promotion)
        .where(Promotion.id == promotion.id, has_room, is_on)
        .values(use_count=Promotion.use_count + 1)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        db.session.refresh(promotion)
        if promotion.most_uses is not None and promotion.use_count >= promotion.most_uses:
            raise _used_up()
        raise Expired(_("This code has expired."))
    counted = [_count_use_of(promotion, name, keys) for name in customer.names]
    db.session.refresh(promotion)
    return counted


def customer_digests(customer: Customer, keys: Keys) -> list[str]:
    """What a customer is counted by under today's key."""
    return [keys.digests(PURPOSE, name)[0] for name in customer.names]


def uncount_use(promotion_id: int, counted: Sequence[str]) -> None:
    """Take a use back, because its order came to nothing."""
    db.session.execute(
        sa.update(Promotion)
        .where(Promotion.id == promotion_id, Promotion.use_count > 0)
        .values(use_count=Promotion.use_count - 1)
        .execution_options(synchronize_session=False)
    )
    theirs = (PromotionCustomer.promotion_id == promotion_id, PromotionCustomer.customer.in_(counted))
    db.session.execute(
        sa.update(PromotionCustomer)
        .where(*theirs, PromotionCustomer.use_count > 0)
        .values(use_count=PromotionCustomer.use_count - 1)
        .execution_options(synchronize_session=False)
    )


def _count_use_of(promotion: Promotion, name: str, keys: Keys) -> str:
    newest, *older = keys.digests(PURPOSE, name)
    counter = PromotionCustomer.__table__.c
    before = 0  # under former keys
    if older:
        theirs = sa.and_(counter.promotion_id == promotion.id, counter.customer.in_(older))
        before = db.session.scalar(select(sa.func.coalesce(sa.func.sum(counter.use_count), 0)).where(theirs)) or 0
    fresh = insert(PromotionCustomer).values(promotion_id=promotion.id, customer=newest, use_count=1)
    limit = promotion.most_uses_each
    if limit is not None and before >= limit:
        raise _used_by_you()
    counted = db.session.execute(
        fresh.on_conflict_do_update(
            index_elements=["promotion_id", "customer"],
            set_={"use_count": counter.use_count + 1},
            where=sa.true() if limit is None else counter.use_count + before < limit,
        )
        .returning(counter.use_count)
        .execution_options(synchronize_session=False)
    )
    if counted.scalar_one_or_none() is None:
        raise _used_by_you()
    return newest


def _use_count(promotion: Promotion, customer: Customer, keys: Keys) -> int:
    """How often the customer has used it, by whichever of their names says more."""
    names = {digest: name for name in customer.names for digest in keys.digests(PURPOSE, name)}
    uses = select(PromotionCustomer.customer, PromotionCustomer.use_count)
    found = dict.fromkeys(names.values(), 0)
    for digest, count in db.session.execute(uses.where(*_customer_filter(promotion.id, customer.names, keys))):
        found[names[digest]] += count
    return max(found.values(), default=0)


def _customer_filter(promotion_id: int, names: Iterable[str], keys: Keys) -> tuple[sa.ColumnElement[bool], ...]:
    digests = [digest for name in names for digest in keys.digests(PURPOSE, name)]
    return (
        PromotionCustomer.promotion_id == promotion_id,
        PromotionCustomer.customer.in_(digests),
        PromotionCustomer.use_count > 0,
    )


def _used_up() -> UsedUp:
    return UsedUp(_("This code has reached its usage limit."))


def _used_by_you() -> UsedByCustomer:
    return UsedByCustomer(_("You've already used this code."))


CODE = re.compile(r"[0-9A-Z_-]{2,40}")


NAMED = {
    PromotionScope.CATEGORY: ("category", Category),
    PromotionScope.COLLECTION: ("collection", Collection),
}


class InvalidPromotion(DomainError):
    """What was typed cannot be a promotion."""

    status = 422


class CodeTaken(DomainError):
    """There is a promotion of this code."""

    field = "code"


def all_promotions() -> Select[Promotion]:
    """All promotions, the newest first."""
    named = (joinedload(Promotion.category), joinedload(Promotion.collection), joinedload(Promotion.product))
    return select(Promotion).options(*named).order_by(Promotion.id.desc())


def create(typed: Mapping[str, Any], actor: User) -> Promotion:
    """Make a promotion; raises `InvalidPromotion` or `CodeTaken`."""
    promotion = Promotion()
    _save(promotion, _cleaned(typed, None))
    audit.record("promotion.made", subject=promotion, actor=actor, code=promotion.code)
    return promotion


def change(promotion: Promotion, typed: Mapping[str, Any], version: int, actor: User) -> None:
    """Store what was typed over the version that was seen; raises what making one does, and `ChangedMeanwhile`."""
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
        raise InvalidPromotion(_("Use 2 to 40 unaccented letters, numbers, hyphens and underscores."), field="code")
    if (values["percent"] is None) == (values["amount"] is None):
        raise InvalidPromotion(_("Enter either a percentage or an amount."), field="percent")
    starts, ends = values["starts_at"], values["ends_at"]
    if starts is not None and ends is not None and starts >= ends:
        raise InvalidPromotion(_("Choose an end date after the start date."), field="ends_at")
    values |= _scope(values["applies_to"], values)
    values.pop("product_sku", None)
    own_id = promotion.id if promotion is not None else 0
    if db.session.scalar(select(Promotion.id).where(Promotion.code == code, Promotion.id != own_id)) is not None:
        raise _code_taken()
    return values


def _scope(scope: PromotionScope, values: Mapping[str, Any]) -> dict[str, int | None]:
    """The one row that a promotion is for; what else was chosen counts for nothing."""
    found: dict[str, int | None] = dict.fromkeys(("category_id", "collection_id", "product_id"))
    if scope in NAMED:
        name, model = NAMED[scope]
        number = values[f"{name}_id"]
        if number is None or db.session.get(model, number) is None:
            raise InvalidPromotion(_("Choose what it applies to."), field=name)
        found[f"{name}_id"] = number
    if scope is PromotionScope.PRODUCT:
        product_id = db.session.scalar(select(Product.id).where(Product.sku == values["product_sku"]))
        if product_id is None:
            raise InvalidPromotion(_("No product has that SKU. Check the spelling."), field="product_sku")
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
        raise _code_taken() from None
    except StaleDataError:
        raise optimistic_lock.edit_conflict() from None


def _code_taken() -> CodeTaken:
    return CodeTaken(_("Another promotion uses that code. Enter a different one."))
