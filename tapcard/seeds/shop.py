"""Initial data of a new shop."""

from sqlalchemy import select

from ..db import db
from ..models import DeliveryKind, DeliveryMethod
from .factories import create_delivery_method

DEFAULT_DELIVERY = "Standard delivery"


def seed_delivery() -> list[str]:
    """Create the default delivery method, 10% of the subtotal and free from 50.00, if there is none.

    Return the names of the methods created.
    """
    if db.session.scalar(select(DeliveryMethod.id).limit(1)) is not None:
        return []
    create_delivery_method(
        DEFAULT_DELIVERY, DeliveryKind.PERCENT, percent=1000, free_from_amount=5000, days_least=2, days_most=4
    )
    return [DEFAULT_DELIVERY]
