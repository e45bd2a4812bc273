"""Product reviews: written once by buyers, approved by staff, averaged on the product."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Select, select

from ...db import db, execute_update, insert
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import Order, OrderLine, OrderStatus, Product, Review, ReviewStatus, User
from ..core import audit

MAX_SHOWN = 20


class NotABuyer(NotFound):
    """The user has not received the product from this shop."""


class AlreadyDecided(DomainError):
    """Another member of staff has approved or rejected the review."""


class AlreadyReviewed(DomainError):
    """A buyer reviews a product only once."""


def can_review(user: User) -> sa.ColumnElement[bool]:
    """Return a column of a product query: whether the user may review it (bought, delivered, not yet reviewed)."""
    return sa.and_(_has_received(user), ~_has_reviewed(user))


def _has_received(user: User) -> sa.ColumnElement[bool]:
    delivered: Select[int] = (
        select(OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.product_id == Product.id, Order.user_id == user.id, Order.status == OrderStatus.DELIVERED)
    )
    return delivered.correlate(Product).exists()


def _has_reviewed(user: User) -> sa.ColumnElement[bool]:
    own_review = select(Review.id).where(Review.product_id == Product.id, Review.user_id == user.id)
    return own_review.correlate(Product).exists()


def check_can_review(product: Product, user: User) -> None:
    """Raise `NotABuyer` or `AlreadyReviewed` unless the user may review the product."""
    query = select(_has_received(user), _has_reviewed(user)).where(Product.id == product.id)
    has_received, has_reviewed = db.session.execute(query).one()
    if not has_received:
        raise NotABuyer(_("You can review a product once your order has been delivered."))
    if has_reviewed:
        raise AlreadyReviewed(_("You've already reviewed this product."))


def reviewable_products(order: Order) -> list[Product]:
    """Return the active products of a delivered order, each once; empty before delivery."""
    if order.status is not OrderStatus.DELIVERED:
        return []
    by_id = {line.product_id: line.product for line in order.lines}
    return [product for product in by_id.values() if product is not None and product.is_active]


def unreviewed_products(order: Order) -> list[Product]:
    """Return the reviewable products of an order that its buyer has not reviewed yet."""
    products = reviewable_products(order)
    if not products or order.user_id is None:
        return products
    ids = [product.id for product in products]
    query = select(Review.product_id).where(Review.user_id == order.user_id, Review.product_id.in_(ids))
    reviewed = set(db.session.scalars(query))
    return [product for product in products if product.id not in reviewed]


def create(product: Product, user: User, *, rating: int, text: str, author: str) -> int:
    """Store a review that awaits approval and return its id; raise `NotABuyer` or `AlreadyReviewed`."""
    check_can_review(product, user)
    values = {"product_id": product.id, "user_id": user.id, "rating": rating, "text": text, "author": author}
    statement = insert(Review).values(**values, status=ReviewStatus.WAITING)
    review_id = db.session.execute(statement.on_conflict_do_nothing().returning(Review.id)).scalar_one_or_none()
    if review_id is None:
        raise AlreadyReviewed(_("You've already reviewed this product."))
    return int(review_id)


def approved(product: Product) -> Sequence[Review]:
    """Return the newest approved reviews of a product."""
    query = select(Review).where(Review.product_id == product.id, Review.status == ReviewStatus.APPROVED)
    return db.session.scalars(query.order_by(Review.created_at.desc(), Review.id.desc()).limit(MAX_SHOWN)).all()


def decide(review: Review, seen_status: ReviewStatus, status: ReviewStatus, actor: User, now: datetime) -> None:
    """Approve or reject a review that was seen in a state, and adjust the product's average; raise `AlreadyDecided`.

    One statement changes the row, and only if it is still in the state that was seen, so of two people at once the
    second gets `AlreadyDecided` and the review counts once.
    """
    if seen_status is status or not _change_status(review, seen_status, status, now):
        raise AlreadyDecided(_("Someone else has already approved or rejected this review."))
    change = (status is ReviewStatus.APPROVED) - (seen_status is ReviewStatus.APPROVED)
    if change:
        _adjust_average(review, change)
    db.session.refresh(review)
    audit.record(f"review.{status.value}", subject=review, actor=actor, product_id=review.product_id)


def _change_status(review: Review, seen_status: ReviewStatus, status: ReviewStatus, now: datetime) -> bool:
    statement = sa.update(Review).where(Review.id == review.id, Review.status == seen_status)
    return bool(execute_update(statement.values(status=status, decided_at=now)))


def _adjust_average(review: Review, change: int) -> None:
    execute_update(
        sa.update(Product)
        .where(Product.id == review.product_id)
        .values(rating_count=Product.rating_count + change, rating_sum=Product.rating_sum + change * review.rating)
    )
    product = db.session.get(Product, review.product_id)
    if product is not None:
        db.session.refresh(product, ["rating_count", "rating_sum"])
