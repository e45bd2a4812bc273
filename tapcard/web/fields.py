"""Form fields that parse text: amounts, percentages, rates, numbers, dates, lines; invalid input is shown again."""

import re
from collections.abc import Callable
from datetime import UTC
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from wtforms import DateField, DateTimeLocalField, Field, IntegerField, StringField, TextAreaField
from wtforms.widgets import TextInput

from ..ids import parse_number
from ..models.products import HUNDRED_PERCENT, MAX_AMOUNT
from . import filters
from .forms import has_controls

MAX_NUMBER_LENGTH = 40
YEARS = (2000, 2100)
INSTANT_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]
NUMBER = re.compile(r"([0-9]{1,12})(?:[.,]([0-9]{1,8}))?")


class ParsedField(StringField):
    """A text field whose text is parsed; `missing` is the error message for a required field left blank."""

    def __init__(self, label: Any = None, validators: Any = None, *, missing: Any = None, **kwargs: Any) -> None:
        self.missing = missing
        self.submitted_text: str | None = None
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse the submitted text."""
        self.data = None
        self.submitted_text = text = _text_in(valuelist)
        if text:
            self.data = self.parse(text)
        elif self.missing:
            raise ValueError(self.missing)

    def _value(self) -> str:
        if self.submitted_text is not None:
            return self.submitted_text
        return "" if self.data is None else self.format(self.data)

    def parse(self, text: str) -> Any:
        """Return the value of a text; raise `ValueError` with a message for people."""
        raise NotImplementedError

    def format(self, value: Any) -> str:
        """Return the text of a stored value."""
        return str(value)


class DecimalField(ParsedField):
    """A non-negative number with a limited number of decimals, stored as an integer of its smallest unit."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        kwargs["render_kw"] = {"inputmode": "decimal", "autocomplete": "off", **kwargs.get("render_kw", {})}
        super().__init__(label, validators, **kwargs)

    def places(self) -> int:
        """Return the number of decimals."""
        return 2

    def parse(self, text: str) -> Any:
        match = NUMBER.fullmatch(text) if len(text) <= MAX_NUMBER_LENGTH else None
        places = self.places()
        if match is None or len(match[2] or "") > places:
            raise ValueError(self.error_message())
        return int(match[1]) * 10**places + int((match[2] or "").ljust(places, "0") or "0")

    def format(self, value: Any) -> str:
        return f"{Decimal(value).scaleb(-self.places()):f}"

    def error_message(self) -> str:
        """Return the error message: what to enter instead."""
        raise NotImplementedError


class MoneyField(DecimalField):
    """An amount of the shop's currency, stored in minor units."""

    def __init__(self, label: Any = None, validators: Any = None, *, least: int = 0, **kwargs: Any) -> None:
        self.least = least
        super().__init__(label, validators, **kwargs)

    def places(self) -> int:
        return int(get_currency_precision(filters.shop().currency))

    def parse(self, text: str) -> int:
        amount = int(super().parse(text))
        if amount < self.least:
            raise ValueError(_("Enter %(least)s or more.", least=self.format(self.least)))
        if amount > MAX_AMOUNT:
            raise ValueError(_("Enter %(most)s or less.", most=self.format(MAX_AMOUNT)))
        return amount

    def error_message(self) -> str:
        return _("Enter an amount such as %(example)s, without a currency symbol.", example=self.format(1250))


class PercentField(DecimalField):
    """A share from 0 to 100 %, stored in hundredths of a percent."""

    def __init__(self, label: Any = None, validators: Any = None, *, least: int = 0, **kwargs: Any) -> None:
        self.least = least
        super().__init__(label, validators, **kwargs)

    def parse(self, text: str) -> int:
        rate = int(super().parse(text))
        if not self.least <= rate <= HUNDRED_PERCENT:
            raise ValueError(_("Enter a percentage from %(least)s to 100.", least=self.format(self.least)))
        return rate

    def format(self, value: Any) -> str:
        text = super().format(value)
        return text.rstrip("0").rstrip(".")

    def error_message(self) -> str:
        return _("Enter a percentage such as 20 or 17.5.")


