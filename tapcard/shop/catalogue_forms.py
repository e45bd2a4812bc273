"""Forms of product lists and reviews."""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from flask_babel import lazy_gettext as _
from wtforms import Field, RadioField, SearchField, SelectChoice, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from ..models import Availability, CollectionKind
from ..models.products import MAX_AMOUNT
from ..services.catalogue.product_lists import Sort
from ..services.catalogue.search import MAX_PAGE, MAX_SEARCH_LENGTH, Filter
from ..web import filters
from ..web.forms import Form, add_error

PRICE = re.compile(r"(\d{1,12})(?:[.,](\d{1,4}))?", re.ASCII)
PAGE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
NAMES = ("category", *CollectionKind, "availability", "deals", "min", "max", "search", "sort", "page")


class FilterForm(Form):
    """Form to search and filter a product list, submitted by GET."""

    class Meta(Form.Meta):
        csrf = False

    search = SearchField(_("Search"), [Length(max=MAX_SEARCH_LENGTH, message=_("Enter %(max)d characters or fewer."))])
    min = StringField(_("Minimum"))
    max = StringField(_("Maximum"))

    def __init__(self, arguments: Mapping[str, str], **values: Any) -> None:
        super().__init__(arguments, **values)
        self.requires_words = "find" in arguments
        self.min_amount: int | None = None
        self.max_amount: int | None = None

    def validate_search(self, field: Field) -> None:
        if self.requires_words and not field.data:
            raise ValidationError(_("Enter a search term."))

    def validate_min(self, field: Field) -> None:
        self.min_amount = parse_price(field.data)

    def validate_max(self, field: Field) -> None:
        self.max_amount = parse_price(field.data)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if self.min_amount is not None and self.max_amount is not None and self.min_amount > self.max_amount:
            add_error(self.max, _("The maximum must be higher than the minimum."))
            self.min_amount = self.max_amount = None
            return False
        return valid


def parse_price(text: str | None) -> int | None:
    """Return an amount of the shop's currency in minor units; None for a blank text; raise `ValidationError`."""
    if not text:
        return None
    places, match = get_currency_precision(filters.shop().currency), PRICE.fullmatch(text)
    if match is None or len(match[2] or "") > places:
        raise ValidationError(_("Enter an amount such as %(example)s.", example="12.50" if places else "1250"))
    amount = int(Decimal(f"{match[1]}.{match[2] or 0}").scaleb(places))
    if amount > MAX_AMOUNT:
        raise ValidationError(_("That amount is too high."))
    return amount


def price_text(amount: int) -> str:
    """Format minor units as `parse_price` reads them."""
    places = get_currency_precision(filters.shop().currency)
    text = f"{Decimal(amount).scaleb(-places):f}"
    return text.removesuffix("." + "0" * places) if places else text


def read_filter(form: FilterForm, arguments: Mapping[str, str]) -> Filter:
    """Read a filter from the query string of a URL; invalid values count as absent."""
    state, sort, page = (arguments.get(name, "") for name in ("availability", "sort", "page"))
    return Filter(
        category=arguments.get("category") or None,
        collections={kind: arguments[kind] for kind in CollectionKind if arguments.get(kind)},
        availability=Availability(state) if state in list(Availability) else None,
        discounted=arguments.get("deals") == "1",
        min_amount=form.min_amount,
        max_amount=form.max_amount,
        search="" if form.search.errors else form.search.data or "",
        sort=Sort(sort) if sort in list(Sort) else Sort.FEATURED,
        page=int(page) if PAGE.fullmatch(page) and int(page) <= MAX_PAGE else 1,
    )


def filter_arguments(applied: Filter) -> dict[str, str]:
    """Return the query string of a filter, as `read_filter` reads it; defaults are left out."""
    values = {
        "category": applied.category,
        **{kind.value: slug for kind, slug in applied.collections.items()},
        "availability": applied.availability.value if applied.availability else None,
        "deals": "1" if applied.discounted else None,
        "min": price_text(applied.min_amount) if applied.min_amount is not None else None,
        "max": price_text(applied.max_amount) if applied.max_amount is not None else None,
        "search": applied.search or None,
        "sort": applied.sort.value if applied.sort is not Sort.FEATURED else None,
        "page": str(applied.page) if applied.page > 1 else None,
    }
    return {name: value for name, value in values.items() if value}


def without(applied: Filter, kind: CollectionKind) -> Filter:
    """Return a filter without its collection of a kind."""
    collections = {other: slug for other, slug in applied.collections.items() if other is not kind}
    return replace(applied, collections=collections)


class ReviewForm(Form):
    """Form to review a product."""

    rating = RadioField(
        _("Rating"),
        [InputRequired(_("Select a rating."))],
        choices=[
            SelectChoice("5", _("5 – Excellent")),
            SelectChoice("4", _("4 – Good")),
            SelectChoice("3", _("3 – Average")),
            SelectChoice("2", _("2 – Poor")),
            SelectChoice("1", _("1 – Terrible")),
        ],
    )
    text = TextAreaField(_("Review"), [Length(max=2000, message=_("Enter %(max)d characters or fewer."))])
    author = StringField(
        _("Display name"),
        [InputRequired(_("Enter a display name.")), Length(max=60, message=_("Enter %(max)d characters or fewer."))],
    )
