"""Labels of the states of products and reviews, used by all pages and files."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import Availability, ReviewStatus

AVAILABILITY = {
    Availability.IN_STOCK: _("In stock"),
    Availability.OUT_OF_STOCK: _("Sold out"),
    Availability.PRE_ORDER: _("Pre-order"),
}
REVIEW_STATUS = {
    ReviewStatus.WAITING: _("Awaiting approval"),
    ReviewStatus.APPROVED: _("Approved"),
    ReviewStatus.REJECTED: _("Rejected"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {
    Availability: AVAILABILITY,
    ReviewStatus: REVIEW_STATUS,
}
