"""Cards: made, claimed, pointed somewhere, switched off, given back. Every step goes through the table of moves."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from ...clock import utcnow
from ...db import db, hold
from ...errors import DomainError, NotFound
from ...errors import mark as _
from ...keys import Keys
from ...models import (
    MOVES,
    BlockedHost,
    Card,
    CardBatch,
    CardEvent,
    CardMove,
    CardStatus,
    CardTransfer,
    ClaimPolicy,
    Design,
    LockedBecause,
    Profile,
    Target,
    TransferOutcome,
    User,
)
from ...models.cards import BATCH_NAME_LENGTH, HOST_LENGTH, TOKEN_LENGTH
from ...money import Money
from ...settings import ShopSettings
from ...tokens import clean_code, new_code, new_token
from ..core import audit
from . import target_urls

CODE_PURPOSE = "claim_code"
BLOCKED_HOSTS = "blocked_hosts"
ALIASES = "aliases"
MOST_AT_ONCE = 10_000
# what a holder may still change on a card that is switched off because it is lost
EDITABLE = (CardStatus.ACTIVE, CardStatus.LOCKED)
# what a new card takes over from the one it replaces
CARRIED = ("alias", "target", "reroute_url", "reroute_host", "profile_id", "is_blocked")
# what a card from stock takes over besides, when it is packed in place of the one that was sold
SOLD_WITH = (
    *("owner_id", "claimed_at", "locked_because", "order_line_id"),
    *("claim_policy", "claim_code", "claim_code_hash"),
)
# what these moves leave behind is no longer what somebody was offered
ENDS_OFFERS = (CardMove.LOCK, CardMove.RELEASE, CardMove.REPLACE, CardMove.RETIRE)


class CardNotFound(NotFound):
    """There is no such card, or it belongs to somebody else."""


class AlreadyClaimed(DomainError):
    """The card has an owner by now."""


class WrongCode(DomainError):
    """The code typed is not this card's."""

    field = "code"


class NotForSaleYet(DomainError):
    """The card is activated by paying, and by nothing else."""


class IllegalMove(DomainError):
    """The card is not in a state from which this step leads on."""


class CannotReplace(DomainError):
    """The card chosen cannot carry on for another one."""

    field = "token"


class AliasTaken(DomainError):
    """Another card of the same holder has this name."""

    field = "alias"


class UrlNeeded(DomainError):
    """A card that leads to an address needs one."""

    field = "reroute_url"


class HostBlocked(DomainError):
    """Staff blocked the host."""

    field = "reroute_url"


class BadHost(DomainError):
    """What was typed names no host."""

    status = 422
    field = "host"


class TokenTaken(DomainError):
    """There is a card of this token already."""

    field = "token"


# --- finding ----------------------------------------------------------------------------------------------------------


def clean_token(typed: str) -> str:
    """The token somebody meant, in capitals; empty when it cannot be one."""
    token = typed.strip()
    return token.upper() if token.isascii() and token.isalnum() and len(token) <= TOKEN_LENGTH else ""


def find(token: str) -> Card | None:
    """The card of a token, in any case of letters."""
    return db.session.scalar(select(Card).where(Card.token == clean_token(token)))


def owned_by(user: User) -> Select[Card]:
    """A holder's cards, the oldest first, without those that are retired."""
    return select(Card).where(Card.owner_id == user.id, Card.status != CardStatus.RETIRED).order_by(Card.id)


def own_card(user: User, token: str) -> Card:
    """A holder's card by its token; anybody else's does not exist."""
    card = db.session.scalar(owned_by(user).where(Card.token == clean_token(token)))
    if card is None:
        raise CardNotFound(_("We couldn't find that card."))
    return card


def held_by(user: User) -> Select[Card]:
    """All cards a holder has or had until they were retired, the oldest first."""
    return select(Card).where(Card.owner_id == user.id).order_by(Card.id)


def not_set_up(user: User, but: Card) -> Sequence[Card]:
    """A holder's other cards that are on and lead nowhere yet, the newest first."""
    wanted = owned_by(user).where(Card.id != but.id, Card.status == CardStatus.ACTIVE).order_by(None)
    leads = sa.or_(
        sa.and_(Card.target == Target.URL, Card.reroute_url.is_not(None)),
        sa.and_(Card.target == Target.PROFILE, Card.profile_id.is_not(None)),
    )
    no_target = sa.or_(Card.target.is_(None), ~leads)
    return db.session.scalars(wanted.where(no_target).order_by(Card.id.desc())).all()


