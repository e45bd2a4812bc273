"""Form for delivery methods."""

from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length

from ...countries import countries
from ...models import DeliveryKind, DeliveryMethod
from ...services.core import optimistic_lock
from ...web import filters
from ...web.fields import LinesField, MoneyField, PercentField, WholeNumberField
from ...web.forms import Form
from ..catalogue.product_forms import TOO_LONG, choices_of

DELIVERY_KINDS = {
    DeliveryKind.FLAT: _("Flat rate"),
    DeliveryKind.PERCENT: _("Percentage of the subtotal"),
    DeliveryKind.PICKUP: _("Collection (free)"),
    DeliveryKind.TO_BE_AGREED: _("Price agreed after the order"),
}


class DeliveryForm(Form):
    """A delivery method."""

    name = StringField(
        _("Name"),
        [DataRequired(_("Enter a name.")), Length(max=100, message=TOO_LONG)],
        description=_("Shown to customers, for example “Standard delivery”."),
    )
    kind = SelectField(_("Price type"), choices=choices_of(DELIVERY_KINDS), default=DeliveryKind.FLAT.value)
    amount = MoneyField(_("Flat rate"), default=0)
    percent = PercentField(_("Percentage of the subtotal"), default=0)
    free_from_amount = MoneyField(_("Free from (subtotal)"), description=_("Leave blank if delivery is never free."))
    days_least = WholeNumberField(_("Minimum days"), most=365)
    days_most = WholeNumberField(_("Maximum days"), most=365)
    locations = LinesField(
        _("Locations"),
        most=200,
        description=_("One per line, for example “Ibadan (Oyo)”. Leave blank to deliver to any address."),
    )
    countries = SelectMultipleField(_("Countries"), description=_("Leave all unticked to deliver everywhere."))
    is_active = BooleanField(_("Available at checkout"), default=True)
    seen = HiddenField()

    def __init__(self, method: DeliveryMethod | None = None) -> None:
        names = ("name", "amount", "percent", "free_from_amount", "days_least", "days_most", "locations", "countries")
        data: dict[str, Any] = {}
        if method is not None:
            data = {name: getattr(method, name) for name in (*names, "is_active")}
            data |= {"kind": method.kind.value, "seen": optimistic_lock.fingerprint(method)}
        super().__init__(data=data)
        self.countries.choices = [SelectChoice(*country) for country in countries(filters.shop().locale)]

    @property
    def values(self) -> dict[str, Any]:
        """Return the submitted values by column."""
        names = ("name", "amount", "percent", "free_from_amount", "days_least", "days_most")
        return {name: self[name].data for name in names} | {
            "kind": DeliveryKind(self.kind.data),
            "locations": self.locations.data or [],
            "countries": sorted(set(self.countries.data or [])),
            "is_active": bool(self.is_active.data),
        }
