"""Prices: what a card costs, by its design or else by the shop's own default."""

from sqlalchemy import func

from ..db import db
from ..models import Design
from ..money import Money
from ..settings import ShopSettings
from .designs import public_designs


def card_price(design: Design | None, shop: ShopSettings) -> Money:
    """Price a card of a design."""
    own = design.card_amount if design is not None else None
    return Money(shop.card_amount if own is None else own, shop.currency)


def card_price_range(shop: ShopSettings) -> tuple[Money, Money]:
    """Price the cheapest and the dearest card of the public designs; without designs, the default twice."""
    amount = func.coalesce(Design.card_amount, shop.card_amount)
    shown = public_designs().order_by(None).with_only_columns(func.min(amount), func.max(amount))
    least, most = db.session.execute(shown).one()
    if least is None:
        least = most = shop.card_amount
    return Money(least, shop.currency), Money(most, shop.currency)
