"""Return from a gateway; the state of the payment is fetched there, not taken from the URL."""

import logging

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from ..db import transactions
from ..gateways.base import GatewayError
from ..models import PaymentStatus
from ..services.payments import payments
from ..web import carts
from ..web.access import PUBLIC, access
from ..workflows import payments as payment_workflows
from .blueprint import bp

logger = logging.getLogger(__name__)


@bp.get("/back/<public_id>")
@access(PUBLIC)
def back(public_id: str) -> Response:
    """Refresh the payment and redirect to its order.

    This GET request writes, because gateways send customers back by a link. It does what the worker would do within a
    minute, and neither the URL nor the visitor influences the result. It shows no data by itself: the order only opens
    in the browser that placed it.
    """
    with transactions(writing=True):
        payment = payments.get_by_public_id(public_id)
        number, is_known = payment.order.number, payment.order_id in carts.known_order_ids()
        try:
            payment_workflows.refresh(payment)
        except GatewayError:
            logger.warning("gateway did not respond when the buyer returned")
        status = payments.get_by_public_id(public_id).status
    if status is PaymentStatus.FAILED and is_known:
        flash(_("Your payment didn't go through. You haven't been charged. Try again or pay another way."), "warning")
    return redirect(url_for("shop.order", number=number))
