"""Routing of taps, latest taps, unknown tokens and limits on guessing them."""

import dataclasses
import itertools
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardStatus, ClaimPolicy, Outcome, Profile, Target, User
from tapcard.services.cards import creation
from tapcard.services.taps import ingest, routing
from tapcard.services.taps.ingest import ReadingStore
from tapcard.services.taps.routing import CardFacts, TapResult, Visitor
from tests.tap_requests import BOT, app_for_path, both_paths, drain, reading, send_request

FACTS = CardFacts(
    id=1,
    status="active",
    owner_id=7,
    design_id=None,
    target="url",
    reroute_url="https://example.com/",
    is_blocked=False,
    profile_slug=None,
)


def anonymous() -> Visitor:
    return Visitor()


def fail_if_called() -> Visitor:
    raise AssertionError("nobody needs to know who taps")


# --- routing ----------------------------------------------------------------------------------------------------------


def test_every_combination_of_facts_has_an_outcome() -> None:
    statuses = (*CardStatus, "strange")
    owners, targets = (None, 7, 8), (None, "url", "profile", "event", "strange")
    urls, slugs = (None, "", "https://example.com/"), (None, "", "ada")
    every = itertools.product(statuses, owners, targets, urls, (True, False), slugs, (None, 7))
    for status, owner_id, target, url, is_blocked, slug, user_id in every:
        facts = CardFacts(1, status, owner_id, None, target, url, is_blocked, slug)
        visitor = Visitor(user_id)
        result = routing.resolve(facts, lambda visitor=visitor: visitor)  # type: ignore[misc]
        assert result.outcome in Outcome
        assert (result.outcome is Outcome.REDIRECT) == bool(result.url)
        assert result.outcome is not Outcome.EDIT or owner_id == user_id == 7


def test_the_fast_path_and_the_view_agree_on_plain_redirects() -> None:
    every = itertools.product((*CardStatus, "strange"), (None, *Target), (None, "", "x:y"), (True, False))
    for status, target, url, is_blocked in every:
        facts = CardFacts(1, status, 7, None, target, url, is_blocked, "ada")
        is_straight = routing.is_plain_redirect(status, target, url, is_blocked)
        assert is_straight == (routing.resolve(facts, anonymous).outcome is Outcome.REDIRECT)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.REDIRECT),
        ({"target": "profile", "profile_slug": "ada"}, Outcome.PROFILE),
        ({"is_blocked": True}, Outcome.SWITCHED_OFF),
        ({"status": "locked"}, Outcome.SWITCHED_OFF),
        ({"status": "retired"}, Outcome.RETIRED),
        ({"status": "unclaimed", "owner_id": None}, Outcome.ACTIVATION),
    ],
)
def test_the_visitor_is_identified_only_when_needed(changes: dict[str, object], outcome: Outcome) -> None:
    assert routing.resolve(dataclasses.replace(FACTS, **changes), fail_if_called).outcome is outcome  # type: ignore[arg-type]


def test_a_blocked_host_does_not_affect_a_card_with_another_target() -> None:
    facts = dataclasses.replace(FACTS, is_blocked=True, target="profile", profile_slug="ada")
    assert routing.resolve(facts, anonymous) == TapResult(Outcome.PROFILE)


def test_card_facts_are_found_by_token_in_any_case(card: Card) -> None:
    facts = routing.load_card_facts("aDaScArD")
    assert facts is not None
    assert (facts.id, facts.owner_id, facts.reroute_url) == (card.id, card.owner_id, "https://example.com/")
    assert routing.load_card_facts("NOSUCHCARD") is None


def test_card_facts_include_the_slug_of_the_profile(
    create_card: Callable[..., Card], ada: User, profile: Profile
) -> None:
    create_card(ada, token="PROCARD7", profile=profile)
    facts = routing.load_card_facts("PROCARD7")
    assert facts is not None
    assert facts.profile_slug == "ada"


# --- latest taps ------------------------------------------------------------------------------------------------------


def store(app: Flask, *readings: ingest.Reading) -> None:
    ReadingStore(app.extensions["keys"]).store(db.session.connection(), readings, "Europe/London")
    db.session.commit()


