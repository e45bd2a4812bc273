"""Labels of the states of cards, designs and transfers, used by all pages, emails and files."""

import enum
from collections.abc import Mapping
from typing import Any

from ...errors import mark as _
from ...models import Card, CardStatus, DesignStatus, LockedBecause, TransferOutcome

CARD_STATUS = {
    CardStatus.UNCLAIMED: _("Unclaimed"),
    CardStatus.ACTIVE: _("Active"),
    CardStatus.LOCKED: _("Locked"),  # where the reason isn't known; a locked card is called by its reason
    CardStatus.RETIRED: _("Retired"),
}
LOCKED_BECAUSE = {
    LockedBecause.LOST: _("Lost"),
    LockedBecause.ABUSE: _("Suspended"),
    LockedBecause.CLOSED: _("Account closed"),
}
NOT_SET_UP = _("Not set up")
ADDRESS_BLOCKED = _("Address blocked")
DESIGN_STATUS = {
    DesignStatus.REQUESTED: _("Awaiting approval"),
    DesignStatus.APPROVED: _("Approved"),
    DesignStatus.REJECTED: _("Rejected"),
}
TRANSFER_OUTCOME = {
    TransferOutcome.ACCEPTED: _("Accepted"),
    TransferOutcome.DECLINED: _("Declined"),
    TransferOutcome.WITHDRAWN: _("Cancelled"),
    TransferOutcome.EXPIRED: _("Expired"),
}
LABELS: Mapping[type[enum.StrEnum], Mapping[Any, str]] = {
    CardStatus: CARD_STATUS,
    LockedBecause: LOCKED_BECAUSE,
    DesignStatus: DESIGN_STATUS,
    TransferOutcome: TRANSFER_OUTCOME,
}


def label_of_card(card: Card) -> str:
    """Return the label of a card: of its status, its reason to be locked, or what keeps an active card from working."""
    if card.locked_because is not None:
        return LOCKED_BECAUSE[card.locked_because]
    if card.status is CardStatus.ACTIVE and card.is_blocked:
        return ADDRESS_BLOCKED
    if card.status is CardStatus.ACTIVE and not card.is_set_up:
        return NOT_SET_UP
    return CARD_STATUS[card.status]
