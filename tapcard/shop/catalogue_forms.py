"""What the lists of products and their reviews ask for."""

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
from ..models.products import MOST_AMOUNT
from ..services.catalogue.search import LONGEST_SEARCH, MOST_PAGE, Filter, Sort
from ..web import filters
from ..web.forms import Form, add_error

PRICE = re.compile(r"(\d{1,12})(?:[.,](\d{1,4}))?", re.ASCII)
PAGE = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
NAMES = ("category", *CollectionKind, "availability", "deals", "min", "max", "search", "sort", "page")


class FilterForm(Form):
    """What is typed to find products; sent by GET, it changes nothing."""

    class Meta(Form.Meta):
        csrf = False

    search = SearchField(_("Search"), [Length(max=LONGEST_SEARCH, message=_("Enter %(max)d characters or fewer."))])
    min = StringField(_("Minimum"))
    max = StringField(_("Maximum"))

    def __init__(self, asked: Mapping[str, str], **values: Any) -> None:
        super().__init__(asked, **values)
        self.wants_words = "find" in asked
        self.least: int | None = None
        self.most: int | None = None

    def validate_search(self, field: Field) -> None:
        if self.wants_words and not field.data:
            raise ValidationError(_("Enter a search term."))

    def validate_min(self, field: Field) -> None:
        self.least = price_in(field.data)

    def validate_max(self, field: Field) -> None:
        self.most = price_in(field.data)

    def validate(self, extra_validators: Any = None) -> bool:
        valid = super().validate(extra_validators)
        if self.least is not None and self.most is not None and self.least > self.most:
            add_error(self.max, _("The maximum must be higher than the minimum."))
            self.least = self.most = None
            return False
        return valid


def price_in(typed: str | None) -> int | None:
    """Read an amount of the shop's currency as minor units; None where nothing was typed."""
    if not typed:
        return None
    places, found = get_currency_precision(filters.shop().currency), PRICE.fullmatch(typed)
    if found is None or len(found[2] or "") > places:
        raise ValidationError(_("Enter an amount such as %(example)s.", example="12.50" if places else "1250"))
    amount = int(Decimal(f"{found[1]}.{found[2] or 0}").scaleb(places))
    if amount > MOST_AMOUNT:
        raise ValidationError(_("That amount is too high."))
    return amount


def price_text(amount: int) -> str:
    """Write minor units as `price_in` reads them."""
    places = get_currency_precision(filters.shop().currency)
    text = f"{Decimal(amount).scaleb(-places):f}"
    return text.removesuffix("." + "0" * places) if places else text


def filter_of(form: FilterForm, asked: Mapping[str, str]) -> Filter:
    """Read a filter from an address; what makes no sense counts as not asked."""
    state, sort, page = (asked.get(name, "") for name in ("availability", "sort", "page"))
    return Filter(
        category=asked.get("category") or None,
        collections={kind: asked[kind] for kind in CollectionKind if asked.get(kind)},
        availability=Availability(state) if state in list(Availability) else None,
        deals=asked.get("deals") == "1",
        least=form.least,
        most=form.most,
        search="" if form.search.errors else form.search.data or "",
        sort=Sort(sort) if sort in list(Sort) else Sort.FEATURED,
        page=int(page) if PAGE.fullmatch(page) and int(page) <= MOST_PAGE else 1,
    )


def arguments_of(asked: Filter) -> dict[str, str]:
    """Write a filter into an address, the way `filter_of` reads it; what is usual is left out."""
    found = {
        "category": asked.category,
        **{kind.value: slug for kind, slug in asked.collections.items()},
        "availability": asked.availability.value if asked.availability else None,
        "deals": "1" if asked.deals else None,
        "min": price_text(asked.least) if asked.least is not None else None,
        "max": price_text(asked.most) if asked.most is not None else None,
        "search": asked.search or None,
        "sort": asked.sort.value if asked.sort is not Sort.FEATURED else None,
        "page": str(asked.page) if asked.page > 1 else None,
    }
    return {name: value for name, value in found.items() if value}


def without(asked: Filter, kind: CollectionKind) -> Filter:
    """A filter without its collection of a kind."""
    return replace(asked, collections={each: slug for each, slug in asked.collections.items() if each is not kind})


class ReviewForm(Form):
    """Asks a buyer what they think."""

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
