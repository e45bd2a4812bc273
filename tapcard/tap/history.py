"""A card's life in sentences, as its present holder may read it: never another person's name or address."""

from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import func, select

from ..db import db
from ..models import Card, CardEvent, CardMove, CardStatus, LockedBecause, user_roles
from ..services.cards import cards

MOST = 30
YOU, SHOP, OTHER, NOBODY = "you", "shop", "other", "nobody"


def history(card: Card) -> list[tuple[object, str, str]]:
    """What happened since the card is its holder's, the latest first, with what happened to the cards it replaced."""
    is_staff = select(user_roles.c.user_id).where(user_roles.c.user_id == CardEvent.actor_id).exists()
    found = db.session.execute(
        select(CardEvent, Card.token, is_staff)
        .join(Card, Card.id == CardEvent.card_id)
        .where(
            CardEvent.card_id.in_(cards.chain_of(card.id)),
            Card.owner_id == card.owner_id,
            CardEvent.happened_at >= func.coalesce(Card.claimed_at, Card.created_at),
            (CardEvent.move != CardMove.REPLACE) | (CardEvent.to_status == CardStatus.ACTIVE),  # one of the two
        )
        .order_by(CardEvent.happened_at.desc(), CardEvent.id.desc())
        .limit(MOST)
    )
    return [
        (event.happened_at, sentence(event, actor(event, by_staff)), "" if token == card.token else _card(token))
        for event, token, by_staff in found
    ]


def actor(event: CardEvent, by_staff: bool) -> str:
    """Who did it, as far as the reader may know."""
    if event.actor_id is None:
        return NOBODY
    if event.actor_id == current_user.id:
        return YOU
    return SHOP if by_staff else OTHER


def sentence(event: CardEvent, who: str) -> str:
    """One step of a card's life in words."""
    if event.move is CardMove.REPLACE:
        return _("It took over from card %(token)s.", token=event.why)
    if event.move is CardMove.LOCK:
        return locked(event.why, who)
    words = {
        (CardMove.MAKE, SHOP): _("The shop made this card."),
        (CardMove.CLAIM, YOU): _("You claimed this card."),
        (CardMove.CLAIM, SHOP): _("The shop entered this card as yours."),
        (CardMove.UNLOCK, YOU): _("You switched it on again."),
        (CardMove.UNLOCK, SHOP): _("The shop switched it on again."),
        (CardMove.TRANSFER, YOU): _("You took it over from its former holder."),
        (CardMove.RELEASE, YOU): _("You gave it back."),
        (CardMove.RELEASE, SHOP): _("The shop took it back."),
        (CardMove.RETIRE, YOU): _("You took it out of use for good."),
        (CardMove.RETIRE, SHOP): _("The shop took it out of use for good."),
    }
    by_nobody = {
        CardMove.MAKE: _("This card was made."),
        CardMove.CLAIM: _("This card got its holder."),
        CardMove.UNLOCK: _("It was switched on again."),
        CardMove.TRANSFER: _("It changed hands."),
        CardMove.RELEASE: _("It was given back."),
        CardMove.RETIRE: _("It was taken out of use for good."),
    }
    return words.get((event.move, who)) or by_nobody[event.move]


def locked(why: str, who: str) -> str:
    """Why a card was switched off; what staff wrote down about it is for staff."""
    if why == LockedBecause.CLOSED.value:
        return _("It was switched off with your account.")
    if who == YOU:
        return _("You switched it off, because it was lost.")
    return _("The shop switched it off.") if who == SHOP else _("It was switched off.")


def _card(token: str) -> str:
    return _("the former card %(token)s", token=token)
