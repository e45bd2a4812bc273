"""Labels of the states of email addresses, used by all pages."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import EmailStatus

EMAIL_STATUS = {
    EmailStatus.CONFIRMED: _("Confirmed"),
    EmailStatus.NOT_CONFIRMED: _("Not confirmed"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {EmailStatus: EMAIL_STATUS}
