"""Reviews: one for each buyer and product after delivery, moderation, and the average rating."""

from contextlib import nullcontext

import pytest
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import AuditEntry, Product, Review, ReviewStatus, User
from tapcard.services.catalogue import reviews
from tapcard.services.catalogue.reviews import AlreadyDecided, AlreadyReviewed, NotABuyer
from tapcard.services.orders import transitions
from tests import purchases
from tests.concurrency import run_concurrently

APPROVED, REJECTED, WAITING = ReviewStatus.APPROVED, ReviewStatus.REJECTED, ReviewStatus.WAITING


def write(product: Product, user: User, rating: int = 5) -> Review:
    review = db.session.get_one(
        Review, reviews.create(product, user, rating=rating, text="Lies flat.", author=user.first_name)
    )
    db.session.commit()
    return review


@pytest.fixture
def delivered(product: Product, ada: User) -> Product:
    """Create a delivered order of Ada's."""
    purchases.pay_and_deliver(purchases.create_order(ada, product))
    return product


def test_only_a_buyer_with_a_delivered_product_may_review_it(
    product: Product, bottle: Product, ada: User, cleo: User, ben: User
) -> None:
    order = purchases.create_order(ada, product)
    for step in ("ordered", "paid", "shipped"):
        if step == "paid":
            purchases.pay(order)
        if step == "shipped":
            transitions.ship(order, ben, utcnow())
            db.session.commit()
        with pytest.raises(NotABuyer):
            reviews.check_can_review(product, ada)
        db.session.rollback()
    transitions.deliver(order, ben, utcnow())
    db.session.commit()
    reviews.check_can_review(product, ada)
    for who, what in ((ada, bottle), (cleo, product), (ben, product)):
        with pytest.raises(NotABuyer):
            reviews.create(what, who, rating=5, text="", author="X")
    assert db.session.query(Review).count() == 0


def test_a_product_is_reviewed_once(delivered: Product, ada: User) -> None:
    write(delivered, ada)
    purchases.pay_and_deliver(purchases.create_order(ada, delivered))
    with pytest.raises(AlreadyReviewed):
        reviews.create(delivered, ada, rating=1, text="Again", author="Ada")


def test_concurrent_submissions_create_one_review(app: Flask, delivered: Product, ada: User) -> None:
    product_id, user_id = delivered.id, ada.id

    def press(_place: int) -> str:
        product, user = db.session.get_one(Product, product_id), db.session.get_one(User, user_id)
        reviews.create(product, user, rating=4, text="", author="Ada")
        return "written"

    assert sorted(map(str, run_concurrently(app, 4, press))) == sorted(["written", *[str(AlreadyReviewed)] * 3])


def test_a_review_counts_only_while_approved(delivered: Product, ada: User, ben: User) -> None:
    review = write(delivered, ada, rating=4)
    sums = []
    for status in (None, REJECTED, APPROVED, APPROVED, REJECTED, REJECTED, APPROVED):
        if status is not None:
            with nullcontext() if review.status is not status else pytest.raises(AlreadyDecided):
                reviews.decide(review, review.status, status, ben, utcnow())
            db.session.commit()
        shown = len(reviews.approved(delivered))
        sums.append((delivered.rating_count, delivered.rating_sum, shown))
    assert sums == [(0, 0, 0), (0, 0, 0), (1, 4, 1), (1, 4, 1), (0, 0, 0), (0, 0, 0), (1, 4, 1)]
    assert delivered.rating == 4
    entries = db.session.query(AuditEntry).filter(AuditEntry.tag.startswith("review.")).order_by(AuditEntry.id).all()
    assert [entry.tag for entry in entries] == [
        *("review.rejected", "review.approved", "review.rejected", "review.approved")
    ]
    assert {entry.actor_id for entry in entries} == {ben.id}


def test_the_average_covers_all_approved_reviews(delivered: Product, ada: User, cleo: User, ben: User) -> None:
    purchases.pay_and_deliver(purchases.create_order(cleo, delivered))
    for user, rating in ((ada, 5), (cleo, 2)):
        reviews.decide(write(delivered, user, rating), WAITING, APPROVED, ben, utcnow())
        db.session.commit()
    assert (delivered.rating_count, delivered.rating) == (2, 3.5)


@pytest.mark.parametrize(("before", "after", "count"), [(WAITING, APPROVED, 1), (APPROVED, REJECTED, 0)])
def test_concurrent_approvals_count_a_review_once(
    app: Flask, delivered: Product, ada: User, ben: User, before: ReviewStatus, after: ReviewStatus, count: int
) -> None:
    review = write(delivered, ada, rating=3)
    if before is APPROVED:
        reviews.decide(review, WAITING, APPROVED, ben, utcnow())
        db.session.commit()
    review_id, ben_id = review.id, ben.id

    def press(_place: int) -> str:
        seen = db.session.get_one(Review, review_id)
        reviews.decide(seen, before, after, db.session.get_one(User, ben_id), utcnow())
        return "decided"

    assert sorted(map(str, run_concurrently(app, 4, press))) == sorted(["decided", *[str(AlreadyDecided)] * 3])
    assert (delivered.rating_count, delivered.rating_sum) == (count, 3 * count)
