"""Labels of the states and methods of payments, used by all pages, emails and files."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import PaymentStatus

PAYMENT_STATUS = {
    PaymentStatus.CREATED: _("Starting"),
    PaymentStatus.PENDING: _("Pending"),
    PaymentStatus.SUCCEEDED: _("Succeeded"),
    PaymentStatus.FAILED: _("Failed"),
    PaymentStatus.CANCELED: _("Cancelled"),
    PaymentStatus.EXPIRED: _("Expired"),
    PaymentStatus.MISMATCH: _("Needs review"),
}
PAYMENT_METHOD = {  # by the code of the gateway
    "offline": _("Bank transfer, cash or cheque"),
    "sandbox": _("Test payment"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {PaymentStatus: PAYMENT_STATUS}


def label_of_gateway(code: str) -> str:
    """Return the label of the payment method behind a gateway; its code in words if it has none."""
    return PAYMENT_METHOD.get(code) or code.replace("_", " ").capitalize()
