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
from ...services.orders.production import OrderFilter
from ...web import filters
from .order_forms import WAYS

# Kind and icon of a status's chip; its label is in `services.orders.labels`.
STATUS = {
    OrderStatus.PENDING: ("warn", "hourglass-split"),
    OrderStatus.PAID: ("good", "check-circle-fill"),
    OrderStatus.PROCESSING: ("good", "tools"),
    OrderStatus.SHIPPED: ("good", "truck"),
    OrderStatus.DELIVERED: ("quiet", "box-seam"),
    OrderStatus.CANCELED: ("quiet", "x-circle"),
    OrderStatus.EXPIRED: ("quiet", "clock-history"),
    OrderStatus.REFUNDED: ("quiet", "arrow-counterclockwise"),
}
SHOWN = {
    OrderFilter.ALL: _("All orders"),
    OrderFilter.TO_PRODUCE: _("To produce"),
    OrderFilter.TO_SHIP: _("To ship"),
    OrderFilter.OFFLINE: _("Awaiting cash or bank transfer"),
    OrderFilter.OVERSOLD: _("Oversold"),
    OrderFilter.CARE: _("Payment needs review"),
}
PAYMENT = {
    PaymentStatus.CREATED: ("quiet", "hourglass"),
    PaymentStatus.PENDING: ("warn", "hourglass-split"),
    PaymentStatus.SUCCEEDED: ("good", "check-circle-fill"),
    PaymentStatus.FAILED: ("quiet", "x-circle"),
    PaymentStatus.CANCELED: ("quiet", "x-circle"),
    PaymentStatus.EXPIRED: ("quiet", "clock-history"),
    PaymentStatus.MISMATCH: ("bad", "exclamation-triangle-fill"),
}
MOVES = {
    OrderMove.PLACE: _("Order placed"),
    OrderMove.PAY: _("Payment received"),
    OrderMove.PROCESS: _("Processing started"),
    OrderMove.SHIP: _("Order shipped"),
    OrderMove.DELIVER: _("Order delivered"),
    OrderMove.CANCEL: _("Order cancelled"),
    OrderMove.EXPIRE: _("Order expired"),
    OrderMove.REFUND: _("Order refunded"),
}
DEEDS = {
    "order.noted": _("Note"),
    "order.extended": _("Payment deadline extended (days)"),
    "order.oversold": _("Oversold: some items are out of stock"),
    "order.given_after_all": _("Order fulfilled after restock"),
    "payment.confirmed": _("Payment recorded"),
    "payment.dismissed": _("Payment resolved"),
    "payment.mismatched": _("Payment amount didn't match"),
}


@dataclass(frozen=True)
class File:
    """Something of a buyer's that goes with a line."""

    line_id: int
    label: str
    name: str  # of the upload
    download_name: str


def choices() -> list[tuple[str, Any]]:
    """What a list may show, for its menu."""
    states = [(status.value, filters.label(status)) for status in STATUS]
    return [*((show.value, words) for show, words in SHOWN.items()), *states]


def came_in(order: Order, tries: Sequence[Payment]) -> int:
    """What has come in for an order, of payments that were read before."""
    good = (each for each in tries if each.status is PaymentStatus.SUCCEEDED and each.currency == order.currency)
    return sum(each.captured_amount for each in good)


def files(order: Order) -> list[File]:
    """The buyer's own pictures and artwork, under names that say what they are for."""
    found: list[File] = []
    for place, line in enumerate(order.lines, 1):
        seen: set[str] = set()
        front, rear = (line.design.front_picture, line.design.rear_picture) if line.design else (None, None)
        own = [(gettext("Front"), "front", front), (gettext("Back"), "rear", rear)]
        answers = [(each["label"], "picture", each["value"]) for each in line.options if each.get("kind") == "picture"]
        rest = [(gettext("Image"), "picture", name) for name in line.pictures]
        for label, kind, name in [*own, *answers, *rest]:
            if name and name not in seen:
                seen.add(name)
                suffix = name.rpartition(".")[2]
                found.append(File(line.id, label, name, f"{order.number}-{place}-{kind}-{len(seen)}.{suffix}"))
    return found


def history(order: Order, deeds: Sequence[AuditEntry]) -> list[tuple[datetime, str, str]]:
    """Everything that happened to an order, the latest first: when, what, who."""
    moves = [(event.happened_at, _move(event), event.actor.full_name if event.actor else "") for event in order.events]
    others = [(deed.happened_at, _deed(order, deed), deed.actor.full_name if deed.actor else "") for deed in deeds]
    return sorted([*moves, *others], key=lambda each: each[0], reverse=True)


def _move(event: OrderEvent) -> str:
    return f"{MOVES[event.move]}: {event.why}" if event.why else str(MOVES[event.move])


def _deed(order: Order, deed: AuditEntry) -> str:
    details = deed.details
    amount = details.get("amount")
    told = details.get("note") or details.get("why") or details.get("days")
    if amount is not None:
        told = filters.write_money(order.money(amount))
    return f"{DEEDS[deed.tag]}: {told}" if told else str(DEEDS[deed.tag])


def evidence(payment: Payment) -> str:
    """What proves a payment, or what it is known by."""
    told = payment.evidence
    parts = [str(WAYS[told["how"]]) if told.get("how") in WAYS else "", str(told.get("note") or "")]
    return ", ".join(part for part in parts if part)


def why_care(order: Order, payment: Payment) -> str:
    """What is wrong with a payment that needs care, and what is proposed."""
    came = filters.write_money(order.money(payment.captured_amount))
    if payment.status is PaymentStatus.MISMATCH:
        return gettext(
            "We received %(came)s instead of %(asked)s, so nothing was fulfilled. Refund the customer.",
            came=came, asked=filters.write_money(payment.money),
        )  # fmt: skip
    if order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED):
        return gettext("We received %(came)s for an order that's no longer open. Refund the customer.", came=came)
    if order.is_oversold:
        return gettext(
            "We received %(came)s, but some items are out of stock. Fulfil the order or refund the customer.", came=came
        )
    return gettext("We received an extra payment of %(came)s. Refund the customer.", came=came)


def mail_state(mail: OutboxMessage) -> tuple[str, str, str]:
    """Where a promised mail is: its words, kind and drawing of a chip."""
    if mail.done_at is not None:
        return gettext("Sent"), "good", "check-circle-fill"
    if mail.failed_at is not None:
        return gettext("Not sent"), "bad", "exclamation-triangle-fill"
    return gettext("Sending"), "quiet", "hourglass-split"


def is_handed_over(order: Order) -> bool:
    """Whether the buyer fetches it."""
    method = order.delivery_method
    return method is not None and method.kind is DeliveryKind.PICKUP
