"""Labels of the states of orders, order lines and payments: the only words that pages, emails and files use."""

import enum
from collections.abc import Mapping
from typing import Any

from ..errors import mark as _
from ..models import OrderStatus, PaymentStatus, ProductionStatus

ORDER_STATUS = {
    OrderStatus.PENDING: _("Awaiting payment"),
    OrderStatus.PAID: _("Paid"),
    OrderStatus.PROCESSING: _("Processing"),
    OrderStatus.SHIPPED: _("Shipped"),
    OrderStatus.DELIVERED: _("Delivered"),
    OrderStatus.CANCELED: _("Cancelled"),
    OrderStatus.EXPIRED: _("Expired"),
    OrderStatus.REFUNDED: _("Refunded"),
}
PRODUCTION_STATUS = {
    ProductionStatus.QUEUED: _("Queued"),
    ProductionStatus.PRINTED: _("Printed"),
    ProductionStatus.ADHERED: _("Encoded and assembled"),
    ProductionStatus.PACKED: _("Packed"),
}
PAYMENT_STATUS = {
    PaymentStatus.CREATED: _("Starting"),
    PaymentStatus.PENDING: _("Pending"),
    PaymentStatus.SUCCEEDED: _("Succeeded"),
    PaymentStatus.FAILED: _("Failed"),
    PaymentStatus.CANCELED: _("Cancelled"),
    PaymentStatus.EXPIRED: _("Expired"),
    PaymentStatus.MISMATCH: _("Needs review"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {
    OrderStatus: ORDER_STATUS,
    ProductionStatus: PRODUCTION_STATUS,
    PaymentStatus: PAYMENT_STATUS,
}
