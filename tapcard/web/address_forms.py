"""What people type about where they live; what is right there `services/addresses` knows."""

from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField, TelField
from wtforms.validators import DataRequired

from ..services.accounts import addresses
from .forms import Form, add_error


class AddressWords:
    """What forms that ask for an address say of the country that stands in them."""

    country: SelectField
    region: StringField

    @property
    def region_name(self) -> str | None:
        """What the part of the country is called that has to be typed; None where it need not be."""
        name = addresses.REGION_NAMES.get(self.country.data or "")
        return None if name is None else gettext(name)

    @property
    def postal_code_name(self) -> str:
        """Return what postal codes are called in the country."""
        return gettext(addresses.postal_code_terms(self.country.data or "GB")[0])

    def require_region(self) -> bool:
        """Say so beside the field when it is missing; tells whether all is well."""
        prompt = addresses.REGION_PROMPTS.get(self.country.data or "")
        if prompt is None or (self.region.data or "").strip():
            return True
        add_error(self.region, gettext(prompt))
        return False


class AddressForm(AddressWords, Form):
    """An address for parcels and bills."""

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
        self.country.choices = [("", _("Choose")), *addresses.countries(locale)]

    def validate(self, *args: Any, **kwargs: Any) -> bool:
        """Whether all is typed that has to be, so that everything missing is said at once."""
        is_valid = super().validate(*args, **kwargs)
        return self.require_region() and is_valid

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, by the names of the columns."""
        return {name: self[name].data or "" for name in addresses.INPUT_FIELDS}
