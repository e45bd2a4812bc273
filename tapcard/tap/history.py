"""The history of a card as its current holder may read it, without other people's names or addresses."""

from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select

from ..db import db
from ..models import Card, CardEvent, CardMove, CardStatus, LockedBecause, user_roles
from ..services.cards import cards

MAX_EVENTS = 30
YOU, SHOP, OTHER, UNKNOWN = "you", "shop", "other", "unknown"


def history(card: Card) -> list[tuple[object, str, str]]:
    """Return the events since the holder got the card, and those of the cards it replaced, latest first."""
    is_staff = select(user_roles.c.user_id).where(user_roles.c.user_id == CardEvent.actor_id).exists()
    rows = db.session.execute(
        select(CardEvent, Card.token, is_staff)
        .join(Card, Card.id == CardEvent.card_id)
        .where(
            CardEvent.card_id.in_(cards.replacement_chain_query(card.id)),
            Card.owner_id == card.owner_id,
            CardEvent.happened_at >= func.coalesce(Card.claimed_at, Card.created_at),
            (CardEvent.move != CardMove.REPLACE) | (CardEvent.to_status == CardStatus.ACTIVE),  # the new card's event
        )
        .order_by(CardEvent.happened_at.desc(), CardEvent.id.desc())
        .limit(MAX_EVENTS)
    )
    return [
        (
            event.happened_at,
            describe_event(event, actor_kind(event, by_staff)),
            "" if token == card.token else _card(token),
        )
        for event, token, by_staff in rows
    ]


def actor_kind(event: CardEvent, by_staff: bool) -> str:
    """Return the kind of actor of an event, as far as the holder may know."""
    if event.actor_id is None:
        return UNKNOWN
    if event.actor_id == current_user.id:
        return YOU
    return SHOP if by_staff else OTHER


def describe_event(event: CardEvent, actor: str) -> str:
    """Describe an event in a card's history."""
    if event.move is CardMove.REPLACE:
        return _("Replaced card %(token)s.", token=event.why)
    if event.move is CardMove.LOCK:
        return describe_lock(event.why, actor)
    words = {
        (CardMove.MAKE, SHOP): _("The shop created this card."),
        (CardMove.CLAIM, YOU): _("You claimed this card."),
        (CardMove.CLAIM, SHOP): _("The shop registered this card to you."),
        (CardMove.UNLOCK, YOU): _("You reactivated this card."),
        (CardMove.UNLOCK, SHOP): _("The shop reactivated this card."),
        (CardMove.TRANSFER, YOU): _("You accepted this card from its previous owner."),
        (CardMove.RELEASE, YOU): _("You released this card."),
        (CardMove.RELEASE, SHOP): _("The shop released this card."),
        (CardMove.RETIRE, YOU): _("You retired this card."),
        (CardMove.RETIRE, SHOP): _("The shop retired this card."),
    }
    without_actor = {
        CardMove.MAKE: _("Card created."),
        CardMove.CLAIM: _("Card claimed."),
        CardMove.UNLOCK: _("Card reactivated."),
        CardMove.TRANSFER: _("Card transferred."),
        CardMove.RELEASE: _("Card released."),
        CardMove.RETIRE: _("Card retired."),
    }
    return words.get((event.move, actor)) or without_actor[event.move]


def describe_lock(why: str, actor: str) -> str:
    """Describe why a card was deactivated, without the internal notes of staff."""
    if why == LockedBecause.CLOSED.value:
        return _("Deactivated when you closed your account.")
    if actor == YOU:
        return _("You marked this card as lost.")
    return _("The shop deactivated this card.") if actor == SHOP else _("Card deactivated.")


def _card(token: str) -> str:
    return _("previous card %(token)s", token=token)
