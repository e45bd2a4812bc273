"""What a tap does, for every combination there may be of card and visitor, by both ways."""

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
from tests.taps import BOT, PHONE, Answer, ask, both_ways, drain, taps, wsgi_of

URL = "https://example.com/caf%C3%A9?a=1&b=%20"
SHAPES = ("/t/{}", "/q/{}", "/card/{}", "/card/{}/", "/t/{}/", "/q/{}/")


@dataclass(frozen=True)
class Case:
    """A card as it may lie in the table; none at all when it has no status."""

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
    """The unknown card, and every combination that the table's constraints allow."""
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
    """Somebody who taps."""

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
    # who they are makes no difference unless the card is active, as the others show
    Person("signed-in stranger", user="cleo", cases=tuple(LIVELY)),
    Person("owner's HEAD", user="ada", method="HEAD", cases=tuple(LIVELY)),
    Person("owner's prefetch", user="ada", environ=OLD_PREFETCH, cases=tuple(LIVELY)),
)


class Expected(NamedTuple):
    """What the specification says."""

    status: int
    location: str | None
    outcome: Outcome
    says: bytes = b""


def expected(case: Case, person: Person) -> Expected:
    """Specification, section 3, in its order; no check-in is running."""
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
    """A card for every case; gives them by token."""
    db.session.execute(sa.insert(Card), [row_of(case, ada, profile, design) for case in CASES if case.status])
    db.session.commit()
    return {row.token: row for row in db.session.execute(sa.select(Card.token, Card.id, Card.owner_id, Card.design_id))}


@pytest.fixture
def cookies_of(request: pytest.FixtureRequest, client: FormClient) -> Callable[[Person], dict[str, str]]:
    """The cookies of a visitor's browser after logging in, if they do."""

    def cookies(person: Person) -> dict[str, str]:
        if person.user is None:
            return {}
        assert login(client, request.getfixturevalue(person.user)).status_code == 302
        client.get("/account")  # shows the greeting
        found = {name: client.get_cookie(name) for name in ("tc_session", "tc_me")}
        return {name: cookie.value for name, cookie in found.items() if cookie is not None}

    return cookies


@both_ways
@pytest.mark.parametrize("person", PEOPLE, ids=str)
def test_every_combination_gets_what_the_specification_says(
    app: Flask, all_cards: dict[str, Any], cookies_of: Callable[[Person], dict[str, str]], person: Person, way: str
) -> None:
    cookies = cookies_of(person)
    assert len(cookies) == (2 if person.user else 0)
    wsgi, agent = wsgi_of(app, way), BOT if person.is_bot else PHONE
    wrong, recorded = [], []
    for case in person.cases:
        shape = SHAPES[(case.number + PEOPLE.index(person)) % len(SHAPES)]
        path = shape.format(case.token if case.number % 3 else case.token.lower())
        answer = ask(wsgi, path, person.method, cookies=cookies, HTTP_USER_AGENT=agent, **person.environ)
        wanted = expected(case, person)
        if complaints := complaints_about(answer, wanted, person):
            wrong.append((case, path, complaints))
        if person.is_counted:
            recorded.append(row_for(case, all_cards, wanted.outcome, path, person))
    assert wrong == []
    drain()
    assert [seen(tap) for tap in taps()] == recorded


def complaints_about(answer: Answer, wanted: Expected, person: Person) -> list[str]:
    """What is wrong with an answer."""
    complaints = []
    if answer.status != wanted.status:
        complaints.append(f"status {answer.status} instead of {wanted.status}")
    if answer.get("Location") != wanted.location:
        complaints.append(f"leads to {answer.get('Location')} instead of {wanted.location}")
    if answer.get("Cache-Control") != "no-store":
        complaints.append(f"may be kept: {answer.get('Cache-Control')}")
    if answer.get("Set-Cookie") is not None:
        complaints.append("sets a cookie")
    if wanted.location is not None and answer.get("Vary") is not None:
        complaints.append(f"varies by {answer.get('Vary')}")
    if person.method == "HEAD" and answer.body:
        complaints.append("has a body")
    if person.method != "HEAD" and wanted.says not in answer.body:
        complaints.append(f"does not say {wanted.says!r}")
    if wanted.outcome is Outcome.SETUP and b"<form" in answer.body:
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


