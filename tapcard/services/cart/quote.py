"""Quotes: the price of a cart today, as one immutable value that orders are placed from."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from ...context import RuleContext
from ...errors import DomainError
from ...models import Cart, DeliveryMethod, Promotion
from ...money import Money
from . import items, pricing, promotions
from .items import CartItem, Reservations
from .pricing import Totals
from .promotions import Customer

LineKey = tuple[str, int, int]  # fingerprint, quantity, unit price in minor units


@dataclass(frozen=True)
class Quote:
    """A cart at today's prices and stock, with its promotion, delivery, credit and totals."""

    cart_id: int
    items: tuple[CartItem, ...]
    totals: Totals
    code_id: int | None = None  # the promotion whose code was entered, also when it is refused
    promotion: Promotion | None = None
    refusal: DomainError | None = None  # why the code entered does not apply
    balance: int = 0  # the credit the buyer could spend, in minor units

    @property
    def has_changed(self) -> bool:
        """Return whether an item differs from what the buyer saw, so that they have to check the cart before paying."""
        return any(item.has_changed for item in self.items)

    @property
    def digest(self) -> str:
        """Return a digest of the lines as the buyer saw them: currency, contents, quantities and unit prices."""
        return digest_of(self.totals.currency, (item.key for item in self.items))


def digest_of(currency: str, lines: Iterable[LineKey]) -> str:
    """Return the digest of lines in a currency, to compare a quote with an order placed from an earlier one."""
    return hashlib.sha256(json.dumps([currency, *lines]).encode()).hexdigest()


def compute(
    cart: Cart, customer: Customer, method: DeliveryMethod | None, reservations: Reservations, context: RuleContext
) -> Quote:
    """Return the quote of a cart; writes nothing. A promotion that is refused is left out, with the reason."""
    shop = context.shop
    cart_items = items.current_items(cart, shop, reservations)
    available = [item for item in cart_items if not item.is_gone]
    promotion, refusal, is_promoted = cart.promotion, None, [False] * len(available)
    if promotion is not None:
        products = [item.line.product for item in available]
        subtotal = Money(sum(item.unit_amount * item.quantity for item in available), shop.currency)
        is_counted = reservations.has_promotion_use
        try:
            is_promoted = promotions.check(promotion, products, subtotal, customer, context, is_counted=is_counted)
        except promotions.PromotionRefused as error:
            promotion, refusal = None, error
    priced = [item.priced(is_promoted=is_cheaper) for item, is_cheaper in zip(available, is_promoted, strict=True)]
    balance = reservations.spendable_credit
    credit = balance if cart.uses_credit else 0
    totals = pricing.compute_totals(priced, shop.currency, promotion=promotion, method=method, credit=credit)
    return Quote(cart.id, tuple(cart_items), totals, cart.promotion_id, promotion, refusal, balance)
