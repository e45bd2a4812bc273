"""Forms of a product page: a field for each option, and the quantity."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import Field, HiddenField, SelectChoice, SelectField, StringField, TextAreaField

from .. import images
from ..errors import DomainError
from ..ids import parse_number
from ..models import CartLine, LineKind, OptionKind, Product, ProductOption
from ..money import Money
from ..services.cart import editing, items
from ..services.cart.editing import LineRequest
from ..services.catalogue import customization
from ..services.catalogue.customization import FIELD_PREFIX
from ..web.filters import shop
from ..web.forms import Form, add_error
from ..web.pictures import PictureField

AUTOCOMPLETE = {OptionKind.PHONE: "tel", OptionKind.LOCATION: "address-level2"}


def parse_quantity(value: Any) -> int:
    """Return the whole number in a form value; 0, which no quantity may be, for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return parse_number(text, max_digits=9) or 0


def check(field: Field, rule: Callable[[], object]) -> bool:
    """Show the error of a rule next to a field; return whether there was none."""
    try:
        rule()
    except DomainError as error:
        add_error(field, gettext(error.message, **error.params))
        return False
    return True


class QuantityForm(Form):
    """Form with a quantity, which keeps the submitted text when it is not a number."""

    quantity = StringField(
        _("Quantity"), default="1", render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": 5}
    )

    def __init__(self, max_quantity: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_quantity = max_quantity
        if "formdata" not in kwargs and self.is_submitted() and not self.quantity.raw_data:
            self.quantity.data = ""  # a missing value is not 1

    @property
    def number(self) -> int:
        """Return the quantity as a number."""
        return parse_quantity(self.quantity.data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse anything that is not a valid quantity."""
        is_valid = super().validate(extra_validators)
        return check(self.quantity, lambda: editing.check_quantity(self.number, self.max_quantity)) and is_valid


class BuyForm(QuantityForm):
    """Form to buy a product, with its quantity and options; `buy_form` adds a field for each option."""

    instead = HiddenField()  # id of the cart line to replace

    def __init__(self, product: Product, **kwargs: Any) -> None:
        super().__init__(items.max_quantity(LineKind(product.kind.value)), **kwargs)
        self.product = product

    @property
    def options(self) -> list[tuple[ProductOption, Field]]:
        """Return the options of the product, each with its field."""
        return [(option, self[FIELD_PREFIX + option.key]) for option in self.product.options]

    @property
    def pictures(self) -> list[PictureField]:
        """Return the fields that take a picture."""
        return [field for field in self if isinstance(field, PictureField)]

    @property
    def answers(self) -> Mapping[str, str]:
        """Return all submitted values except pictures, also those the product has no option for."""
        submitted = {
            key.removeprefix(FIELD_PREFIX): value for key, value in request.form.items() if key.startswith(FIELD_PREFIX)
        }
        misplaced_files = {key.removeprefix(FIELD_PREFIX): "" for key in request.files if key.startswith(FIELD_PREFIX)}
        pictures = {option.key for option, _field in self.options if option.kind is OptionKind.PICTURE}
        return {key: value for key, value in {**misplaced_files, **submitted}.items() if key not in pictures}

    @property
    def uploads(self) -> Mapping[str, str]:
        """Return the stored pictures by option key."""
        fields = {option.key: field for option, field in self.options if isinstance(field, PictureField)}
        return {key: field.upload for key, field in fields.items() if field.upload}

    def fill(self, line: CartLine) -> None:
        """Fill the form with a line of the cart, as far as the options still exist."""
        self.instead.data, self.quantity.data = str(line.id), str(line.quantity)
        for option, field in self.options:
            value = line.options.get(option.key)
            if isinstance(field, PictureField):
                field.restore(value if value in line.pictures else None)
            elif value and value not in line.pictures:
                field.data = value

    def line_request(self) -> LineRequest:
        """Return the requested product with its options."""
        return LineRequest(self.product, self.number, self.answers, self.uploads)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check every option, so that all errors show at once."""
        is_valid, country = super().validate(extra_validators), shop().country
        for option, field in self.options:
            if not field.errors:
                answer, upload = self.answers.get(option.key, ""), self.uploads.get(option.key, "")
                is_valid &= check(field, partial(customization.clean_answer, option, answer, upload, country))
        return is_valid


def buy_form(product: Product, kind: type[BuyForm] = BuyForm, **kwargs: Any) -> BuyForm:
    """Return the form with the options of a product; `kind` may have more fields."""
    fields = {FIELD_PREFIX + option.key: _field(option) for option in product.options}
    return type("ProductForm", (kind,), fields)(product, **kwargs)


def _field(option: ProductOption) -> Any:
    """Return the field of an option; `customization` holds the rules for its values."""
    price, label = _extra_price(option), option.label
    if option.kind is OptionKind.PICTURE:
        hint = _("JPEG, PNG or WebP, up to 8 MB.")
        return PictureField(label, description=f"{hint} {price}".strip(), make=images.make_uncropped)
    if option.choices:
        choices = [
            SelectChoice("", _("Select an option")),
            *(SelectChoice(choice, choice) for choice in option.choices),
        ]
        return SelectField(label, description=price, choices=choices, validate_choice=False)
    max_length = option.max_length or customization.MAX_LENGTHS.get(option.kind, 100)
    attributes = {"maxlength": max_length, "autocomplete": AUTOCOMPLETE.get(option.kind, "off")}
    if option.kind is OptionKind.LONG_TEXT:
        return TextAreaField(label, description=price, render_kw={**attributes, "rows": 3})
    if option.kind is OptionKind.PHONE:
        attributes |= {"type": "tel", "maxlength": 60}
    return StringField(label, description=price, render_kw=attributes)


def _extra_price(option: ProductOption) -> str:
    if not option.extra_amount:
        return ""
    extra = Money(option.extra_amount, shop().currency).format(shop().locale)
    return gettext("Adds %(amount)s per item.", amount=extra)
