"""Download my data: everything about the person, nothing about anybody else, whatever the size."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    CardTransfer,
    Channel,
    FormerSlug,
    Lead,
    Outcome,
    Profile,
    ProfileLink,
    Tap,
    TwoFactor,
    User,
    WebSession,
)
from tapcard.services import audit, cards, data_export


def exported(user: User) -> Any:
    return json.loads("".join(data_export.pieces(user, utcnow())))


def give_everything(user: User, word: str) -> Card:
    """Rows of every kind for a person, each with a word that is theirs alone."""
    now = utcnow()
    profile = seeds.create_profile(user, f"slug-{word}".lower(), name=f"Name {word}", bio=f"Bio {word}")
    card = seeds.create_card(user, url=f"https://{word}.example/", alias=f"Alias {word}")
    seeds.create_address(user, line1=f"Line {word}")
    db.session.add_all([
        ProfileLink(profile_id=profile.id, position=1, title=f"Link {word}", url=f"https://{word}.example/link"),
        FormerSlug(profile_id=profile.id, slug=f"former-{word}".lower()),
        Lead(owner_id=user.id, profile_id=profile.id, card_id=card.id, name=f"Lead {word}", phone="+447700900123",
             note=f"Note {word}", consent_text="Yes"),
        WebSession(sid_hash=f"{word:x<64}", user_id=user.id, device=f"Device {word}", data=b"{}", seen_at=now,
                   expires_at=now + timedelta(days=1)),
        CardTransfer(card=card, from_user=user, to_email=f"{word}-offer@example.com".lower(), expires_at=now),
        TwoFactor(user_id=user.id, secret=f"Secret {word}", confirmed_at=now),
        Tap(uid=f"{word:0<32}", tapped_at=now, card_id=card.id, owner_id=user.id, channel=Channel.NFC,
            outcome=Outcome.REDIRECT, visitor=f"Visitor {word}", country="GB"),
    ])  # fmt: skip
    audit.record("card.claimed", subject=card, actor=user, note=f"Detail {word}")
    cards.lock(card, cards.LockedBecause.LOST, user, f"Why {word}")
    db.session.commit()
    return card


@pytest.fixture
def both(ada: User, cleo: User) -> dict[str, Any]:
    """What Ada downloads when Cleo has as much as she has."""
    give_everything(cleo, "CLEOSWORD")
    give_everything(ada, "ADASWORD")
    return {"text": "".join(data_export.pieces(ada, utcnow())), "user": ada}


def test_everything_of_the_person_is_in_it(both: dict[str, Any]) -> None:
    data = json.loads(both["text"])
    assert data["account"]["email"] == "ada@example.com"
    assert data["mails"] == {"wants_lead_mail": True, "wants_weekly_mail": False, "weekly_mail_on": None}
    assert data["two_factor"]["since"] is not None
    assert [each["line1"] for each in data["addresses"]] == ["Line ADASWORD"]
    [profile] = data["profiles"]
    assert (profile["bio"], profile["former_slugs"]) == ("Bio ADASWORD", ["former-adasword"])
    assert [each["title"] for each in profile["links"]] == ["Link ADASWORD"]
    assert [each["alias"] for each in data["cards"]] == ["Alias ADASWORD"]
    assert [each["why"] for each in data["card_events"] if each["move"] == "lock"] == ["Why ADASWORD"]
    assert [(each["name"], each["profile"]) for each in data["leads"]] == [("Lead ADASWORD", "slug-adasword")]
    assert [each["device"] for each in data["sessions"]] == ["Device ADASWORD"]
    assert [each["direction"] for each in data["transfers"]] == ["from you"]
    assert [each["country"] for each in data["taps"]] == ["GB"]
    assert "card.claimed" in {each["tag"] for each in data["deeds"]}


def test_nothing_of_anybody_else_and_no_secret_is_in_it(both: dict[str, Any]) -> None:
    text = both["text"]
    assert "cleo" not in text.lower()
    for word in ("Visitor", "Secret", "offer@", "xxxxxxxx", both["user"].password_hash):
        assert word not in text


def test_a_card_that_was_somebody_elses_does_not_tell_of_them(
    ada: User, cleo: User, create_card: Callable[..., Card]
) -> None:
    card = create_card(cleo)
    cards.lock(card, cards.LockedBecause.LOST, cleo, "CLEOSWORD lost it in the park")
    cards.unlock(card, cleo)
    card.owner, card.claimed_at = ada, utcnow() + timedelta(seconds=1)
    db.session.commit()
    assert exported(ada)["card_events"] == []
    assert {each["move"] for each in exported(cleo)["card_events"]} >= {"lock", "unlock"}


def test_a_large_account_is_read_piece_by_piece(ada: User, card: Card) -> None:
    row = {"tapped_at": utcnow(), "card_id": card.id, "owner_id": ada.id, "channel": Channel.NFC,
           "outcome": Outcome.REDIRECT}  # fmt: skip
    db.session.execute(sa.insert(Tap), [{"uid": f"{number:032x}", **row} for number in range(5000)])
    db.session.commit()
    pieces = list(data_export.pieces(ada, utcnow()))
    assert max(map(len, pieces)) < 2000
    assert len(json.loads("".join(pieces))["taps"]) == 5000


def test_an_empty_account_is_a_file_too(cleo: User) -> None:
    data = exported(cleo)
    assert (data["cards"], data["leads"], data["roles"]) == ([], [], [])
    assert db.session.scalars(sa.select(Profile)).all() == []


def test_leads_wait_for_a_verified_address_here_too(create_user: Callable[..., User]) -> None:
    dora = create_user("dora@example.com", verified=False)
    seeds.create_lead(seeds.create_profile(dora, "dora"), "Gus Lind")
    db.session.commit()
    assert "Gus Lind" not in "".join(data_export.pieces(dora, utcnow()))
    dora.verified_at = utcnow()
    db.session.commit()
    assert "Gus Lind" in "".join(data_export.pieces(dora, utcnow()))
