"""Prices and totals of carts, checkouts, orders and emails."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func

from ...db import db
from ...models import DeliveryKind, DeliveryMethod, Design, Product, ProductKind, Promotion
from ...money import Money, allocate, apply_rate, included_tax
from ...settings import ShopSettings
from ..cards.designs import public_designs


@dataclass(frozen=True)
class Item:
    """A quantity of one product at a price, as input of a total."""

    unit_amount: int
    quantity: int
    tax_rate: int = 0  # hundredths of a percent, included in the price
    ships: bool = True
    is_promoted: bool = False  # whether the promotion applies to it

    @property
    def amount(self) -> int:
        return self.unit_amount * self.quantity


@dataclass(frozen=True)
class PricedItem:
    """An item with its share of discount and tax, in minor units."""

    item: Item
    discount: int
    tax: int


@dataclass(frozen=True)
class Totals:
    """The totals of a cart or order; all amounts in minor units of one currency."""

    currency: str
    items: tuple[PricedItem, ...]
    subtotal_amount: int
    discount_amount: int
    delivery_amount: int
    credit_amount: int
    tax_amount: int  # included
    total_amount: int = field(init=False)
    until_free_delivery: int | None = None  # amount missing for free delivery; None when delivery is never free
    is_delivery_open: bool = False  # agreed later, not part of the total
    ships: bool = True

    def __post_init__(self) -> None:
        total = self.subtotal_amount - self.discount_amount + self.delivery_amount - self.credit_amount
        object.__setattr__(self, "total_amount", total)

    def money(self, value: int) -> Money:
        """Return an amount in the currency of these totals."""
        return Money(value, self.currency)

    @property
    def free_delivery_from(self) -> int | None:
        """Return the subtotal from which delivery is free, in minor units."""
        return None if self.until_free_delivery is None else self.subtotal_amount + self.until_free_delivery

    @property
    def subtotal(self) -> Money:
        return self.money(self.subtotal_amount)

    @property
    def discount(self) -> Money:
        return self.money(self.discount_amount)

    @property
    def delivery(self) -> Money:
        return self.money(self.delivery_amount)

    @property
    def credit(self) -> Money:
        return self.money(self.credit_amount)

    @property
    def tax(self) -> Money:
        return self.money(self.tax_amount)

    @property
    def total(self) -> Money:
        return self.money(self.total_amount)


def compute_totals(
    items: Sequence[Item],
    currency: str,
    *,
    promotion: Promotion | None = None,
    method: DeliveryMethod | None = None,
    credit: int = 0,
) -> Totals:
    """Return the totals: subtotal after product discounts, less the promotion, plus delivery, less credit.

    Free delivery depends on the subtotal before the promotion. Never below zero; the amounts of the lines less their
    shares of the discount, plus delivery, less credit add up to the total exactly.
    """
    subtotal = sum(item.amount for item in items)
    promoted = [item.amount if item.is_promoted else 0 for item in items]
    discount = _discount_amount(sum(promoted), promotion) if promotion is not None else 0
    discounts = allocate(discount, promoted)
    ships = any(item.ships for item in items)
    delivery = delivery_amount(method, subtotal) if method is not None and ships else 0
    net_amounts = [item.amount - share for item, share in zip(items, discounts, strict=True)]
    shipped = [amount if item.ships else 0 for item, amount in zip(items, net_amounts, strict=True)]
    deliveries = allocate(delivery, shipped)
    if delivery and not any(shipped):  # only delivery costs anything: taxed like the first shipped item
        deliveries[next(place for place, item in enumerate(items) if item.ships)] = delivery
    taxes = [
        included_tax(amount + delivery_share, item.tax_rate)
        for item, amount, delivery_share in zip(items, net_amounts, deliveries, strict=True)
    ]
    priced = tuple(PricedItem(*row) for row in zip(items, discounts, taxes, strict=True))
    return Totals(
        currency=currency,
        items=priced,
        subtotal_amount=subtotal,
        discount_amount=discount,
        delivery_amount=delivery,
        credit_amount=max(0, min(credit, subtotal - discount + delivery)),
        tax_amount=sum(taxes),
        until_free_delivery=amount_until_free_delivery(method, subtotal) if ships else None,
        is_delivery_open=method is not None and method.kind is DeliveryKind.TO_BE_AGREED,
        ships=ships,
    )


def _discount_amount(promoted: int, promotion: Promotion) -> int:
    """Return the discount of a promotion on the items it applies to; never more than their sum."""
    if promotion.percent is not None:
        return apply_rate(promoted, promotion.percent)
    return min(promoted, promotion.amount or 0)


def delivery_amount(method: DeliveryMethod, subtotal: int) -> int:
    """Return the price of a delivery method for a subtotal before promotions, in minor units."""
    if method.free_from_amount is not None and subtotal >= method.free_from_amount:
        return 0
    if method.kind is DeliveryKind.FLAT:
        return method.amount
    return apply_rate(subtotal, method.percent) if method.kind is DeliveryKind.PERCENT else 0


def amount_until_free_delivery(method: DeliveryMethod | None, subtotal: int) -> int | None:
    """Return the amount missing for free delivery, in minor units; None when a method is never free."""
    if (
        method is None
        or method.free_from_amount is None
        or method.kind not in (DeliveryKind.FLAT, DeliveryKind.PERCENT)
    ):
        return None
    return max(0, method.free_from_amount - subtotal)


# --- cards ------------------------------------------------------------------------------------------------------------


def unit_price(product: Product, design: Design | None) -> int:
    """Return the price of one piece before its options, in minor units.

    A card costs what its design costs, if the design has its own price, otherwise what the product costs. Both are
    after the product's discount.
    """
    if product.kind is ProductKind.CARD and design is not None and design.card_amount is not None:
        return after_discount(design.card_amount, product)
    return product.price_amount


def card_price(design: Design, product: Product | None, shop: ShopSettings) -> Money:
    """Return the price of a card of a design, ordered on a product; without a product, by the shop's setting."""
    if product is not None:
        return Money(unit_price(product, design), shop.currency)
    return Money(shop.card_amount if design.card_amount is None else design.card_amount, shop.currency)


def after_discount(amount: int, product: Product) -> int:
    """Return an amount less a product's own discount; a half is rounded up, as in the database."""
    return (amount * (100 - product.discount_percent) + 50) // 100


def card_price_range(products: Sequence[Product], shop: ShopSettings) -> tuple[Money, Money]:
    """Return the lowest and highest price of a card on these products, in a public design or with own artwork.

    Without products, the range covers the public designs only; designs without a price use the shop's setting.
    """
    own = (func.min(Design.card_amount), func.max(Design.card_amount))
    visible_designs = public_designs().order_by(None)
    lowest, highest, unpriced = db.session.execute(
        visible_designs.with_only_columns(*own, func.count() - func.count(Design.card_amount))
    ).one()
    priced = [amount for amount in (lowest, highest) if amount is not None]
    amounts = [product.price_amount for product in products]
    if amounts:
        amounts += [after_discount(amount, product) for product in products for amount in priced]
    else:
        amounts = [*priced, shop.card_amount] if unpriced or not priced else priced
    return Money(min(amounts), shop.currency), Money(max(amounts), shop.currency)
