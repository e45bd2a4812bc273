"""Claims: claim codes, policies, and releasing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    CardStatus,
    ClaimPolicy,
    Design,
    LockedBecause,
    Profile,
    User,
)
from tapcard.money import Money
from tapcard.services.cards import claims
from tapcard.services.cards.claims import AlreadyClaimed, InvalidClaimCode, PaymentRequired
from tapcard.settings import ShopSettings
from tests.services.cards.helpers import columns_of

CODE = "CARD2345"


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
