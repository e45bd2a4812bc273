"""Form for promotions."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, Length

from ...ids import parse_number
from ...models import Category, Collection, Promotion, PromotionScope
from ...web.fields import InstantField, MoneyField, PercentField, WholeNumberField
from ...web.forms import Form
from ..catalogue.product_forms import NONE, TOO_LONG, category_choices, choices_of, collection_choices

MAX_USES = 1_000_000


SCOPES = {
    PromotionScope.ALL: _("All products"),
    PromotionScope.CATEGORY: _("A category and its subcategories"),
    PromotionScope.COLLECTION: _("A collection"),
    PromotionScope.PRODUCT: _("A product"),
}


class PromotionForm(Form):
    """A promotion code with its discount, scope and limits."""

    code = StringField(
        _("Code"),
        [DataRequired(_("Enter a code.")), Length(max=60, message=TOO_LONG)],
        description=_("For example, WELCOME10. Codes aren't case-sensitive."),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    percent = PercentField(_("Percentage off"), least=1)
    amount = MoneyField(_("Or amount off"), least=1)
    applies_to = SelectField(_("Applies to"), choices=choices_of(SCOPES), default=PromotionScope.ALL.value)
    category = SelectField(_("Category"), coerce=int, default=NONE)
    collection = SelectField(_("Collection"), coerce=int, default=NONE)
    product_sku = StringField(
        _("Product"), [Length(max=100, message=TOO_LONG)], description=_("Enter the product's SKU.")
    )
    starts_at = InstantField(_("Starts"), description=_("Leave blank to start now."))
    ends_at = InstantField(_("Ends"), description=_("Leave blank for no end date."))
    minimum_amount = MoneyField(_("Minimum subtotal"), default=0)
    most_uses = WholeNumberField(_("Total uses"), least=1, most=MAX_USES, description=_("Leave blank for no limit."))
    most_uses_each = WholeNumberField(_("Uses per customer"), least=1, most=MAX_USES)
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
            SelectChoice(NONE, _("No collection")),
            *collection_choices(collections),
        ]

    @property
    def values(self) -> dict[str, Any]:
        """Return the submitted values by column."""
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
        """Return the version that the form was opened with, or 0 if it is missing or invalid."""
        return parse_number(str(self.version.data or ""), max_digits=9) or 0


def _promotion_data(promotion: Promotion) -> dict[str, Any]:
    names = ("code", "percent", "amount", "starts_at", "ends_at", "minimum_amount", "most_uses", "most_uses_each")
    return {name: getattr(promotion, name) for name in (*names, "needs_account", "is_active", "version")} | {
        "applies_to": promotion.applies_to.value,
        "category": promotion.category_id or NONE,
        "collection": promotion.collection_id or NONE,
        "product_sku": promotion.product.sku if promotion.product is not None else "",
    }
