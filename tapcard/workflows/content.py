"""Jobs of the newsletter."""

from datetime import timedelta

from ..clock import utcnow
from ..registry import job
from ..services.content import newsletter


@job("newsletter.purge", every=timedelta(days=1))
def purge_newsletter() -> None:
    """Delete unconfirmed and long unsubscribed newsletter subscribers."""
    newsletter.purge(utcnow())
