"""Address form, whose labels and rules depend on the country; `services/addresses` holds the rules."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField, TelField
from wtforms.validators import DataRequired

from .. import postcodes
from ..countries import countries
from ..services.accounts import addresses
from .forms import Form, add_error


class AddressRules:
    """Labels and rules for the country that is chosen in an address form."""

    country: SelectField
    region: StringField

    @property
    def region_name(self) -> str | None:
        """Return the local term for a required region of the country; None where it is optional."""
        name = addresses.REGION_NAMES.get(self.country.data or "")
        return None if name is None else gettext(name)

    @property
    def postal_code_name(self) -> str:
        """Return what postal codes are called in the country."""
        return gettext(postcodes.terms(self.country.data or "GB")[0])

    def require_region(self) -> bool:
        """Add an error to the region field if the region is required and missing; return whether it is valid."""
        prompt = addresses.REGION_PROMPTS.get(self.country.data or "")
        if prompt is None or (self.region.data or "").strip():
            return True
        add_error(self.region, gettext(prompt))
        return False


class AddressForm(AddressRules, Form):
    """Form to enter a delivery or billing address."""

    name = StringField(_("Name"), [DataRequired(_(addresses.PROMPTS["name"]))])
    company = StringField(_("Company"))
    line1 = StringField(_("Street address"), [DataRequired(_(addresses.PROMPTS["line1"]))])
    line2 = StringField(_("Flat, floor or building"))
    postal_code = StringField(_("Postcode"))
    city = StringField(_("Town or city"), [DataRequired(_(addresses.PROMPTS["city"]))])
    region = StringField(_("County, state or region"))
    country = SelectField(_("Country"), [DataRequired(_("Choose a country."))], validate_choice=False)
    phone = TelField(_("Phone"))

    def __init__(self, *args: Any, locale: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = [("", _("Choose a country")), *countries(locale)]

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Return whether all required fields are filled in; all errors show at once."""
        is_valid = super().validate(*args, **kwargs)
        return self.require_region() and is_valid

    @property
    def values(self) -> dict[str, str]:
        """Return the submitted values by column name."""
        return {name: self[name].data or "" for name in addresses.INPUT_FIELDS}
