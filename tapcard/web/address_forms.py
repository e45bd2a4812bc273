"""What people type about where they live; what is right there `services/addresses` knows."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SelectField, StringField, TelField
from wtforms.validators import DataRequired

from ..services import addresses
from .forms import Form


class AddressForm(Form):
    """An address for parcels and bills."""

    name = StringField(_("Name"), [DataRequired(_(addresses.PROMPTS["name"]))])
    company = StringField(_("Company"))
    line1 = StringField(_("Street and number"), [DataRequired(_(addresses.PROMPTS["line1"]))])
    line2 = StringField(_("Flat, floor, building"))
    postal_code = StringField(_("Postal code"))
    city = StringField(_("Town or city"), [DataRequired(_(addresses.PROMPTS["city"]))])
    region = StringField(_("County, state or region"))
    country = SelectField(_("Country"), [DataRequired(_("Choose a country."))], validate_choice=False)
    phone = TelField(_("Phone"))

    def __init__(self, *args: Any, locale: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = [("", _("Choose")), *addresses.countries(locale)]

    @property
    def typed(self) -> dict[str, str]:
        """What was typed, by the names of the columns."""
        return {name: self[name].data or "" for name in addresses.TYPED}
