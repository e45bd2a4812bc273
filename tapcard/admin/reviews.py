"""Reviews that wait for a look."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..models import Review, ReviewStatus
from ..services import keeping, reviews
from ..web.guards import permission_required
from .blueprint import bp
from .paging import page_of


@bp.get("/reviews", endpoint="reviews")
@permission_required("reviews.decide")
def list_reviews() -> str:
    """Reviews that nobody has looked at yet, the oldest first."""
    waiting = select(Review).where(Review.status == ReviewStatus.WAITING).options(joinedload(Review.product))
    return render_template("admin/reviews.html", page=page_of(waiting.order_by(Review.id)))


@bp.post("/reviews/<int:review_id>/approve")
@permission_required("reviews.decide")
def approve_review(review_id: int) -> Response:
    """Show a review in the shop."""
    reviews.decide_waiting(keeping.find(Review, review_id), ReviewStatus.APPROVED, current_user, utcnow())
    db.session.commit()
    flash(_("The shop shows it now."), "success")
    return redirect(url_for("backoffice.reviews"))


@bp.post("/reviews/<int:review_id>/reject")
@permission_required("reviews.decide")
def reject_review(review_id: int) -> Response:
    """Leave a review out of the shop."""
    reviews.decide_waiting(keeping.find(Review, review_id), ReviewStatus.REJECTED, current_user, utcnow())
    db.session.commit()
    flash(_("It stays out of the shop."), "success")
    return redirect(url_for("backoffice.reviews"))