def chain_of(card_id: int) -> Select[int]:
    """The id of a card and of those it carries on for, however many there were one after the other."""
    chain = select(sa.literal(card_id, sa.BigInteger).label("id")).cte("chain", recursive=True)
    older = select(Card.id).join(chain, Card.replaced_by_id == chain.c.id)
    chain = chain.union(older)  # not UNION ALL: a ring would never end
    return select(chain.c.id)


def chain(card: Card) -> list[int]:
    """The ids of a card and of those it carries on for."""
    return list(db.session.scalars(chain_of(card.id)))


def activation_price(card: Card, shop: ShopSettings) -> Money:
    """What activating a `pay` card costs: the design's price or the shop's."""
    own = card.design.activation_amount if card.design is not None else None
    return Money(shop.activation_amount if own is None else own, shop.currency)


# --- making -----------------------------------------------------------------------------------------------------------


def make(
    design: Design | None, policy: ClaimPolicy, number: int, keys: Keys, *, batch: str, actor: User | None = None
) -> list[tuple[Card, str | None]]:
    """Make a batch of unclaimed cards with new tokens; gives each with its claim code (policy `code` alone has one).

    Raises `DomainError` for a number outside 1 to 10,000 or a batch name that is taken or none.
    """
    if not 1 <= number <= MOST_AT_ONCE:
        raise DomainError(_("Enter a number of cards from 1 to %(most)d."), field="count", most=MOST_AT_ONCE)
    if not 1 <= len(batch) <= BATCH_NAME_LENGTH:
        raise DomainError(_("Enter a batch name with 1 to %(most)d characters."), field="batch", most=BATCH_NAME_LENGTH)
    if db.session.scalar(select(CardBatch.id).where(CardBatch.name == batch)):
        raise DomainError(_("A batch with this name already exists."), field="batch")
    row = CardBatch(name=batch)
    made = []
    tokens = _unused_tokens(number)
    for token in tokens:
        card = Card(token=token, design=design, claim_policy=policy, batch=row)
        made.append((card, _give_code(card, keys)))
        _note(card, CardMove.MAKE, None, CardStatus.UNCLAIMED, actor)
    db.session.add_all(card for card, _code in made)
    db.session.flush()  # the audit entry needs the batch's id
    audit.record("batch.made", subject=row, actor=actor, number=number, policy=policy.value)
    return made


def make_sold(
    design: Design | None, number: int, keys: Keys, *, order_line_id: int, actor: User | None = None
) -> list[Card]:
    """Make the cards that a line of an order sold, each with a claim code for its buyer."""
    made = []
    for token in _unused_tokens(number):
        card = Card(token=token, design=design, claim_policy=ClaimPolicy.CODE, order_line_id=order_line_id)
        _give_code(card, keys)
        _note(card, CardMove.MAKE, None, CardStatus.UNCLAIMED, actor)
        made.append(card)
    db.session.add_all(made)
    return made


def register(
    token: str, design: Design | None, policy: ClaimPolicy, keys: Keys, actor: User
) -> tuple[Card, str | None]:
    """Enter a blank card that staff hold in their hand; raises `TokenTaken`."""
    card = Card(token=token, design=design, claim_policy=policy)
    code = _give_code(card, keys)
    try:
        with db.session.begin_nested():
            _note(card, CardMove.MAKE, None, CardStatus.UNCLAIMED, actor)
    except IntegrityError:
        raise TokenTaken(_("A card with this token already exists.")) from None
    audit.record("card.registered", subject=card, actor=actor)
    return card, code


def _unused_tokens(number: int) -> set[str]:
    """New tokens that no card has; 49 bits make a second round most unlikely."""
    tokens: set[str] = set()
    while len(tokens) < number:
        fresh = {new_token() for _number in range(number - len(tokens))}
        taken: set[str] = set()
        for chunk in _chunks(sorted(fresh), 500):
            taken.update(db.session.scalars(select(Card.token).where(Card.token.in_(chunk))))
        tokens |= fresh - taken
    return tokens


