"""Jobs of carts."""

from datetime import timedelta

from ..clock import utcnow
from ..db import db
from ..registry import job
from ..services.cart import carts

GUEST_CARTS_KEPT = timedelta(days=60)


@job("carts.purge", every=timedelta(days=1))
def purge_carts() -> None:
    """Forget the carts that guests left behind."""
    while carts.delete_abandoned(utcnow() - GUEST_CARTS_KEPT):
        db.session.commit()
