"""Creation of cards: batches, tokens and registering."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import tokens
from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.keys import Keys
from tapcard.models import (
    AuditEntry,
    Card,
    CardBatch,
    CardEvent,
    CardStatus,
    ClaimPolicy,
    Design,
    User,
)
from tapcard.services.cards import cards, claims, creation
from tapcard.services.cards.creation import TokenTaken


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
    assert claims.new_claim_code() == "2" * 8


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
