"""The application factory and optional modules."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

import tapcard.app
from tapcard.models import Card, CardStatus, LockedBecause, User
from tests.conftest import FormClient, login
from tests.pages import follow_links

TOKENS = ("ADASCARD", "WAITING2", "EMPTY222", "LOST2222", "RETIRED2", "NOSUCH22")
PAGES = ("/", "/dashboard", "/admin/", "/no/such/page", "/activate/WAITING2", "/p/ada", "/profiles/new?card=ADASCARD")
STARTS = (*PAGES, *(f"/t/{token}" for token in TOKENS))


def test_the_factory_is_short_and_runs_no_query() -> None:
    source = textwrap.dedent(inspect.getsource(tapcard.app.create_app))
    assert len(source.splitlines()) < 40
    asking = {"session", "execute", "scalar", "scalars", "query", "connect", "begin", "select"}
    names = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    assert not names & asking


def test_an_application_is_created_without_its_database(other_app: Callable[..., Flask], tmp_path: Path) -> None:
    nowhere = tmp_path / "no" / "folder" / "tapcard.sqlite"
    other = other_app(database_url=f"sqlite:///{nowhere}")
    assert not nowhere.exists()
    assert other.test_client().get("/healthz").status_code == 200


def test_two_applications_share_no_extensions(app: Flask, other_app: Callable[..., Flask]) -> None:
    other = other_app(secret_key="another key for the tests alone, long")
    for name in ("keys", "tap_recorder", "spool", "rate_limiter"):
        assert app.extensions[name] is not other.extensions[name], name


@pytest.mark.parametrize("path", ["/dashboard/", "/cards/ADASCARD/", "/terms/", "/admin", "/t/ADASCARD/"])
def test_a_trailing_slash_makes_no_difference(client: FormClient, card: Card, ben: User, path: str) -> None:
    login(client, ben)
    assert client.get(path).status_code == client.get(path.rstrip("/") if path != "/admin" else "/admin/").status_code


@pytest.mark.parametrize(("environment", "status"), [("development", 200), ("testing", 404), ("production", 404)])
def test_sent_emails_are_shown_only_in_development(
    other_app: Callable[..., Flask], environment: str, status: int
) -> None:
    client = other_app(environment=environment, site_url="https://cards.example.com").test_client()
    assert client.get("/dev/mail").status_code == status
    assert client.get("/dev/mail/..%2F..%2Fsecret_key").status_code == 404


# --- optional modules -------------------------------------------------------------------------------------------------


@pytest.fixture
def cards_in_every_state(create_card: Callable[..., Card], card: Card, ada: User, profile: object) -> None:
    """Create a card in every state that a tap can meet."""
    create_card(token="WAITING2", code="CARD2345")
    create_card(ada, token="EMPTY222")
    create_card(ada, token="LOST2222", status=CardStatus.LOCKED, locked_because=LockedBecause.LOST)
    create_card(ada, token="RETIRED2", status=CardStatus.RETIRED)


@pytest.mark.ui
@pytest.mark.usefixtures("cards_in_every_state")
@pytest.mark.parametrize("who", ["nobody", "ada", "ben"])
@pytest.mark.parametrize("modules", [("shop", "admin"), ("shop",), ("admin",)], ids=",".join)
def test_every_link_works_with_any_choice_of_modules(
    other_app: Callable[..., Flask], request: pytest.FixtureRequest, modules: tuple[str, ...], who: str
) -> None:
    other = other_app(modules=modules)
    client: FormClient = other.test_client()  # type: ignore[assignment]
    if who != "nobody":
        login(client, request.getfixturevalue(who))
    crawl = follow_links(client, *STARTS)
    assert len(crawl.statuses) > 15
    asked_for_by_hand = set(STARTS)
    dead = {path: status for path, status in crawl.statuses.items()
            if path not in asked_for_by_hand and status not in (200, 302)}  # fmt: skip
    assert dead == {}
    assert max(crawl.statuses.values()) < 500
    adapter = other.url_map.bind("localhost")
    for page, form in crawl.forms:
        action = (form.action or page).partition("?")[0]
        assert adapter.test(action, method=form.method.upper()), f"{page} submits a form to {form.action}"


@pytest.mark.usefixtures("cards_in_every_state")
def test_without_the_back_office_an_unknown_card_is_not_found_for_staff(
    other_app: Callable[..., Flask], ben: User
) -> None:
    client: FormClient = other_app(modules=("shop",)).test_client()  # type: ignore[assignment]
    login(client, ben)
    assert client.get("/t/NOSUCH22").status_code == 404
    assert client.get("/admin/").status_code == 404
    assert client.get("/admin/tables/cards/").status_code == 404


@pytest.mark.usefixtures("cards_in_every_state")
def test_without_the_shop_cards_work(other_app: Callable[..., Flask], ada: User) -> None:
    client: FormClient = other_app(modules=("admin",)).test_client()  # type: ignore[assignment]
    statuses = [client.get(f"/t/{token}").status_code for token in ("ADASCARD", "WAITING2", "EMPTY222", "LOST2222")]
    assert statuses == [302, 200, 200, 200]
    assert client.get("/t/RETIRED2").status_code == 410
    login(client, ada)
    assert client.post("/activate/WAITING2", data={"code": "CARD2345"}).location == "/cards/WAITING2"
    assert client.post("/log-out").location == "/log-in"
