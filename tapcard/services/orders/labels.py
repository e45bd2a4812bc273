"""Labels of the states of orders and order lines, used by all pages, emails and files."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import OrderStatus, ProductionStatus

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
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {
    OrderStatus: ORDER_STATUS,
    ProductionStatus: PRODUCTION_STATUS,
}
