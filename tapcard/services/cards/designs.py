"""Designs: the artwork cards are made from."""

import sqlalchemy as sa
from sqlalchemy import Select, select

from ...models import Card, Design, DesignStatus, Product, ProductKind


def public_designs() -> Select[Design]:
    """The designs everybody may see, in the order of their names."""
    return (
        select(Design).where(Design.is_public, Design.status == DesignStatus.APPROVED).order_by(Design.name, Design.id)
    )


def orderable(user_id: int | None) -> Select[Design]:
    """The designs somebody may order: their own private ones first, then those that everybody may see."""
    is_public = sa.and_(Design.is_public, Design.status == DesignStatus.APPROVED)
    if user_id is None:
        return select(Design).where(is_public).order_by(Design.name, Design.id)
    is_own = sa.and_(Design.is_public.is_(False), Design.owner_id == user_id, Design.status != DesignStatus.REJECTED)
    return select(Design).where(sa.or_(is_public, is_own)).order_by(Design.is_public, Design.name, Design.id)


def sold_cards() -> Select[Product]:
    """The products that are cards; the first is what a design is ordered on unless another one is chosen."""
    return select(Product).where(Product.kind == ProductKind.CARD, Product.is_active).order_by(Product.id)


def own_artwork(user_id: int) -> sa.ColumnElement[bool]:
    """A person's own artwork, unless the shop shows it to all or somebody else holds a card made of it."""
    others = select(Card.id).where(Card.design_id == Design.id, Card.owner_id.is_not(None), Card.owner_id != user_id)
    return sa.and_(Design.owner_id == user_id, ~Design.is_public, ~others.exists())
