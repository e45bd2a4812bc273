"""Designs: the artwork cards are made from."""

import sqlalchemy as sa
from sqlalchemy import Select, select

from ..db import db
from ..models import Design, DesignStatus, Product, ProductKind


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


def are_sold() -> bool:
    """Whether cards can be ordered here at all."""
    is_card = sa.and_(Product.kind == ProductKind.CARD, Product.is_active)
    return bool(db.session.scalar(select(sa.exists().where(is_card))))
