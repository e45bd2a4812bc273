"""Jobs of carts."""

from datetime import timedelta

from ..clock import utcnow
from ..db import db
from ..registry import job
from ..services.cart import carts

GUEST_CART_RETENTION = timedelta(days=60)


@job("carts.purge", every=timedelta(days=1))
def purge_carts() -> None:
    """Delete abandoned guest carts."""
    while carts.delete_abandoned(utcnow() - GUEST_CART_RETENTION):
        db.session.commit()
