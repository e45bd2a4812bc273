"""Descriptions of payment methods for buyers."""

from collections.abc import Sequence

from flask_babel import gettext as _t

from ..gateways.base import Gateway
from . import filters


def descriptions(gateways: Sequence[Gateway]) -> dict[str, tuple[str, str]]:
    """Return the label and the description of each payment method by its code."""
    words = {
        "sandbox": (_t("Test payment"), _t("You won't be charged.")),
        "offline": (
            _t("Bank transfer, cash or cheque"),
            filters.shop().offline_text or _t("We'll tell you how to pay once you've ordered."),
        ),
    }
    return {each.code: words.get(each.code, (each.code.capitalize(), "")) for each in gateways}
