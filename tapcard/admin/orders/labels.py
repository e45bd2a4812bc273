"""What became of orders, payments and mails, in words for staff."""

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
    ProductionStatus,
)
from ...services.orders.order_desk import Show
from ...web import filters
from .order_forms import WAYS

STATUS = {
    OrderStatus.PENDING: (_("Waits to be paid"), "warn", "hourglass-split"),
    OrderStatus.PAID: (_("Paid"), "good", "check-circle-fill"),
    OrderStatus.PROCESSING: (_("In work"), "good", "tools"),
    OrderStatus.SHIPPED: (_("On its way"), "good", "truck"),
    OrderStatus.DELIVERED: (_("Delivered"), "quiet", "box-seam"),
    OrderStatus.CANCELED: (_("Canceled"), "quiet", "x-circle"),
    OrderStatus.EXPIRED: (_("Not paid in time"), "quiet", "clock-history"),
    OrderStatus.REFUNDED: (_("Refunded"), "quiet", "arrow-counterclockwise"),
}
SHOWN = {
    Show.ALL: _("All orders"),
    Show.TO_PRODUCE: _("To produce"),
    Show.TO_SHIP: _("To ship"),
    Show.OFFLINE: _("Waiting for cash or a transfer"),
    Show.OVERSOLD: _("Oversold"),
    Show.CARE: _("Payment needs care"),
}
PRODUCTION = {
    ProductionStatus.QUEUED: _("Queued"),
    ProductionStatus.PRINTED: _("Printed"),
    ProductionStatus.ADHERED: _("Adhered"),
    ProductionStatus.PACKED: _("Packed"),
}
PAYMENT = {
    PaymentStatus.CREATED: (_("Begun"), "quiet", "hourglass"),
    PaymentStatus.PENDING: (_("Waiting for the money"), "warn", "hourglass-split"),
    PaymentStatus.SUCCEEDED: (_("Paid"), "good", "check-circle-fill"),
    PaymentStatus.FAILED: (_("Failed"), "quiet", "x-circle"),
    PaymentStatus.CANCELED: (_("Canceled"), "quiet", "x-circle"),
    PaymentStatus.EXPIRED: (_("Not paid in time"), "quiet", "clock-history"),
    PaymentStatus.MISMATCH: (_("Does not agree"), "bad", "exclamation-triangle-fill"),
}
GATEWAYS = {"offline": _("Outside the web"), "sandbox": _("Sandbox")}
MOVES = {
    OrderMove.PLACE: _("Ordered"),
    OrderMove.PAY: _("Paid"),
    OrderMove.PROCESS: _("Work began"),
    OrderMove.SHIP: _("Sent on its way"),
    OrderMove.DELIVER: _("Delivered"),
    OrderMove.CANCEL: _("Canceled"),
    OrderMove.EXPIRE: _("Not paid in time"),
    OrderMove.REFUND: _("Refunded"),
}
DEEDS = {
    "order.noted": _("Note"),
    "order.extended": _("More time to pay, in days"),
    "order.oversold": _("Oversold: not everything in it is there to be given"),
    "order.given_after_all": _("Given after all"),
    "payment.confirmed": _("Payment noted"),
    "payment.dismissed": _("Payment seen to"),
    "payment.mismatched": _("A payment did not agree with what was asked for"),
}
MAILS = {
    "mail.order_received": _("Order received"),
    "mail.order_to_owner": _("New order, to the shop"),
    "mail.order_paid": _("Order paid"),
    "mail.order_canceled": _("Order canceled"),
    "mail.order_shipped": _("On its way"),
    "mail.order_delivered": _("Delivered, and asked for a review"),
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
    states = [(status.value, words[0]) for status, words in STATUS.items()]
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
        own = [(gettext("Front"), "front", front), (gettext("Rear"), "rear", rear)]
        answers = [(each["label"], "picture", each["value"]) for each in line.options if each.get("kind") == "picture"]
        rest = [(gettext("Picture"), "picture", name) for name in line.pictures]
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
            "%(came)s came where %(asked)s were asked for. Nothing was given for it; give the money back.",
            came=came, asked=filters.write_money(payment.money),
        )  # fmt: skip
    if order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED):
        return gettext("%(came)s came for an order that is over. Give the money back.", came=came)
    if order.is_oversold:
        return gettext("%(came)s came, but not everything is there to be given. Give it or the money.", came=came)
    return gettext("%(came)s came on top of what was paid before. Give the money back.", came=came)


def mail_state(mail: OutboxMessage) -> tuple[str, str, str]:
    """Where a promised mail is: its words, kind and drawing of a chip."""
    if mail.done_at is not None:
        return gettext("Sent"), "good", "check-circle-fill"
    if mail.failed_at is not None:
        return gettext("Failed"), "bad", "exclamation-triangle-fill"
    return gettext("Waiting"), "quiet", "hourglass-split"


def is_handed_over(order: Order) -> bool:
    """Whether the buyer fetches it."""
    method = order.delivery_method
    return method is not None and method.kind is DeliveryKind.PICKUP
