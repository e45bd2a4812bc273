"""Reviews: staff decide which of them the shop shows, once; what is shown counts in the product's rating."""

from datetime import datetime

import sqlalchemy as sa

from ..db import db
from ..errors import DomainError
from ..errors import mark as _
from ..models import Product, Review, ReviewStatus, User
from . import audit


class AlreadyDecided(DomainError):
    """Somebody else looked at the review before."""


def decide(review: Review, *, approve: bool, by: User, now: datetime) -> None:
    """Show a review that waits, or reject it; raises `AlreadyDecided`."""
    status = ReviewStatus.APPROVED if approve else ReviewStatus.REJECTED
    decided = db.session.execute(
        sa.update(Review)
        .where(Review.id == review.id, Review.status == ReviewStatus.WAITING)
        .values(status=status, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    if decided.rowcount != 1:  # type: ignore[attr-defined]
        raise AlreadyDecided(_("Somebody has decided about this review already."))
    db.session.refresh(review)
    if approve:
        db.session.execute(
            sa.update(Product)
            .where(Product.id == review.product_id)
            .values(rating_count=Product.rating_count + 1, rating_sum=Product.rating_sum + review.rating)
            .execution_options(synchronize_session=False)
        )
    audit.record(f"review.{status.value}", subject=review, actor=by)
