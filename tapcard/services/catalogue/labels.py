"""Labels of the states of product reviews: the only words that pages and files use for them."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import ReviewStatus

REVIEW_STATUS = {
    ReviewStatus.WAITING: _("Awaiting approval"),
    ReviewStatus.APPROVED: _("Approved"),
    ReviewStatus.REJECTED: _("Rejected"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {
    ReviewStatus: REVIEW_STATUS,
}
