"""The gateway protocol and the values it exchanges with the shop."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..db import db
from ..money import Money

OFFLINE = "offline"  # the gateway of payments that staff confirm


class GatewayError(Exception):
    """The gateway failed; the state of the payment is unknown."""


@dataclass(frozen=True)
class Charge:
    """An amount to be collected by a gateway."""

    key: str  # idempotency key, the same for every attempt
    public_id: str  # of the payment
    order_number: str
    amount: Money
    email: str
    description: str
    return_url: str


@dataclass(frozen=True)
class Started:
    """A payment known to the gateway: its reference there and the page to pay on; None for offline payments."""

    reference: str
    url: str | None


class Outcome(enum.StrEnum):
    """The state of a payment at its gateway."""

    PAID = "paid"
    PENDING = "pending"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Evidence:
    """State of a payment, read from its gateway; what browsers or notifications claim is not evidence."""

    outcome: Outcome
    reference: str
    amount: Money | None = None  # amount paid
    details: Mapping[str, Any] = field(default_factory=dict)


class Gateway(Protocol):
    """A payment method. No database transaction may be open while it is called."""

    code: str
    is_online: bool  # whether the customer pays on a page of the gateway

    def supports_currency(self, currency: str) -> bool:
        """Return whether the gateway supports a currency."""

    def start(self, charge: Charge) -> Started:
        """Register a payment with the gateway; raises `GatewayError`."""

    def fetch(self, reference: str) -> Evidence:
        """Read the state of a payment; raises `GatewayError`."""

    def close(self, reference: str) -> None:
        """Make a payment impossible to pay, if it still can be; raises `GatewayError`."""


def require_no_transaction() -> None:
    """Raise `RuntimeError` while a transaction of `db.session` is open: a slow gateway would block other requests."""
    if db.session.registry.has() and db.session().in_transaction():
        raise RuntimeError("a gateway was called while a database transaction was open")
