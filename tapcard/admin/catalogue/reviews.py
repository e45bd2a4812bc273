"""Back office pages for approving reviews."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from ...clock import utcnow
from ...db import db
from ...models import Review, ReviewStatus
from ...services.catalogue import reviews
from ...services.core import rows
from ...web.access import access
from ...web.paging import paginate
from ..blueprint import bp

STATES = {status.value: status for status in ReviewStatus}


@bp.get("/reviews", endpoint="reviews")
@access("staff:reviews.decide")
def list_reviews() -> str:
    """List the reviews awaiting approval, oldest first, or the approved or rejected ones."""
    state = STATES.get(request.args.get("state", ""), ReviewStatus.WAITING)
    query = select(Review).where(Review.status == state).options(joinedload(Review.product))
    order = Review.id if state is ReviewStatus.WAITING else Review.id.desc()
    return render_template("admin/reviews.html", page=paginate(query.order_by(order)), state=state, states=ReviewStatus)


@bp.post("/reviews/<int:review_id>/approve")
@access("staff:reviews.decide")
def approve_review(review_id: int) -> Response:
    """Approve a review."""
    return decide(review_id, ReviewStatus.APPROVED, _("Review approved. It's now shown in the shop."))


@bp.post("/reviews/<int:review_id>/reject")
@access("staff:reviews.decide")
def reject_review(review_id: int) -> Response:
    """Reject a review."""
    return decide(review_id, ReviewStatus.REJECTED, _("Review rejected. It isn't shown in the shop."))


def decide(review_id: int, status: ReviewStatus, message: str) -> Response:
    """Set the status of a review, if it is still in the status that the page showed."""
    old_status = STATES.get(request.form.get("was", ""), ReviewStatus.WAITING)
    reviews.decide(rows.get(Review, review_id), old_status, status, current_user, utcnow())
    db.session.commit()
    flash(message, "success")
    return redirect(
        url_for("backoffice.reviews", state=None if old_status is ReviewStatus.WAITING else old_status.value)
    )
