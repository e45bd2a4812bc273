"""Forms for promotions, delivery methods and display rates."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length

from ...ids import parse_number
from ...models import Category, Collection, DeliveryKind, DeliveryMethod, Promotion, PromotionScope
from ...services.accounts import addresses
from ...services.catalogue import exchange_rates
from ...services.core import optimistic_lock
from ...web import filters
from ...web.fields import InstantField, LinesField, MoneyField, PercentField, RateField, WholeField
from ...web.forms import Form
from ..catalogue.product_forms import AT_MOST, COLLECTION_KINDS, NONE, category_choices, choices_of

MOST_USES = 1_000_000
SCOPES = {
    PromotionScope.ALL: _("All products"),
    PromotionScope.CATEGORY: _("A category and its subcategories"),
    PromotionScope.COLLECTION: _("A collection"),
    PromotionScope.PRODUCT: _("A product"),
}
DELIVERY_KINDS = {
    DeliveryKind.FLAT: _("Flat rate"),
    DeliveryKind.PERCENT: _("Percentage of the subtotal"),
    DeliveryKind.PICKUP: _("Collection (free)"),
    DeliveryKind.TO_BE_AGREED: _("Price agreed after the order"),
}


class PromotionForm(Form):
    """A code that lowers totals."""

    code = StringField(
        _("Code"),
        [DataRequired(_("Enter a code.")), Length(max=60, message=AT_MOST)],
        description=_("For example, WELCOME10. Codes aren’t case-sensitive."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    percent = PercentField(_("Percentage off"), least=1)
    amount = MoneyField(_("Or amount off"), least=1)
    applies_to = SelectField(_("Applies to"), choices=choices_of(SCOPES), default=PromotionScope.ALL.value)
    category = SelectField(_("Category"), coerce=int, default=NONE)
    collection = SelectField(_("Collection"), coerce=int, default=NONE)
    product_sku = StringField(
        _("Product"), [Length(max=100, message=AT_MOST)], description=_("Enter the product’s SKU.")
    )
    starts_at = InstantField(_("Starts"), description=_("Leave blank to start now."))
    ends_at = InstantField(_("Ends"), description=_("Leave blank for no end date."))
    minimum_amount = MoneyField(_("Minimum subtotal"), default=0)
    most_uses = WholeField(_("Total uses"), least=1, most=MOST_USES, description=_("Leave blank for no limit."))
    most_uses_each = WholeField(_("Uses per customer"), least=1, most=MOST_USES)
    needs_account = BooleanField(_("Customers with an account only"))
    is_active = BooleanField(_("Enabled"), default=True)
    version = HiddenField()

    def __init__(
        self,
        tree: Sequence[tuple[Category, int]],
        collections: Sequence[Collection],
        promotion: Promotion | None = None,
    ) -> None:
        super().__init__(data=_promotion_data(promotion) if promotion is not None else {})
        self.category.choices = category_choices(tree)
        self.collection.choices = [
            SelectChoice(NONE, _("Choose")),
            *(SelectChoice(each.id, f"{each.name} ({COLLECTION_KINDS[each.kind]})") for each in collections),
        ]

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, as it is stored."""
        names = ("code", "percent", "amount", "starts_at", "ends_at", "most_uses", "most_uses_each", "product_sku")
        return {name: self[name].data for name in names} | {
            "minimum_amount": self.minimum_amount.data or 0,
            "applies_to": PromotionScope(self.applies_to.data),
            "category_id": self.category.data or None,
            "collection_id": self.collection.data or None,
            "needs_account": bool(self.needs_account.data),
            "is_active": bool(self.is_active.data),
        }

    @property
    def seen_version(self) -> int:
        """The version that was on the screen; 0 when it is missing or made up."""
        return parse_number(str(self.version.data or ""), max_digits=9) or 0


def _promotion_data(promotion: Promotion) -> dict[str, Any]:
    names = ("code", "percent", "amount", "starts_at", "ends_at", "minimum_amount", "most_uses", "most_uses_each")
    return {name: getattr(promotion, name) for name in (*names, "needs_account", "is_active", "version")} | {
        "applies_to": promotion.applies_to.value,
        "category": promotion.category_id or NONE,
        "collection": promotion.collection_id or NONE,
        "product_sku": promotion.product.sku if promotion.product is not None else "",
    }


class DeliveryForm(Form):
    """A way for parcels to their buyers."""

    name = StringField(
        _("Name"),
        [DataRequired(_("Enter a name.")), Length(max=100, message=AT_MOST)],
        description=_("Shown to customers, for example “Standard delivery”."),
    )
    kind = SelectField(_("Price type"), choices=choices_of(DELIVERY_KINDS), default=DeliveryKind.FLAT.value)
    amount = MoneyField(_("Flat rate"), default=0)
    percent = PercentField(_("Percentage of the subtotal"), default=0)
    free_from_amount = MoneyField(_("Free from (subtotal)"), description=_("Leave blank if delivery is never free."))
    days_least = WholeField(_("Minimum days"), most=365)
    days_most = WholeField(_("Maximum days"), most=365)
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
        self.countries.choices = [SelectChoice(*each) for each in addresses.countries(filters.shop().locale)]

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, as it is stored."""
        names = ("name", "amount", "percent", "free_from_amount", "days_least", "days_most")
        return {name: self[name].data for name in names} | {
            "kind": DeliveryKind(self.kind.data),
            "locations": self.locations.data or [],
            "countries": sorted(set(self.countries.data or [])),
            "is_active": bool(self.is_active.data),
        }


class RateForm(Form):
    """How much of another currency one unit of the shop's is worth."""

    currency = SelectField(_("Currency"))
    rate = RateField(_("Rate"), missing=_("Enter the rate."), render_kw={"inputmode": "decimal"})

    def __init__(self) -> None:
        super().__init__()
        shop = filters.shop()
        choices = exchange_rates.currencies(shop.locale, shop.currency)
        self.currency.choices = [SelectChoice("", _("Choose a currency")), *(SelectChoice(*each) for each in choices)]
