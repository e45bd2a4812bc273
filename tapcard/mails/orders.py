"""Emails about orders, to customers and to the shop, with titles and amounts as sold."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.dates import format_datetime
from flask import current_app
from flask_mail import Message

from .. import mail, outbox, phones, settings
from ..address_format import address_lines
from ..db import db
from ..errors import mark as _
from ..gateways.base import OFFLINE
from ..models import LineKind, Order, OrderStatus, Payment, PaymentStatus, Role, User
from ..models.orders import AFTER_PAID
from ..models.payments import PAYMENT_OPEN
from ..services.catalogue import reviews
from ..services.core import anonymization
from ..services.orders import queries
from ..services.payments import payments
from ..settings import ShopSettings


@mail.kind("mail.order_received", _("Order confirmation"))
def received(order_id: int, payment_id: int | None = None) -> Message | None:
    """Confirm an order that awaits payment; a paid order is confirmed by `paid` instead.

    It is posted with the order, and again with an offline payment (`payment_id`) to add payment instructions. If there
    is an offline payment, only the second one is sent.
    """
    order = _order(order_id)
    if order is None or order.status is not OrderStatus.PENDING:
        return None
    payment = payments.find_open(order)
    offline_payment = payment if payment is not None and payment.gateway == OFFLINE else None
    if (offline_payment.id if offline_payment is not None else None) != payment_id:
        return None
    return _to_customer(
        "order_received", order, is_offline=offline_payment is not None, amount_due=payments.amount_due(order)
    )


@mail.kind("mail.order_paid", _("Payment confirmation"))
def paid(order_id: int) -> Message | None:
    """Tell a customer that their order is paid and what happens next."""
    order = _order(order_id)
    if order is None or order.status not in AFTER_PAID:
        return None
    has_cards = any(line.kind is LineKind.CARD for line in order.lines) and mail.has_page("shop.codes")
    return _to_customer("order_paid", order, has_cards=has_cards)


@mail.kind("mail.order_shipped", _("Shipping confirmation"))
def shipped(order_id: int) -> Message | None:
    """Tell a customer that their order has shipped."""
    order = _order(order_id)
    if order is None or order.status not in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        return None
    return _to_customer("order_shipped", order)


@mail.kind("mail.order_delivered", _("Delivery confirmation and review request"))
def delivered(order_id: int) -> Message | None:
    """Tell a customer that their order was delivered and ask for reviews."""
    order = _order(order_id)
    if order is None or order.status is not OrderStatus.DELIVERED:
        return None
    return _to_customer("order_delivered", order, reviews=list(_review_links(order)))


def _review_links(order: Order) -> Iterator[tuple[str, str]]:
    """Yield title and review link of each unreviewed product; the link opens without an account."""
    titles = {line.product_id: line.title for line in order.lines}
    if mail.has_page("shop.review_link"):
        token = queries.link_token(order, current_app.extensions["keys"])
        for product in reviews.unreviewed_products(order):
            yield titles[product.id], mail.link_to("shop.review_link", token=token, slug=product.slug)


@mail.kind("mail.order_canceled", _("Order cancellation"))
def canceled(order_id: int) -> Message | None:
    """Tell a customer that their order is canceled and need not be paid."""
    order = _order(order_id)
    if order is None or order.status is not OrderStatus.CANCELED:
        return None
    return _to_customer("order_canceled", order)


@mail.kind("mail.order_link", _("Link to an order"))
def link(order_id: int) -> Message | None:
    """Send a customer the link to their order."""
    order = _order(order_id)
    return _to_customer("order_link", order) if order is not None else None


# --- to the shop ------------------------------------------------------------------------------------------------------


@mail.kind("mail.order_to_owner", _("New order (owner)"))
def to_owner(order_id: int, payment_id: int | None = None, user_id: int | None = None) -> Message | None:
    """Tell the shop's owner about an order: when an offline payment is awaited and when the order is paid."""
    order = _order(order_id)
    if order is None:
        return None
    is_relevant = order.status is OrderStatus.PENDING if payment_id is not None else order.status in AFTER_PAID
    if payment_id is not None:
        payment = db.session.get(Payment, payment_id)
        is_relevant = is_relevant and payment is not None and payment.status in PAYMENT_OPEN
    if not is_relevant:
        return None
    address = _owner_address(user_id, "mail.order_to_owner", order_id=order_id, payment_id=payment_id)
    if address is None:
        return None
    return _compose("order_to_owner", address, order, reply_to=_reply_address(order), link=_back_office_link(order))


@mail.kind("mail.payment_needs_care", _("Payment needs review (owner)"))
def payment_needs_review(payment_id: int, user_id: int | None = None) -> Message | None:
    """Tell the shop's owner about a payment that needs a decision."""
    payment = db.session.get(Payment, payment_id)
    if payment is None:
        return None
    address = _owner_address(user_id, "mail.payment_needs_care", payment_id=payment_id)
    if address is None:
        return None
    order = payment.order
    is_mismatch = payment.status is PaymentStatus.MISMATCH
    received_amount = order.money(payment.captured_amount) if payment.currency == order.currency else payment.money
    return _compose(
        "payment_needs_care",
        address,
        order,
        payment=payment,
        is_mismatch=is_mismatch,
        received_amount=received_amount,
        link=_back_office_link(order),
    )


def _owner_address(user_id: int | None, kind: str, **payload: Any) -> str | None:
    """Return the address for an email to the shop: `user_id`'s, the configured one or the only owner's.

    Of several owners, each gets an outbox message of their own instead, and None is returned.
    """
    if user_id is not None:
        owner = db.session.get(User, user_id)
        return owner.email if owner is not None and owner.is_active else None
    configured = settings.load().owner_email
    if configured:
        return configured
    owners = sa.select(User).join(User.roles).where(Role.name == "owner", User.is_active).order_by(User.id)
    users = db.session.scalars(owners).all()
    if len(users) == 1:
        return users[0].email
    for user in users:
        outbox.post(kind, **payload, user_id=user.id)
    return None


def _reply_address(order: Order) -> str | None:
    return None if anonymization.is_erased_email(order.email) else order.email


def _back_office_link(order: Order) -> str | None:
    return mail.link_to("backoffice.order", number=order.number) if mail.has_page("backoffice.order") else None


# --- composing --------------------------------------------------------------------------------------------------------


def _order(order_id: int) -> Order | None:
    return db.session.scalar(sa.select(Order).where(Order.id == order_id).options(*queries.load_options()))


def _to_customer(name: str, order: Order, **values: Any) -> Message | None:
    if anonymization.is_erased_email(order.email):
        return None
    token = queries.link_token(order, current_app.extensions["keys"])
    return _compose(name, order.email, order, link=mail.link_to("shop.order_link", token=token), **values)


def _compose(name: str, to: str, order: Order, *, reply_to: str | None = None, **values: Any) -> Message:
    shop = settings.load()
    return mail.compose(
        name,
        to,
        reply_to=reply_to,
        order=order,
        money=lambda amount: amount.format(shop.locale),
        format_date=_date_formatter(shop),
        address_lines=address_lines(order.address, shop.locale),
        phone=phones.display(order.phone) if order.phone else "",
        is_open=order.is_delivery_open,
        **values,
    )


def _date_formatter(shop: ShopSettings) -> Callable[[datetime], str]:
    """Return a function that formats an instant in the shop's time zone and locale."""
    zone = ZoneInfo(shop.time_zone)
    return lambda instant: format_datetime(instant.astimezone(zone), "d MMM y, HH:mm", locale=shop.locale)
