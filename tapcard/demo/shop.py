"""Catalogue, promotions, delivery methods, exchange rates and settings of the demo shop."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from .. import files, settings
from ..clock import utcnow
from ..db import db
from ..models import (
    Availability,
    Category,
    Collection,
    DeliveryKind,
    DeliveryMethod,
    DisplayRate,
    OptionKind,
    Product,
    ProductKind,
    Promotion,
    Setting,
)
from ..seeds.factories import (
    create_category,
    create_collection,
    create_delivery_method,
    create_option,
    create_product,
    create_promotion,
)
from ..seeds.shop import seed_delivery
from ..services.catalogue import option_templates
from . import drawings
from .products import CATEGORIES, COLLECTIONS, PRODUCTS, DemoProduct

TAX_RATE = 2000  # hundredths of a percent
DRAWING_THREADS = 2  # more are not faster
ENGRAVED_CATEGORIES = ("Journals", "Bottles", "Cups")
ENGRAVING_AMOUNT, BAMBOO_AMOUNT = 250, 600  # minor units
LOCATIONS = [
    "Abk (Ogun)",
    "Sagamu (Ogun)",
    "Ijebu-Ode (Ogun)",
    "Ijebu-igbo (Ogun)",
    "Ibadan (Oyo)",
    "Ikeja (Lagos)",
    "Lekki (Lagos)",
    "Other",
]
RATES = {"EUR": Decimal("1.15"), "USD": Decimal("1.32"), "NGN": Decimal(1950)}
SETTINGS = {
    "owner_email": "olu@example.com",
    "support_email": "hello@example.com",
    "offline_text": (
        "Bank transfer: tapcard demo shop, account number 12345678, sort code 00-00-00.\n"
        "Cash or cheque: at the studio, 1 High Street, London, Monday to Friday, 10:00 to 17:00.\n"
        "Please quote your order number. This is a demo shop, so please don't send any money."
    ),
}


def store_drawings(
    drawing_functions: Mapping[str, Callable[[], bytes]], names: Sequence[str], instance: Path
) -> dict[str, str]:
    """Draw pictures and store them as uploads; return the names of the uploads by the names of the drawings.

    Threads help, because Pillow releases the interpreter lock while it draws.
    """
    with ThreadPoolExecutor(DRAWING_THREADS) as pool:
        pictures = pool.map(lambda name: drawing_functions[name](), names)
        folder = files.folder(instance)
        return {name: files.store(picture, folder) for name, picture in zip(names, pictures, strict=True)}


@dataclass
class DemoShop:
    """Creates the demo shop; existing rows are left unchanged."""

    instance: Path
    created: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Create what is missing and return descriptions of what was created."""
        self._settings()
        self._delivery()
        self._rates()
        self._products(self._categories(), self._collections())
        self._promotions()
        return self.created

    def _settings(self) -> None:
        known = set(db.session.scalars(select(Setting.name)))
        for name, value in SETTINGS.items():
            if name not in known:
                settings.update(name, value)
                self.created.append(f"setting {name}")

    def _delivery(self) -> None:
        self.created += seed_delivery()
        known = set(db.session.scalars(select(DeliveryMethod.name)))
        others: tuple[tuple[str, DeliveryKind, dict[str, Any]], ...] = (
            ("Collect from the studio", DeliveryKind.PICKUP, {"days_least": 1, "days_most": 2}),
            ("Delivery in Nigeria", DeliveryKind.TO_BE_AGREED, {"countries": ["NG"], "locations": LOCATIONS}),
        )
        for position, (name, kind, values) in enumerate(others, 1):
            if name not in known:
                create_delivery_method(name, kind, position=position, **values)
                self.created.append(name)

    def _rates(self) -> None:
        known = set(db.session.scalars(select(DisplayRate.currency)))
        for currency, rate in RATES.items():
            if currency not in known:
                db.session.add(DisplayRate(currency=currency, rate=rate))
                self.created.append(f"rate of {currency}")

    def _categories(self) -> dict[str, Category]:
        by_name = {category.name: category for category in db.session.scalars(select(Category))}
        for position, (name, parent, description) in enumerate(CATEGORIES):
            if name not in by_name:
                by_name[name] = create_category(name, by_name.get(parent), description=description, position=position)
                self.created.append(f"category {name}")
        return by_name

    def _collections(self) -> dict[str, Collection]:
        by_name = {collection.name: collection for collection in db.session.scalars(select(Collection))}
        for name, kind, description in COLLECTIONS:
            if name not in by_name:
                by_name[name] = create_collection(name, kind, description=description)
                self.created.append(f"{kind} {name}")
        return by_name

    def _products(self, categories: dict[str, Category], collections: dict[str, Collection]) -> None:
        known = set(db.session.scalars(select(Product.sku)))
        missing = [(number, item) for number, item in enumerate(PRODUCTS) if _sku(item) not in known]
        names = [name for _, item in missing for name, _alt in _pictures(item)]
        uploads = store_drawings(drawings.GOODS, names, self.instance)
        now = utcnow()
        for number, item in missing:
            product = create_product(
                item.name,
                slug=item.slug,
                pictures=[(uploads[name], alt) for name, alt in _pictures(item)],
                created_at=now - timedelta(days=3 * (len(PRODUCTS) - number)),
                **_columns(item, categories[item.category]),
            )
            product.collections = [collections[name] for name in item.collections]
            _add_options(product, item)
        if missing:
            db.session.flush()
            self.created.append(f"{len(missing)} products")

    def _promotions(self) -> None:
        known = set(db.session.scalars(select(Promotion.code)))
        if "WELCOME10" not in known:
            create_promotion("WELCOME10", most_uses_each=1)
            self.created.append("promotion WELCOME10")
        if "FIVEOFF" not in known:
            create_promotion(
                "FIVEOFF", amount=500, minimum_amount=4000, most_uses=200, ends_at=utcnow() + timedelta(days=90)
            )
            self.created.append("promotion FIVEOFF")


