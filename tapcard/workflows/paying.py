"""How a view starts a payment: the row first, then the gateway, then its answer; three short transactions."""

from collections.abc import Sequence

from flask import current_app, url_for
from flask_login import current_user

from ..clock import utcnow
from ..db import db
from ..errors import mark as _
from ..gateways.base import OFFLINE, Gateway, GatewayError
from ..models import Order, Payment, PaymentStatus
from ..services.payments import payments
from ..settings import ShopSettings
from . import evidence


def offered(shop: ShopSettings) -> list[Gateway]:
    """Those that a buyer may choose."""
    return payments.offered(evidence.gateways(), shop)


def start(order: Order, code: str, shop: ShopSettings) -> str:
    """Start the payment of an order, committed before, and tell where the buyer goes next.

    A payment that is under way by the same gateway is gone on with; one by another is closed there first. What costs
    nothing is paid at once. Commits, since no transaction may be open while a gateway is asked. Raises
    `payments.UnknownGateway`, `NotPayable`, `PaymentUnderWay`, or `GatewayError` when the gateway does not answer.
    """
    gateway = next((each for each in offered(shop) if each.code == code), None)
    order_url = url_for("shop.order", number=order.number)
    if payments.settle_free(order, current_app.extensions["keys"], utcnow()):
        db.session.commit()
        return order_url
    if gateway is None:
        raise payments.UnknownGateway(_("Choose a payment method."))
    under_way = payments.open_of(order)
    goes_on = under_way is not None and under_way.gateway == code and under_way.status is PaymentStatus.PENDING
    if under_way is not None and goes_on and order.is_open:
        return under_way.pay_url or order_url
    if under_way is not None:
        close(under_way)
    payment = payments.begin(order, gateway, current_user if current_user.is_authenticated else None)
    charge = payments.charge_of(payment, shop, _back_url(payment))
    payment_id = payment.id
    db.session.commit()
    try:
        told = gateway.start(charge)
    except GatewayError:
        payments.give_up(db.session.get_one(Payment, payment_id), PaymentStatus.FAILED, utcnow())
        db.session.commit()
        raise
    payment = db.session.get_one(Payment, payment_id)
    is_on = payments.started(payment, told, gateway, shop, utcnow())
    db.session.commit()
    if not is_on:  # given up while the gateway was asked
        evidence.close(payment_id, code, told.reference, PaymentStatus.CANCELED)
        raise payments.PaymentUnderWay(_("A payment for this order is being processed. Check again in a moment."))
    return told.url or order_url


def close(payment: Payment) -> None:
    """Close a payment at its gateway, so that nobody pays twice or for nothing; money that has come counts."""
    evidence.close(payment.id, payment.gateway, payment.reference, PaymentStatus.CANCELED)


def close_replaced(under_way: Sequence[Payment]) -> Order | None:
    """Close the payments of orders that another one takes the place of; gives the order that was paid a moment before.

    Commits. Raises `GatewayError` or `payments.StillStarting` when that cannot be had.
    """
    for payment_id in [payment.id for payment in under_way]:
        close(db.session.get_one(Payment, payment_id))
        order = db.session.get_one(Payment, payment_id).order
        if order.is_paid:
            return order
    return None


def make_way(order: Order) -> None:
    """Close what is under way online for an order whose money comes otherwise, or which is given up. Commits."""
    under_way = payments.open_of(order)
    if under_way is not None and under_way.gateway != OFFLINE:
        close(under_way)


def look(payment: Payment) -> bool:
    """Ask the gateway how a payment stands, and settle it; tells whether anything changed. Commits."""
    return evidence.look(payment.id, payment.gateway, payment.reference)


def look_by_reference(code: str, reference: str) -> bool:
    """The same for a payment that a gateway tells about by its own reference."""
    payment = payments.by_reference(code, reference)
    return look(payment) if payment is not None else False


def _back_url(payment: Payment) -> str:
    """Where the gateway sends the buyer back to: under the configured address, never the request's host."""
    return current_app.config["SITE_URL"] + url_for("billing.back", public_id=payment.public_id)
