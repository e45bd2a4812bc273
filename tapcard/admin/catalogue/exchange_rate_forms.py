"""Form for exchange rates."""

from flask_babel import lazy_gettext as _
from wtforms import SelectChoice, SelectField

from ...services.catalogue import exchange_rates
from ...web import filters
from ...web.fields import RateField
from ...web.forms import Form


class RateForm(Form):
    """The exchange rate of a currency: its units per unit of the shop's currency."""

    currency = SelectField(_("Currency"))
    rate = RateField(_("Rate"), missing=_("Enter the rate."), render_kw={"inputmode": "decimal"})

    def __init__(self) -> None:
        super().__init__()
        shop = filters.shop()
        choices = exchange_rates.currencies(shop.locale, shop.currency)
        self.currency.choices = [
            SelectChoice("", _("Choose a currency")),
            *(SelectChoice(*choice) for choice in choices),
        ]
