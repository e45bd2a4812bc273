"""The wishlist: saved products of a person, and moving them to the cart."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ...clock import utcnow
from ...context import RuleContext
from ...db import acquire_lock, db, execute_update, insert
from ...errors import DomainError
from ...errors import mark as _
from ...models import Cart, Product, User, WishlistEntry
from . import editing
from .editing import LineRequest
from .items import CartItem, ReservationsFor

MAX_WISHES = 200


class WishlistFull(DomainError):
    """The wishlist is full."""


@dataclass
class MoveResult:
    """The items moved to the cart, and the products that were refused."""

    items: list[CartItem] = field(default_factory=list)
    refused: list[tuple[str, DomainError]] = field(default_factory=list)  # product name and reason


def add(user: User, product: Product) -> None:
    """Add a product to the wishlist, at most once; raises `WishlistFull`."""
    acquire_lock(f"wishlist of {user.id}")
    other_entries = select(sa.func.count()).where(
        WishlistEntry.user_id == user.id, WishlistEntry.product_id != product.id
    )
    if (db.session.scalar(other_entries) or 0) >= MAX_WISHES:
        raise WishlistFull(_("Your wishlist is full. Remove an item before you add another."))
    statement = insert(WishlistEntry).values(user_id=user.id, product_id=product.id, created_at=utcnow())
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["user_id", "product_id"]))


def remove(user: User, product_ids: Collection[int]) -> int:
    """Remove products from the wishlist; return how many of them were on it."""
    is_listed = (WishlistEntry.user_id == user.id, WishlistEntry.product_id.in_(product_ids))
    statement = sa.delete(WishlistEntry).where(*is_listed).execution_options(synchronize_session=False)
    return execute_update(statement)


def entries(user: User) -> Sequence[WishlistEntry]:
    """Return a person's wishlist, newest first."""
    product = joinedload(WishlistEntry.product).selectinload(Product.pictures)
    query = select(WishlistEntry).where(WishlistEntry.user_id == user.id).options(product)
    return db.session.scalars(query.order_by(WishlistEntry.created_at.desc(), WishlistEntry.product_id)).all()


def wished_product_ids(user_id: int | None, product_ids: Collection[int]) -> set[int]:
    """Return which of some products are on a person's wishlist; one statement, empty for a guest."""
    if user_id is None or not product_ids:
        return set()
    is_listed = (WishlistEntry.user_id == user_id, WishlistEntry.product_id.in_(product_ids))
    return set(db.session.scalars(select(WishlistEntry.product_id).where(*is_listed)))


def move(
    user: User, product_ids: Collection[int], cart: Cart, context: RuleContext, reservations: ReservationsFor
) -> MoveResult:
    """Move products from the wishlist to the cart, one piece each; refused ones stay on the list."""
    moved = MoveResult()
    for product in [entry.product for entry in entries(user) if entry.product_id in product_ids]:
        name = product.name
        try:
            with db.session.begin_nested():  # a refusal rolls back this product only
                moved.items.append(editing.add(cart, LineRequest(product, 1), context, reservations))
                remove(user, [product.id])
        except DomainError as error:
            moved.refused.append((name, error))
    return moved