class RateField(ParsedField):
    """A positive number with up to eight decimals."""

    def parse(self, text: str) -> Decimal:
        match = NUMBER.fullmatch(text) if len(text) <= MAX_NUMBER_LENGTH else None
        rate = Decimal(f"{match[1]}.{match[2] or '0'}") if match is not None else Decimal(0)
        if not 0 < rate < 10**9:
            raise ValueError(_("Enter a number above 0, such as 1.17."))
        return rate

    def format(self, value: Any) -> str:
        text = f"{Decimal(value):f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class _Stripped:
    """Shows a submitted text again without blanks around it; a file in its place counts as nothing."""

    raw_data: Any

    def _value(self) -> str:
        return _text_in(self.raw_data) if self.raw_data else super()._value()  # type: ignore[misc]


class WholeNumberField(_Stripped, IntegerField):
    """A whole number in a range; None when left blank."""

    widget = TextInput()

    def __init__(self, label: Any = None, validators: Any = None, *, least: int = 0, most: int, **kwargs: Any) -> None:
        self.least, self.most = least, most
        kwargs["render_kw"] = {"inputmode": "numeric", "autocomplete": "off", **kwargs.get("render_kw", {})}
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse the submitted text; raise `ValueError` unless it is a number in the range."""
        number = None
        if text := _text_in(valuelist):
            number = parse_number(text, max_digits=12)
            if number is None or not self.least <= number <= self.most:
                message = _("Enter a whole number from %(least)d to %(most)d.", least=self.least, most=self.most)
                self.data = None
                raise ValueError(message)
        self.data = number


class DayField(_Stripped, DateField):
    """A date between 2000 and 2100; None when left blank."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse the submitted date; raise `ValueError` with what to enter instead."""
        self.data = None
        if text := _text_in(valuelist):
            self.data = _parse(super().process_formdata, self, text, _("Enter a date such as 2026-12-24."))


class InstantField(DateTimeLocalField):
    """A date and time in the shop's time zone, stored in UTC; None when left blank."""

    def __init__(self, label: Any = None, validators: Any = None, **kwargs: Any) -> None:
        super().__init__(label, validators, format=INSTANT_FORMATS, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse the submitted local time; raise `ValueError` with what to enter instead."""
        self.data = None
        if text := _text_in(valuelist):
            message = _("Enter a date and time such as 2026-12-24 18:00.")
            local = _parse(super().process_formdata, self, text, message)
            self.data = local.replace(tzinfo=ZoneInfo(filters.shop().time_zone)).astimezone(UTC)

    def _value(self) -> str:
        if self.raw_data:
            return _text_in(self.raw_data)
        return filters.local(self.data).strftime(INSTANT_FORMATS[0]) if self.data is not None else ""


def _text_in(valuelist: list[Any]) -> str:
    """Return the submitted text; a file in its place counts as nothing."""
    return valuelist[0].strip() if valuelist and isinstance(valuelist[0], str) else ""


def _parse(process: Callable[[list[Any]], None], field: Field, text: str, message: str) -> Any:
    """Return what WTForms parses; raise `ValueError` with our message, also for a year out of range."""
    try:
        process([text])
    except ValueError:
        raise ValueError(message) from None
    value, field.data = field.data, None
    if not YEARS[0] <= value.year <= YEARS[1]:
        raise ValueError(message)
    return value


class LinesField(TextAreaField):
    """A list of texts, one per line; blank lines and duplicates are ignored."""

    def __init__(
        self, label: Any = None, validators: Any = None, *, most: int = 40, max_length: int = 100, **kwargs: Any
    ) -> None:
        self.most, self.max_length = most, max_length
        self.submitted_text: str | None = None
        super().__init__(label, validators, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Split the submitted text into lines."""
        text = valuelist[0] if valuelist and isinstance(valuelist[0], str) else ""
        self.submitted_text = text.strip()
        self.data = list(dict.fromkeys(filter(None, (" ".join(line.split()) for line in text.splitlines()))))
        if any(has_controls(line) for line in self.data) or has_controls(text, "\r\n\t"):
            raise ValueError(_("This contains characters that aren't allowed here."))
        if len(self.data) > self.most:
            raise ValueError(_("Enter %(most)d lines or fewer.", most=self.most))
        if any(len(line) > self.max_length for line in self.data):
            raise ValueError(_("Enter %(most)d characters or fewer per line.", most=self.max_length))

    def _value(self) -> str:
        return self.submitted_text if self.submitted_text is not None else "\n".join(self.data or ())


def uploads_in(field: Field) -> list[FileStorage]:
    """Return the files submitted for a field; empty if nothing or only text was submitted."""
    submitted = field.data if isinstance(field.data, list | tuple) else [field.data]
    return [file for file in submitted if isinstance(file, FileStorage) and file.filename]
