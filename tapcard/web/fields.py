"""Form fields for what is typed as text and stored as something else; what was typed is shown again as it was."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from wtforms import Field, StringField, TextAreaField

from ..models.products import HUNDRED_PERCENT, MOST_AMOUNT
from . import filters
from .forms import has_controls

LONGEST = 40
YEARS = (2000, 2100)
NUMBER = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,8}))?")


class ParsedField(StringField):
    """A short text with a meaning; `missing` is what to say when it is left blank and must not be."""

    def __init__(self, label: Any = None, validators: Any = None, *, missing: Any = None, **kwargs: Any) -> None:
        self.missing = missing
        self.typed: str | None = None
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was sent; a file in its place counts as nothing."""
        self.data = None
        text = valuelist[0].strip() if valuelist and isinstance(valuelist[0], str) else ""
        self.typed = text
        if text:
            self.data = self.parse(text)
        elif self.missing:
            raise ValueError(self.missing)

    def _value(self) -> str:
        if self.typed is not None:
            return self.typed
        return "" if self.data is None else self.write(self.data)

    def parse(self, text: str) -> Any:
        """What a text means; raises `ValueError` with a sentence."""
        raise NotImplementedError

    def write(self, value: Any) -> str:
        """How a stored value is typed."""
        return str(value)


class DecimalText(ParsedField):
    """A number from 0 on with up to so many decimals, stored as a whole number of its smallest part."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"inputmode": "decimal", "autocomplete": "off", **kwargs.get("render_kw", {})}
        super().__init__(label, validators, **kwargs)

    def places(self) -> int:
        """How many decimals there are."""
        return 2

    def parse(self, text: str) -> Any:
        found = NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        places = self.places()
        if found is None or len(found[2] or "") > places:
            raise ValueError(self.explain())
        return int(found[1]) * 10**places + int((found[2] or "").ljust(places, "0") or "0")

    def write(self, value: Any) -> str:
        return f"{Decimal(value).scaleb(-self.places()):f}"

    def explain(self) -> str:
        """What to type instead."""
        raise NotImplementedError


class MoneyField(DecimalText):
    """An amount of the shop's currency, stored in minor units."""

    def __init__(self, label: Any = None, validators: Any = None, *, least: int = 0, **kwargs: Any) -> None:
        self.least = least
        super().__init__(label, validators, **kwargs)

    def places(self) -> int:
        return int(get_currency_precision(filters.shop().currency))

    def parse(self, text: str) -> int:
        amount = int(super().parse(text))
        if amount < self.least:
            raise ValueError(_("Enter %(least)s or more.", least=self.write(self.least)))
        if amount > MOST_AMOUNT:
            raise ValueError(_("Enter %(most)s or less.", most=self.write(MOST_AMOUNT)))
        return amount

    def explain(self) -> str:
        return _("Enter an amount such as %(example)s, without a currency symbol.", example=self.write(1250))


class PercentField(DecimalText):
    """A share from 0 to 100 %, stored in hundredths of a percent."""

    def __init__(self, label: Any = None, validators: Any = None, *, least: int = 0, **kwargs: Any) -> None:
        self.least = least
        super().__init__(label, validators, **kwargs)

    def parse(self, text: str) -> int:
        rate = int(super().parse(text))
        if not self.least <= rate <= HUNDRED_PERCENT:
            raise ValueError(_("Enter a percentage from %(least)s to 100.", least=self.write(self.least)))
        return rate

    def write(self, value: Any) -> str:
        text = super().write(value)
        return text.rstrip("0").rstrip(".")

    def explain(self) -> str:
        return _("Enter a percentage such as 20 or 17.5.")


class RateField(ParsedField):
    """A positive number with up to eight decimals."""

    def parse(self, text: str) -> Decimal:
        found = NUMBER.fullmatch(text) if len(text) <= LONGEST else None
        rate = Decimal(f"{found[1]}.{found[2] or '0'}") if found is not None else Decimal(0)
        if not 0 < rate < 10**9:
            raise ValueError(_("Enter a number above 0, such as 1.17."))
        return rate

    def write(self, value: Any) -> str:
        text = f"{Decimal(value):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class WholeField(ParsedField):
    """A whole number between two others."""

    def __init__(self, label: Any = None, validators: Any = None, *, least: int = 0, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        kwargs["render_kw"] = {"inputmode": "numeric", "autocomplete": "off", **kwargs.get("render_kw", {})}
        super().__init__(label, validators, **kwargs)

    def parse(self, text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,12}", text) else -1
        if not self.least <= number <= self.most:
            raise ValueError(_("Enter a whole number from %(least)d to %(most)d.", least=self.least, most=self.most))
        return number


class DayField(ParsedField):
    """A date, from a browser's own calendar."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, render_kw={"type": "date"}, **kwargs)

    def parse(self, text: str) -> date:
        try:
            day = date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        except ValueError:
            day = None
        if day is None or not YEARS[0] <= day.year <= YEARS[1]:
            raise ValueError(_("Enter a date such as 2026-12-24."))
        return day

    def write(self, value: Any) -> str:
        return str(value.isoformat())


class InstantField(ParsedField):
    """A date and a time on the shop's clock, stored as the instant it is."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, render_kw={"type": "datetime-local"}, **kwargs)

    def parse(self, text: str) -> datetime:
        pattern = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?"
        try:
            local = datetime.fromisoformat(text) if re.fullmatch(pattern, text) else None
        except ValueError:
            local = None
        if local is None or not YEARS[0] <= local.year <= YEARS[1]:
            raise ValueError(_("Enter a date and time such as 2026-12-24 18:00."))
        return local.replace(tzinfo=ZoneInfo(filters.shop().time_zone)).astimezone(UTC)

    def write(self, value: Any) -> str:
        return filters.local(value).strftime("%Y-%m-%dT%H:%M")


class LinesField(TextAreaField):
    """A list of texts, one in each line; blank lines and repetitions count as nothing."""

    def __init__(
        self, label: Any = None, validators: Any = None, *, most: int = 40, longest: int = 100, **kwargs: Any
    ) -> None:
        self.most, self.longest = most, longest
        self.typed: str | None = None
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was sent."""
        text = valuelist[0] if valuelist and isinstance(valuelist[0], str) else ""
        self.typed = text.strip()
        self.data = list(dict.fromkeys(filter(None, (" ".join(line.split()) for line in text.splitlines()))))
        if any(has_controls(line) for line in self.data) or has_controls(text, "\r\n\t"):
            raise ValueError(_("This contains characters that aren't allowed here."))
        if len(self.data) > self.most:
            raise ValueError(_("Enter %(most)d lines or fewer.", most=self.most))
        if any(len(line) > self.longest for line in self.data):
            raise ValueError(_("Enter %(most)d characters or fewer per line.", most=self.longest))

    def _value(self) -> str:
        return self.typed if self.typed is not None else "\n".join(self.data or ())


def uploads_in(field: Field) -> list[FileStorage]:
    """The files that were sent for a field; none where nothing, or a text, was sent."""
    sent = field.data if isinstance(field.data, list | tuple) else [field.data]
    return [each for each in sent if isinstance(each, FileStorage) and each.filename]
