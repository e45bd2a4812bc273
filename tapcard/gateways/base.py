"""What every gateway does, and the words that it and the shop share."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..db import db
from ..money import Money

OFFLINE = "offline"  # the gateway of money outside the web, which people confirm


class GatewayError(Exception):
    """The gateway did not do what was asked; nothing is known of the money."""


@dataclass(frozen=True)
class Charge:
    """What a buyer is to be asked for."""

    key: str  # our own, the same at every try: the gateway does it once
    public_id: str  # of the payment
    order_number: str
    amount: Money
    email: str
    description: str
    return_url: str


@dataclass(frozen=True)
class Started:
    """A payment that the gateway knows by now: its reference there, and where the buyer pays; None: outside the web."""

    reference: str
    url: str | None


class Outcome(enum.StrEnum):
    """What a gateway says about a payment."""

    PAID = "paid"
    PENDING = "pending"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Evidence:
    """What was read at the gateway a moment ago; what a browser or a message claims is none."""

    outcome: Outcome
    reference: str
    amount: Money | None = None  # that came
    details: Mapping[str, Any] = field(default_factory=dict)


class Gateway(Protocol):
    """A way to pay. No database transaction may be open while it is asked."""

    code: str
    is_online: bool  # whether the buyer pays on a page, now; else by transfer, cash, cheque

    def takes(self, currency: str) -> bool:
        """Whether it takes money of a currency."""

    def start(self, charge: Charge) -> Started:
        """Tell the gateway about a payment; raises `GatewayError`."""

    def fetch(self, reference: str) -> Evidence:
        """Read how a payment stands; raises `GatewayError`."""

    def close(self, reference: str) -> None:
        """Let nobody pay by this reference any more, if that can still be had; raises `GatewayError`."""


def must_be_outside_a_transaction() -> None:
    """Raise `RuntimeError` while a transaction of `db.session` is open: a slow gateway would hold everybody up."""
    if db.session.registry.has() and db.session().in_transaction():
        raise RuntimeError("a gateway was called while a database transaction was open")
