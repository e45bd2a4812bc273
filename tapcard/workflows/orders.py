"""Jobs of orders."""

from datetime import timedelta

from flask import current_app

from ..clock import utcnow
from ..db import db
from ..registry import job
from ..services.orders import transitions


@job("orders.expire", every=timedelta(minutes=1))
def expire_orders() -> None:
    """Expire unpaid orders whose payment period is over and release what they reserve."""
    while transitions.expire_due(utcnow(), current_app.extensions["keys"]):
        db.session.commit()
