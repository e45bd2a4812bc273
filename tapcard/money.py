"""Money: whole minor units of one currency, never a float."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision


@dataclass(frozen=True)
class Money:
    """An amount in minor units (pence, kobo) of one currency."""

    amount: int
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)

    def format(self, locale: str = "en_GB") -> str:
        """As people of a locale write it: £24.00."""
        exponent = get_currency_precision(self.currency)
        return format_currency(Decimal(self.amount).scaleb(-exponent), self.currency, locale=locale)
