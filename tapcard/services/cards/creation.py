"""Creation of cards: batches, the cards of an order line, and blank cards that staff register."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ...db import db
from ...errors import DomainError
from ...errors import mark as _
from ...keys import Keys
from ...models import Card, CardBatch, CardMove, CardStatus, ClaimPolicy, Design, User
from ...models.cards import BATCH_NAME_LENGTH
from ...tokens import new_token
from ..core import audit
from . import claims, transitions

MAX_BATCH_SIZE = 10_000


class TokenTaken(DomainError):
    """A card with this token already exists."""

    field = "token"


def create_batch(
    design: Design | None, policy: ClaimPolicy, number: int, keys: Keys, *, batch: str, actor: User | None = None
) -> list[tuple[Card, str | None]]:
    """Create a batch of unclaimed cards with new tokens, and return each with its claim code (None unless `code`).

    Raises `DomainError` for a number outside 1 to 10,000, or a batch name that is empty, too long or taken.
    """
    if not 1 <= number <= MAX_BATCH_SIZE:
        raise DomainError(_("Enter a number of cards from 1 to %(most)d."), field="count", most=MAX_BATCH_SIZE)
    if not 1 <= len(batch) <= BATCH_NAME_LENGTH:
        raise DomainError(_("Enter a batch name with 1 to %(most)d characters."), field="batch", most=BATCH_NAME_LENGTH)
    if db.session.scalar(select(CardBatch.id).where(CardBatch.name == batch)):
        raise DomainError(_("A batch with this name already exists."), field="batch")
    row = CardBatch(name=batch)
    cards = []
    for token in _generate_unused_tokens(number):
        card = Card(token=token, design=design, claim_policy=policy, batch=row)
        cards.append((card, claims.assign_claim_code(card, keys)))
        transitions.add_event(card, CardMove.MAKE, None, CardStatus.UNCLAIMED, actor)
    db.session.add_all(card for card, _code in cards)
    db.session.flush()  # the audit entry needs the batch's id
    audit.record("batch.made", subject=row, actor=actor, number=number, policy=policy.value)
    return cards


def create_for_order_line(
    design: Design | None, number: int, keys: Keys, *, order_line_id: int, actor: User | None = None
) -> list[Card]:
    """Create the cards of an order line, each with a claim code for the buyer."""
    cards = []
    for token in _generate_unused_tokens(number):
        card = Card(token=token, design=design, claim_policy=ClaimPolicy.CODE, order_line_id=order_line_id)
        claims.assign_claim_code(card, keys)
        transitions.add_event(card, CardMove.MAKE, None, CardStatus.UNCLAIMED, actor)
        cards.append(card)
    db.session.add_all(cards)
    return cards


def register(
    token: str, design: Design | None, policy: ClaimPolicy, keys: Keys, actor: User
) -> tuple[Card, str | None]:
    """Create a card for a blank one that staff hold, and return it with its claim code; raises `TokenTaken`."""
    card = Card(token=token, design=design, claim_policy=policy)
    code = claims.assign_claim_code(card, keys)
    try:
        with db.session.begin_nested():
            transitions.add_event(card, CardMove.MAKE, None, CardStatus.UNCLAIMED, actor)
    except IntegrityError:
        raise TokenTaken(_("A card with this token already exists.")) from None
    audit.record("card.registered", subject=card, actor=actor)
    return card, code


def _generate_unused_tokens(number: int) -> set[str]:
    """Return new tokens that no card has; with 49 random bits, a second round is very unlikely."""
    tokens: set[str] = set()
    while len(tokens) < number:
        fresh = {new_token() for _number in range(number - len(tokens))}
        used_tokens: set[str] = set()
        for chunk in _split_into_chunks(sorted(fresh), 500):
            used_tokens.update(db.session.scalars(select(Card.token).where(Card.token.in_(chunk))))
        tokens |= fresh - used_tokens
    return tokens


def _split_into_chunks(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
