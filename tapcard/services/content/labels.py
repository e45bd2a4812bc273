"""Labels of the states of messages and newsletter subscribers, used by all pages and files."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import EnquiryStatus, SubscriberStatus

ENQUIRY_STATUS = {
    EnquiryStatus.OPEN: _("Open"),
    EnquiryStatus.ANSWERED: _("Answered"),
}
SUBSCRIBER_STATUS = {
    SubscriberStatus.PENDING: _("Not confirmed"),
    SubscriberStatus.SUBSCRIBED: _("Subscribed"),
    SubscriberStatus.UNSUBSCRIBED: _("Unsubscribed"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {
    EnquiryStatus: ENQUIRY_STATUS,
    SubscriberStatus: SUBSCRIBER_STATUS,
}
