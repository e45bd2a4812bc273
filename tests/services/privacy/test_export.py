"""Data export: completeness, no data of others, constant memory."""

import json
import tracemalloc
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard import files, seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    CardTransfer,
    Channel,
    FormerSlug,
    Lead,
    LockedBecause,
    Outcome,
    Profile,
    ProfileLink,
    Tap,
    TwoFactor,
    User,
    WebSession,
)
from tapcard.services.cards import transitions
from tapcard.services.core import audit
from tapcard.services.privacy import export
from tapcard.web import uploads


def export_pieces(user: User) -> list[str]:
    return list(export.stream_json(user, utcnow(), uploads.folder()))


def export_of(user: User) -> Any:
    return json.loads("".join(export_pieces(user)))


def create_everything(user: User, word: str) -> Card:
    """Create rows of every kind for a user, each with a unique word."""
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
    transitions.lock(card, LockedBecause.LOST, user, f"Why {word}")
    db.session.commit()
    return card


@pytest.fixture
def ada_export(ada: User, cleo: User) -> dict[str, Any]:
    """Return the export of Ada while Cleo has as much data."""
    create_everything(cleo, "CLEOSWORD")
    create_everything(ada, "ADASWORD")
    return {"text": "".join(export_pieces(ada)), "user": ada}


def test_the_export_contains_all_data_of_the_user(ada_export: dict[str, Any]) -> None:
    data = json.loads(ada_export["text"])
    assert data["account"]["email"] == "ada@example.com"
    assert data["mails"] == {"wants_lead_mail": True, "wants_weekly_mail": False, "weekly_mail_on": None}
    assert data["two_factor"]["since"] is not None
    assert [address["line1"] for address in data["addresses"]] == ["Line ADASWORD"]
    [profile] = data["profiles"]
    assert (profile["bio"], profile["former_slugs"]) == ("Bio ADASWORD", ["former-adasword"])
    assert [link["title"] for link in profile["links"]] == ["Link ADASWORD"]
    assert [card["alias"] for card in data["cards"]] == ["Alias ADASWORD"]
    assert [event["why"] for event in data["card_events"] if event["move"] == "lock"] == ["Why ADASWORD"]
    assert [(lead["name"], lead["profile"]) for lead in data["leads"]] == [("Lead ADASWORD", "slug-adasword")]
    assert [session["device"] for session in data["sessions"]] == ["Device ADASWORD"]
    assert [transfer["direction"] for transfer in data["transfers"]] == ["from you"]
    assert [tap["country"] for tap in data["taps"]] == ["GB"]
    assert "card.claimed" in {entry["tag"] for entry in data["deeds"]}


def test_the_export_contains_no_secrets_or_data_of_others(ada_export: dict[str, Any]) -> None:
    text = ada_export["text"]
    assert "cleo" not in text.lower()
    for word in ("Visitor", "Secret", "offer@", "xxxxxxxx", ada_export["user"].password_hash):
        assert word not in text


def test_events_of_a_former_holder_are_not_exported(ada: User, cleo: User, create_card: Callable[..., Card]) -> None:
    card = create_card(cleo)
    transitions.lock(card, LockedBecause.LOST, cleo, "CLEOSWORD lost it in the park")
    transitions.unlock(card, cleo)
    card.owner, card.claimed_at = ada, utcnow() + timedelta(seconds=1)
    db.session.commit()
    assert export_of(ada)["card_events"] == []
    assert {event["move"] for event in export_of(cleo)["card_events"]} >= {"lock", "unlock"}


def test_a_large_account_is_streamed_in_small_pieces(ada: User, card: Card) -> None:
    row = {"tapped_at": utcnow(), "card_id": card.id, "owner_id": ada.id, "channel": Channel.NFC,
           "outcome": Outcome.REDIRECT}  # fmt: skip
    db.session.execute(sa.insert(Tap), [{"uid": f"{number:032x}", **row} for number in range(5000)])
    db.session.commit()
    read = export_pieces(ada)
    assert max(map(len, read)) < 2000
    assert len(json.loads("".join(read))["taps"]) == 5000


def picture_contents(data: Any) -> dict[str, bytes]:
    """Return the contents of the exported pictures by name."""
    return {picture["name"]: urllib.request.urlopen(picture["data"]).read() for picture in data["pictures"]}


def test_the_export_contains_the_pictures(ada: User, cleo: User) -> None:
    folder = uploads.folder()
    photo, banner, front, rear, others = (
        files.store(content, folder, suffix)
        for content, suffix in (
            (b"photo", "webp"), (b"banner\0" * 9000, "webp"), (b"front", "png"), (b"rear", "jpg"), (b"Cleo", "webp"),
        )
    )  # fmt: skip
    seeds.create_profile(ada, "ada", photo=photo, banner=banner)
    seeds.create_profile(ada, "ada-two", photo=photo)
    seeds.create_profile(cleo, "cleo", photo=others, banner=others)
    seeds.create_design("Mine", owner_id=ada.id, front_picture=front, rear_picture=rear)
    seeds.create_design("Cleo's", owner_id=cleo.id, front_picture=others)
    seeds.create_design("The shop's", front_picture=others, is_public=True)
    db.session.commit()
    data = export_of(ada)
    assert picture_contents(data) == {photo: b"photo", banner: b"banner\0" * 9000, front: b"front", rear: b"rear"}
    assert [picture["data"].partition(";")[0] for picture in data["pictures"] if picture["name"] == rear] == [
        "data:image/jpeg"
    ]
    assert [(exported_profile["photo"], exported_profile["banner"]) for exported_profile in data["profiles"]] == [
        (photo, banner),
        (photo, None),
    ]
    assert [(design["name"], design["front_picture"]) for design in data["designs"]] == [("Mine", front)]


def test_a_missing_picture_file_does_not_affect_the_others(ada: User) -> None:
    existing, lost = files.store(b"kept", uploads.folder()), "0" * 32 + ".webp"
    seeds.create_profile(ada, "ada", photo=lost, banner=existing)
    db.session.commit()
    assert {picture["name"]: bool(picture["data"]) for picture in export_of(ada)["pictures"]} == {
        lost: False,
        existing: True,
    }


def test_large_pictures_are_streamed_in_small_pieces(ada: User) -> None:
    large = [bytes([number]) * 4_000_000 for number in range(4)]
    for number, content in enumerate(large):
        seeds.create_profile(ada, f"ada-{number}", photo=files.store(content, uploads.folder()))
    db.session.commit()
    sum(map(len, export_pieces(ada)))  # warm up caches
    tracemalloc.start()
    length, longest = 0, 0
    for piece in export.stream_json(ada, utcnow(), uploads.folder()):
        length, longest = length + len(piece), max(longest, len(piece))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert length > 20_000_000
    assert longest < 20_000
    assert most < 1_000_000
    assert sorted(picture_contents(export_of(ada)).values()) == large


def test_an_empty_account_can_be_exported(cleo: User) -> None:
    data = export_of(cleo)
    assert (data["cards"], data["leads"], data["roles"], data["pictures"]) == ([], [], [], [])
    assert db.session.scalars(sa.select(Profile)).all() == []


def test_leads_of_an_unverified_user_are_not_exported(create_user: Callable[..., User]) -> None:
    dora = create_user("dora@example.com", verified=False)
    seeds.create_lead(seeds.create_profile(dora, "dora"), "Gus Lind")
    db.session.commit()
    assert "Gus Lind" not in "".join(export_pieces(dora))
    dora.verified_at = utcnow()
    db.session.commit()
    assert "Gus Lind" in "".join(export_pieces(dora))
