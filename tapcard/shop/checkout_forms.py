"""Forms of the checkout."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    EmailField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TelField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, Optional

from ..countries import countries
from ..email_addresses import MAX_EMAIL_LENGTH
from ..gateways.base import Gateway
from ..ids import parse_number
from ..models import Address, DeliveryMethod
from ..models.users import NAME_LENGTH
from ..services.accounts import addresses
from ..services.orders.checkout import NEW
from ..web import filters
from ..web.address_forms import AddressRules
from ..web.forms import Form, add_error, is_email, is_name

TOO_LONG = _("Enter %(max)d characters or fewer.")
MAX_NOTE_LENGTH = 500
ADDRESS = ("address", "name", "company", "line1", "line2", "postal_code", "city", "region", "country", "save_address")


class CheckoutForm(AddressRules, Form):
    """Form for contact details, address and delivery method; `checkout_form` leaves out fields that do not apply."""

    email = EmailField(
        _("Email"),
        [DataRequired(_("Enter your email address.")), Length(max=MAX_EMAIL_LENGTH, message=TOO_LONG), is_email],
        description=_("We'll send your confirmation here. No account needed."),
    )
    first_name = StringField(
        _("First name"), [DataRequired(_("Enter your first name.")), Length(max=NAME_LENGTH, message=TOO_LONG), is_name]
    )
    last_name = StringField(
        _("Last name"), [DataRequired(_("Enter your last name.")), Length(max=NAME_LENGTH, message=TOO_LONG), is_name]
    )
    phone = TelField(_("Phone"), [Optional()], description=_("In case we or the courier need to reach you."))
    address = RadioField(_("Address"), [Optional()], validate_choice=False)
    name = StringField(_("Recipient"), [Optional(), is_name], description=_("If the order is for someone else."))
    company = StringField(_("Company"))
    line1 = StringField(_("Street address"))
    line2 = StringField(_("Flat, floor or building"))
    postal_code = StringField(_("Postcode"))
    city = StringField(_("Town or city"))
    region = StringField(_("County, state or region"))
    country = SelectField(_("Country"), validate_choice=False)
    save_address = BooleanField(_("Save this address for next time"))
    delivery_method = RadioField(_("Delivery method"), [Optional()], validate_choice=False)
    note = TextAreaField(
        _("Note for us"),
        [Optional(), Length(max=MAX_NOTE_LENGTH, message=TOO_LONG)],
        filters=[lambda text: text.replace("\r\n", "\n") if text else text],
    )

    @property
    def values(self) -> dict[str, Any]:
        """Return the values by field name."""
        return {field.name: field.data or "" for field in self}

    @property
    def is_new_address(self) -> bool:
        """Return whether an address is entered instead of a saved one."""
        return "address" not in self or (self.address.data or NEW) == NEW

    def require_address(self) -> None:
        """Add an error to every required address field that is empty."""
        for name, prompt in addresses.PROMPTS.items():
            if name != "name" and not self[name].data:
                add_error(self[name], _(prompt))
        self.require_region()


def checkout_form(
    *, is_guest: bool, ships: bool, methods: Sequence[DeliveryMethod], saved: Sequence[Address], locale: str,
    data: dict[str, Any]
) -> CheckoutForm:  # fmt: skip
    """Return the form for one buyer: guests enter an address, an order without delivery needs none."""
    places = {
        f"location_{method.id}": SelectField(
            _("Location"),
            choices=[
                SelectChoice("", _("Choose a location")),
                *(SelectChoice(place, place) for place in method.locations),
            ],
            validate_choice=False,
        )
        for method in methods
        if method.locations and ships
    }
    form: CheckoutForm = type("CheckoutForm", (CheckoutForm,), places)(data=data)
    if not is_guest:
        del form.email
    if not ships:
        for name in (*ADDRESS, "delivery_method"):
            del form[name]
        return form
    form.country.choices = [("", _("Choose a country")), *countries(locale)]
    form.delivery_method.choices = [(str(method.id), method.name) for method in methods]
    if not methods:
        del form.delivery_method
    form.address.choices = [
        *((str(address.id), address.name) for address in saved),
        (NEW, _("Use a different address")),
    ]
    if not saved:
        del form.address
    if is_guest:
        del form.save_address
    return form


class PayForm(Form):
    """Form to choose the payment method of an order; the first one is preselected."""

    gateway = RadioField(_("Payment method"), [DataRequired(_("Choose a payment method."))])

    def __init__(self, gateways: Sequence[Gateway], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gateway.choices = [(gateway.code, gateway.code) for gateway in gateways]
        if not self.is_submitted() and not self.gateway.data and gateways:
            self.gateway.data = gateways[0].code


class ReviewForm(PayForm):
    """Form to place an order, with the total as seen, the terms and the payment method."""

    total = HiddenField()
    terms = BooleanField(_("I accept the terms"), [DataRequired(_("Accept the terms to place your order."))])

    def __init__(self, gateways: Sequence[Gateway], *args: Any, is_free: bool = False, **kwargs: Any) -> None:
        super().__init__(gateways, *args, **kwargs)
        if is_free:
            del self.gateway

    @property
    def seen_total(self) -> int:
        """Return the total that the buyer saw, in minor units of the shop's currency; -1 for anything else."""
        text, _blank, currency = (self.total.data or "").partition(" ")
        total = parse_number(text)
        return -1 if total is None or currency != filters.shop().currency else total
