"""Reviews in the back office: each is approved or rejected once."""

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import AuditEntry, Product, Review, ReviewStatus, User
from tests.conftest import FormClient, login


@pytest.fixture
def review(product: Product, ada: User) -> Review:
    """Return a review of the journal by Ada, awaiting approval."""
    review = Review(product=product, user=ada, author="Ada", rating=4, text="<i>Lovely</i> paper.")
    db.session.add(review)
    db.session.commit()
    return review


def test_a_review_counts_only_after_approval_and_is_approved_once(
    client: FormClient, ben: User, review: Review, product: Product
) -> None:
    login(client, ben)
    page = client.get("/admin/reviews").text
    assert "&lt;i&gt;Lovely&lt;/i&gt; paper." in page
    path = f"/admin/reviews/{review.id}"
    assert client.post(f"{path}/approve").location == "/admin/reviews"
    assert (review.status, product.rating) == (ReviewStatus.APPROVED, 4.0)
    assert client.post(f"{path}/approve").status_code == 409
    assert client.post(f"{path}/reject").status_code == 409
    assert (product.rating_count, product.rating_sum) == (1, 4)
    assert "Lovely" not in client.get("/admin/reviews").text
    assert list(
        db.session.scalars(
            sa.select(AuditEntry.tag).where(AuditEntry.tag.startswith("review.")).order_by(AuditEntry.id)
        )
    ) == ["review.approved"]


def test_a_rejected_review_does_not_count(client: FormClient, ben: User, review: Review, product: Product) -> None:
    login(client, ben)
    client.post(f"/admin/reviews/{review.id}/reject")
    assert (review.status, product.rating_count) == (ReviewStatus.REJECTED, 0)


def test_an_approved_review_can_be_rejected_later(
    client: FormClient, ben: User, review: Review, product: Product
) -> None:
    login(client, ben)
    path = f"/admin/reviews/{review.id}"
    client.post(f"{path}/approve", data={"was": "waiting"})
    assert "Lovely" in client.get("/admin/reviews?state=approved").text
    assert client.post(f"{path}/reject", data={"was": "approved"}).location == "/admin/reviews?state=approved"
    assert (review.status, product.rating_count, product.rating_sum) == (ReviewStatus.REJECTED, 0, 0)
    assert client.post(f"{path}/reject", data={"was": "approved"}).status_code == 409
    assert "Lovely" in client.get("/admin/reviews?state=rejected").text
    assert "Lovely" not in client.get("/admin/reviews?state=nonsense").text
