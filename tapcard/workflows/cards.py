"""Jobs of card transfers."""

from datetime import timedelta

from ..clock import utcnow
from ..registry import job
from ..services.cards import transfers


@job("transfers.expire", every=timedelta(hours=1))
def expire_offers() -> None:
    """Expire card transfers that were not answered in time."""
    transfers.expire(utcnow())
