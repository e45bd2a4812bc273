"""Money: whole minor units of one currency, never a float; and the sums that must come out even."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

WHOLE = 10_000  # rates are hundredths of a percent


@dataclass(frozen=True, order=False)
class Money:
    """An amount in minor units (pence, kobo) of one currency."""

    amount: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"money is whole minor units, not {self.amount!r}")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def _same(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise ValueError(f"cannot combine {other.currency} with {self.currency}")

    def plain(self) -> str:
        """As somebody would type it: 24.00."""
        return str(Decimal(self.amount).scaleb(-get_currency_precision(self.currency)))

    def format(self, locale: str = "en_GB") -> str:
        """As people of a locale write it: £24.00."""
        exponent = get_currency_precision(self.currency)
        return format_currency(Decimal(self.amount).scaleb(-exponent), self.currency, locale=locale)


def parse(text: str, currency: str) -> Money | None:
    """The money that somebody typed, as 24, 24.5 or 24,50; None for anything else, thousands' marks among it."""
    exponent = get_currency_precision(currency)
    typed = re.fullmatch(r"([0-9]{1,9})(?:[.,]([0-9]+))?", text.strip())
    whole, rest = typed.groups(default="") if typed else ("", "")
    if not whole or len(rest) > exponent:
        return None
    return Money(int(whole + rest.ljust(exponent, "0")), currency)


def part_of(amount: int, rate: int) -> int:
    """So many hundredths of a percent of an amount, a half rounded up; both from 0."""
    return (amount * rate + WHOLE // 2) // WHOLE


def included_tax(amount: int, rate: int) -> int:
    """The tax that a price holds at a rate in hundredths of a percent, a half rounded up."""
    return (2 * amount * rate + WHOLE + rate) // (2 * (WHOLE + rate))


def share(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights (from 0) so that the parts add up to it: the largest remainder method (Hamilton).

    No part exceeds its weight as long as the amount does not exceed their sum; without any weight every part is 0.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    rests = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % whole), place))
    for place in rests[: amount - sum(parts)]:
        parts[place] += 1
    return parts
