"""Forms of the cart page: promotion code and delivery method."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired

from ..models import DeliveryKind, DeliveryMethod
from ..money import Money
from ..web.filters import shop
from ..web.forms import Form, add_error

LOCATION = "location-"  # prefix of the location field of a delivery method


class CodeForm(Form):
    """Form to enter a promotion code."""

    code = StringField(
        _("Promotion code"),
        [DataRequired(_("Enter a code."))],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 60},
    )


class DeliveryForm(Form):
    """Form to choose a delivery method, and one of its locations if it has any."""

    delivery = RadioField(_("Delivery"), [DataRequired(_("Choose a delivery method."))], validate_choice=False)

    def __init__(self, methods: Sequence[DeliveryMethod], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.methods = methods
        self.delivery.choices = [SelectChoice(str(method.id), method.name) for method in methods]

    def location(self, method: DeliveryMethod) -> Any:
        """Return the location field of a method; None when it has no locations."""
        return self[f"{LOCATION}{method.id}"] if method.locations else None

    @property
    def method(self) -> DeliveryMethod | None:
        """Return the method that was chosen."""
        return next((option for option in self.methods if str(option.id) == self.delivery.data), None)

    @property
    def place(self) -> str:
        """Return the location that was chosen; empty when the method has none."""
        field = self.location(self.method) if self.method is not None else None
        return str(field.data or "") if field is not None else ""

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a method that is not available, and a location that is not one of its own."""
        is_valid = super().validate(extra_validators)
        if self.method is None:
            if not self.delivery.errors:
                add_error(self.delivery, gettext("Choose a delivery method."))
            return False
        if self.method.locations and self.place not in self.method.locations:
            add_error(self.location(self.method), gettext("Choose a delivery location."))
            return False
        return is_valid


def delivery_form(
    methods: Sequence[DeliveryMethod], selected: DeliveryMethod | None, location: str, **kwargs: Any
) -> DeliveryForm:
    """Return the form of the delivery methods with the current choice."""
    fields = {
        f"{LOCATION}{method.id}": SelectField(
            _("Delivery location"),
            choices=[
                SelectChoice("", _("Select an option")),
                *(SelectChoice(place, place) for place in method.locations),
            ],
            default=location if method is selected else "",
            validate_choice=False,
        )
        for method in methods
        if method.locations
    }
    kind = type("OfferedDeliveryForm", (DeliveryForm,), fields)
    form: DeliveryForm = kind(methods, delivery=str(selected.id) if selected is not None else None, **kwargs)
    return form


def price_in_words(method: DeliveryMethod) -> str:
    """Return the price of a delivery method, and from which subtotal it is free."""
    if method.kind is DeliveryKind.PICKUP:
        return gettext("Free")
    if method.kind is DeliveryKind.TO_BE_AGREED:
        return gettext("We'll agree the price with you")
    if method.kind is DeliveryKind.PERCENT:
        price = gettext("%(percent)s%% of the subtotal", percent=f"{method.percent / 100:g}")
    else:
        price = _money(method.amount)
    if method.free_from_amount is None:
        return price
    return gettext("%(price)s, free from %(amount)s", price=price, amount=_money(method.free_from_amount))


def _money(amount: int) -> str:
    return Money(amount, shop().currency).format(shop().locale)
