"""The wishlist: what somebody wants to remember, and how it gets into the cart."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...clock import utcnow
from ...db import acquire_lock, db, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import Cart, Product, User, WishlistEntry
from ...settings import ShopSettings
from . import editing
from .editing import LineRequest
from .items import CartItem

MOST_WISHES = 200


class TooManyWishes(DomainError):
    """Nobody remembers so many things."""


@dataclass
class Moved:
    """What became of things that were to go into the cart."""

    items: list[CartItem] = field(default_factory=list)
    refused: list[tuple[str, DomainError]] = field(default_factory=list)  # by the name of the product


def add(user: User, product: Product) -> None:
    """Remember a product; twice is the same as once. Raises `TooManyWishes`."""
    acquire_lock(f"wishlist of {user.id}")
    others = select(sa.func.count()).where(WishlistEntry.user_id == user.id, WishlistEntry.product_id != product.id)
    if (db.session.scalar(others) or 0) >= MOST_WISHES:
        raise TooManyWishes(_("Your wishlist is full. Remove an item before you add another."))
    fresh = insert(WishlistEntry).values(user_id=user.id, product_id=product.id, created_at=utcnow())
    db.session.execute(fresh.on_conflict_do_nothing(index_elements=["user_id", "product_id"]))


def remove(user: User, product_ids: Collection[int]) -> int:
    """Forget some products; tells how many of them were on the list."""
    theirs = (WishlistEntry.user_id == user.id, WishlistEntry.product_id.in_(product_ids))
    gone = sa.delete(WishlistEntry).where(*theirs).execution_options(synchronize_session=False)
    return int(db.session.execute(gone).rowcount)  # type: ignore[attr-defined]


def entries(user: User) -> Sequence[WishlistEntry]:
    """Somebody's wishes, the newest first."""
    product = joinedload(WishlistEntry.product).selectinload(Product.pictures)
    wanted = select(WishlistEntry).where(WishlistEntry.user_id == user.id).options(product)
    return db.session.scalars(wanted.order_by(WishlistEntry.created_at.desc(), WishlistEntry.product_id)).all()


def wished(user_id: int | None, product_ids: Collection[int]) -> set[int]:
    """Which of some products somebody wishes for, by one statement; none of them for a guest."""
    if user_id is None or not product_ids:
        return set()
    theirs = (WishlistEntry.user_id == user_id, WishlistEntry.product_id.in_(product_ids))
    return set(db.session.scalars(select(WishlistEntry.product_id).where(*theirs)))


def move(user: User, product_ids: Collection[int], cart: Cart, shop: ShopSettings, now: datetime) -> Moved:
    """Put one of each chosen wish into the cart, by the same checks as anywhere; what is refused stays on the list."""
    moved = Moved()
    for product in [entry.product for entry in entries(user) if entry.product_id in product_ids]:
        name = product.name
        try:
            with db.session.begin_nested():  # what a refusal had begun is taken back, and only that
                moved.items.append(editing.add(cart, LineRequest(product, 1), shop, now))
                remove(user, [product.id])
        except DomainError as error:
            moved.refused.append((name, error))
    return moved
