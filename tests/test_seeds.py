"""The demo: people, designs, cards and taps as the readme promises them; made once, never in production."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from PIL import Image

from tapcard import drawings, files, seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardStatus, ClaimPolicy, Design, LockedBecause, Profile, Tap, TapDay, Target, User
from tapcard.services import accounts, cards, rollups
from tests.conftest import FormClient, login

DRAWN = dict(drawings.DESIGNS)


@pytest.fixture(autouse=True)
def quick_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures in the place of pictures: the real ones are drawn in a test of their own."""
    for name in DRAWN:
        monkeypatch.setitem(drawings.DESIGNS, name, lambda name=name: name.encode())  # type: ignore[misc]
    monkeypatch.setattr(drawings, "portrait", lambda: b"portrait")


@pytest.fixture
def seed(app: Flask) -> Callable[..., Result]:
    """Run the command."""

    def run(*arguments: str, app: Flask = app) -> Result:
        db.session.commit()
        with app.app_context():
            result = app.test_cli_runner().invoke(args=["seed", "--demo", *arguments])
        db.session.expire_all()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def number_of(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


@pytest.mark.usefixtures("app")
def test_the_demo_is_made_once_and_repeated_without_effect(seed: Callable[..., Result]) -> None:
    result = seed()
    assert result.exit_code == 0
    assert "ada@example.com   password tapcard-demo" in result.output
    counts = {model: number_of(model) for model in (User, Card, Design, Profile, Tap, TapDay)}
    assert (counts[User], counts[Card], counts[Design], counts[Profile]) == (3, 8, 12, 1)
    again = seed()
    assert "Everything is there already." in again.output
    assert {model: number_of(model) for model in counts} == counts


def test_everybody_of_the_demo_can_log_in(seed: Callable[..., Result], new_client: Callable[[], FormClient]) -> None:
    seed()
    for address, roles, status in (("ada", [], 404), ("ben", ["staff"], 200), ("olu", ["owner"], 200)):
        user = accounts.find(f"{address}@example.com")
        assert user is not None
        assert [role.name for role in user.roles] == roles
        assert user.is_verified
        client = new_client()
        login(client, user, seeds.DEMO_PASSWORD)
        assert client.get("/dashboard").status_code == 200
        assert client.get("/admin/").status_code == status


def test_the_cards_are_in_every_state_there_is(seed: Callable[..., Result], keys: object) -> None:
    seed()
    ada = accounts.find("ada@example.com")
    found = {
        card.token: (card.owner, card.status, card.claim_policy, card.target, card.locked_because)
        for card in db.session.scalars(sa.select(Card))
    }
    code, active, unclaimed = ClaimPolicy.CODE, CardStatus.ACTIVE, CardStatus.UNCLAIMED
    assert found == {
        "DEMOURL": (ada, active, code, Target.URL, None),
        "DEMOPRO": (ada, active, code, Target.PROFILE, None),
        "DEMOSET": (ada, active, code, None, None),
        "DEMONEW": (None, unclaimed, code, None, None),
        "DEMOFREE": (None, unclaimed, ClaimPolicy.OPEN, None, None),
        "DEMOPAY": (None, unclaimed, ClaimPolicy.PAY, None, None),
        "DEMOLOST": (ada, CardStatus.LOCKED, code, Target.URL, LockedBecause.LOST),
        "DEMOOLD": (ada, CardStatus.RETIRED, code, Target.URL, None),
    }


def test_the_cards_answer_as_promised(seed: Callable[..., Result], client: FormClient) -> None:
    seed()
    assert client.get("/t/DEMOURL").location == "https://example.com/"
    assert client.get("/t/DEMOPRO").location == "/p/ada"
    assert client.get("/p/ada").status_code == 200
    answers = {
        "DEMONEW": (200, "waiting for you"),
        "DEMOFREE": (200, "waiting for you"),
        "DEMOPAY": (200, "£10.00"),
        "DEMOSET": (200, "being set up"),
        "DEMOLOST": (200, "switched off"),
        "DEMOOLD": (410, "out of use"),
    }
    for token, (status, words) in answers.items():
        answer = client.get(f"/t/{token}")
        assert (answer.status_code, words in answer.text) == (status, True), token


def test_the_card_to_claim_has_its_code(seed: Callable[..., Result], client: FormClient, cleo: User) -> None:
    seed()
    login(client, cleo)
    assert client.post("/activate/DEMONEW", data={"code": "card 2345"}).location == "/cards/DEMONEW"
    card = cards.find("DEMONEW")
    assert card is not None
    assert card.owner is cleo


def test_two_months_of_taps_show_on_the_dashboard(seed: Callable[..., Result], client: FormClient) -> None:
    seed()
    ada = accounts.find("ada@example.com")
    assert ada is not None
    today = utcnow().date()
    days = dict(rollups.per_day(ada, today - timedelta(days=59), today))
    assert sum(days.values()) > 200
    assert sum(1 for number in days.values() if number) > 50
    assert (db.session.scalar(sa.select(sa.func.max(Tap.tapped_at))) or utcnow()) <= utcnow()
    assert {tap.is_bot for tap in db.session.scalars(sa.select(Tap))} == {True, False}
    login(client, ada, seeds.DEMO_PASSWORD)
    assert "No taps yet" not in client.get("/dashboard").text


@pytest.mark.parametrize("hour", [0, 7, 8, 23])
def test_taps_are_plausible_at_any_time_of_day(card: Card, hour: int) -> None:
    now = datetime(2026, 11, 20, hour, 30, tzinfo=UTC)
    readings = seeds.demo_readings([card], now)
    instants = [reading.at / 1000 for reading in readings]
    assert max(instants) < now.timestamp()
    assert min(instants) > (now - timedelta(days=seeds.DEMO_DAYS)).timestamp()
    assert len({reading.uid for reading in readings}) == len(readings)
    assert readings == seeds.demo_readings([card], now)


def test_what_was_deleted_of_the_demo_is_made_again(seed: Callable[..., Result]) -> None:
    seed()
    card = cards.find("DEMOFREE")
    assert card is not None
    for event in card.events:
        db.session.delete(event)
    db.session.delete(card)
    assert "Made: card DEMOFREE." in seed().output


def test_the_demo_leaves_an_installation_in_use_alone(seed: Callable[..., Result], cleo: User) -> None:
    assert "tapcard-demo" not in seed("--if-empty").output
    assert number_of(User) == 1


def test_production_gets_no_demo(seed: Callable[..., Result], other_app: Callable[..., Flask]) -> None:
    result = seed(app=other_app(environment="production", site_url="https://cards.example.com"))
    assert result.exit_code == 1
    assert "production does not get it" in result.output
    assert number_of(User) == 0


@pytest.mark.usefixtures("app")
def test_each_design_of_the_demo_has_its_picture(seed: Callable[..., Result], app: Flask) -> None:
    seed()
    pictures = db.session.scalars(sa.select(Design.front_picture)).all()
    assert len(set(pictures)) == 12
    for name in pictures:
        assert name is not None
        with files.open_upload(name, files.folder(app.instance_path)) as picture:
            assert picture.read()


# --- drawings ---------------------------------------------------------------------------------------------------------


def test_a_dozen_designs_are_a_dozen_different_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("FINE", 1), ("WIDTH", 214), ("HEIGHT", 135)):
        monkeypatch.setattr(drawings.cards, name, value)
    drawn = {name: draw() for name, draw in DRAWN.items()}
    assert len(set(drawn.values())) == 12
    for picture in drawn.values():
        with Image.open(io.BytesIO(picture)) as image:
            assert (image.format, image.size) == ("WEBP", (214, 135))
            assert image.convert("RGB").getcolors(maxcolors=20) is None, "more than a few colours"


def test_a_card_is_drawn_in_the_proportions_of_plastic() -> None:
    with Image.open(io.BytesIO(DRAWN["Lake at dusk"]())) as image:
        assert image.width / image.height == pytest.approx(85.6 / 53.98, rel=0.001)
