"""Cart items: the lines of a cart at today's prices and stock."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...errors import DomainError
from ...errors import mark as _
from ...models import (
    Availability,
    Card,
    CardStatus,
    Cart,
    CartLine,
    ClaimPolicy,
    Design,
    DesignStatus,
    LineKind,
    Product,
    ProductKind,
)
from ...money import Money
from ...settings import ShopSettings
from ..cards import claims
from ..catalogue import customization
from . import pricing
from .pricing import Item

MAX_PIECES, MAX_CARDS = 99, 500


class ProductKindChanged(DomainError):
    """The product became a card, or is no longer one."""


@dataclass(frozen=True)
class CartItem:
    """A line of a cart today: its price, the quantity available, and what changed since the buyer saw it."""

    line: CartLine
    title: str
    kind: LineKind
    unit_amount: int
    quantity: int  # capped to what is available; 0 when nothing is
    currency: str
    tax_rate: int
    options: list[dict[str, str]]
    picture: str | None
    design: Design | None
    is_gone: bool = False
    is_capped: bool = False
    is_repriced: bool = False
    validation_error: DomainError | None = None  # why its options are no longer valid

    @property
    def unit(self) -> Money:
        """Return the price of one piece."""
        return Money(self.unit_amount, self.currency)

    @property
    def amount(self) -> Money:
        """Return the price of all available pieces."""
        return Money(self.unit_amount * self.quantity, self.currency)

    @property
    def former_unit(self) -> Money:
        """Return the unit price that the buyer saw last."""
        return Money(self.line.shown_amount or 0, self.currency)

    @property
    def differs(self) -> bool:
        """Return whether price or quantity differ from what the buyer saw last; they can accept that by a button."""
        return self.is_gone or self.is_capped or self.is_repriced

    @property
    def needs_choice(self) -> bool:
        """Return whether the buyer has to choose options again, or remove the line."""
        return self.validation_error is not None and not self.is_gone

    @property
    def has_changed(self) -> bool:
        """Return whether the buyer has to check the line before paying."""
        return self.differs or self.needs_choice

    @property
    def ships(self) -> bool:
        """Return whether it has to be delivered."""
        return self.kind is not LineKind.ACTIVATION

    @property
    def key(self) -> tuple[str, int, int]:
        """Return fingerprint, quantity and unit price: what an order's line must match to be the same."""
        return self.line.fingerprint, self.quantity, self.unit_amount

    def priced(self, *, is_promoted: bool = False) -> Item:
        """Return the item as `pricing.compute_totals` takes it."""
        return Item(self.unit_amount, self.quantity, self.tax_rate, self.ships, is_promoted)


@dataclass(frozen=True)
class Reservations:
    """The reservations of orders that concern one cart; `orders/replacement` reads them."""

    releasable_stock: Mapping[int, int] = field(default_factory=dict)  # pieces by product id that this cart can use
    held_card_ids: Set[int] = frozenset()  # cards whose activation another buyer is paying for
    spendable_credit: int = 0  # the buyer's balance and the credit spent on replaceable orders, in minor units
    has_promotion_use: bool = False  # whether a replaceable order holds a use of the cart's promotion


ReservationsFor = Callable[[Cart, datetime], Reservations]


def current_items(cart: Cart, shop: ShopSettings, reservations: Reservations) -> list[CartItem]:
    """Return every line of a cart at today's price and stock; writes nothing."""
    stock = _available_stock(cart, reservations)
    current = []
    for line in cart.lines:
        item = _product_item(line, shop, stock, reservations.held_card_ids)
        available = stock.get(line.product_id) if line.product_id is not None else None
        if line.product_id is not None and available is not None:
            stock[line.product_id] = available - item.quantity
        current.append(item)
    return current


