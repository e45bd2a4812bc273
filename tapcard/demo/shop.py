"""The demo shop: shelves with products and their pictures, promotions, ways of delivery, rates, what the owner says."""

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
from .products import COLLECTIONS, SHELVES, WARES, Ware

TAX_RATE = 2000
DRAWN_AT_ONCE = 2  # more of them stand in each other's way
ENGRAVED = ("Journals", "Bottles", "Cups")
ENGRAVING_AMOUNT, BAMBOO_AMOUNT = 250, 600
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


def drawn(table: Mapping[str, Callable[[], bytes]], wanted: Sequence[str], instance: Path) -> dict[str, str]:
    """Draw pictures of a table; gives the names of the uploads. Most of drawing happens in code that does not block."""
    with ThreadPoolExecutor(DRAWN_AT_ONCE) as pool:
        made = pool.map(lambda name: table[name](), wanted)
        folder = files.folder(instance)
        return {name: files.store(data, folder) for name, data in zip(wanted, made, strict=True)}


@dataclass
class DemoShop:
    """Everything there is to look at and to buy; what somebody changed is left as it is."""

    instance: Path
    made: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """Make what is missing; tells what it made."""
        self._settings()
        self._delivery()
        self._rates()
        self._products(self._shelves(), self._collections())
        self._promotions()
        return self.made

    def _settings(self) -> None:
        known = set(db.session.scalars(select(Setting.name)))
        for name, value in SETTINGS.items():
            if name not in known:
                settings.update(name, value)
                self.made.append(f"setting {name}")

    def _delivery(self) -> None:
        self.made += seed_delivery()
        known = set(db.session.scalars(select(DeliveryMethod.name)))
        others: tuple[tuple[str, DeliveryKind, dict[str, Any]], ...] = (
            ("Collect from the studio", DeliveryKind.PICKUP, {"days_least": 1, "days_most": 2}),
            ("Delivery in Nigeria", DeliveryKind.TO_BE_AGREED, {"countries": ["NG"], "locations": LOCATIONS}),
        )
        for position, (name, kind, values) in enumerate(others, 1):
            if name not in known:
                create_delivery_method(name, kind, position=position, **values)
                self.made.append(name)

    def _rates(self) -> None:
        known = set(db.session.scalars(select(DisplayRate.currency)))
        for currency, rate in RATES.items():
            if currency not in known:
                db.session.add(DisplayRate(currency=currency, rate=rate))
                self.made.append(f"rate of {currency}")

    def _shelves(self) -> dict[str, Category]:
        found = {each.name: each for each in db.session.scalars(select(Category))}
        for position, (name, above, description) in enumerate(SHELVES):
            if name not in found:
                found[name] = create_category(name, found.get(above), description=description, position=position)
                self.made.append(f"category {name}")
        return found

    def _collections(self) -> dict[str, Collection]:
        found = {each.name: each for each in db.session.scalars(select(Collection))}
        for name, kind, description in COLLECTIONS:
            if name not in found:
                found[name] = create_collection(name, kind, description=description)
                self.made.append(f"{kind} {name}")
        return found

    def _products(self, shelves: dict[str, Category], collections: dict[str, Collection]) -> None:
        known = set(db.session.scalars(select(Product.sku)))
        missing = [(number, ware) for number, ware in enumerate(WARES) if _sku(ware) not in known]
        shown = [name for _, ware in missing for name, _alt in _shown(ware)]
        pictures = drawn(drawings.GOODS, shown, self.instance)
        now = utcnow()
        for number, ware in missing:
            product = create_product(
                ware.name,
                slug=ware.picture,
                pictures=[(pictures[name], alt) for name, alt in _shown(ware)],
                created_at=now - timedelta(days=3 * (len(WARES) - number)),
                **_columns(ware, shelves[ware.shelf]),
            )
            product.collections = [collections[name] for name in ware.collections]
            _ask(product, ware)
        if missing:
            db.session.flush()
            self.made.append(f"{len(missing)} products")

    def _promotions(self) -> None:
        known = set(db.session.scalars(select(Promotion.code)))
        if "WELCOME10" not in known:
            create_promotion("WELCOME10", most_uses_each=1)
            self.made.append("promotion WELCOME10")
        if "FIVEOFF" not in known:
            create_promotion(
                "FIVEOFF", amount=500, minimum_amount=4000, most_uses=200, ends_at=utcnow() + timedelta(days=90)
            )
            self.made.append("promotion FIVEOFF")


def _sku(ware: Ware) -> str:
    return f"TC-{ware.picture.upper()}"


def _shown(ware: Ware) -> list[tuple[str, str]]:
    first = [(ware.picture, ware.shown)]
    return [*first, (f"{ware.picture}-engraved", ware.shown_too)] if ware.shown_too else first


def _columns(ware: Ware, shelf: Category) -> dict[str, Any]:
    values: dict[str, Any] = {
        "sku": _sku(ware),
        "kind": ware.kind,
        "category": shelf,
        "unit_amount": ware.amount,
        "discount_percent": ware.discount,
        "promo_text": ware.promo,
        "size": ware.size,
        "material": ware.material,
        "color": ware.color or ", ".join(ware.colors),
        "details": ware.details,
        "stock": ware.stock,
        "tax_rate": TAX_RATE,
        "is_featured": ware.is_featured,
    }
    if ware.days_away:
        values["availability"] = Availability.PRE_ORDER
        values["available_on"] = utcnow().date() + timedelta(days=ware.days_away)
    return values | ware.more


def _ask(product: Product, ware: Ware) -> None:
    """Put the options on a product; one that comes in a single colour asks for none."""
    if ware.shelf in ENGRAVED:
        option_templates.apply(option_templates.ENGRAVED_GOODS, product, ware.colors)
    elif product.kind is ProductKind.GIFT_PACK:
        option_templates.apply(option_templates.GIFT_PACK, product, ware.colors)
    elif ware.picture == "nfc-card-bamboo":
        choices = ["Light", "Dark"]
        create_option(product, "wood", OptionKind.CHOICE, choices=choices, is_required=True, extra_amount=BAMBOO_AMOUNT)
    for option in list(product.options):
        if option.kind is OptionKind.COLOR and not ware.colors:
            product.options.remove(option)
        elif option.key == "inscription":
            option.extra_amount = ENGRAVING_AMOUNT
