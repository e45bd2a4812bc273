"""Labels of the states of payments: the only words that pages, emails and files use."""

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
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {PaymentStatus: PAYMENT_STATUS}
