"""What a buyer says about a product: a field for each of its options, and how many."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import Field, HiddenField, SelectChoice, SelectField, StringField, TextAreaField

from .. import images
from ..errors import DomainError
from ..models import CartLine, LineKind, OptionKind, Product, ProductOption
from ..money import Money
from ..services.cart import carts
from ..services.cart.carts import Wish
from ..services.catalogue import customization
from ..services.catalogue.customization import FIELD
from ..web.filters import shop
from ..web.forms import Form, add_error
from ..web.pictures import PictureField

WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
AUTOCOMPLETE = {OptionKind.PHONE: "tel", OptionKind.LOCATION: "address-level2"}


def whole_number(typed: Any) -> int:
    """The whole number that somebody typed; 0, which no quantity may be, for anything else."""
    text = typed.strip() if isinstance(typed, str) else ""
    return int(text) if text.isascii() and WHOLE_NUMBER.fullmatch(text) else 0


def check(field: Field, rule: Callable[[], object]) -> bool:
    """Show what a rule refuses beside a field; tells whether it was content."""
    try:
        rule()
    except DomainError as error:
        add_error(field, gettext(error.message, **error.params))
        return False
    return True


class QuantityForm(Form):
    """How many; the words that were typed are kept when they are no number."""

    quantity = StringField(
        _("Quantity"), default="1", render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 5}
    )

    def __init__(self, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most
        if "formdata" not in kwargs and self.is_submitted() and not self.quantity.raw_data:
            self.quantity.data = ""  # nothing was said: that is not one

    @property
    def number(self) -> int:
        """How many, as a number."""
        return whole_number(self.quantity.data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse what is no quantity."""
        is_valid = super().validate(extra_validators)
        return check(self.quantity, lambda: carts.check_quantity(self.number, self.most)) and is_valid


class BuyForm(QuantityForm):
    """How many of a product, customised how; `buy_form` adds a field for each of its options."""

    instead = HiddenField()  # the line of the cart that is chosen again

    def __init__(self, product: Product, **kwargs: Any) -> None:
        super().__init__(carts.most_of(LineKind(product.kind.value)), **kwargs)
        self.product = product

    @property
    def options(self) -> list[tuple[ProductOption, Field]]:
        """What the product asks, each with its field."""
        return [(option, self[FIELD + option.key]) for option in self.product.options]

    @property
    def pictures(self) -> list[PictureField]:
        """The fields that take a picture."""
        return [field for field in self if isinstance(field, PictureField)]

    @property
    def answers(self) -> Mapping[str, str]:
        """Everything that was said, also what the product does not ask; pictures apart."""
        sent = {key.removeprefix(FIELD): value for key, value in request.form.items() if key.startswith(FIELD)}
        strange = {key.removeprefix(FIELD): "" for key in request.files if key.startswith(FIELD)}
        pictures = {option.key for option, _field in self.options if option.kind is OptionKind.PICTURE}
        return {key: value for key, value in {**strange, **sent}.items() if key not in pictures}

    @property
    def uploads(self) -> Mapping[str, str]:
        """The stored pictures by the keys of their options."""
        found = {option.key: field for option, field in self.options if isinstance(field, PictureField)}
        return {key: field.upload for key, field in found.items() if field.upload}

    def fill(self, line: CartLine) -> None:
        """Show what a line of the cart says, as far as it is asked today."""
        self.instead.data, self.quantity.data = str(line.id), str(line.quantity)
        for option, field in self.options:
            value = line.options.get(option.key)
            if isinstance(field, PictureField):
                field.keep(value if value in line.pictures else None)
            elif value and value not in line.pictures:
                field.data = value

    def wish(self) -> Wish:
        """What the buyer wants."""
        return Wish(self.product, self.number, self.answers, self.uploads)

    def validate(self, extra_validators: Any = None) -> bool:
        """Look at every answer, so that all errors show at once."""
        is_valid, country = super().validate(extra_validators), shop().country
        for option, field in self.options:
            if not field.errors:
                typed, upload = self.answers.get(option.key, ""), self.uploads.get(option.key, "")
                is_valid &= check(field, partial(customization.clean_one, option, typed, upload, country))
        return is_valid


def buy_form(product: Product, kind: type[BuyForm] = BuyForm, **kwargs: Any) -> BuyForm:
    """The form that asks what a product asks; `kind` may ask more."""
    fields = {FIELD + option.key: _field(option) for option in product.options}
    return type("ProductForm", (kind,), fields)(product, **kwargs)


def _field(option: ProductOption) -> Any:
    """The field of an option; the rules for what may stand in it are `customising`'s."""
    price, label = _extra_price(option), option.label
    if option.kind is OptionKind.PICTURE:
        about = _("JPEG, PNG or WebP, up to 8 MB.")
        return PictureField(label, description=f"{about} {price}".strip(), make=images.make_uncropped)
    if option.choices:
        choices = [SelectChoice("", _("Select an option")), *(SelectChoice(each, each) for each in option.choices)]
        return SelectField(label, description=price, choices=choices, validate_choice=False)
    longest = option.max_length or customization.LONGEST.get(option.kind, 100)
    look = {"maxlength": longest, "autocomplete": AUTOCOMPLETE.get(option.kind, "off")}
    if option.kind is OptionKind.LONG_TEXT:
        return TextAreaField(label, description=price, render_kw={**look, "rows": 3})
    if option.kind is OptionKind.PHONE:
        look |= {"type": "tel", "maxlength": 60}
    return StringField(label, description=price, render_kw=look)


def _extra_price(option: ProductOption) -> str:
    if not option.extra_amount:
        return ""
    extra = Money(option.extra_amount, shop().currency).format(shop().locale)
    return gettext("Adds %(amount)s per item.", amount=extra)
