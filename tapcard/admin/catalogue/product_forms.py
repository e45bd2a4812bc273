"""Forms for products, their pictures and options."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    MultipleFileField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length

from ...ids import parse_number
from ...models import (
    Availability,
    Category,
    Collection,
    CollectionKind,
    OptionKind,
    Product,
    ProductKind,
    ProductOption,
)
from ...models.products import MAX_CHOICES, NAME_LENGTH, SLUG_LENGTH
from ...services.catalogue import labels as catalogue_labels
from ...services.catalogue.option_templates import TEMPLATES
from ...services.catalogue.products import MAX_STOCK, ProductInput
from ...services.core import optimistic_lock
from ...web import filters
from ...web.fields import DayField, LinesField, MoneyField, PercentField, WholeNumberField
from ...web.forms import Form

NONE = 0
TOO_LONG = _("Enter %(max)d characters or fewer.")
KINDS = {
    ProductKind.GOODS: _("Goods"),
    ProductKind.GIFT_PACK: _("Gift pack"),
    ProductKind.CARD: _("Card"),
}
AVAILABILITIES = {state: _(label) for state, label in catalogue_labels.AVAILABILITY.items()}
COLLECTION_KINDS = {
    CollectionKind.BRAND: _("Brand"),
    CollectionKind.THEME: _("Theme"),
    CollectionKind.SEASON: _("Season"),
}
OPTION_KINDS = {
    OptionKind.TEXT: _("Short text"),
    OptionKind.LONG_TEXT: _("Long text"),
    OptionKind.CHOICE: _("Choice"),
    OptionKind.COLOR: _("Colour"),
    OptionKind.PICTURE: _("Image upload"),
    OptionKind.LOCATION: _("Location"),
    OptionKind.PHONE: _("Phone number"),
}
TEMPLATE_NAMES = {"engraved_goods": _("Engraved goods"), "gift_pack": _("Gift pack")}
TEXT_FIELDS = (
    "name",
    "promo_text",
    "details",
    "size",
    "material",
    "color",
    "sku",
    "slug",
    "page_title",
    "page_description",
)
COLUMNS = (*TEXT_FIELDS, "unit_amount", "available_on", "is_active", "is_featured")


def choices_of(names: dict[Any, Any]) -> list[SelectChoice]:
    """Return the choices of a field from enum members with their labels."""
    return [SelectChoice(value.value, label) for value, label in names.items()]


def category_choices(tree: Sequence[tuple[Category, int]]) -> list[SelectChoice]:
    """Return "No category" and all categories, indented by their depth."""
    return [
        SelectChoice(NONE, _("No category")),
        *(SelectChoice(category.id, "\u2003" * depth + category.name) for category, depth in tree),
    ]


def collection_choices(collections: Sequence[Collection]) -> list[SelectChoice]:
    """Return the collections with their kind, such as "Travel (Theme)"."""
    return [
        SelectChoice(collection.id, f"{collection.name} ({COLLECTION_KINDS[collection.kind]})")
        for collection in collections
    ]


class ProductForm(Form):
    """A product, without its pictures and options."""

    name = StringField(_("Name"), [DataRequired(_("Enter a name.")), Length(max=NAME_LENGTH, message=TOO_LONG)])
    promo_text = StringField(
        _("Short description"),
        [Length(max=255, message=TOO_LONG)],
        description=_("Shown under the name in product lists."),
    )
    details = TextAreaField(_("Description"), [Length(max=20_000, message=TOO_LONG)])
    kind = SelectField(_("Product type"), choices=choices_of(KINDS), default=ProductKind.GOODS.value)
    unit_amount = MoneyField(
        _("Price"),
        missing=_("Enter a price."),
        description=_("For cards: the price with custom artwork and for designs without their own price."),
    )
    discount = WholeNumberField(_("Discount (%)"), most=100, default=0)
    tax_rate = PercentField(default=0, description=_("Included in the price."))
    stock = WholeNumberField(_("Stock"), most=MAX_STOCK, description=_("Leave blank to stop tracking stock."))
    availability = SelectField(
        _("Availability"), choices=choices_of(AVAILABILITIES), default=Availability.IN_STOCK.value
    )
    available_on = DayField(_("Ships from"), description=_("For pre-orders: the first shipping date."))
    category = SelectField(_("Category"), coerce=int, default=NONE)
    collections = SelectMultipleField(_("Collections"), coerce=int)
    size = StringField(_("Size"), [Length(max=100, message=TOO_LONG)])
    material = StringField(_("Material"), [Length(max=100, message=TOO_LONG)])
    color = StringField(_("Colour"), [Length(max=100, message=TOO_LONG)])
    is_active = BooleanField(_("Show in shop"), description=_("Hidden products stay in existing orders."), default=True)
    is_featured = BooleanField(_("Feature on the front page"))
    sku = StringField(_("SKU"), [Length(max=100, message=TOO_LONG)], description=_("Leave blank to generate one."))
    slug = StringField(
        _("URL"),
        [Length(max=SLUG_LENGTH, message=TOO_LONG)],
        description=_("The last part of the page's URL. Leave blank to create it from the name."),
        render_kw={"autocapitalize": "off", "spellcheck": "false"},
    )
    page_title = StringField(
        _("Search engine title"), [Length(max=255, message=TOO_LONG)], description=_("Leave blank to use the name.")
    )
    page_description = TextAreaField(_("Search engine description"), [Length(max=500, message=TOO_LONG)])
    version = HiddenField()
    seen_stock = HiddenField()

    def __init__(
        self, tree: Sequence[tuple[Category, int]], collections: Sequence[Collection], product: Product | None = None
    ) -> None:
        super().__init__(data=_data_of(product) if product is not None else {})
        self.tax_rate.label.text = _("%(tax)s rate (%%)", tax=filters.shop().tax_word)
        self.category.choices = category_choices(tree)
        self.collections.choices = collection_choices(collections)

    @property
    def product_input(self) -> ProductInput:
        """Return the submitted values."""
        values = {name: self[name].data or "" for name in TEXT_FIELDS}
        values |= {name: self[name].data for name in ("unit_amount", "available_on", "is_active", "is_featured")}
        values |= {
            "kind": ProductKind(self.kind.data),
            "availability": Availability(self.availability.data),
            "discount_percent": self.discount.data or 0,
            "tax_rate": self.tax_rate.data or 0,
            "category_id": self.category.data or None,
        }
        seen = _number_in(self.version) or 0, _number_in(self.seen_stock)
        return ProductInput(values, self.collections.data or (), self.stock.data, *seen)


def _data_of(product: Product) -> dict[str, Any]:
    values = {name: getattr(product, name) for name in COLUMNS}
    return values | {
        "kind": product.kind.value,
        "availability": product.availability.value,
        "discount": product.discount_percent,
        "tax_rate": product.tax_rate,
        "category": product.category_id or NONE,
        "collections": [collection.id for collection in product.collections],
        "stock": product.stock,
        "version": product.version,
        "seen_stock": "" if product.stock is None else product.stock,
    }


class PicturesForm(Form):
    """Pictures to upload."""

    pictures = MultipleFileField(
        _("Add images"),
        description=_("JPEG, PNG or WebP, up to 8 MB each. You can choose several."),
        render_kw={"accept": "image/jpeg,image/png,image/webp"},
    )


class PictureForm(Form):
    """The alternative text of a picture."""

    alt = StringField(
        _("Alt text"),
        [Length(max=200, message=TOO_LONG)],
        description=_("Describe the image for people who can't see it, for example “Open journal with lined pages”."),
    )


class OptionForm(Form):
    """A product option that customers fill in."""

    label = StringField(
        _("Label"),
        [DataRequired(_("Enter a label.")), Length(max=100, message=TOO_LONG)],
        description=_("Shown to customers, for example “Name to engrave”."),
    )
    kind = SelectField(_("Type"), choices=choices_of(OPTION_KINDS), default=OptionKind.TEXT.value)
    choices = LinesField(_("Choices"), most=MAX_CHOICES, description=_("For choices and colours. One per line."))
    max_length = WholeNumberField(
        _("Maximum characters"), least=1, most=2000, description=_("Leave blank to use the standard limit.")
    )
    extra_amount = MoneyField(
        _("Extra price"),
        default=0,
        description=_("Added to the price of each item when the customer uses this option."),
    )
    is_required = BooleanField(_("Required"))
    seen = HiddenField()

    def __init__(self, option: ProductOption | None = None) -> None:
        names = ("label", "choices", "max_length", "extra_amount", "is_required")
        data: dict[str, Any] = {}
        if option is not None:
            data = {name: getattr(option, name) for name in names}
            data |= {"kind": option.kind.value, "seen": optimistic_lock.fingerprint(option)}
        super().__init__(data=data)

    @property
    def values(self) -> dict[str, Any]:
        """Return the submitted values by column."""
        return {
            "label": self.label.data,
            "kind": OptionKind(self.kind.data),
            "choices": self.choices.data or [],
            "max_length": self.max_length.data,
            "extra_amount": self.extra_amount.data or 0,
            "is_required": bool(self.is_required.data),
        }


class OptionTemplateForm(Form):
    """A template whose options are added to a product."""

    option_set = SelectField(_("Option set"), choices=[SelectChoice(name, TEMPLATE_NAMES[name]) for name in TEMPLATES])


def _number_in(field: Field) -> int | None:
    """Return the number in a hidden field, or None if it isn't one."""
    return parse_number(str(field.data or ""), max_digits=9)
