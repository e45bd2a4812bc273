"""Cards: transitions, creation, claiming, releasing, finding and editing them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import tokens
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.keys import Keys
from tapcard.models import (
    MOVES,
    AuditEntry,
    Card,
    CardBatch,
    CardEvent,
    CardMove,
    CardStatus,
    ClaimPolicy,
    Design,
    LockedBecause,
    Profile,
    Target,
    User,
)
from tapcard.money import Money
from tapcard.services.cards import cards, claims, creation, replacement, target_urls, transitions
from tapcard.services.cards.cards import AliasTaken, CardNotFound, UrlRequired
from tapcard.services.cards.claims import AlreadyClaimed, InvalidClaimCode, PaymentRequired
from tapcard.services.cards.creation import TokenTaken
from tapcard.services.cards.transitions import InvalidTransition
from tapcard.settings import ShopSettings

CODE = "CARD2345"
TRANSITIONS = tuple(MOVES)
REFUSALS = {CardMove.CLAIM: AlreadyClaimed}


@pytest.fixture
def perform(keys: Keys, create_card: Callable[..., Card]) -> Callable[[CardMove, Card, User], object]:
    """Return a function that performs a transition with the function of the application."""
    functions: dict[CardMove, Callable[[Card, User], object]] = {
        CardMove.CLAIM: lambda card, user: claims.claim(card, user, keys, code=CODE),
        CardMove.LOCK: lambda card, user: transitions.lock(card, LockedBecause.LOST, user),
        CardMove.UNLOCK: lambda card, user: transitions.unlock(card, user),
        CardMove.TRANSFER: lambda card, user: transitions.transfer(card, user.id, user, [], utcnow()),
        CardMove.RELEASE: lambda card, user: claims.release(card, user, keys),
        CardMove.REPLACE: lambda card, user: replacement.replace(card, create_card(user), user, keys),
        CardMove.RETIRE: lambda card, user: transitions.retire(card, user, "worn out"),
    }
    return lambda perform, card, user: functions[perform](card, user)


@pytest.fixture
def create_card_in(create_card: Callable[..., Card], ada: User) -> Callable[[CardStatus], Card]:
    """Return a function that creates a card in a certain status."""

    def make(status: CardStatus) -> Card:
        if status is CardStatus.UNCLAIMED:
            return create_card(code=CODE)
        because = LockedBecause.LOST if status is CardStatus.LOCKED else None
        return create_card(ada, url="https://example.com/", status=status, locked_because=because)

    return make


def events_of(card: Card) -> list[tuple[CardMove, CardStatus | None, CardStatus]]:
    rows = db.session.scalars(sa.select(CardEvent).where(CardEvent.card_id == card.id).order_by(CardEvent.id))
    return [(row.move, row.from_status, row.to_status) for row in rows]


def columns_of(card: Card) -> tuple[Any, ...]:
    """Return all columns of a card."""
    return tuple(db.session.execute(sa.select(*Card.__table__.c).where(Card.id == card.id)).one())


def edit(card: Card, user: User, **changes: Any) -> None:
    values: dict[str, Any] = {
        "alias": card.alias or "",
        "target": card.target,
        "reroute_url": card.reroute_url or "",
        "profile": card.profile,
    }
    cards.edit(card, user, cards.CardChanges(**{**values, **changes}), own_hosts={"localhost"})


# --- transitions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", CardStatus)
@pytest.mark.parametrize("step", TRANSITIONS)
def test_each_transition_is_allowed_only_from_the_states_in_the_table_and_is_recorded(
    step: CardMove, status: CardStatus, perform: Callable[..., object], create_card_in: Callable[..., Card], ada: User
) -> None:
    card = create_card_in(status)
    starts, end = MOVES[step]
    before, past = columns_of(card), events_of(card)
    if status in starts:
        perform(step, card, ada)
        db.session.commit()
        assert card.status is end
        assert events_of(card) == [*past, (step, status, end)]
    else:
        with pytest.raises(REFUSALS.get(step, InvalidTransition)):
            perform(step, card, ada)
        db.session.commit()
        assert columns_of(card) == before
        assert events_of(card) == past


def test_no_transition_starts_from_retired() -> None:
    assert all(CardStatus.RETIRED not in starts for starts, _end in MOVES.values())


def test_only_an_unclaimed_card_can_be_claimed() -> None:
    assert MOVES[CardMove.CLAIM] == ({CardStatus.UNCLAIMED}, CardStatus.ACTIVE)


def test_an_event_records_actor_and_reason(perform: Callable[..., object], card: Card, ada: User, ben: User) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben, "leads to a trap")
    transitions.retire(card, None, "x" * 300)
    db.session.commit()
    locked, retired = card.events[-2:]
    assert (locked.actor, locked.why) == (ben, "leads to a trap")
    assert (retired.actor, retired.why) == (None, "x" * 200)


def test_a_transition_writes_an_audit_entry(perform: Callable[..., object], card: Card, ada: User) -> None:
    for step in (CardMove.LOCK, CardMove.UNLOCK, CardMove.RELEASE, CardMove.RETIRE):
        perform(step, card, ada)
    db.session.commit()
    entries = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.tag for entry in entries] == ["card.locked", "card.unlocked", "card.released", "card.retired"]
    assert {(entry.subject_type, entry.subject_id, entry.actor_id) for entry in entries} == {("cards", card.id, ada.id)}


def test_a_holder_cannot_unlock_a_card_suspended_by_staff(card: Card, ada: User, ben: User) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben)
    with pytest.raises(InvalidTransition):
        transitions.unlock(card, ada)
    transitions.unlock(card, ben, allowed=(LockedBecause.ABUSE,))
    assert (card.status, card.locked_because) == (CardStatus.ACTIVE, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "active"},
        {"status": "unclaimed", "owner_id": 1},
        {"status": "locked"},
        {"locked_because": "lost"},
        {"locked_because": "bored"},
        {"status": "stolen"},
        {"target": "moon"},
        {"claim_policy": "steal"},
        {"status": "active", "owner_id": 1, "claim_code": "sealed"},
        {"token": "lowercase"},
        {"token": "ADASCARD"},
        {"token": None},
        {"owner_id": 999_999, "status": "active"},
        {"design_id": 999_999},
        {"profile_id": 999_999},
    ],
    ids=str,
)
def test_the_database_refuses_invalid_rows(card: Card, ada: User, wrong: dict[str, Any]) -> None:
    good: dict[str, Any] = {"token": "OTHER", "status": "unclaimed", "claim_policy": "code", "is_blocked": False}
    values = {**good, "imported_tap_count": 0, "created_at": card.created_at.replace(tzinfo=None), **wrong}
    if values.get("owner_id") == 1:
        values["owner_id"] = ada.id
    columns, places = ", ".join(values), ", ".join(f":{name}" for name in values)
    with pytest.raises(sa.exc.IntegrityError):
        db.session.execute(sa.text(f"INSERT INTO cards ({columns}) VALUES ({places})"), values)


# --- creation ---------------------------------------------------------------------------------------------------------


def test_a_batch_creates_the_requested_number_of_cards_with_codes(
    app: Flask, keys: Keys, design: Design, ben: User
) -> None:
    batch_cards = creation.create_batch(design, ClaimPolicy.CODE, 600, keys, batch="spring", actor=ben)
    db.session.commit()
    assert len({card.token for card, _code in batch_cards}) == len({code for _card, code in batch_cards}) == 600
    batch = db.session.scalars(sa.select(CardBatch)).one()
    stored = db.session.scalars(sa.select(Card)).all()
    assert {(card.status, card.owner_id, card.design, card.batch) for card in stored} == {
        (CardStatus.UNCLAIMED, None, design, batch)
    }
    assert all(claims.read_claim_code(card, keys) == code for card, code in batch_cards)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(CardEvent)) == 600
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.tag, entry.actor, entry.details) == ("batch.made", ben, {"number": 600, "policy": "code"})


@pytest.mark.parametrize("policy", [ClaimPolicy.OPEN, ClaimPolicy.PAY])
def test_cards_of_other_policies_have_no_code(app: Flask, keys: Keys, policy: ClaimPolicy) -> None:
    [(card, code)] = creation.create_batch(None, policy, 1, keys, batch="one")
    assert code is None
    assert (card.claim_code, card.claim_code_hash, claims.read_claim_code(card, keys)) == (None, None, None)


@pytest.mark.parametrize(
    ("number", "batch"), [(0, "a"), (-1, "a"), (10_001, "a"), (1, ""), (1, "x" * 81), (1, "taken")]
)
def test_an_invalid_batch_is_refused(app: Flask, keys: Keys, number: int, batch: str) -> None:
    db.session.add(CardBatch(name="taken"))
    with pytest.raises(DomainError):
        creation.create_batch(None, ClaimPolicy.CODE, number, keys, batch=batch)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == 0


def test_a_token_that_exists_is_drawn_again(app: Flask, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    creation.create_batch(None, ClaimPolicy.OPEN, 1, keys, batch="first")
    [known] = db.session.scalars(sa.select(Card.token))
    lots = iter([known, "AAAA222222", "AAAA222222", "BBBB333333"])
    monkeypatch.setattr(creation, "new_token", lambda: next(lots))
    batch_cards = creation.create_batch(None, ClaimPolicy.OPEN, 2, keys, batch="second")
    assert {card.token for card, _code in batch_cards} == {"AAAA222222", "BBBB333333"}


def test_tokens_are_random_and_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [tokens.new_token() for _number in range(10_000)]
    assert len(set(drawn)) == 10_000
    assert {len(token) for token in drawn} == {10}
    assert set("".join(drawn)) == set("23456789ABCDEFGHJKMNPQRSTVWXYZ")
    monkeypatch.setattr(tokens.secrets, "choice", lambda alphabet: alphabet[0])
    assert tokens.new_token() == "2" * 10
    assert tokens.new_code() == "2" * 8


def test_a_new_card_has_no_owner(keys: Keys, ada: User, ben: User) -> None:
    card, _code = creation.register("BLANK123", None, ClaimPolicy.CODE, keys, ben)
    creation.create_batch(None, ClaimPolicy.CODE, 3, keys, batch="three")
    db.session.commit()
    assert card.owner is None
    assert set(db.session.scalars(sa.select(Card.owner_id))) == {None}


def test_a_registered_card_is_found_in_any_case(keys: Keys, ben: User) -> None:
    card, code = creation.register("blank123", None, ClaimPolicy.CODE, keys, ben)
    assert card.token == "BLANK123"
    assert claims.read_claim_code(card, keys) == code
    assert cards.get_by_token(" Blank123 ") is card
    for odd in ("", "BLANK-123", "BLANK123\0", "ſ", "²", "A" * 21):
        assert cards.get_by_token(odd) is None


def test_registering_an_existing_token_is_refused_and_others_can_be_registered(
    card: Card, keys: Keys, ben: User
) -> None:
    with pytest.raises(TokenTaken) as refusal:
        creation.register(card.token.lower(), None, ClaimPolicy.CODE, keys, ben)
    assert refusal.value.field == "token"
    creation.register("OTHER123", None, ClaimPolicy.CODE, keys, ben)
    db.session.commit()
    assert set(db.session.scalars(sa.select(Card.token))) == {"ADASCARD", "OTHER123"}


# --- claiming ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def unclaimed_card(create_card: Callable[..., Card], design: Design) -> Card:
    """Return an unclaimed card with a claim code."""
    return create_card(token="WAITING2", code=CODE, design=design)


@pytest.mark.parametrize("text", [CODE, "card2345", " card 2345 ", "CARD-2345", "c a r d\t2-3-4-5", "\u00a0CARD2345"])
def test_the_right_code_claims_a_card_in_any_spelling(unclaimed_card: Card, cleo: User, keys: Keys, text: str) -> None:
    claims.claim(unclaimed_card, cleo, keys, code=text)
    db.session.commit()
    assert (unclaimed_card.status, unclaimed_card.owner) == (CardStatus.ACTIVE, cleo)
    assert unclaimed_card.claimed_at is not None
    assert (unclaimed_card.claim_code, unclaimed_card.claim_code_hash) == (None, None)


@pytest.mark.parametrize("text", ["", "CARD2346", "CARD234", "CARD23455", "OTHER678", "WAITING2", "%", "\0", "🂡" * 8])
def test_a_wrong_code_claims_nothing(
    unclaimed_card: Card, create_card: Callable[..., Card], cleo: User, keys: Keys, text: str
) -> None:
    create_card(token="OTHERCARD", code="OTHER678")
    before = columns_of(unclaimed_card)
    with pytest.raises(InvalidClaimCode) as refusal:
        claims.claim(unclaimed_card, cleo, keys, code=text)
    assert refusal.value.field == "code"
    assert columns_of(unclaimed_card) == before


def test_a_card_without_a_code_cannot_be_claimed_with_one(
    create_card: Callable[..., Card], cleo: User, keys: Keys
) -> None:
    with pytest.raises(InvalidClaimCode):
        claims.claim(create_card(policy=ClaimPolicy.CODE), cleo, keys, code="")


def test_a_card_with_an_owner_can_never_be_claimed(
    unclaimed_card: Card, ada: User, cleo: User, keys: Keys, create_card: Callable[..., Card]
) -> None:
    claims.claim(unclaimed_card, ada, keys, code=CODE)
    db.session.commit()
    opened = create_card(ada, policy=ClaimPolicy.OPEN)
    locked = create_card(ada, policy=ClaimPolicy.OPEN, status=CardStatus.LOCKED, locked_because=LockedBecause.LOST)
    for card in (unclaimed_card, opened, locked):
        with pytest.raises(AlreadyClaimed):
            claims.claim(card, cleo, keys, code=CODE)
        assert card.owner is ada


def test_a_card_with_an_open_policy_is_claimed_without_a_code(
    create_card: Callable[..., Card], cleo: User, keys: Keys
) -> None:
    card = create_card(policy=ClaimPolicy.OPEN)
    claims.claim(card, cleo, keys)
    assert card.owner is cleo


def test_a_card_to_be_paid_cannot_be_claimed_with_a_code(unclaimed_card: Card, cleo: User, keys: Keys) -> None:
    unclaimed_card.claim_policy = ClaimPolicy.PAY
    db.session.flush()  # the rule reads the row from the database
    with pytest.raises(PaymentRequired):
        claims.claim(unclaimed_card, cleo, keys, code=CODE)
    assert unclaimed_card.status is CardStatus.UNCLAIMED


@pytest.mark.parametrize(("own", "amount"), [(None, 1000), (0, 0), (1550, 1550)])
def test_the_activation_price_of_the_design_overrides_that_of_the_shop(
    create_card: Callable[..., Card], create_design: Callable[..., Design], own: int | None, amount: int
) -> None:
    card = create_card(policy=ClaimPolicy.PAY, design=create_design(activation_amount=own))
    assert claims.activation_price(card, ShopSettings()) == Money(amount, "GBP")
    card.design = None
    assert claims.activation_price(card, ShopSettings()) == Money(1000, "GBP")


def test_a_claim_code_is_not_readable_in_the_database(app: Flask, unclaimed_card: Card, keys: Keys) -> None:
    stored = [str(value) for value in columns_of(unclaimed_card)]
    assert not [value for value in stored if CODE in value]
    assert claims.read_claim_code(unclaimed_card, keys) == CODE
    everything = [str(row) for table in db.metadata.sorted_tables for row in db.session.execute(sa.select(table))]
    assert not [row for row in everything if CODE in row]
    if db.engine.dialect.name == "sqlite":
        path = Path(str(db.engine.url.database))
        for file in path.parent.glob(path.name + "*"):
            assert CODE.encode() not in file.read_bytes()


def test_encrypting_the_same_code_twice_gives_different_results(create_card: Callable[..., Card]) -> None:
    assert create_card(code=CODE).claim_code != create_card(code=CODE).claim_code


def test_a_code_is_valid_after_the_secret_key_is_rotated(unclaimed_card: Card, cleo: User, base_config: Any) -> None:
    rotated = Keys("a brand new secret", [base_config.secret_key])
    assert claims.read_claim_code(unclaimed_card, rotated) == CODE
    claims.claim(unclaimed_card, cleo, rotated, code=CODE)
    assert unclaimed_card.owner is cleo


def test_a_code_is_invalid_without_the_former_secret_key(unclaimed_card: Card, cleo: User) -> None:
    forgetful = Keys("a brand new secret")
    assert claims.read_claim_code(unclaimed_card, forgetful) is None
    with pytest.raises(InvalidClaimCode):
        claims.claim(unclaimed_card, cleo, forgetful, code=CODE)


# --- releasing --------------------------------------------------------------------------------------------------------


def test_a_released_card_keeps_nothing_of_its_former_holder(
    create_card: Callable[..., Card], profile: Profile, ada: User, cleo: User, keys: Keys
) -> None:
    card = create_card(ada, url="https://example.com/", alias="Everyday", policy=ClaimPolicy.OPEN)
    card.profile, card.is_blocked = profile, True
    db.session.commit()
    code = claims.release(card, ada, keys)
    db.session.commit()
    assert (card.status, card.owner_id, card.claimed_at) == (CardStatus.UNCLAIMED, None, None)
    assert (card.alias, card.target, card.reroute_url, card.reroute_host, card.profile_id) == (None,) * 5
    assert not card.is_blocked
    assert card.claim_policy is ClaimPolicy.CODE
    claims.claim(card, cleo, keys, code=code)
    assert card.owner is cleo


def test_a_released_card_is_claimed_with_its_new_code_only(unclaimed_card: Card, ada: User, keys: Keys) -> None:
    claims.claim(unclaimed_card, ada, keys, code=CODE)
    code = claims.release(unclaimed_card, ada, keys)
    assert code != CODE
    with pytest.raises(InvalidClaimCode):
        claims.claim(unclaimed_card, ada, keys, code=CODE)


# --- finding ----------------------------------------------------------------------------------------------------------


def test_a_holder_finds_only_their_own_cards(
    card: Card, create_card: Callable[..., Card], ada: User, cleo: User
) -> None:
    create_card(ada, token="OLDCARD2", status=CardStatus.RETIRED)
    assert cards.own_card(ada, "adascard") is card
    for user, token in ((cleo, "ADASCARD"), (ada, "OLDCARD2"), (ada, ""), (ada, "NOSUCH"), (ada, "ADASCARD\0")):
        with pytest.raises(CardNotFound) as refusal:
            cards.own_card(user, token)
        assert refusal.value.status == 404
    assert list(db.session.scalars(cards.owned_by(ada))) == [card]


# --- targets ----------------------------------------------------------------------------------------------------------


def test_a_target_address_is_stored_in_normal_form(card: Card, ada: User) -> None:
    edit(card, ada, target=Target.URL, reroute_url=" Müller.example/Straße ")
    assert card.reroute_url == "https://xn--mller-kva.example/Stra%C3%9Fe"
    assert card.reroute_host == "xn--mller-kva.example"


@pytest.mark.parametrize("url", ["", "   ", "\t\n"])
def test_the_target_url_requires_an_address(card: Card, ada: User, url: str) -> None:
    with pytest.raises(UrlRequired, match=r"^Enter a web address\.$"):
        edit(card, ada, target=Target.URL, reroute_url=url)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://localhost/t/ADASCARD", "ftp://example.com"])
def test_an_invalid_target_address_is_refused(card: Card, ada: User, url: str) -> None:
    with pytest.raises(target_urls.InvalidUrl):
        edit(card, ada, target=Target.URL, reroute_url=url)
    assert card.reroute_url == "https://example.com/"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("later.example", "https://later.example"),
        ("javascript:alert(1)", "https://example.com/"),
        ("", None),
    ],
)
def test_a_valid_address_is_stored_for_later_with_another_target(
    card: Card, ada: User, profile: Profile, text: str, expected: str | None
) -> None:
    edit(card, ada, target=Target.PROFILE, profile=profile, reroute_url=text)
    assert (card.target, card.profile, card.reroute_url) == (Target.PROFILE, profile, expected)


def test_choosing_an_address_keeps_the_profile(card: Card, ada: User, profile: Profile) -> None:
    edit(card, ada, target=Target.PROFILE, profile=profile)
    edit(card, ada, target=Target.URL, profile=None)
    assert (card.target, card.profile) == (Target.URL, profile)


def test_a_card_name_can_be_removed(card: Card, ada: User) -> None:
    edit(card, ada, alias="  ")
    assert card.alias is None


@pytest.mark.parametrize("alias", ["Everyday", "EVERYDAY", " everyday ", "ÉCOLE", "straSSe"])
def test_card_names_of_one_holder_are_unique(
    card: Card, create_card: Callable[..., Card], ada: User, alias: str
) -> None:
    create_card(ada, alias="école")
    create_card(ada, alias="Straße")
    other_card = create_card(ada, alias="Other")
    with pytest.raises(AliasTaken, match=r"^You already have a card with this name\.$"):
        edit(other_card, ada, alias=alias)
    assert other_card.alias == "Other"


def test_a_card_can_keep_its_own_name(card: Card, ada: User) -> None:
    edit(card, ada, alias="EVERYDAY")
    assert card.alias == "EVERYDAY"


def test_two_holders_can_use_the_same_card_name(card: Card, create_card: Callable[..., Card], cleo: User) -> None:
    other_card = create_card(cleo)
    edit(other_card, cleo, alias="Everyday")
    assert other_card.alias == "Everyday"


def test_a_card_released_meanwhile_cannot_be_edited(card: Card, ada: User, keys: Keys) -> None:
    claims.release(card, ada, keys)  # after the page was loaded
    with pytest.raises(CardNotFound):
        edit(card, ada, target=Target.URL, reroute_url="https://evil.example/", alias="Mine")
    with pytest.raises(CardNotFound):
        edit(card, ada, target=Target.PROFILE)
    assert (card.alias, card.target, card.reroute_url) == (None, None, None)


def test_a_retired_card_cannot_be_edited(card: Card, ada: User, profile: Profile) -> None:
    transitions.retire(card, None, "worn out")
    with pytest.raises(CardNotFound):
        edit(card, ada, alias="Mine")
    with pytest.raises(CardNotFound):
        cards.point_to_profile(card, profile, ada)
