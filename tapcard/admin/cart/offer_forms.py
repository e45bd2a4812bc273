"""What staff type about promotions, ways of delivery and rates."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length

from ...models import Category, Collection, DeliveryKind, DeliveryMethod, Promotion, PromotionScope
from ...services.accounts import addresses
from ...services.catalogue import rate_keeping
from ...services.core import keeping
from ...web import filters
from ...web.fields import InstantField, LinesField, MoneyField, PercentField, RateField, WholeField
from ...web.forms import Form
from ..catalogue.product_forms import AT_MOST, COLLECTION_KINDS, NONE, category_choices, choices_of

MOST_USES = 1_000_000
SCOPES = {
    PromotionScope.ALL: _("Everything"),
    PromotionScope.CATEGORY: _("One category, and all below it"),
    PromotionScope.COLLECTION: _("One collection"),
    PromotionScope.PRODUCT: _("One product"),
}
DELIVERY_KINDS = {
    DeliveryKind.FLAT: _("A fixed price"),
    DeliveryKind.PERCENT: _("A percentage of the subtotal"),
    DeliveryKind.PICKUP: _("Pickup, for nothing"),
    DeliveryKind.TO_BE_AGREED: _("To be agreed after the order"),
}


class PromotionForm(Form):
    """A code that lowers totals."""

    code = StringField(
        _("Code"),
        [DataRequired(_("What do buyers type?")), Length(max=60, message=AT_MOST)],
        description=_("Like WELCOME10; small or capital letters make no difference."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    percent = PercentField(_("Percent off"), least=1)
    amount = MoneyField(_("Or an amount off"), least=1)
    applies_to = SelectField(_("What it makes cheaper"), choices=choices_of(SCOPES), default=PromotionScope.ALL.value)
    category = SelectField(_("Category"), coerce=int, default=NONE)
    collection = SelectField(_("Collection"), coerce=int, default=NONE)
    product_sku = StringField(_("Product"), [Length(max=100, message=AT_MOST)], description=_("Its number (SKU)."))
    starts_at = InstantField(_("Starts"), description=_("Blank: at once."))
    ends_at = InstantField(_("Ends"), description=_("Blank: never."))
    minimum_amount = MoneyField(_("From a subtotal of"), default=0)
    most_uses = WholeField(_("Uses in total"), least=1, most=MOST_USES, description=_("Blank: as many as you like."))
    most_uses_each = WholeField(_("Uses of each customer"), least=1, most=MOST_USES)
    needs_account = BooleanField(_("Only for people with an account"))
    is_active = BooleanField(_("Switched on"), default=True)
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
            SelectChoice(NONE, _("None")),
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
        text = str(self.version.data or "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


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
        [DataRequired(_("What is it called?")), Length(max=100, message=AT_MOST)],
        description=_("As buyers read it, like “Standard delivery”."),
    )
    kind = SelectField(_("What it costs"), choices=choices_of(DELIVERY_KINDS), default=DeliveryKind.FLAT.value)
    amount = MoneyField(_("Fixed price"), default=0)
    percent = PercentField(_("Percent of the subtotal"), default=0)
    free_from_amount = MoneyField(_("Free from a subtotal of"), description=_("Blank: never free."))
    days_least = WholeField(_("Days at least"), most=365)
    days_most = WholeField(_("Days at most"), most=365)
    locations = LinesField(
        _("Places to choose from"),
        most=200,
        description=_("One in each line, like “Ibadan (Oyo)”. Blank: any address."),
    )
    countries = SelectMultipleField(_("Countries"), description=_("None ticked: everywhere."))
    is_active = BooleanField(_("Offered to buyers"), default=True)
    seen = HiddenField()

    def __init__(self, method: DeliveryMethod | None = None) -> None:
        names = ("name", "amount", "percent", "free_from_amount", "days_least", "days_most", "locations", "countries")
        data: dict[str, Any] = {}
        if method is not None:
            data = {name: getattr(method, name) for name in (*names, "is_active")}
            data |= {"kind": method.kind.value, "seen": keeping.mark_of(method)}
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
    rate = RateField(_("Rate"), missing=_("How much is it worth?"), render_kw={"inputmode": "decimal"})

    def __init__(self) -> None:
        super().__init__()
        shop = filters.shop()
        choices = rate_keeping.currencies(shop.locale, shop.currency)
        self.currency.choices = [SelectChoice("", _("Choose")), *(SelectChoice(*each) for each in choices)]
