"""How buyers read about each way to pay."""

from collections.abc import Sequence

from flask_babel import gettext as _t

from ..gateways.base import Gateway
from . import filters


def descriptions(gateways: Sequence[Gateway]) -> dict[str, tuple[str, str]]:
    """How each way to pay is called, and what a buyer should know of it, by its code."""
    words = {
        "sandbox": (_t("Test payment"), _t("You won't be charged.")),
        "offline": (
            _t("Bank transfer, cash or cheque"),
            filters.shop().offline_text or _t("We'll tell you how to pay once you've ordered."),
        ),
    }
    return {each.code: words.get(each.code, (each.code.capitalize(), "")) for each in gateways}
