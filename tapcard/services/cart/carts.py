"""Carts: finding, creating, locking and purging them. Prices and stock are checked again at every step."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from ...clock import utcnow
from ...db import acquire_lock, db, execute_update, insert
from ...errors import NotFound
from ...errors import mark as _
from ...models import (
    Card,
    Cart,
    CartLine,
    Order,
    Product,
    User,
)


class LineNotFound(NotFound):
    """The line is not in this cart."""


# --- look-ups ---------------------------------------------------------------------------------------------------------


def _load_options() -> tuple[Any, ...]:
    lines = selectinload(Cart.lines)
    product = lines.joinedload(CartLine.product)
    return (
        product.joinedload(Product.pictures),
        product.selectinload(Product.options),
        lines.joinedload(CartLine.design),
        lines.joinedload(CartLine.card).joinedload(Card.design),
        joinedload(Cart.promotion),
    )


def find_by_user(user: User) -> Cart | None:
    """Return a person's cart with everything its page shows; None when they have none."""
    return db.session.scalar(select(Cart).where(Cart.user_id == user.id).options(*_load_options()))


def find_guest_cart(cart_id: int, made_at: datetime | None = None) -> Cart | None:
    """Return the cart that a browser's session names, unless it has an owner by now.

    Ids are reused once a cart is deleted, so the session names its creation time too.
    """
    return db.session.scalar(select(Cart).where(*_guest_cart_filter(cart_id, made_at)).options(*_load_options()))


def piece_count(*, user_id: int | None, cart_id: int | None, made_at: datetime | None = None) -> int:
    """Return how many pieces are in the cart of a person, else of a browser."""
    conditions = (Cart.user_id == user_id,) if user_id is not None else _guest_cart_filter(cart_id, made_at)
    return db.session.scalar(select(sa.func.sum(CartLine.quantity)).join(CartLine.cart).where(*conditions)) or 0


def piece_count_subquery(user_id: int) -> sa.ScalarSelect[int]:
    """Return the subquery for how many pieces are in a person's cart."""
    pieces = select(sa.func.sum(CartLine.quantity)).join(CartLine.cart).where(Cart.user_id == user_id)
    return pieces.scalar_subquery()


def _guest_cart_filter(cart_id: int | None, made_at: datetime | None) -> tuple[sa.ColumnElement[bool], ...]:
    is_this = (Cart.id == cart_id, Cart.user_id.is_(None))
    return is_this if made_at is None else (*is_this, Cart.created_at == made_at)


def get_or_create(user: User | None) -> Cart:
    """Return the cart of a person, created if there is none; a new one for a guest."""
    if user is None:
        cart = Cart()
        db.session.add(cart)
        db.session.flush()  # the browser session stores its id
        return cart
    lock_owner(user)
    now = utcnow()
    statement = insert(Cart).values(user_id=user.id, checkout={}, uses_credit=False, created_at=now, updated_at=now)
    db.session.execute(statement.on_conflict_do_nothing(index_elements=["user_id"]))
    return db.session.scalars(select(Cart).where(Cart.user_id == user.id)).one()


def get_line(cart: Cart, line_id: int) -> CartLine:
    """Return a line of this cart; raises `LineNotFound`."""
    line = next((line for line in cart.lines if line.id == line_id), None)
    if line is None:
        raise LineNotFound(_("This item is no longer in your cart."))
    return line


# --- locking and deletion ---------------------------------------------------------------------------------------------


def lock_and_reload(cart: Cart) -> Cart:
    """Lock a cart until the transaction ends and return it as it is now."""
    lock(cart)
    return reload(cart)


def delete_abandoned(before: datetime) -> int:
    """Delete guest carts that were last changed before a time, up to 1000; return their number."""
    old = select(Cart.id).where(Cart.user_id.is_(None), Cart.updated_at < before)
    ids = list(db.session.scalars(old.limit(1000)))
    execute_update(sa.update(Order).where(Order.cart_id.in_(ids)).values(cart_id=None))
    execute_update(sa.delete(CartLine).where(CartLine.cart_id.in_(ids)))
    execute_update(sa.delete(Cart).where(Cart.id.in_(ids)))
    return len(ids)


def lock_by_id(cart_id: int) -> None:
    """Serialize changes to the contents of a cart until the transaction ends."""
    acquire_lock(f"cart {cart_id}")


def lock(cart: Cart) -> None:
    """Serialize changes to the contents of a cart until the transaction ends."""
    acquire_lock(f"cart {cart.id}")


def lock_owner(user: User) -> None:
    """Serialize changes to which cart belongs to a person until the transaction ends."""
    acquire_lock(f"carts of {user.id}")


def reload(cart: Cart) -> Cart:
    """Return the cart with everything read again from the database."""
    query = select(Cart).where(Cart.id == cart.id).options(*_load_options()).execution_options(populate_existing=True)
    return db.session.scalars(query).one()