def _available_stock(cart: Cart, reservations: Reservations) -> dict[int, int | None]:
    """Return the pieces available to this cart by product id; None for a product whose stock is not tracked."""
    products = {line.product.id: line.product.stock for line in cart.lines if line.product is not None}
    released = reservations.releasable_stock
    return {
        product_id: None if stock is None else stock + released.get(product_id, 0)
        for product_id, stock in products.items()
    }


def _product_item(
    line: CartLine, shop: ShopSettings, stock: Mapping[int, int | None], held_card_ids: Set[int]
) -> CartItem:
    if line.kind is LineKind.ACTIVATION:
        return _activation_item(line, shop, held_card_ids)
    product = line.product
    assert product is not None
    unit = unit_amount(product, line.design, line.options)
    is_sold = product.is_active and product.availability is not Availability.OUT_OF_STOCK
    if product.kind is ProductKind.CARD and line.design is not None:
        is_sold = is_sold and can_order_design(line.design, line.cart.user_id)
    available = stock.get(product.id)
    maximum = max_quantity(line.kind)
    quantity = min(line.quantity, maximum, maximum if available is None else max(0, available)) if is_sold else 0
    picture = product.picture.name if product.picture is not None else None
    if line.kind is LineKind.CARD:
        picture = line.front_picture or (line.design.front_picture if line.design is not None else None)
    return CartItem(
        line=line,
        title=product.name,
        kind=line.kind,
        unit_amount=unit,
        quantity=quantity,
        currency=shop.currency,
        tax_rate=product.tax_rate,
        options=customization.labeled_answers(product, line.options),
        picture=picture,
        design=line.design,
        is_gone=quantity == 0,
        is_capped=0 < quantity < line.quantity,
        is_repriced=line.shown_amount is not None and line.shown_amount != unit,
        validation_error=_validation_error(line, product, shop),
    )


def _validation_error(line: CartLine, product: Product, shop: ShopSettings) -> DomainError | None:
    """Return why the options of a line are no longer valid: staff may change options after they were chosen."""
    if (line.kind is LineKind.CARD) is not (product.kind is ProductKind.CARD):
        return ProductKindChanged(_("The way this product is ordered has changed."))
    return customization.validation_error(product, line.options, line.pictures, shop.country)


def _activation_item(line: CartLine, shop: ShopSettings, held_card_ids: Set[int]) -> CartItem:
    card = line.card
    assert card is not None
    is_sold = can_be_activated_by_payment(card) and card.id not in held_card_ids
    unit = claims.activation_price(card, shop).amount
    return CartItem(
        line=line,
        title=_("Activation of card %(token)s") % {"token": card.token},
        kind=line.kind,
        unit_amount=unit,
        quantity=1 if is_sold else 0,
        currency=shop.currency,
        tax_rate=shop.activation_tax_rate,
        options=[],
        picture=card.design.front_picture if card.design is not None else None,
        design=card.design,
        is_gone=not is_sold,
        is_repriced=line.shown_amount is not None and line.shown_amount != unit,
    )


def can_be_activated_by_payment(card: Card) -> bool:
    """Return whether a card can be activated by payment."""
    return card.status is CardStatus.UNCLAIMED and card.claim_policy is ClaimPolicy.PAY


def unit_amount(product: Product, design: Design | None, answers: Mapping[str, Any]) -> int:
    """Return the price of one piece in minor units, with the extra charges of its options."""
    return pricing.unit_price(product, design) + customization.extra_amount(product, answers)


def can_order_design(design: Design, user_id: int | None) -> bool:
    """Return whether a person may order a design: an approved public one, or their own private one."""
    if design.status is DesignStatus.REJECTED:
        return False
    if design.is_public:
        return design.status is DesignStatus.APPROVED
    return design.owner_id is not None and design.owner_id == user_id


def max_quantity(kind: LineKind) -> int:
    """Return how many pieces a line of a kind may have."""
    return {LineKind.CARD: MAX_CARDS, LineKind.ACTIVATION: 1}.get(kind, MAX_PIECES)
