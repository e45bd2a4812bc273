"""Money in minor units of a currency, and exact arithmetic with rates, included tax and allocation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

RATE_DENOMINATOR = 10_000  # rates are hundredths of a percent


@dataclass(frozen=True, order=False)
class Money:
    """Amount in minor units (pence, kobo) of a currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"money is whole minor units, not {self.amount!r}")

    def __add__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._require_same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _require_same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot combine {other.currency} with {self.currency}")

    def plain(self) -> str:
        """Return the amount as a decimal number: 24.00."""
        return str(Decimal(self.amount).scaleb(-get_currency_precision(self.currency)))

    def format(self, locale: str = "en_GB") -> str:
        """Return the amount in the format of a locale: £24.00."""
        exponent = get_currency_precision(self.currency)
        return format_currency(Decimal(self.amount).scaleb(-exponent), self.currency, locale=locale)


def parse(text: str, currency: str) -> Money | None:
    """Parse an amount like 24, 24.5 or 24,50; return None for anything else, including thousands separators."""
    exponent = get_currency_precision(currency)
    match = re.fullmatch(r"([0-9]{1,9})(?:[.,]([0-9]+))?", text.strip())
    units, decimals = match.groups(default="") if match else ("", "")
    if not units or len(decimals) > exponent:
        return None
    return Money(int(units + decimals.ljust(exponent, "0")), currency)


def apply_rate(amount: int, rate: int) -> int:
    """Return `rate` hundredths of a percent of an amount, rounded half up; neither may be negative."""
    return (amount * rate + RATE_DENOMINATOR // 2) // RATE_DENOMINATOR


def included_tax(amount: int, rate: int) -> int:
    """Return the tax included in a price at a rate in hundredths of a percent, rounded half up."""
    return (2 * amount * rate + RATE_DENOMINATOR + rate) // (2 * (RATE_DENOMINATOR + rate))


def allocate(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by non-negative weights into parts that add up to it (largest remainder method, Hamilton).

    No part exceeds its weight if the amount does not exceed their sum. Without any weight every part is 0.
    """
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(amount * weights[index] % total), index))
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts
