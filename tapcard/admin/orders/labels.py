"""Display names for the history, payments and emails of orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from ...models import (
    AuditEntry,
    DeliveryKind,
    Order,
    OrderEvent,
    OrderMove,
    OrderStatus,
    OutboxMessage,
    Payment,
    PaymentStatus,
)
from ...services.orders.back_office import OrderFilter
from ...web import filters
from .order_forms import PAYMENT_METHODS

# Kind and icon of the chip for each status; the label is in `services.orders.labels`.
STATUS_CHIPS = {
    OrderStatus.PENDING: ("warn", "hourglass-split"),
    OrderStatus.PAID: ("good", "check-circle-fill"),
    OrderStatus.PROCESSING: ("good", "tools"),
    OrderStatus.SHIPPED: ("good", "truck"),
    OrderStatus.DELIVERED: ("quiet", "box-seam"),
    OrderStatus.CANCELED: ("quiet", "x-circle"),
    OrderStatus.EXPIRED: ("quiet", "clock-history"),
    OrderStatus.REFUNDED: ("quiet", "arrow-counterclockwise"),
}
FILTER_LABELS = {
    OrderFilter.ALL: _("All orders"),
    OrderFilter.TO_PRODUCE: _("To produce"),
    OrderFilter.TO_SHIP: _("To ship"),
    OrderFilter.OFFLINE: _("Awaiting cash or bank transfer"),
    OrderFilter.OVERSOLD: _("Oversold"),
    OrderFilter.NEEDS_REVIEW: _("Payment needs review"),
}
PAYMENT_CHIPS = {
    PaymentStatus.CREATED: ("quiet", "hourglass"),
    PaymentStatus.PENDING: ("warn", "hourglass-split"),
    PaymentStatus.SUCCEEDED: ("good", "check-circle-fill"),
    PaymentStatus.FAILED: ("quiet", "x-circle"),
    PaymentStatus.CANCELED: ("quiet", "x-circle"),
    PaymentStatus.EXPIRED: ("quiet", "clock-history"),
    PaymentStatus.MISMATCH: ("bad", "exclamation-triangle-fill"),
}
MOVE_LABELS = {
    OrderMove.PLACE: _("Order placed"),
    OrderMove.PAY: _("Payment received"),
    OrderMove.PROCESS: _("Processing started"),
    OrderMove.SHIP: _("Order shipped"),
    OrderMove.DELIVER: _("Order delivered"),
    OrderMove.CANCEL: _("Order cancelled"),
    OrderMove.EXPIRE: _("Order expired"),
    OrderMove.REFUND: _("Order refunded"),
}
AUDIT_LABELS = {
    "order.noted": _("Note"),
    "order.extended": _("Payment deadline extended (days)"),
    "order.oversold": _("Oversold: some items are out of stock"),
    "order.given_after_all": _("Order fulfilled after restock"),
    "payment.confirmed": _("Payment recorded"),
    "payment.dismissed": _("Payment resolved"),
    "payment.mismatched": _("Payment amount didn't match"),
}


@dataclass(frozen=True)
class LineFile:
    """A picture or artwork that a customer uploaded for an order line."""

    line_id: int
    label: str
    name: str  # of the stored upload
    download_name: str


def choices() -> list[tuple[str, Any]]:
    """Return the values and labels of the filter menu."""
    states = [(status.value, filters.label(status)) for status in STATUS_CHIPS]
    return [*((order_filter.value, label) for order_filter, label in FILTER_LABELS.items()), *states]


def captured_amount(order: Order, attempts: Sequence[Payment]) -> int:
    """Return the amount captured by payments in the order's currency, in minor units."""
    return sum(
        payment.captured_amount
        for payment in attempts
        if payment.status is PaymentStatus.SUCCEEDED and payment.currency == order.currency
    )


def files(order: Order) -> list[LineFile]:
    """Return the customer's pictures and artwork, with descriptive download names."""
    line_files: list[LineFile] = []
    for position, line in enumerate(order.lines, 1):
        seen: set[str] = set()
        front, rear = (line.design.front_picture, line.design.rear_picture) if line.design else (None, None)
        artwork = [(gettext("Front"), "front", front), (gettext("Back"), "rear", rear)]
        answers = [
            (option["label"], "picture", option["value"]) for option in line.options if option.get("kind") == "picture"
        ]
        others = [(gettext("Image"), "picture", name) for name in line.pictures]
        for label, kind, name in [*artwork, *answers, *others]:
            if name and name not in seen:
                seen.add(name)
                suffix = name.rpartition(".")[2]
                download_name = f"{order.number}-{position}-{kind}-{len(seen)}.{suffix}"
                line_files.append(LineFile(line.id, label, name, download_name))
    return line_files


def history(order: Order, entries: Sequence[AuditEntry]) -> list[tuple[datetime, str, str]]:
    """Return the events of an order as time, text and actor's name, newest first."""
    moves = [
        (event.happened_at, _move_text(event), event.actor.full_name if event.actor else "") for event in order.events
    ]
    others = [
        (entry.happened_at, _entry_text(order, entry), entry.actor.full_name if entry.actor else "")
        for entry in entries
    ]
    return sorted([*moves, *others], key=lambda row: row[0], reverse=True)


def _move_text(event: OrderEvent) -> str:
    label = str(MOVE_LABELS[event.move])
    return f"{label}: {event.why}" if event.why else label


def _entry_text(order: Order, entry: AuditEntry) -> str:
    details = entry.details
    amount = details.get("amount")
    text = details.get("note") or details.get("why") or details.get("days")
    if amount is not None:
        text = filters.write_money(order.money(amount))
    label = str(AUDIT_LABELS[entry.tag])
    return f"{label}: {text}" if text else label


def evidence(payment: Payment) -> str:
    """Return the payment method and reference that staff recorded for a payment, or an empty text."""
    details = payment.evidence
    method = str(PAYMENT_METHODS[details["how"]]) if details.get("how") in PAYMENT_METHODS else ""
    parts = [method, str(details.get("note") or "")]
    return ", ".join(part for part in parts if part)


def review_reason(order: Order, payment: Payment) -> str:
    """Return why a payment needs review and what to do."""
    received = filters.write_money(order.money(payment.captured_amount))
    if payment.status is PaymentStatus.MISMATCH:
        return gettext(
            "We received %(received)s instead of %(due)s, so nothing was fulfilled. Refund the customer.",
            received=received, due=filters.write_money(payment.money),
        )  # fmt: skip
    if order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED):
        return gettext(
            "We received %(received)s for an order that's no longer open. Refund the customer.", received=received
        )
    if order.is_oversold:
        return gettext(
            "We received %(received)s, but some items are out of stock. Fulfil the order or refund the customer.",
            received=received,
        )
    return gettext("We received an extra payment of %(received)s. Refund the customer.", received=received)


def email_chip(message: OutboxMessage) -> tuple[str, str, str]:
    """Return label, kind and icon of the chip for an outgoing email."""
    if message.done_at is not None:
        return gettext("Sent"), "good", "check-circle-fill"
    if message.failed_at is not None:
        return gettext("Not sent"), "bad", "exclamation-triangle-fill"
    return gettext("Sending"), "quiet", "hourglass-split"


def is_pickup(order: Order) -> bool:
    """Return whether the customer collects the order."""
    method = order.delivery_method
    return method is not None and method.kind is DeliveryKind.PICKUP
