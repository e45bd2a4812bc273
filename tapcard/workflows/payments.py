"""Payment workflows: start, refresh and close a payment, with no transaction open while a gateway is asked."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from flask import current_app, url_for
from flask_login import current_user

from ..clock import utcnow
from ..db import db
from ..errors import mark as _
from ..gateways.base import OFFLINE, Gateway, GatewayError, Outcome
from ..keys import Keys
from ..models import Order, Payment, PaymentStatus
from ..registry import job
from ..services.payments import payments, settlement
from ..services.payments.payments import OpenPayment
from ..settings import ShopSettings

logger = logging.getLogger(__name__)


def gateways() -> Mapping[str, Gateway]:
    """Return the gateways of this installation by code."""
    enabled: Mapping[str, Gateway] = current_app.extensions["gateways"]
    return enabled


def available_gateways(shop: ShopSettings) -> list[Gateway]:
    """Return the gateways that a buyer may choose."""
    return payments.available_gateways(gateways(), shop)


def start(order: Order, code: str, shop: ShopSettings) -> str:
    """Start the payment of a committed order and return the URL where the buyer continues.

    Continues an open payment at the same gateway; closes an open payment at another one first. A free order is paid at
    once. Commits up to three times: the payment row, then (after asking the gateway) its response. Raises
    `UnknownGateway`, `NotPayable`, `PaymentInProgress`, or `GatewayError` when the gateway does not answer.
    """
    gateway = next((option for option in available_gateways(shop) if option.code == code), None)
    order_url = url_for("shop.order", number=order.number)
    if settlement.settle_free(order, _keys(), utcnow()):
        db.session.commit()
        return order_url
    if gateway is None:
        raise payments.UnknownGateway(_("Choose a payment method."))
    open_payment = payments.find_open(order)
    if open_payment is not None:
        is_resumable = open_payment.gateway == code and open_payment.status is PaymentStatus.PENDING
        if is_resumable and order.is_open:
            return open_payment.pay_url or order_url
        close(open_payment)
    payment = payments.create(order, gateway, current_user if current_user.is_authenticated else None)
    charge = payments.build_charge(payment, shop, _return_url(payment))
    payment_id = payment.id
    db.session.commit()
    try:
        response = gateway.start(charge)
    except GatewayError:
        payments.end_unpaid(db.session.get_one(Payment, payment_id), PaymentStatus.FAILED, utcnow())
        db.session.commit()
        raise
    payment = db.session.get_one(Payment, payment_id)
    is_pending = payments.record_started(payment, response, gateway, shop, utcnow())
    db.session.commit()
    if not is_pending:  # abandoned while the gateway was asked
        close(OpenPayment(payment_id, code, response.reference, is_over=True))
        raise payments.PaymentInProgress(_("A payment for this order is being processed. Check again in a moment."))
    return response.url or order_url


def refresh(payment: Payment | OpenPayment) -> bool:
    """Ask the gateway for the status of a payment and settle it; return whether anything changed. Commits.

    Raises `GatewayError` when the gateway does not answer.
    """
    payment_id, code, reference = payment.id, payment.gateway, payment.reference
    db.session.commit()  # no transaction may be open while a gateway is asked
    if reference is None or code not in gateways():
        return False
    evidence = gateways()[code].fetch(reference)
    is_changed = settlement.settle(db.session.get_one(Payment, payment_id), evidence, _keys(), utcnow())
    db.session.commit()
    return is_changed


def refresh_by_reference(code: str, reference: str) -> bool:
    """Refresh the payment that a gateway names by its own reference; return whether anything changed. Commits."""
    payment = payments.find_by_reference(code, reference)
    return refresh(payment) if payment is not None else False


def close(payment: Payment | OpenPayment, status: PaymentStatus = PaymentStatus.CANCELED) -> None:
    """Close a payment at its gateway and end it here with a status; money that arrived before counts. Commits.

    A payment without a reference, which no gateway knows, just ends. Raises `GatewayError`, also for a gateway that is
    switched off, and `StillStarting` while the gateway is being asked to start it.
    """
    payment_id, code, reference = payment.id, payment.gateway, payment.reference
    payments.refuse_if_starting(db.session.get_one(Payment, payment_id), utcnow())
    db.session.commit()  # no transaction may be open while a gateway is asked
    if reference is not None:
        if code not in gateways():
            raise GatewayError(f"{code} is disabled")
        gateways()[code].close(reference)
        evidence = gateways()[code].fetch(reference)
        if evidence.outcome is Outcome.PAID:  # just before it was closed
            settlement.settle(db.session.get_one(Payment, payment_id), evidence, _keys(), utcnow())
    payments.end_unpaid(db.session.get_one(Payment, payment_id), status, utcnow())
    db.session.commit()


def close_online(order: Order) -> None:
    """Close the open online payment of an order that is canceled or paid offline. Commits."""
    open_payment = payments.find_open(order)
    if open_payment is not None and open_payment.gateway != OFFLINE:
        close(open_payment)


def close_replaced(open_payments: Sequence[Payment]) -> Order | None:
    """Close the payments of replaced orders; return an order that turned out to be paid. Commits.

    Raises `GatewayError` or `StillStarting` when a payment cannot be closed.
    """
    for payment_id in [payment.id for payment in open_payments]:
        close(db.session.get_one(Payment, payment_id))
        order = db.session.get_one(Payment, payment_id).order
        if order.is_paid:
            return order
    return None


def _keys() -> Keys:
    keys: Keys = current_app.extensions["keys"]
    return keys


def _return_url(payment: Payment) -> str:
    """Return the URL a gateway sends the buyer back to: under the configured address, never the request's host."""
    return current_app.config["SITE_URL"] + url_for("billing.back", public_id=payment.public_id)


@job("payments.look", every=timedelta(minutes=1))
def check_payments() -> None:
    """Refresh every open online payment, and close those that are over; a buyer may close the browser after paying."""
    last_id = 0
    while batch := payments.payments_to_check(utcnow(), after_id=last_id):
        for payment in batch:
            if payment.gateway not in gateways():
                continue  # switched off: checked again once it is back
            try:
                if payment.is_over:
                    close(payment, PaymentStatus.EXPIRED)
                else:
                    refresh(payment)
            except Exception as error:  # one failure must not block the others
                db.session.rollback()
                logger.warning("payment %d could not be checked: %s", payment.id, type(error).__name__)
        last_id = batch[-1].id
    db.session.rollback()