def test_latest_taps_are_those_of_others_on_own_cards(
    app: Flask, card: Card, create_card: Callable[..., Card], ada: User, cleo: User
) -> None:
    other_card = create_card(ada, token="ADASOTHER", alias="Other")
    hers = create_card(cleo, token="CLEOSCARD")
    now = int(utcnow().timestamp() * 1000)
    me = app.extensions["keys"].sign_me(ada.id)
    mine = {"card_id": card.id, "owner_id": ada.id}
    store(
        app,
        reading(**mine, at=now - 3000, country="NG"),
        reading(**mine, at=now - 1000, channel="qr"),
        reading(**mine, at=now - 2000, user_agent=BOT),
        reading(**mine, at=now - 2000, me=me),
        reading(**mine, at=now - 2000, outcome="switched_off"),
        reading(card_id=other_card.id, owner_id=ada.id, at=now - 2000, outcome="setup"),
        reading(card_id=hers.id, owner_id=cleo.id, at=now),
        reading(card_id=card.id, owner_id=cleo.id, at=now),
    )
    latest = [(row.token, row.channel, row.country, row.os_family) for row in routing.latest_taps(ada, 10)]
    assert latest == [
        ("ADASCARD", "qr", "", "Android"),
        ("ADASOTHER", "nfc", "", "Android"),
        ("ADASCARD", "nfc", "NG", "Android"),
    ]
    assert len(routing.latest_taps(ada, 2)) == 2
    assert [row.token for row in routing.latest_taps(ada, 10, other_card)] == ["ADASOTHER"]


# --- unknown tokens ---------------------------------------------------------------------------------------------------


@both_paths
def test_unknown_tokens_are_listed_until_they_are_registered(app: Flask, ben: User, card: Card, tap_path: str) -> None:
    wsgi = app_for_path(app, tap_path)
    for path in ("/t/GHOST7", "/q/ghost7", "/card/GHOST7/", "/t/SPOOK8", "/t/ADASCARD"):
        send_request(wsgi, path)
    drain()
    unknown = [(row.token, row.tap_count) for row in routing.unknown_tokens(10, utcnow() - timedelta(days=30))]
    assert sorted(unknown) == [("GHOST7", 3), ("SPOOK8", 1)]
    assert len(routing.unknown_tokens(1, utcnow() - timedelta(days=30))) == 1
    creation.register("GHOST7", None, ClaimPolicy.OPEN, app.extensions["keys"], ben)
    assert [row.token for row in routing.unknown_tokens(10, utcnow() - timedelta(days=30))] == ["SPOOK8"]


def test_the_latest_unknown_token_comes_first(app: Flask) -> None:
    now = utcnow()
    for hours, token in ((3, "OLD2"), (1, "NEW2"), (2, "OTHER2"), (4, "NEW2")):
        at = int((now - timedelta(hours=hours)).timestamp() * 1000)
        store(app, reading(card_id=None, owner_id=None, token=token, outcome="orphan", at=at))
    assert [row.token for row in routing.unknown_tokens(10, utcnow() - timedelta(days=30))] == [
        "NEW2",
        "OTHER2",
        "OLD2",
    ]


@pytest.fixture
def strict_app(other_app: Callable[..., Flask]) -> Flask:
    """Create an application with a limit of three unknown tokens a minute."""
    return other_app(unknown_token_limit="3 per minute")


@both_paths
@pytest.mark.parametrize("path", ["/t/{}", "/q/{}/", "/card/{}", "/activate/{}"])
def test_guessing_tokens_is_limited_and_taps_on_cards_are_not(
    strict_app: Flask, card: Card, tap_path: str, path: str
) -> None:
    wsgi = app_for_path(strict_app, tap_path)
    responses = [send_request(wsgi, path.format(f"GUESS{number}")) for number in range(5)]
    assert [response.status for response in responses] == [404, 404, 404, 429, 429]
    assert int(responses[-1].get("Retry-After") or 0) > 0
    for real in ("/t/ADASCARD", "/q/adascard", "/card/ADASCARD/"):
        assert send_request(wsgi, real).get("Location") == "https://example.com/"
    assert send_request(wsgi, path.format("GUESS9"), REMOTE_ADDR="203.0.113.5").status == 404, (
        "another IP address is not limited"
    )


def test_a_refused_guess_is_not_recorded(strict_app: Flask, app: Flask) -> None:
    for number in range(10):
        send_request(strict_app.wsgi_app, f"/t/GUESS{number}")
    strict_app.extensions["spool"].rotate()
    assert drain() == 3


def test_guessing_is_limited_without_redis(other_app: Callable[..., Flask]) -> None:
    app = other_app(unknown_token_limit="3 per minute", redis_url="redis://127.0.0.1:1/0")
    statuses = [
        send_request(app.wsgi_app, f"/t/GUESS{number}", REMOTE_ADDR="198.51.100.7").status for number in range(4)
    ]
    assert statuses == [404, 404, 404, 429]