def _sku(item: DemoProduct) -> str:
    return f"TC-{item.slug.upper()}"


def _pictures(item: DemoProduct) -> list[tuple[str, str]]:
    """Return the names and alternative texts of the drawings of a product."""
    first = [(item.slug, item.alt)]
    return [*first, (f"{item.slug}-engraved", item.second_alt)] if item.second_alt else first


def _columns(item: DemoProduct, category: Category) -> dict[str, Any]:
    values: dict[str, Any] = {
        "sku": _sku(item),
        "kind": item.kind,
        "category": category,
        "unit_amount": item.unit_amount,
        "discount_percent": item.discount_percent,
        "promo_text": item.promo_text,
        "size": item.size,
        "material": item.material,
        "color": item.color or ", ".join(item.colors),
        "details": item.details,
        "stock": item.stock,
        "tax_rate": TAX_RATE,
        "is_featured": item.is_featured,
    }
    if item.pre_order_days:
        values["availability"] = Availability.PRE_ORDER
        values["available_on"] = utcnow().date() + timedelta(days=item.pre_order_days)
    return values | item.columns


def _add_options(product: Product, item: DemoProduct) -> None:
    """Add the options of a product; the color is only an option if there are several."""
    if item.category in ENGRAVED_CATEGORIES:
        option_templates.apply(option_templates.ENGRAVED_GOODS, product, item.colors)
    elif product.kind is ProductKind.GIFT_PACK:
        option_templates.apply(option_templates.GIFT_PACK, product, item.colors)
    elif item.slug == "nfc-card-bamboo":
        choices = ["Light", "Dark"]
        create_option(product, "wood", OptionKind.CHOICE, choices=choices, is_required=True, extra_amount=BAMBOO_AMOUNT)
    for option in list(product.options):
        if option.kind is OptionKind.COLOR and not item.colors:
            product.options.remove(option)
        elif option.key == "inscription":
            option.extra_amount = ENGRAVING_AMOUNT
