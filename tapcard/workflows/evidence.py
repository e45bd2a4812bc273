"""Asking a gateway how a payment stands, and drawing the consequences: for views and for the worker."""

from collections.abc import Mapping

from flask import current_app

from ..clock import utcnow
from ..db import db
from ..gateways.base import Gateway, GatewayError, Outcome
from ..models import Payment, PaymentStatus
from ..services.payments import payments


def gateways() -> Mapping[str, Gateway]:
    """The gateways of this installation."""
    found: Mapping[str, Gateway] = current_app.extensions["gateways"]
    return found


def look(payment_id: int, code: str, reference: str | None) -> bool:
    """Ask the gateway how a payment stands, and settle it; tells whether anything changed. Commits.

    No transaction may be open while a gateway is asked. Raises `GatewayError` when it does not answer.
    """
    db.session.commit()
    if reference is None or code not in gateways():
        return False
    evidence = gateways()[code].fetch(reference)
    payment = db.session.get_one(Payment, payment_id)
    changed = payments.settle(payment, evidence, current_app.extensions["keys"], utcnow())
    db.session.commit()
    return changed


def close(payment_id: int, code: str, reference: str | None, status: PaymentStatus) -> None:
    """Close a payment at its gateway, so that nobody pays it any more, and end it here; money that has come counts.

    One that the gateway never heard of just ends. Commits. Raises `GatewayError`, also for one that is switched off,
    and `payments.StillStarting` for a payment whose gateway is being asked in this very moment.
    """
    payments.refuse_starting(db.session.get_one(Payment, payment_id), utcnow())
    db.session.commit()
    if reference is not None:
        if code not in gateways():
            raise GatewayError(f"{code} is switched off")
        gateways()[code].close(reference)
        last = gateways()[code].fetch(reference)
        if last.outcome is Outcome.PAID:  # a moment before
            payment = db.session.get_one(Payment, payment_id)
            payments.settle(payment, last, current_app.extensions["keys"], utcnow())
    payments.give_up(db.session.get_one(Payment, payment_id), status, utcnow())
    db.session.commit()
