"""Outcomes of taps for every combination of card and visitor, on both paths."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    CardStatus,
    Channel,
    ClaimPolicy,
    Design,
    LockedBecause,
    Outcome,
    Profile,
    Tap,
    Target,
    User,
)
from tests.conftest import FormClient, login
from tests.tap_requests import BOT, PHONE, WsgiResponse, app_for_path, both_paths, drain, send_request, stored_taps

URL = "https://example.com/caf%C3%A9?a=1&b=%20"
SHAPES = ("/t/{}", "/q/{}", "/card/{}", "/card/{}/", "/t/{}/", "/q/{}/")


@dataclass(frozen=True)
class Case:
    """A combination of card columns; without a status, an unknown card."""

    number: int
    status: CardStatus | None = None
    because: LockedBecause | None = None
    is_owned: bool = False
    target: Target | None = None
    has_url: bool = False
    has_profile: bool = False
    is_blocked: bool = False

    @property
    def token(self) -> str:
        return f"CASE{self.number:04d}"


def every_case() -> list[Case]:
    """Return the unknown card and every combination that the constraints allow."""
    lives: list[tuple[CardStatus, LockedBecause | None, bool]] = [
        (CardStatus.UNCLAIMED, None, False),
        (CardStatus.ACTIVE, None, True),
        *((CardStatus.LOCKED, because, is_owned) for because in LockedBecause for is_owned in (True, False)),
        *((CardStatus.RETIRED, None, is_owned) for is_owned in (True, False)),
    ]
    targets = (None, *Target)
    yes_no = (True, False)
    settings = itertools.product(lives, targets, yes_no, yes_no, yes_no)
    known = [Case(number, *life, *rest) for number, (life, *rest) in enumerate(settings, start=1)]
    return [Case(0), *known]


CASES = every_case()
LIVELY = [case for case in CASES if case.status in (None, CardStatus.ACTIVE)]


@dataclass(frozen=True)
class Person:
    """A visitor who taps."""

    name: str
    user: str | None = None
    method: str = "GET"
    environ: dict[str, str] = field(default_factory=dict)
    is_bot: bool = False
    cases: tuple[Case, ...] = tuple(CASES)

    @property
    def is_counted(self) -> bool:
        return self.method == "GET" and not self.environ

    def __str__(self) -> str:
        return self.name


PREFETCH = {"HTTP_SEC_PURPOSE": "prefetch;prerender"}
OLD_PREFETCH = {"HTTP_PURPOSE": "prefetch"}
PEOPLE = (
    Person("stranger"),
    Person("owner", user="ada"),
    Person("staff", user="ben"),
    Person("bot", is_bot=True),
    Person("HEAD", method="HEAD"),
    Person("prefetch", environ=PREFETCH),
    # these visitors matter only for active and unknown cards
    Person("signed-in stranger", user="cleo", cases=tuple(LIVELY)),
    Person("owner's HEAD", user="ada", method="HEAD", cases=tuple(LIVELY)),
    Person("owner's prefetch", user="ada", environ=OLD_PREFETCH, cases=tuple(LIVELY)),
)


class Expected(NamedTuple):
    """The specified response."""

    status: int
    location: str | None
    outcome: Outcome
    says: bytes = b""


def expected(case: Case, person: Person) -> Expected:
    """Return the response specified in section 3; no check-in is running."""
    if case.status is None:
        if person.user == "ben":
            return Expected(302, f"/admin/cards/register?token={case.token}", Outcome.ORPHAN)
        return Expected(404, None, Outcome.ORPHAN, b"We couldn&#39;t find that card")
    if case.status is CardStatus.RETIRED:
        return Expected(410, None, Outcome.RETIRED, b"has been retired")
    if case.status is CardStatus.LOCKED or (case.status is CardStatus.ACTIVE and leads_to_blocked_host(case)):
        return Expected(200, None, Outcome.SWITCHED_OFF, b"This card has been deactivated")
    if case.status is CardStatus.UNCLAIMED:
        return Expected(200, None, Outcome.ACTIVATION, b"Activate this card")
    if case.target is Target.URL and case.has_url:
        return Expected(302, URL, Outcome.REDIRECT)
    if case.target is Target.PROFILE and case.has_profile:
        return Expected(302, "/p/ada", Outcome.PROFILE)
    if person.user == "ada":
        return Expected(302, f"/cards/{case.token}", Outcome.EDIT)
    return Expected(200, None, Outcome.SETUP, b"set up yet")


def leads_to_blocked_host(case: Case) -> bool:
    return case.is_blocked and case.target is Target.URL


def row_of(case: Case, owner: User, profile: Profile, design: Design) -> dict[str, Any]:
    return {
        "token": case.token,
        "status": case.status,
        "locked_because": case.because,
        "owner_id": owner.id if case.is_owned else None,
        "design_id": design.id if case.number % 2 else None,
        "alias": None,
        "target": case.target,
        "reroute_url": URL if case.has_url else None,
        "reroute_host": "example.com" if case.has_url else None,
        "profile_id": profile.id if case.has_profile else None,
        "is_blocked": case.is_blocked,
        "claim_policy": tuple(ClaimPolicy)[case.number % 3],
        "created_at": utcnow(),
    }


@pytest.fixture
def all_cards(app: Flask, ada: User, profile: Profile, design: Design) -> dict[str, Any]:
    """Create a card for every case; return their rows by token."""
    db.session.execute(sa.insert(Card), [row_of(case, ada, profile, design) for case in CASES if case.status])
    db.session.commit()
    return {row.token: row for row in db.session.execute(sa.select(Card.token, Card.id, Card.owner_id, Card.design_id))}


@pytest.fixture
def cookies_of(request: pytest.FixtureRequest, client: FormClient) -> Callable[[Person], dict[str, str]]:
    """Return a function that gives the cookies of a visitor, after login if they have an account."""

    def cookies(person: Person) -> dict[str, str]:
        if person.user is None:
            return {}
        assert login(client, request.getfixturevalue(person.user)).status_code == 302
        client.get("/account")  # shows the flash message
        found_cookies = {name: client.get_cookie(name) for name in ("tc_session", "tc_me")}
        return {name: cookie.value for name, cookie in found_cookies.items() if cookie is not None}

    return cookies


@both_paths
@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_every_combination_has_the_specified_response(
    app: Flask, all_cards: dict[str, Any], cookies_of: Callable[[Person], dict[str, str]], person: Person, tap_path: str
) -> None:
    cookies = cookies_of(person)
    assert len(cookies) == (2 if person.user else 0)
    wsgi, agent = app_for_path(app, tap_path), BOT if person.is_bot else PHONE
    wrong, recorded = [], []
    for case in person.cases:
        shape = SHAPES[(case.number + PEOPLE.index(person)) % len(SHAPES)]
        path = shape.format(case.token if case.number % 3 else case.token.lower())
        response = send_request(wsgi, path, person.method, cookies=cookies, HTTP_USER_AGENT=agent, **person.environ)
        case_expected = expected(case, person)
        if complaints := complaints_about(response, case_expected, person):
            wrong.append((case, path, complaints))
        if person.is_counted:
            recorded.append(row_for(case, all_cards, case_expected.outcome, path, person))
    assert wrong == []
    drain()
    assert [seen(tap) for tap in stored_taps()] == recorded


def complaints_about(response: WsgiResponse, specified: Expected, person: Person) -> list[str]:
    """Return the differences between a response and the specification."""
    complaints = []
    if response.status != specified.status:
        complaints.append(f"status {response.status} instead of {specified.status}")
    if response.get("Location") != specified.location:
        complaints.append(f"leads to {response.get('Location')} instead of {specified.location}")
    if response.get("Cache-Control") != "no-store":
        complaints.append(f"may be kept: {response.get('Cache-Control')}")
    if response.get("Set-Cookie") is not None:
        complaints.append("sets a cookie")
    if specified.location is not None and response.get("Vary") is not None:
        complaints.append(f"varies by {response.get('Vary')}")
    if person.method == "HEAD" and response.body:
        complaints.append("has a body")
    if person.method != "HEAD" and specified.says not in response.body:
        complaints.append(f"does not say {specified.says!r}")
    if specified.outcome is Outcome.SETUP and b"<form" in response.body:
        complaints.append("shows a form")
    return complaints


def row_for(case: Case, cards: dict[str, Any], outcome: Outcome, path: str, person: Person) -> tuple[Any, ...]:
    channel = Channel.QR if path.startswith("/q/") else Channel.NFC
    card = cards.get(case.token)
    if card is None:
        return (None, case.token, None, None, channel, outcome, False, person.is_bot)
    is_own = case.is_owned and person.user == "ada"
    return (card.id, None, card.owner_id, card.design_id, channel, outcome, is_own, person.is_bot)


def seen(tap: Tap) -> tuple[Any, ...]:
    return (tap.card_id, tap.token, tap.owner_id, tap.design_id, tap.channel, tap.outcome, tap.is_own, tap.is_bot)


def test_the_cases_cover_every_combination_the_database_allows(
    app: Flask, ada: User, profile: Profile, design: Design
) -> None:
    lives = {(case.status, case.because, case.is_owned) for case in CASES if case.status}
    allowed = set()
    for number, life in enumerate(itertools.product(CardStatus, (None, *LockedBecause), (True, False)), start=2000):
        try:
            with db.session.begin_nested():
                db.session.execute(sa.insert(Card), [row_of(Case(number, *life), ada, profile, design)])
            allowed.add(life)
        except IntegrityError:
            pass
    assert allowed == lives
    assert len(CASES) == 1 + len(lives) * len((None, *Target)) * 2 * 2 * 2


@pytest.mark.parametrize("user", [None, "cleo", "ada", "ben"])
def test_the_activation_page_of_an_owned_card_responds_like_a_tap_without_counting(
    app: Flask, all_cards: dict[str, Any], cookies_of: Callable[[Person], dict[str, str]], user: str | None
) -> None:
    person = Person(user or "stranger", user)
    cookies = cookies_of(person)
    wrong = []
    for case in (*LIVELY, *CASES[::20]):
        case_expected = expected(case, person)
        response = send_request(app.wsgi_app, f"/activate/{case.token}", cookies=cookies)
        if (response.status, response.get("Location")) != (case_expected.status, case_expected.location):
            wrong.append((case, response.status, response.get("Location")))
    assert wrong == []
    assert drain() == 0


@both_paths
def test_a_card_whose_profile_was_deleted_is_being_set_up(
    app: Flask, create_card: Callable[..., Card], ada: User, profile: Profile, tap_path: str
) -> None:
    create_card(ada, token="PROFILE7", profile=profile)
    assert send_request(app_for_path(app, tap_path), "/t/PROFILE7").get("Location") == "/p/ada"
    db.session.execute(sa.delete(Profile).where(Profile.id == profile.id))
    response = send_request(app_for_path(app, tap_path), "/t/PROFILE7")
    assert (response.status, b"set up yet" in response.body) == (200, True)


@both_paths
@pytest.mark.parametrize("path", ["/t/%20NEWCARD7%20", "/q/NEWCARD7/", "/card/%09newcard7"])
def test_staff_are_redirected_to_register_an_unknown_card(
    app: Flask, cookies_of: Callable[[Person], dict[str, str]], tap_path: str, path: str
) -> None:
    response = send_request(app_for_path(app, tap_path), path, cookies=cookies_of(Person("staff", user="ben")))
    assert (response.status, response.get("Location")) == (302, "/admin/cards/register?token=NEWCARD7")


@both_paths
@pytest.mark.parametrize("token", ["A" * 21, "A-B", "%C3%89CLAIR", "A%00B", "A%0D%0AB", "..", "%20"])
def test_an_invalid_token_is_not_found_and_not_recorded(app: Flask, tap_path: str, token: str) -> None:
    assert send_request(app_for_path(app, tap_path), f"/t/{token}").status == 404
    assert drain() == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@both_paths
def test_other_methods_are_not_allowed_and_not_recorded(app: Flask, card: Card, tap_path: str, method: str) -> None:
    assert send_request(app_for_path(app, tap_path), "/t/ADASCARD", method).status == 405
    assert drain() == 0


@both_paths
def test_a_check_in_cookie_skips_the_fast_path(app: Flask, card: Card, tap_path: str) -> None:
    response = send_request(app_for_path(app, tap_path), "/t/ADASCARD", cookies={"tc_checkin": "x"})
    assert response.get("Location") == "https://example.com/"
    drain()
    assert [tap.outcome for tap in stored_taps()] == [Outcome.REDIRECT]
