"""Claims: claim codes, binding an unclaimed card to its owner, and releasing it again."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select

from ...clock import utcnow
from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import (
    CARD_MOVES,
    Card,
    CardEvent,
    CardMove,
    CardStatus,
    ClaimPolicy,
    User,
)
from ...money import Money
from ...settings import ShopSettings
from ...tokens import new_code, normalize_code
from ..core import audit
from . import cards, transitions

CLAIM_CODE_PURPOSE = "claim_code"
CLAIM_CODE_LENGTH = 8


class AlreadyClaimed(DomainError):
    """The card already has an owner."""


class InvalidClaimCode(DomainError):
    """The claim code is not that of the card."""

    field = "code"


class PaymentRequired(DomainError):
    """The card can only be claimed by paying for its activation."""


def activation_price(card: Card, shop: ShopSettings) -> Money:
    """Return the price of activating a card with the policy `pay`: of its design, or else of the shop."""
    design_amount = card.design.activation_amount if card.design is not None else None
    return Money(shop.activation_amount if design_amount is None else design_amount, shop.currency)


def new_claim_code() -> str:
    """Return a new claim code: about 39 bits, typed by people."""
    return new_code(CLAIM_CODE_LENGTH)


def assign_claim_code(card: Card, keys: Keys) -> str | None:
    """Generate and return a new claim code for a card with the policy `code`; remove the code of any other card."""
    if card.claim_policy is not ClaimPolicy.CODE:
        card.claim_code = card.claim_code_hash = None
        return None
    code = new_claim_code()
    set_claim_code(card, code, keys)
    return code


def set_claim_code(card: Card, code: str, keys: Keys) -> None:
    """Set the claim code of an unclaimed card: encrypted for printing the insert, hashed for checking a typed code."""
    card.claim_code = keys.encrypt(code)
    card.claim_code_hash = keys.digest(CLAIM_CODE_PURPOSE, code)


def read_claim_code(card: Card, keys: Keys) -> str | None:
    """Return the decrypted claim code of an unclaimed card, for printing the insert."""
    return keys.decrypt(card.claim_code) if card.claim_code else None


def claim(card: Card, user: User, keys: Keys, *, code: str = "", now: datetime | None = None) -> None:
    """Bind an unclaimed card to its first owner; of two concurrent claims one succeeds.

    Raises `AlreadyClaimed`, `InvalidClaimCode`, or `PaymentRequired` for policy `pay`.
    """
    if card.status is not CardStatus.UNCLAIMED:
        raise AlreadyClaimed(_("This card has already been claimed."))
    if card.claim_policy is ClaimPolicy.PAY:
        raise PaymentRequired(_("This card needs to be paid for before it can be claimed."))
    proof = [Card.claim_policy == ClaimPolicy.OPEN]
    if card.claim_policy is ClaimPolicy.CODE:
        hashes = keys.digests(CLAIM_CODE_PURPOSE, normalize_code(code))
        if card.claim_code_hash not in hashes:
            raise InvalidClaimCode(_("That code isn't valid for this card. Check the insert or contact the shop."))
        proof = [Card.claim_policy == ClaimPolicy.CODE, Card.claim_code_hash.in_(hashes)]
    values: dict[str, Any] = {
        "owner_id": user.id,
        "claim_code": None,
        "claim_code_hash": None,
        "claimed_at": now or utcnow(),
    }
    if not transitions.apply_transition(card, CardMove.CLAIM, user, proof, **values):
        raise AlreadyClaimed(_("Someone else has just claimed this card."))
    audit.record("card.claimed", subject=card, actor=user)


def claim_paid(card: Card, user: User, now: datetime, *, order_line_id: int) -> bool:
    """Bind a card with the policy `pay` to the user who paid for its activation; return False if it is claimed."""
    values: dict[str, Any] = {"owner_id": user.id, "claimed_at": now, "order_line_id": order_line_id}
    if not transitions.apply_transition(card, CardMove.CLAIM, user, [Card.claim_policy == ClaimPolicy.PAY], **values):
        return False
    audit.record("card.claimed", subject=card, actor=user)
    return True


def claimable_cards_of_lines(line_ids: Collection[int]) -> Select[Card]:
    """Select the cards of order lines that are still to be claimed by the buyer or the person given the code.

    A card that was claimed and released is left out: its new code belongs to its former owner.
    """
    was_released = sa.exists().where(CardEvent.card_id == Card.id, CardEvent.move == CardMove.RELEASE)
    is_claimable = (Card.status == CardStatus.UNCLAIMED, Card.claim_policy == ClaimPolicy.CODE, ~was_released)
    return select(Card).where(Card.order_line_id.in_(line_ids), *is_claimable).order_by(Card.id)


def claim_order_cards(
    line_ids: Collection[int], user: User, now: datetime | None = None, *, token: str | None = None
) -> Sequence[Card]:
    """Bind the unclaimed cards of order lines, or only the one of `token`, to the buyer and return them.

    No code is needed, because the order proves the ownership. Runs a constant number of statements.
    """
    claimable = claimable_cards_of_lines(line_ids)
    if token is not None:
        claimable = claimable.where(Card.token == cards.clean_token(token))
    # the account is locked before the cards, as in every other claim, so that two claims cannot deadlock
    if not transitions.is_account_open(user.id):
        return []
    ids = db.session.scalars(claimable.with_only_columns(Card.id).with_for_update()).all()
    values = {"owner_id": user.id, "claim_code": None, "claim_code_hash": None, "claimed_at": now or utcnow()}
    start, end = CARD_MOVES[CardMove.CLAIM]
    claimed_ids = db.session.scalars(
        sa.update(Card)
        .where(Card.id.in_(ids), Card.status.in_(start))
        .values(status=end, **values)
        .returning(Card.id)
        .execution_options(synchronize_session=False)
    ).all()
    if claimed_ids:
        shared = {"move": CardMove.CLAIM, "from_status": CardStatus.UNCLAIMED, "to_status": end, "actor_id": user.id}
        db.session.execute(sa.insert(CardEvent), [{"card_id": card_id, **shared} for card_id in sorted(claimed_ids)])
        audit.record_all("card.claimed", Card, sorted(claimed_ids), actor=user)
    claimed = select(Card).where(Card.id.in_(claimed_ids)).order_by(Card.id)
    return db.session.scalars(claimed.execution_options(populate_existing=True)).all()


def release(card: Card, actor: User, keys: Keys) -> str:
    """Make an active card unclaimed again, clear what its owner had set, and return its new claim code."""
    code = new_claim_code()
    owner_id = card.owner_id
    values = {
        **transitions.CLEARED_VALUES,
        "owner_id": None,
        "claimed_at": None,
        "claim_policy": ClaimPolicy.CODE,
        "claim_code": keys.encrypt(code),
        "claim_code_hash": keys.digest(CLAIM_CODE_PURPOSE, code),
    }
    if not transitions.apply_transition(card, CardMove.RELEASE, actor, [Card.owner_id == owner_id], **values):
        raise transitions.InvalidTransition(_("Only active cards can be released."))
    audit.record("card.released", subject=card, actor=actor)
    return code
