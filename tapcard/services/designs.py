"""Designs: the artwork cards are made from."""

from sqlalchemy import Select, select

from ..models import Design, DesignStatus


def public_designs() -> Select[Design]:
    """The designs everybody may see, in the order of their names."""
    return (
        select(Design).where(Design.is_public, Design.status == DesignStatus.APPROVED).order_by(Design.name, Design.id)
    )
