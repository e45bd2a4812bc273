"""Descriptions of payment methods for buyers."""

from collections.abc import Sequence

from flask_babel import gettext as _t

from ..gateways.base import Gateway
from . import filters


def descriptions(gateways: Sequence[Gateway]) -> dict[str, tuple[str, str]]:
    """Return the label and the description of each payment method by its code."""
    texts = {
        "sandbox": _t("You won't be charged."),
        "offline": filters.shop().offline_text or _t("We'll tell you how to pay once you've ordered."),
    }
    return {gateway.code: (filters.payment_method(gateway.code), texts.get(gateway.code, "")) for gateway in gateways}
