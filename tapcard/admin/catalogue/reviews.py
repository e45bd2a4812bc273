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

STATES = {each.value: each for each in ReviewStatus}


@bp.get("/reviews", endpoint="reviews")
@access("staff:reviews.decide")
def list_reviews() -> str:
    """Reviews that nobody has looked at yet, the oldest first; or those that were let through, or left out."""
    state = STATES.get(request.args.get("state", ""), ReviewStatus.WAITING)
    listed = select(Review).where(Review.status == state).options(joinedload(Review.product))
    order = Review.id if state is ReviewStatus.WAITING else Review.id.desc()
    return render_template(
        "admin/reviews.html", page=paginate(listed.order_by(order)), state=state, states=ReviewStatus
    )


@bp.post("/reviews/<int:review_id>/approve")
@access("staff:reviews.decide")
def approve_review(review_id: int) -> Response:
    """Show a review in the shop."""
    return decide(review_id, ReviewStatus.APPROVED, _("Review approved. It's now shown in the shop."))


@bp.post("/reviews/<int:review_id>/reject")
@access("staff:reviews.decide")
def reject_review(review_id: int) -> Response:
    """Leave a review out of the shop."""
    return decide(review_id, ReviewStatus.REJECTED, _("Review rejected. It isn't shown in the shop."))


def decide(review_id: int, status: ReviewStatus, said: str) -> Response:
    """Decide about a review as it was seen: one that waits, once; one that was decided, the other way."""
    was = STATES.get(request.form.get("was", ""), ReviewStatus.WAITING)
    reviews.decide(rows.get(Review, review_id), was, status, current_user, utcnow())
    db.session.commit()
    flash(said, "success")
    return redirect(url_for("backoffice.reviews", state=None if was is ReviewStatus.WAITING else was.value))
