"""Offline payments: cash, transfer, cheque or card terminal, confirmed by staff."""

from .base import OFFLINE, Charge, Evidence, Outcome, Started


class OfflineGateway:
    """Gateway of payments that staff confirm."""

    code = OFFLINE
    is_online = False

    def supports_currency(self, currency: str) -> bool:
        """Return True for every currency."""
        return True

    def start(self, charge: Charge) -> Started:
        """Return the payment's public id as its reference."""
        return Started(reference=charge.public_id, url=None)

    def fetch(self, reference: str) -> Evidence:
        """Return pending, because only staff confirm payments."""
        return Evidence(Outcome.PENDING, reference)

    def close(self, reference: str) -> None:
        """Do nothing: the payment exists only in the shop."""