def test_the_table_has_every_combination_that_may_lie_in_the_database(
    app: Flask, ada: User, profile: Profile, design: Design
) -> None:
    wanted = {(case.status, case.because, case.is_owned) for case in CASES if case.status}
    allowed = set()
    for number, life in enumerate(itertools.product(CardStatus, (None, *LockedBecause), (True, False)), start=2000):
        try:
            with db.session.begin_nested():
                db.session.execute(sa.insert(Card), [row_of(Case(number, *life), ada, profile, design)])
            allowed.add(life)
        except IntegrityError:
            pass
    assert allowed == wanted
    assert len(CASES) == 1 + len(wanted) * len((None, *Target)) * 2 * 2 * 2


@pytest.mark.parametrize("user", [None, "cleo", "ada", "ben"])
def test_the_activation_page_of_a_card_with_an_owner_answers_like_a_tap_and_counts_nothing(
    app: Flask, all_cards: dict[str, Any], cookies_of: Callable[[Person], dict[str, str]], user: str | None
) -> None:
    person = Person(user or "stranger", user)
    cookies = cookies_of(person)
    wrong = []
    for case in (*LIVELY, *CASES[::20]):
        wanted = expected(case, person)
        answer = ask(app.wsgi_app, f"/activate/{case.token}", cookies=cookies)
        if (answer.status, answer.get("Location")) != (wanted.status, wanted.location):
            wrong.append((case, answer.status, answer.get("Location")))
    assert wrong == []
    assert drain() == 0


@both_ways
def test_a_profile_that_is_deleted_leaves_a_card_being_set_up(
    app: Flask, create_card: Callable[..., Card], ada: User, profile: Profile, way: str
) -> None:
    create_card(ada, token="PROFILE7", profile=profile)
    assert ask(wsgi_of(app, way), "/t/PROFILE7").get("Location") == "/p/ada"
    db.session.execute(sa.delete(Profile).where(Profile.id == profile.id))
    answer = ask(wsgi_of(app, way), "/t/PROFILE7")
    assert (answer.status, b"set up yet" in answer.body) == (200, True)


@both_ways
@pytest.mark.parametrize("path", ["/t/%20NEWCARD7%20", "/q/NEWCARD7/", "/card/%09newcard7"])
def test_staff_get_the_form_that_registers_an_unknown_card_with_its_token_trimmed(
    app: Flask, cookies_of: Callable[[Person], dict[str, str]], way: str, path: str
) -> None:
    answer = ask(wsgi_of(app, way), path, cookies=cookies_of(Person("staff", user="ben")))
    assert (answer.status, answer.get("Location")) == (302, "/admin/cards/register?token=NEWCARD7")


@both_ways
@pytest.mark.parametrize("token", ["A" * 21, "A-B", "%C3%89CLAIR", "A%00B", "A%0D%0AB", "..", "%20"])
def test_what_cannot_be_a_token_is_not_found_and_not_counted(app: Flask, way: str, token: str) -> None:
    assert ask(wsgi_of(app, way), f"/t/{token}").status == 404
    assert drain() == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@both_ways
def test_a_tap_is_a_reading_and_takes_nothing(app: Flask, card: Card, way: str, method: str) -> None:
    assert ask(wsgi_of(app, way), "/t/ADASCARD", method).status == 405
    assert drain() == 0


@both_ways
def test_a_check_in_under_way_keeps_the_fast_way_out(app: Flask, card: Card, way: str) -> None:
    answer = ask(wsgi_of(app, way), "/t/ADASCARD", cookies={"tc_checkin": "x"})
    assert answer.get("Location") == "https://example.com/"
    drain()
    assert [tap.outcome for tap in taps()] == [Outcome.REDIRECT]