def _chunks(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _give_code(card: Card, keys: Keys) -> str | None:
    if card.claim_policy is not ClaimPolicy.CODE:
        card.claim_code = card.claim_code_hash = None
        return None
    code = new_code()
    set_code(card, code, keys)
    return code


def set_code(card: Card, code: str, keys: Keys) -> None:
    """Give an unclaimed card this claim code: sealed for whoever packs it, hashed for whoever types it."""
    card.claim_code = keys.encrypt(code)
    card.claim_code_hash = keys.digest(CODE_PURPOSE, code)


def read_code(card: Card, keys: Keys) -> str | None:
    """The claim code of an unclaimed card, for the insert."""
    return keys.decrypt(card.claim_code) if card.claim_code else None


# --- moves ------------------------------------------------------------------------------------------------------------


def claim(card: Card, user: User, keys: Keys, *, code: str = "", now: datetime | None = None) -> None:
    """Bind an unclaimed card to its first owner; of two at the same instant one wins.

    Raises `AlreadyClaimed`, `WrongCode`, or `NotForSaleYet` for policy `pay`.
    """
    if card.status is not CardStatus.UNCLAIMED:
        raise AlreadyClaimed(_("This card has already been claimed."))
    if card.claim_policy is ClaimPolicy.PAY:
        raise NotForSaleYet(_("This card needs to be paid for before it can be claimed."))
    proof = [Card.claim_policy == ClaimPolicy.OPEN]
    if card.claim_policy is ClaimPolicy.CODE:
        hashes = keys.digests(CODE_PURPOSE, clean_code(code))
        if card.claim_code_hash not in hashes:
            raise WrongCode(_("That code isn't valid for this card. Check the insert or contact the shop."))
        proof = [Card.claim_policy == ClaimPolicy.CODE, Card.claim_code_hash.in_(hashes)]
    values: dict[str, Any] = {
        "owner_id": user.id,
        "claim_code": None,
        "claim_code_hash": None,
        "claimed_at": now or utcnow(),
    }
    if not _move(card, CardMove.CLAIM, user, proof, **values):
        raise AlreadyClaimed(_("Someone else has just claimed this card."))
    audit.record("card.claimed", subject=card, actor=user)


def claim_paid(card: Card, user: User, now: datetime, *, order_line_id: int) -> bool:
    """Bind a card to whoever paid for its activation; False when it is not waiting for that any more."""
    values: dict[str, Any] = {"owner_id": user.id, "claimed_at": now, "order_line_id": order_line_id}
    if not _move(card, CardMove.CLAIM, user, [Card.claim_policy == ClaimPolicy.PAY], **values):
        return False
    audit.record("card.claimed", subject=card, actor=user)
    return True


def waiting_of(line_ids: Collection[int]) -> Select[Card]:
    """The cards of an order's lines that wait for their buyer, or whoever they hand the code to.

    One that had a holder who gave it back is nobody's of that order any more: its new code is its former holder's.
    """
    given_back = sa.exists().where(CardEvent.card_id == Card.id, CardEvent.move == CardMove.RELEASE)
    is_waiting = (Card.status == CardStatus.UNCLAIMED, Card.claim_policy == ClaimPolicy.CODE, ~given_back)
    return select(Card).where(Card.order_line_id.in_(line_ids), *is_waiting).order_by(Card.id)


def claim_sold(
    line_ids: Collection[int], user: User, now: datetime | None = None, *, token: str | None = None
) -> Sequence[Card]:
    """Bind the cards of an order to its buyer, perhaps only one of them; those that somebody has already are left.

    However many they are, it takes a few statements. The order proves whose they are, so that no code is asked.
    """
    wanted = waiting_of(line_ids)
    if token is not None:
        wanted = wanted.where(Card.token == clean_token(token))
    if not _is_open(user.id):  # asked before the cards are locked, as by every other claim
        return []
    ids = db.session.scalars(wanted.with_only_columns(Card.id).with_for_update()).all()
    values = {"owner_id": user.id, "claim_code": None, "claim_code_hash": None, "claimed_at": now or utcnow()}
    start, end = MOVES[CardMove.CLAIM]
    moved = db.session.scalars(
        sa.update(Card)
        .where(Card.id.in_(ids), Card.status.in_(start))
        .values(status=end, **values)
        .returning(Card.id)
        .execution_options(synchronize_session=False)
    ).all()
    if moved:
        step = {"move": CardMove.CLAIM, "from_status": CardStatus.UNCLAIMED, "to_status": end, "actor_id": user.id}
        db.session.execute(sa.insert(CardEvent), [{"card_id": card_id, **step} for card_id in sorted(moved)])
        audit.record_all("card.claimed", Card, sorted(moved), actor=user)
    theirs = select(Card).where(Card.id.in_(moved)).order_by(Card.id)
    return db.session.scalars(theirs.execution_options(populate_existing=True)).all()


def lock(card: Card, because: LockedBecause, actor: User | None, why: str = "") -> None:
    """Switch a card off; raises `IllegalMove` unless it is active."""
    same_owner = [Card.owner_id == card.owner_id]
    if not _move(card, CardMove.LOCK, actor, same_owner, why=why or because.value, locked_because=because):
        raise IllegalMove(_("This card is already deactivated."))
    audit.record("card.locked", subject=card, actor=actor, because=because.value)


def unlock(card: Card, actor: User | None, *, allowed: Collection[LockedBecause] = (LockedBecause.LOST,)) -> None:
    """Switch a card on again, if it was switched off for a reason the actor may lift."""
    condition = [Card.owner_id == card.owner_id, Card.locked_because.in_(allowed)]
    if not _move(card, CardMove.UNLOCK, actor, condition, locked_because=None):
        raise IllegalMove(_("You can't reactivate this card. Contact the shop."))
    audit.record("card.unlocked", subject=card, actor=actor)


def release(card: Card, actor: User, keys: Keys) -> str:
    """Give a card back: unclaimed, with nothing of its former owner and a new claim code, which is returned."""
    code = new_code()
    owner_id = card.owner_id
    values = {
        **NOTHING_SET,
        "owner_id": None,
        "claimed_at": None,
        "claim_policy": ClaimPolicy.CODE,
        "claim_code": keys.encrypt(code),
        "claim_code_hash": keys.digest(CODE_PURPOSE, code),
    }
    if not _move(card, CardMove.RELEASE, actor, [Card.owner_id == owner_id], **values):
        raise IllegalMove(_("Only active cards can be released."))
    audit.record("card.released", subject=card, actor=actor)
    return code


def retire(card: Card, actor: User | None, why: str) -> None:
    """Take a card out of use for ever."""
    values = {"locked_because": None, "claim_code": None, "claim_code_hash": None}
    if not _move(card, CardMove.RETIRE, actor, [], why=why, **values):
        raise IllegalMove(_("This card is already retired."))
    audit.record("card.retired", subject=card, actor=actor, why=why)


def lock_all(owner: User, because: LockedBecause) -> int:
    """Switch off all cards of a holder that are on; tells how many."""
    return _move_all(owner, CardMove.LOCK, owner, why=because.value, locked_because=because)


def unlock_all(owner: User, because: LockedBecause) -> int:
    """Switch on again the cards of a holder that were switched off for one reason; tells how many."""
    return _move_all(owner, CardMove.UNLOCK, owner, Card.locked_because == because, locked_because=None)


def retire_all(owner: User, why: str) -> int:
    """Take all cards of a holder out of use for ever, with nothing left of what they carried; tells how many."""
    values = {**NOTHING_SET, "locked_because": None, "claim_code": None, "claim_code_hash": None}
    return _move_all(owner, CardMove.RETIRE, None, why=why, **values)


def hand_over(card: Card, sender_id: int, to: User, conditions: Sequence[Any], now: datetime) -> None:
    """Make a card another person's, with nothing of its former holder's, if it is still theirs and switched on.

    `conditions` are of the same statement. Raises `IllegalMove`.
    """
    values = {**NOTHING_SET, "owner_id": to.id, "claimed_at": now}
    if not _move(card, CardMove.TRANSFER, to, [Card.owner_id == sender_id, *conditions], **values):
        raise IllegalMove(_("This transfer is no longer available."))
    audit.record("card.transferred", subject=card, actor=to, from_user=sender_id)


def replace(old: Card, new: Card, actor: User, keys: Keys, *, code: str = "", now: datetime | None = None) -> None:
    """Let a new card carry on for an old one, which retires: name, target and history are the new one's.

    The new one is the holder's own and not set up, or waits for its owner and is claimed with its code by the way.
    Raises `CannotReplace`, `IllegalMove`, and what `claim` raises.
    """
    if old.id == new.id:
        raise CannotReplace(_("A card can't replace itself. Choose another card."))
    hold(BLOCKED_HOSTS, shared=True)  # its mark goes along with the address
    hold_still(old, new)
    if new.status is CardStatus.UNCLAIMED:
        claim(new, actor, keys, code=code, now=now)
    if new.owner_id != actor.id:
        raise AlreadyClaimed(_("This card has already been claimed."))
    if new.status is not CardStatus.ACTIVE or new.is_set_up:
        raise CannotReplace(_("That card is already in use. Choose one that isn't set up yet."))
    carried = {name: getattr(old, name) for name in CARRIED}
    is_own = sa.or_(Card.status == CardStatus.ACTIVE, Card.locked_because == LockedBecause.LOST)
    values = {**NOTHING_SET, "locked_because": None, "replaced_by_id": new.id}
    if not _move(old, CardMove.REPLACE, actor, [Card.owner_id == actor.id, is_own], why=new.token, **values):
        raise IllegalMove(_("You can't replace this card. Contact the shop."))
    _update_own(new, actor, carried)
    _end_offers(new)
    _note(new, CardMove.REPLACE, new.status, new.status, actor, why=old.token)
    audit.record("card.replaced", subject=old, actor=actor, by=new.id)


def take_place(made: Card, stock: Card, actor: User) -> None:
    """Let a card from stock be the one that was sold: binding, code, holder and target go over, and the other retires.

    Raises `CannotReplace` unless the one is sold and not retired, and the other new and free.
    """
    hold_still(made, stock)
    if made.order_line_id is None or made.status is CardStatus.RETIRED:
        raise CannotReplace(_("This card wasn't sold or has already been replaced."))
    if stock.status is not CardStatus.UNCLAIMED or stock.order_line_id is not None or _had_holder(stock):
        raise CannotReplace(_("Choose a card from stock that has never been sold or claimed."))
    if stock.design_id != made.design_id:
        raise CannotReplace(_("Choose a card with the same design."))
    values = {name: getattr(made, name) for name in (*CARRIED, *SOLD_WITH)}
    before = made.status
    move = CardMove.RETIRE if before is CardStatus.UNCLAIMED else CardMove.REPLACE
    emptied = {**NOTHING_SET, "locked_because": None, "claim_code": None, "claim_code_hash": None}
    is_same = [Card.order_line_id == made.order_line_id]
    if not _move(made, move, actor, is_same, why=stock.token, order_line_id=None, replaced_by_id=stock.id, **emptied):
        raise CannotReplace(_("This card wasn't sold or has already been replaced."))
    taken = (
        sa.update(Card).where(Card.id == stock.id, Card.status == CardStatus.UNCLAIMED).values(status=before, **values)
    )
    db.session.execute(taken.execution_options(synchronize_session=False))
    db.session.refresh(stock)
    _note(stock, CardMove.REPLACE, CardStatus.UNCLAIMED, before, actor, why=made.token)
    audit.record("card.swapped", subject=made, actor=actor, by=stock.id)


def _had_holder(card: Card) -> bool:
    """Whether a card was ever somebody's."""
    claims = select(CardEvent.id).where(CardEvent.card_id == card.id, CardEvent.move == CardMove.CLAIM)
    return db.session.scalar(claims.limit(1)) is not None


def hold_still(*held: Card) -> None:
    """Lock the rows of cards until the transaction ends, in the order of their ids, and read them again."""
    for card in sorted(held, key=lambda each: each.id):
        db.session.execute(
            sa.update(Card)
            .where(Card.id == card.id)
            .values(status=Card.status)
            .execution_options(synchronize_session=False)
        )
        db.session.refresh(card)


NOTHING_SET: dict[str, Any] = {
    "alias": None,
    "target": None,
    "reroute_url": None,
    "reroute_host": None,
    "profile_id": None,
    "is_blocked": False,
}


def _move(
    card: Card, move: CardMove, actor: User | None, conditions: Sequence[Any], why: str = "", **values: Any
) -> bool:
    """Take one step by one conditional UPDATE; False, and nothing done, when the card is not where it may start."""
    start, end = MOVES[move]
    if end is CardStatus.ACTIVE and not _is_open(values.get("owner_id", card.owner_id)):
        return False
    before = card.status
    moved = db.session.execute(
        sa.update(Card)
        .where(Card.id == card.id, Card.status.in_(start), *conditions)
        .values(status=end, **values)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(card)
    if moved.rowcount != 1:  # type: ignore[attr-defined]
        return False
    if move in ENDS_OFFERS:
        _end_offers(card)
    _note(card, move, before, end, actor, why)
    return True


def _move_all(owner: User, move: CardMove, actor: User | None, *conditions: Any, why: str = "", **values: Any) -> int:
    """Take one step with every card of a holder that may start it: one UPDATE for each status there is."""
    start, end = MOVES[move]
    number = 0
    for before in sorted(start):
        moved = db.session.scalars(
            sa.update(Card)
            .where(Card.owner_id == owner.id, Card.status == before, *conditions)
            .values(status=end, **values)
            .returning(Card.id)
            .execution_options(synchronize_session=False)
        ).all()
        steps = {"move": move, "from_status": before, "to_status": end, "why": why[:200]}
        events = [{"card_id": card_id, "actor_id": actor.id if actor else None, **steps} for card_id in sorted(moved)]
        if events:
            db.session.execute(sa.insert(CardEvent), events)
        number += len(events)
    return number


def _is_open(owner_id: int | None) -> bool:
    """Whether a holder's account is open, and stays so until this transaction ends: a closed one has no active card."""
    is_theirs = sa.and_(User.id == owner_id, User.is_active)
    return db.session.scalar(select(User.id).where(is_theirs).with_for_update(read=True)) is not None


def _end_offers(card: Card) -> None:
    """Take back what was offered of a card to somebody else."""
    db.session.execute(
        sa.update(CardTransfer)
        .where(CardTransfer.card_id == card.id, CardTransfer.ended_at.is_(None))
        .values(ended_at=utcnow(), outcome=TransferOutcome.WITHDRAWN)
        .execution_options(synchronize_session=False)
    )


def _note(
    card: Card, move: CardMove, before: CardStatus | None, after: CardStatus, actor: User | None, why: str = ""
) -> None:
    event = CardEvent(
        card=card, move=move, from_status=before, to_status=after, actor_id=actor.id if actor else None, why=why[:200]
    )
    db.session.add(event)


# --- where it leads ---------------------------------------------------------------------------------------------------


def edit(
    card: Card,
    actor: User,
    *,
    alias: str,
    target: Target | None,
    reroute_url: str,
    profile: Profile | None,
    own_hosts: Collection[str],
) -> None:
    """Change a card's name and target; an address typed beside another target is kept for later if it is a good one.

    Raises `AliasTaken`, `UrlNeeded`, `links.BadLink`, `HostBlocked`, `CardNotFound` when the card is no longer theirs.
    """
    alias = alias.strip()
    if alias:
        hold(f"{ALIASES} of {actor.id}")  # the database's own key tells capitals apart
        if has_alias(actor, alias, but=card):
            raise AliasTaken(_("You already have a card with this name."))
    values: dict[str, Any] = {"alias": alias or None, "target": target, "is_blocked": False}
    if target is Target.URL:
        if not reroute_url.strip():
            raise UrlNeeded(_("Enter a web address."))
        link = target_urls.clean(reroute_url, own_hosts)
        hold(BLOCKED_HOSTS, shared=True)
        if is_blocked(link.host):
            raise HostBlocked(_("This address can't be used. Contact the shop if you think that's a mistake."))
        values |= {"reroute_url": link.url, "reroute_host": link.host}
    else:
        values |= _kept_for_later(reroute_url, own_hosts)
        if target is Target.PROFILE:
            values["profile_id"] = profile.id if profile is not None else None
    try:
        with db.session.begin_nested():
            _update_own(card, actor, values)
    except IntegrityError:
        raise AliasTaken(_("You already have a card with this name.")) from None


def _kept_for_later(reroute_url: str, own_hosts: Collection[str]) -> dict[str, str | None]:
    if not reroute_url.strip():
        return {"reroute_url": None, "reroute_host": None}
    try:
        link = target_urls.clean(reroute_url, own_hosts)
    except target_urls.BadLink:
        return {}
    return {"reroute_url": link.url, "reroute_host": link.host}


def point_to_profile(card: Card, profile: Profile, actor: User) -> None:
    """Let a card open one of its holder's profiles."""
    _update_own(card, actor, {"target": Target.PROFILE, "profile_id": profile.id, "is_blocked": False})


def _update_own(card: Card, actor: User, values: dict[str, Any]) -> None:
    changed = db.session.execute(
        sa.update(Card)
        .where(Card.id == card.id, Card.owner_id == actor.id, Card.status.in_(EDITABLE))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise CardNotFound(_("We couldn't find that card."))
    db.session.refresh(card)


def has_alias(owner: User, alias: str, but: Card | None = None) -> bool:
    """Whether a holder calls a card so, in any case of letters (SQLite's own `lower` knows only a to z)."""
    others = select(Card.alias).where(Card.owner_id == owner.id, Card.alias.is_not(None))
    if but is not None:
        others = others.where(Card.id != but.id)
    return alias.casefold() in {(each or "").casefold() for each in db.session.scalars(others)}


# --- blocked hosts ----------------------------------------------------------------------------------------------------


def is_blocked(host: str | None) -> bool:
    """Whether staff blocked a host or one it belongs to."""
    if not host:
        return False
    parents = _with_parents(host)
    return db.session.scalar(select(BlockedHost.id).where(BlockedHost.host.in_(parents)).limit(1)) is not None


def blocked_among(hosts: Collection[str]) -> set[str]:
    """Those of some hosts that staff blocked, or blocked one they belong to; one look for all of them."""
    above = {host: _with_parents(host) for host in hosts}
    every = {parent for parents in above.values() for parent in parents}
    blocked = set(db.session.scalars(select(BlockedHost.host).where(BlockedHost.host.in_(every))))
    return {host for host, parents in above.items() if not blocked.isdisjoint(parents)}


def _with_parents(host: str) -> list[str]:
    labels = host.split(".")
    return [".".join(labels[start:]) for start in range(len(labels))]


def host_in(typed: str) -> str:
    """The host somebody means, as cards store it; the whole address may stand around it. Raises `BadHost`."""
    text = typed.strip().strip(".")
    if text.count(":") > 1 and "/" not in text:
        text = f"[{text.strip('[]')}]"
    try:
        host = target_urls.clean(text).host
    except target_urls.BadLink:
        host = None
    if host is None or len(host) > HOST_LENGTH:
        raise BadHost(_("Enter a host name, such as example.com."))
    return host


def block_host(host: str, actor: User | None, reason: str = "") -> int:
    """Block a host and everything below it; its cards are marked in the same transaction. Tells how many.

    Raises `BadHost`.
    """
    host = host_in(host)
    hold(BLOCKED_HOSTS)  # no edit to that host may come in between unseen
    if db.session.scalar(select(BlockedHost.id).where(BlockedHost.host == host)) is None:
        row = BlockedHost(host=host, reason=reason, blocked_by_id=actor.id if actor else None)
        db.session.add(row)
        db.session.flush()  # the audit entry needs its id
        audit.record("host.blocked", subject=row, actor=actor, host=host)
    return mark_blocked(host)


def unblock_host(host: str, actor: User | None) -> None:
    """Allow a host again; its cards work at once, unless a host above it stays blocked."""
    hold(BLOCKED_HOSTS)
    row = db.session.scalar(select(BlockedHost).where(BlockedHost.host == host_in(host)))
    if row is None:
        raise NotFound(_("This host isn't blocked."))
    audit.record("host.unblocked", subject=row, actor=actor, host=row.host)
    db.session.delete(row)
    db.session.flush()  # the marks below are made by what is left
    db.session.execute(_cards_of(row.host).values(is_blocked=False))
    for other in db.session.scalars(select(BlockedHost.host)).all():
        mark_blocked(other)


def mark_blocked(host: str) -> int:
    """Mark the cards that lead to a blocked host; tells how many."""
    marked = db.session.execute(
        _cards_of(host).where(~Card.is_blocked, Card.target == Target.URL).values(is_blocked=True)
    )
    return int(marked.rowcount)  # type: ignore[attr-defined]


def _cards_of(host: str) -> Any:
    below = Card.reroute_host.endswith("." + host, autoescape=True)
    return sa.update(Card).where(sa.or_(Card.reroute_host == host, below)).execution_options(synchronize_session=False)
