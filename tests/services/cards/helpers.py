"""What the tests of cards share."""

from typing import Any

import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import Card


def columns_of(card: Card) -> tuple[Any, ...]:
    """Return all columns of a card."""
    return tuple(db.session.execute(sa.select(*Card.__table__.c).where(Card.id == card.id)).one())
