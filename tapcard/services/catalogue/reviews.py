"""Reviews: buyers say once what they think of what they got, staff look at it, and products keep their average."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Select, select

from ...db import db, insert
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...models import Order, OrderLine, OrderStatus, Product, Review, ReviewStatus, User
from ..core import audit

SHOWN = 20


class NotABuyer(NotFound):
    """The person has not got the product from this shop."""


class AlreadyDecided(DomainError):
    """Somebody else looked at the review before."""


class ReviewedAlready(DomainError):
    """A product is reviewed once."""


def may_review(user: User) -> sa.ColumnElement[bool]:
    """Whether somebody may review a product of the query this column stands in: bought, delivered, not reviewed."""
    written = select(Review.id).where(Review.product_id == Product.id, Review.user_id == user.id)
    return sa.and_(_has_got(user).correlate(Product).exists(), ~written.correlate(Product).exists())


def _has_got(user: User) -> Select[int]:
    return (
        select(OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(OrderLine.product_id == Product.id, Order.user_id == user.id, Order.status == OrderStatus.DELIVERED)
    )


def check(product: Product, user: User) -> None:
    """Raise `NotABuyer` or `ReviewedAlready` unless somebody may review a product."""
    got = _has_got(user).correlate(Product).exists()
    written = select(Review.id).where(Review.product_id == Product.id, Review.user_id == user.id)
    asked = select(got, written.correlate(Product).exists()).where(Product.id == product.id)
    has_got, has_written = db.session.execute(asked).one()
    if not has_got:
        raise NotABuyer(_("You can review a product once your order has been delivered."))
    if has_written:
        raise ReviewedAlready(_("You've already reviewed this product."))


def products_of(order: Order) -> list[Product]:
    """What an order brought that is still sold, each once; nothing before it is delivered."""
    if order.status is not OrderStatus.DELIVERED:
        return []
    found = {line.product_id: line.product for line in order.lines}
    return [each for each in found.values() if each is not None and each.is_active]


def to_review(order: Order) -> list[Product]:
    """What an order brought that its buyer has not reviewed yet."""
    found = products_of(order)
    if not found or order.user_id is None:
        return found
    ids = [each.id for each in found]
    written = select(Review.product_id).where(Review.user_id == order.user_id, Review.product_id.in_(ids))
    done = set(db.session.scalars(written))
    return [each for each in found if each.id not in done]


def write(product: Product, user: User, *, rating: int, text: str, author: str) -> int:
    """Keep what a buyer says until staff have looked at it; gives its id. Two at once are one."""
    check(product, user)
    values = {"product_id": product.id, "user_id": user.id, "rating": rating, "text": text, "author": author}
    fresh = insert(Review).values(**values, status=ReviewStatus.WAITING)
    kept = db.session.execute(fresh.on_conflict_do_nothing().returning(Review.id)).scalar_one_or_none()
    if kept is None:
        raise ReviewedAlready(_("You've already reviewed this product."))
    return int(kept)


def of_product(product: Product) -> Sequence[Review]:
    """The newest reviews of a product that staff let through."""
    wanted = select(Review).where(Review.product_id == product.id, Review.status == ReviewStatus.APPROVED)
    return db.session.scalars(wanted.order_by(Review.created_at.desc(), Review.id.desc()).limit(SHOWN)).all()


def waiting() -> Select[Review]:
    """The reviews that staff have to look at, the oldest first."""
    return select(Review).where(Review.status == ReviewStatus.WAITING).order_by(Review.created_at, Review.id)


def decide(review: Review, was: ReviewStatus, status: ReviewStatus, actor: User, now: datetime) -> None:
    """Let a review through, or not, that was seen in a state; the product's average follows.

    One statement changes the row, and only from where it was seen, so two people at once count once: the second is told
    by `AlreadyDecided`.
    """
    if was is status or not _turn(review, was, status, now):
        raise AlreadyDecided(_("Someone else has already approved or rejected this review."))
    step = (status is ReviewStatus.APPROVED) - (was is ReviewStatus.APPROVED)
    if step:
        _count(review, step)
    db.session.refresh(review)
    audit.record(f"review.{status.value}", subject=review, actor=actor, product_id=review.product_id)


def _turn(review: Review, was: ReviewStatus, status: ReviewStatus, now: datetime) -> bool:
    turned = db.session.execute(
        sa.update(Review)
        .where(Review.id == review.id, Review.status == was)
        .values(status=status, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(turned.rowcount)  # type: ignore[attr-defined]


def _count(review: Review, step: int) -> None:
    db.session.execute(
        sa.update(Product)
        .where(Product.id == review.product_id)
        .values(rating_count=Product.rating_count + step, rating_sum=Product.rating_sum + step * review.rating)
        .execution_options(synchronize_session=False)
    )
    product = db.session.get(Product, review.product_id)
    if product is not None:
        db.session.refresh(product, ["rating_count", "rating_sum"])
