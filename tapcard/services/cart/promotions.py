"""Promotions: editing, checking and counting them. A use is counted when an order is placed."""

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

from ...context import RuleContext
from ...db import db, execute_update, insert
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
from ...models.promotions import MAX_CODE_LENGTH
from ...money import Money
from ..catalogue import categories
from ..core import audit, optimistic_lock

PURPOSE = "promotion_customer"


class PromotionRefused(DomainError):
    """The code does not apply; the message says why."""

    status = 422
    field = "code"


class UnknownCode(PromotionRefused):
    """No active promotion has this code."""


class NotStarted(PromotionRefused):
    """The promotion has not started."""


class Expired(PromotionRefused):
    """The promotion has ended."""


class MinimumNotMet(PromotionRefused):
    """The subtotal is too small."""


class NothingToPromote(PromotionRefused):
    """The promotion applies to nothing in the cart."""


class LoginRequired(PromotionRefused):
    """The promotion is for people with an account."""


class UsedUp(PromotionRefused):
    """The promotion has reached its usage limit."""


class UsedByCustomer(PromotionRefused):
    """The customer has reached the limit of uses."""


@dataclass(frozen=True)
class Customer:
    """A user of promotions: an account, or a guest with an email address; both None while unknown."""

    user: User | None = None
    email: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names a use is counted by: the account, and the email address without its plus part."""
        names = [f"user:{self.user.id}"] if self.user is not None else []
        for email in {self.email, self.user.email if self.user is not None else None} - {None}:
            local, _at, domain = str(email).strip().lower().rpartition("@")
            names.append(f"email:{local.partition('+')[0]}@{domain}")
        return tuple(sorted(names))


def find(code: str) -> Promotion:
    """Return the active promotion with a code, in upper or lower case; raises `UnknownCode`."""
    code = "".join(code.split()).upper()
    promotion = None
    if 0 < len(code) <= MAX_CODE_LENGTH and code.isprintable():
        query = select(Promotion).where(Promotion.code == code, Promotion.is_active)
        promotion = db.session.scalar(query.options(joinedload(Promotion.category)))
    if promotion is None:
        raise UnknownCode(_("That code isn't valid. Check the spelling."))
    return promotion


def check(
    promotion: Promotion,
    products: Sequence[Product | None],
    subtotal: Money,
    customer: Customer,
    context: RuleContext,
    *,
    is_counted: bool = False,
) -> list[bool]:
    """Return for each product whether the promotion applies to it; counts nothing.

    `subtotal` in the shop's currency; `is_counted`: an unpaid order of this cart holds a use already. Raises the
    `PromotionRefused` that says why the code does not apply.
    """
    if not promotion.is_active:
        raise UnknownCode(_("That code isn't valid. Check the spelling."))
    if promotion.starts_at is not None and context.now < promotion.starts_at:
        raise NotStarted(_("This code isn't active yet."))
    if promotion.ends_at is not None and context.now >= promotion.ends_at:
        raise Expired(_("This code has expired."))
    if promotion.needs_account and customer.user is None:
        raise LoginRequired(_("This code is only for customers with an account. Log in first, then enter it again."))
    if not is_counted:
        _check_uses(promotion, customer, context.keys)
    if subtotal.amount < promotion.minimum_amount:
        least = Money(promotion.minimum_amount, subtotal.currency)
        raise MinimumNotMet(_("Spend at least %(least)s to use this code."), least=least.format(context.shop.locale))
    flags = promoted_flags(promotion, products)
    if not any(flags):
        raise NothingToPromote(_("This code doesn't apply to anything in your cart."))
    return flags


def _check_uses(promotion: Promotion, customer: Customer, keys: Keys) -> None:
    if promotion.most_uses is not None and promotion.use_count >= promotion.most_uses:
        raise _used_up()
    if promotion.most_uses_each is not None and _use_count(promotion, customer, keys) >= promotion.most_uses_each:
        raise _used_by_customer()


def promoted_flags(promotion: Promotion, products: Sequence[Product | None]) -> list[bool]:
    """Return for each product whether the promotion applies to it; None stands for an activation."""
    if promotion.applies_to is PromotionScope.ALL:
        return [True] * len(products)
    if promotion.applies_to is PromotionScope.PRODUCT:
        return [product is not None and product.id == promotion.product_id for product in products]
    if promotion.applies_to is PromotionScope.CATEGORY:
        category_ids = categories.descendant_ids(promotion.category_id)
        return [product is not None and product.category_id in category_ids for product in products]
    product_ids = {product.id for product in products if product is not None}
    collected_ids = set(
        db.session.scalars(
            select(product_collections.c.product_id).where(
                product_collections.c.collection_id == promotion.collection_id,
                product_collections.c.product_id.in_(product_ids),
            )
        )
    )
    return [product is not None and product.id in collected_ids for product in products]


# --- use counts -------------------------------------------------------------------------------------------------------


def count_use(promotion: Promotion, customer: Customer, keys: Keys, now: datetime) -> list[str]:
    """Count one use by conditional statements, for the promotion and for each name of the customer.

    Return the keyed hashes the use is counted by, to be stored for `uncount_use`. Raises `UsedUp`, `UsedByCustomer` or
    `Expired`.
    """
    has_room = sa.or_(Promotion.most_uses.is_(None), Promotion.use_count < Promotion.most_uses)
    is_running = sa.and_(Promotion.is_active, sa.or_(Promotion.ends_at.is_(None), Promotion.ends_at > now))
    changed = execute_update(
        sa.update(Promotion)
        .where(Promotion.id == promotion.id, has_room, is_running)
        .values(use_count=Promotion.use_count + 1)
    )
    if changed != 1:
        db.session.refresh(promotion)
        if promotion.most_uses is not None and promotion.use_count >= promotion.most_uses:
            raise _used_up()
        raise Expired(_("This code has expired."))
    counted = [_count_use_of(promotion, name, keys) for name in customer.names]
    db.session.refresh(promotion)
    return counted


def customer_digests(customer: Customer, keys: Keys) -> list[str]:
    """Return the keyed hashes a customer is counted by under the newest key."""
    return [keys.digests(PURPOSE, name)[0] for name in customer.names]


def uncount_use(promotion_id: int, counted: Sequence[str]) -> None:
    """Release a use when its order ends unpaid."""
    db.session.execute(
        sa.update(Promotion)
        .where(Promotion.id == promotion_id, Promotion.use_count > 0)
        .values(use_count=Promotion.use_count - 1)
        .execution_options(synchronize_session=False)
    )
    is_counted = (PromotionCustomer.promotion_id == promotion_id, PromotionCustomer.customer.in_(counted))
    db.session.execute(
        sa.update(PromotionCustomer)
        .where(*is_counted, PromotionCustomer.use_count > 0)
        .values(use_count=PromotionCustomer.use_count - 1)
        .execution_options(synchronize_session=False)
    )


def _count_use_of(promotion: Promotion, name: str, keys: Keys) -> str:
    newest, *older = keys.digests(PURPOSE, name)
    counter = PromotionCustomer.__table__.c
    former_count = 0  # hashed with former keys
    if older:
        is_former = sa.and_(counter.promotion_id == promotion.id, counter.customer.in_(older))
        former_count = (
            db.session.scalar(select(sa.func.coalesce(sa.func.sum(counter.use_count), 0)).where(is_former)) or 0
        )
    statement = insert(PromotionCustomer).values(promotion_id=promotion.id, customer=newest, use_count=1)
    limit = promotion.most_uses_each
    if limit is not None and former_count >= limit:
        raise _used_by_customer()
    result = db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["promotion_id", "customer"],
            set_={"use_count": counter.use_count + 1},
            where=sa.true() if limit is None else counter.use_count + former_count < limit,
        )
        .returning(counter.use_count)
        .execution_options(synchronize_session=False)
    )
    if result.scalar_one_or_none() is None:
        raise _used_by_customer()
    return newest


def _use_count(promotion: Promotion, customer: Customer, keys: Keys) -> int:
    """Return how often the customer has used the promotion, by the name with most uses."""
    names = {digest: name for name in customer.names for digest in keys.digests(PURPOSE, name)}
    uses = select(PromotionCustomer.customer, PromotionCustomer.use_count)
    counts = dict.fromkeys(names.values(), 0)
    for digest, count in db.session.execute(uses.where(*_customer_filter(promotion.id, customer.names, keys))):
        counts[names[digest]] += count
    return max(counts.values(), default=0)


def _customer_filter(promotion_id: int, names: Iterable[str], keys: Keys) -> tuple[sa.ColumnElement[bool], ...]:
    digests = [digest for name in names for digest in keys.digests(PURPOSE, name)]
    return (
        PromotionCustomer.promotion_id == promotion_id,
        PromotionCustomer.customer.in_(digests),
        PromotionCustomer.use_count > 0,
    )


def _used_up() -> UsedUp:
    return UsedUp(_("This code has reached its usage limit."))


def _used_by_customer() -> UsedByCustomer:
    return UsedByCustomer(_("You've already used this code."))


CODE = re.compile(r"[0-9A-Z_-]{2,40}")


NAMED = {
    PromotionScope.CATEGORY: ("category", Category),
    PromotionScope.COLLECTION: ("collection", Collection),
}


class InvalidPromotion(DomainError):
    """The values are not a valid promotion."""

    status = 422


class CodeTaken(DomainError):
    """Another promotion has this code."""

    field = "code"


def all_promotions() -> Select[Promotion]:
    """Return the query for all promotions, newest first."""
    named = (joinedload(Promotion.category), joinedload(Promotion.collection), joinedload(Promotion.product))
    return select(Promotion).options(*named).order_by(Promotion.id.desc())


def create(submitted: Mapping[str, Any], actor: User) -> Promotion:
    """Create a promotion; raises `InvalidPromotion` or `CodeTaken`."""
    promotion = Promotion()
    _save(promotion, _clean_values(submitted, None))
    audit.record("promotion.made", subject=promotion, actor=actor, code=promotion.code)
    return promotion


def change(promotion: Promotion, submitted: Mapping[str, Any], version: int, actor: User) -> None:
    """Update the version of a promotion that staff saw; raises what `create` raises, or `EditConflict`."""
    if promotion.version != version:
        raise optimistic_lock.edit_conflict()
    values = _clean_values(submitted, promotion)
    fields = sorted(name for name, value in values.items() if getattr(promotion, name) != value)
    if fields:
        _save(promotion, values)
        audit.record("promotion.changed", subject=promotion, actor=actor, fields=fields)


def _clean_values(submitted: Mapping[str, Any], promotion: Promotion | None) -> dict[str, Any]:
    values = dict(submitted)
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
    """Return the category, collection or product that the promotion applies to."""
    scope_ids: dict[str, int | None] = dict.fromkeys(("category_id", "collection_id", "product_id"))
    if scope in NAMED:
        name, model = NAMED[scope]
        row_id = values[f"{name}_id"]
        if row_id is None or db.session.get(model, row_id) is None:
            raise InvalidPromotion(_("Choose what it applies to."), field=name)
        scope_ids[f"{name}_id"] = row_id
    if scope is PromotionScope.PRODUCT:
        product_id = db.session.scalar(select(Product.id).where(Product.sku == values["product_sku"]))
        if product_id is None:
            raise InvalidPromotion(_("No product has that SKU. Check the spelling."), field="product_sku")
        scope_ids["product_id"] = product_id
    return scope_ids


def _save(promotion: Promotion, values: Mapping[str, Any]) -> None:
    """Flush a promotion, to detect a conflicting code or version."""
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
