"""Recorded actions of visitors on profiles: repetitions, limits and the card that led there."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, Channel, Outcome, Profile, ProfileAction, ProfileActionKind, ProfileLink, Tap, User
from tapcard.services.profiles import engagement
from tapcard.services.profiles.engagement import Action

SAVED, OPENED, SENT = ProfileActionKind.CONTACT_SAVED, ProfileActionKind.LINK_OPENED, ProfileActionKind.LEAD_SENT


def record_action(profile: Profile, kind: ProfileActionKind = SAVED, at: datetime | None = None, **values: Any) -> bool:
    fields = {"visitor": "v1", "is_bot": False, "is_own": False, **values}
    action = Action(profile.id, profile.owner_id, kind, at or utcnow(), **fields)
    return engagement.record(db.session.connection(), action)


def test_an_action_is_recorded_with_its_details(profile: Profile) -> None:
    now = utcnow()
    assert record_action(profile, OPENED, now, detail="website", card_id=7, is_own=True)
    row = db.session.scalars(sa.select(ProfileAction)).one()
    assert (row.profile_id, row.kind, row.detail, row.happened_at) == (profile.id, OPENED, "website", now)
    assert (row.visitor, row.card_id, row.is_bot, row.is_own) == ("v1", 7, False, True)


def test_a_repeated_action_is_not_recorded(profile: Profile) -> None:
    now = utcnow()
    assert record_action(profile, OPENED, now, detail="website")
    assert not record_action(profile, OPENED, now + timedelta(minutes=9), detail="website")
    assert record_action(profile, OPENED, now + timedelta(minutes=9), detail="github")
    assert record_action(profile, OPENED, now + timedelta(minutes=9), detail="website", visitor="v2")
    assert record_action(profile, OPENED, now + timedelta(minutes=11), detail="website")


def test_actions_without_a_visitor_are_always_recorded(profile: Profile) -> None:
    assert record_action(profile, SENT, visitor=None)
    assert record_action(profile, SENT, visitor=None)


def test_a_profile_has_a_maximum_of_actions_per_hour(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engagement, "MAX_ACTIONS_PER_HOUR", 3)
    now = utcnow()
    assert [record_action(profile, at=now, visitor=f"v{number}") for number in range(5)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert record_action(profile, at=now + timedelta(minutes=61), visitor="v9")


def test_action_counts_exclude_bots_and_own_actions(
    profile: Profile, ada: User, cleo: User, create_profile: Callable[..., Profile]
) -> None:
    other_profile, now = create_profile(ada, "other"), utcnow()
    record_action(profile, SAVED)
    record_action(other_profile, SAVED)
    record_action(profile, OPENED, detail="website")
    record_action(profile, SAVED, visitor="v2", is_bot=True)
    record_action(profile, SAVED, visitor="v3", is_own=True)
    record_action(profile, SAVED, now - timedelta(days=31), visitor="v4")
    record_action(create_profile(cleo, "cleo"), SAVED)
    since = now - timedelta(days=30)
    assert engagement.action_counts(ada, since) == {SAVED: 2, OPENED: 1, SENT: 0}
    assert engagement.action_counts(ada, since, profile) == {SAVED: 1, OPENED: 1, SENT: 0}
    assert engagement.action_counts(cleo, since) == {SAVED: 1, OPENED: 0, SENT: 0}


def store_tap(card: Card, at: datetime, visitor: str = "v1", outcome: Outcome = Outcome.PROFILE) -> None:
    uid = f"{db.session.scalar(sa.select(sa.func.count()).select_from(Tap)):032x}"
    db.session.add(
        Tap(uid=uid, tapped_at=at, card_id=card.id, owner_id=card.owner_id, channel=Channel.NFC, outcome=outcome,
            visitor=visitor)
    )  # fmt: skip
    db.session.flush()


def test_an_action_is_attributed_to_the_card_of_the_latest_tap(
    profile: Profile, ada: User, create_card: Callable[..., Card], create_profile: Callable[..., Profile]
) -> None:
    card, now = create_card(ada, profile=profile), utcnow()
    elsewhere = create_card(ada, profile=create_profile(ada, "other"))

    def led_by() -> int | None:
        return engagement.card_that_led_to(db.session.connection(), "v1", profile.id, ada.id, now)

    store_tap(card, now - timedelta(hours=3))
    store_tap(card, now - timedelta(minutes=1), visitor="v2")
    store_tap(card, now - timedelta(minutes=1), outcome=Outcome.REDIRECT)
    store_tap(elsewhere, now - timedelta(minutes=1))
    assert led_by() is None
    store_tap(card, now - timedelta(minutes=30))
    assert led_by() == card.id


def test_links_to_other_sites_are_listed_with_their_keys(profile: Profile) -> None:
    profile.website, profile.github, profile.email = "https://example.com/", "ada", "ada@example.com"
    profile.links = [
        ProfileLink(position=1, title="Folio", url="https://example.com/folio", is_shown=True),
        ProfileLink(position=2, title="Draft", url="https://example.com/draft", is_shown=False),
        ProfileLink(position=3, title="Odd", url="javascript:alert(1)", is_shown=True),
    ]
    db.session.flush()
    first = profile.links[0].id
    assert engagement.web_links(profile) == {
        "website": "https://example.com/",
        "github": "https://github.com/ada",
        f"link-{first}": "https://example.com/folio",
    }
    profile.hidden_fields = ["github"]
    assert list(engagement.web_links(profile)) == ["website", f"link-{first}"]
