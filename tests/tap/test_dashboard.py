"""The dashboard and the card pages of a holder."""

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image

from tapcard import settings
from tapcard.db import db
from tapcard.models import Card, CardMove, CardStatus, LockedBecause, Profile, Tap, Target, User
from tapcard.services.cards import blocked_hosts, transitions
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, forms_on, words_of

HERE = "/cards/ADASCARD"
PAGES = ("/cards/ADASCARD", "/cards/ADASCARD/release", "/cards/ADASCARD/qr.svg", "/cards/ADASCARD/qr.png")
POSTS = ("/cards/ADASCARD", "/cards/ADASCARD/lock", "/cards/ADASCARD/unlock", "/cards/ADASCARD/release")
FIELDS = {"alias": "Stolen", "target": "url", "reroute_url": "https://evil.example/", "profile": "0", "sure": "y"}


@pytest.fixture
def ada_client(client: FormClient, card: Card, ada: User) -> FormClient:
    """Return the client of Ada, who has one card."""
    login(client, ada)
    return client


def submit_card(client: FormClient, path: str = HERE, **changes: Any):
    """Open the card page, change some fields and submit it."""
    form = form_to(client.get(path).text, path)
    return client.post(path, data={**form.values, **changes}, csrf=False)


def columns_of(card: Card) -> tuple[Any, ...]:
    return tuple(db.session.execute(sa.select(*Card.__table__.c).where(Card.id == card.id)).one())


# --- ownership --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_only_the_holder_can_view_a_card(
    new_client: Callable[[], FormClient], ada_client: FormClient, cleo: User, ben: User, olu: User, path: str
) -> None:
    assert ada_client.get(path).status_code == 200
    assert ada_client.get(path.replace("ADASCARD", "adascard")).status_code == 200
    for user in (cleo, ben, olu):
        client = new_client()
        login(client, user)
        response = client.get(path)
        assert response.status_code == 404
        assert "Everyday" not in response.text
    assert new_client().get(path).location == f"/log-in?next={path}"


@pytest.mark.parametrize("path", POSTS)
def test_only_the_holder_can_change_a_card(
    new_client: Callable[[], FormClient], card: Card, cleo: User, ben: User, path: str
) -> None:
    before = columns_of(card)
    for user in (cleo, ben):
        client = new_client()
        login(client, user)
        assert client.post(path, data=FIELDS).status_code == 404
    assert new_client().post(path, data=FIELDS).location == "/log-in"
    assert columns_of(card) == before


@pytest.mark.parametrize("extra", ["owner", "owner_id", "status", "token", "claim_policy", "is_blocked", "profile_id"])
def test_the_card_form_cannot_set_other_columns(ada_client: FormClient, card: Card, cleo: User, extra: str) -> None:
    before = columns_of(card)
    assert submit_card(ada_client, **{extra: str(cleo.id)}).status_code == 302
    assert columns_of(card) == before


def test_the_profile_of_another_user_cannot_be_chosen(
    ada_client: FormClient, card: Card, create_profile: Callable[..., Profile], ada: User, cleo: User
) -> None:
    create_profile(ada, "ada")
    hers = create_profile(cleo, "cleo")
    response = submit_card(ada_client, target="profile", profile=str(hers.id))
    assert response.status_code == 422
    assert (card.target, card.profile_id) == (Target.URL, None)


# --- targets ----------------------------------------------------------------------------------------------------------


def test_a_new_target_applies_from_the_next_tap(ada_client: FormClient, new_client: Callable[[], FormClient]) -> None:
    visitor = new_client()
    assert visitor.get("/t/ADASCARD").location == "https://example.com/"
    response = submit_card(ada_client, reroute_url="new.example/page", alias="Work")
    assert response.location == HERE
    assert visitor.get("/t/ADASCARD").location == "https://new.example/page"
    page = ada_client.get(HERE).text
    assert "Changes saved. They apply from the next tap." in page
    assert form_to(page, HERE).values["alias"] == "Work"


def test_a_card_can_open_a_profile(ada_client: FormClient, card: Card, profile: Profile) -> None:
    assert submit_card(ada_client, target="profile", profile=str(profile.id)).location == HERE
    assert ada_client.get("/t/ADASCARD").location == "/p/ada"
    assert card.reroute_url == "https://example.com/", "the address is kept"


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"reroute_url": ""}, "reroute_url", "Enter a web address."),
        ({"reroute_url": "javascript:alert(1)"}, "reroute_url", "Start the address with"),
        ({"reroute_url": "JaVaScRiPt:alert(1)"}, "reroute_url", "Start the address with"),
        ({"reroute_url": "http://localhost.example@evil.example"}, "reroute_url", "username"),
        ({"reroute_url": "https://exa mple.com"}, "reroute_url", "spaces"),
        ({"reroute_url": "https://example.com/\x00"}, "reroute_url", "characters that aren't allowed"),
        ({"reroute_url": "https://example.com/" + "x" * 2000}, "reroute_url", "Enter 2000 characters"),
        ({"alias": "x" * 61}, "alias", "Enter 60 characters"),
        ({"alias": "a\x07b"}, "alias", "characters that aren't allowed"),
        ({"alias": " everyday TWO "}, "alias", "You already have a card with this name"),
        ({"target": ""}, "target", ""),
        ({"target": "event"}, "target", ""),
        ({"target": "moon"}, "target", ""),
        ({"profile": "-1", "target": "profile"}, "profile", ""),
        ({"profile": "one", "target": "profile"}, "profile", ""),
    ],
)
def test_invalid_input_shows_an_error_and_changes_nothing(
    ada_client: FormClient, card: Card, create_card: Callable[..., Card], ada: User, profile: Profile,
    changes: dict[str, str], field: str, says: str,
) -> None:  # fmt: skip
    create_card(ada, alias="Everyday two")
    before = columns_of(card)
    values = {"alias": "Kept name", "reroute_url": "kept.example", **changes}
    response = submit_card(ada_client, **values)
    assert response.status_code == 422
    assert says in error_of(response.text, field)
    form = form_to(response.text, HERE)
    for name in ("alias", "reroute_url"):
        assert form.values[name] == values[name].strip()
    assert columns_of(card) == before


def test_a_blocked_host_is_refused_and_the_form_keeps_the_address(ada_client: FormClient, card: Card) -> None:
    blocked_hosts.block_host("evil.example", None)
    response = submit_card(ada_client, reroute_url="www.evil.example")
    assert response.status_code == 422
    assert "This address can't be used." in error_of(response.text, "reroute_url")
    assert form_to(response.text, HERE).values["reroute_url"] == "www.evil.example"


def test_a_card_with_a_blocked_address_is_deactivated_until_it_changes(
    ada_client: FormClient, new_client: Callable[[], FormClient]
) -> None:
    blocked_hosts.block_host("example.com", None)
    tap = new_client().get("/t/ADASCARD")
    assert tap.status_code == 200
    assert "This card has been deactivated" in tap.text
    assert "The shop has blocked the address" in ada_client.get(HERE).text
    assert submit_card(ada_client, reroute_url="good.example").status_code == 302
    assert new_client().get("/t/ADASCARD").location == "https://good.example"


def test_choosing_a_profile_without_having_one_leads_to_creating_it(ada_client: FormClient, card: Card) -> None:
    response = submit_card(ada_client, target="profile", alias="Conference", reroute_url="later.example")
    assert response.location == "/profiles/new?card=ADASCARD"
    assert (card.alias, card.target, card.profile_id) == ("Conference", Target.PROFILE, None)
    assert card.reroute_url == "https://later.example"
    page = ada_client.get(response.location)
    form = form_to(page.text, response.location)
    created = ada_client.post(response.location, data={**form.values, "name": "Ada Obi", "slug": "ada-obi"}, csrf=False)
    assert created.location == HERE
    assert ada_client.get("/t/ADASCARD").location == "/p/ada-obi"


def test_a_card_with_a_profile_target_but_no_profile_is_being_set_up(
    ada_client: FormClient, new_client: Callable[[], FormClient]
) -> None:
    submit_card(ada_client, target="profile")
    tap = new_client().get("/t/ADASCARD")
    assert tap.status_code == 200
    assert "set up yet" in tap.text
    assert ada_client.get("/t/ADASCARD").location == HERE


def test_a_card_without_a_target_shows_strangers_no_form(
    client: FormClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(ada, token="EMPTY222")
    response = client.get("/t/EMPTY222")
    assert response.status_code == 200
    assert not [form for form in forms_on(response.text) if form.method == "post"]


def test_an_unclaimed_card_has_no_holder_pages(client: FormClient, create_card: Callable[..., Card], ada: User) -> None:
    create_card(token="STOCK222", code="CARD2345")
    login(client, ada)
    for path in ("/cards/STOCK222", "/cards/STOCK222/release", "/cards/STOCK222/qr.svg"):
        assert client.get(path).status_code == 404


def test_pages_work_for_cards_without_a_design_picture(
    ada_client: FormClient, card: Card, create_card: Callable[..., Card], client: FormClient
) -> None:
    design = card.design
    assert design is not None
    assert design.front_picture is None
    create_card(token="STOCK222", design=design, code="CARD2345")
    bare = create_card(token="STOCK333", code="CARD2345")
    assert bare.design is None
    for path in ("/dashboard", HERE, f"{HERE}/release", "/activate/STOCK222", "/activate/STOCK333", "/designs", "/"):
        assert client.get(path).status_code == 200, path


# --- locking ----------------------------------------------------------------------------------------------------------


def test_a_lost_card_is_deactivated_and_reactivated(
    ada_client: FormClient, card: Card, new_client: Callable[[], FormClient]
) -> None:
    assert ada_client.post(f"{HERE}/lock").location == HERE
    assert (card.status, card.locked_because) == (CardStatus.LOCKED, LockedBecause.LOST)
    assert "This card has been deactivated" in new_client().get("/t/ADASCARD").text
    assert "Reactivate card" in ada_client.get(HERE).text
    assert ada_client.post(f"{HERE}/unlock").location == HERE
    assert new_client().get("/t/ADASCARD").location == "https://example.com/"
    assert [event.move for event in card.events][-2:] == [CardMove.LOCK, CardMove.UNLOCK]
    assert "You reactivated this card." in words_of(ada_client.get(HERE).text)


def test_a_holder_cannot_reactivate_a_card_suspended_by_staff(ada_client: FormClient, card: Card, ben: User) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben)
    response = ada_client.post(f"{HERE}/unlock")
    assert response.status_code == 409
    assert "You can't reactivate this card. Contact the shop." in words_of(response.text)
    assert card.status is CardStatus.LOCKED
    page = words_of(ada_client.get(HERE).text)
    assert "The shop has suspended this card." in page
    assert "Marsh" not in page, "the name of staff is not shown"


@pytest.mark.parametrize("step", ["lock", "unlock"])
def test_locking_or_unlocking_twice_has_an_error_page(ada_client: FormClient, card: Card, step: str) -> None:
    if step == "lock":
        ada_client.post(f"{HERE}/lock")
    response = ada_client.post(f"{HERE}/{step}")
    assert response.status_code == 409
    assert response.text.count("<h1>") == 1


def test_the_target_of_a_lost_card_can_be_changed(ada_client: FormClient, card: Card) -> None:
    ada_client.post(f"{HERE}/lock")
    assert submit_card(ada_client, reroute_url="new.example").location == HERE
    assert (card.status, card.reroute_url) == (CardStatus.LOCKED, "https://new.example")


@pytest.mark.parametrize("step", ["lock", "unlock"])
def test_locking_and_releasing_require_a_post(ada_client: FormClient, card: Card, step: str) -> None:
    assert ada_client.get(f"{HERE}/{step}").status_code == 405
    ada_client.get(f"{HERE}/release?sure=y")
    assert card.status is CardStatus.ACTIVE


# --- releasing --------------------------------------------------------------------------------------------------------


def test_a_released_card_can_be_claimed_by_another_user_and_its_taps_stay(
    ada_client: FormClient,
    new_client: Callable[[], FormClient],
    card: Card,
    run_worker: Callable[[], None],
    ada: User,
    cleo: User,
) -> None:
    new_client().get("/t/ADASCARD")
    run_worker()
    response = ada_client.post(f"{HERE}/release", data={"sure": "y"})
    assert response.status_code == 200
    code = re.search(r'class="tc-code-big">([2-9A-Z]{8})<', response.text)
    assert code
    assert response.headers["Cache-Control"] == "no-store"
    assert ada_client.get(HERE).status_code == 404
    assert "ADASCARD" not in ada_client.get("/dashboard").text.partition("<tbody")[0]
    assert db.session.scalars(sa.select(Tap.owner_id)).all() == [ada.id]
    her = new_client()
    login(her, cleo)
    assert her.post("/activate/ADASCARD", data={"code": code[1]}).location == HERE
    page = her.get(HERE).text
    assert set(form_to(page, HERE).values.values()) & {"Everyday", "https://example.com/"} == set()
    history = words_of(page).partition("History ")[2]
    assert history.startswith("You claimed this card.")
    assert "released" not in history.partition("Lost or")[0]
    assert "No taps in the last 30 days" in words_of(page)


def test_releasing_requires_confirmation(ada_client: FormClient, card: Card) -> None:
    response = ada_client.post(f"{HERE}/release", data={})
    assert response.status_code == 422
    assert "Tick this box to continue." in response.text
    assert card.status is CardStatus.ACTIVE


def test_a_locked_card_cannot_be_released(ada_client: FormClient, card: Card) -> None:
    ada_client.post(f"{HERE}/lock")
    response = ada_client.post(f"{HERE}/release", data={"sure": "y"})
    assert response.status_code == 422
    assert "Only active cards can be released." in response.text
    assert card.status is CardStatus.LOCKED


# --- QR codes and the dashboard ---------------------------------------------------------------------------------------


def test_the_qr_code_contains_the_configured_host(ada_client: FormClient) -> None:
    cookie = ada_client.get_cookie("tc_session")
    assert cookie is not None
    mine = ada_client.get(f"{HERE}/qr.svg").data
    ada_client.set_cookie("tc_session", cookie.value, domain="evil.example")
    other_host = ada_client.get(f"{HERE}/qr.svg", base_url="http://evil.example")
    assert other_host.data == mine
    assert mine.startswith((b"<?xml", b"<svg"))


def test_the_qr_code_is_available_as_svg_and_png(ada_client: FormClient) -> None:
    svg, png = ada_client.get(f"{HERE}/qr.svg"), ada_client.get(f"{HERE}/qr.png")
    assert (svg.mimetype, png.mimetype) == ("image/svg+xml", "image/png")
    assert svg.headers["Content-Disposition"] == 'attachment; filename="tapcard-ADASCARD.svg"'
    with Image.open(io.BytesIO(png.data)) as image:
        assert image.size[0] >= 300
    assert ada_client.get(f"{HERE}/qr.gif").status_code == 404


def test_the_qr_code_contains_the_logo_on_request(ada_client: FormClient) -> None:
    page = ada_client.get(HERE).text
    assert 'name="logo"' in page
    for kind in ("svg", "png"):
        assert f'action="{HERE}/qr.{kind}"' in page
    bare, marked = ada_client.get(f"{HERE}/qr.png?logo="), ada_client.get(f"{HERE}/qr.png?logo=y")
    assert bare.data == ada_client.get(f"{HERE}/qr.png").data != marked.data
    with Image.open(io.BytesIO(marked.data)) as image:
        assert [code.text for code in zxingcpp.read_barcodes(image.convert("L"))] == ["http://localhost/q/ADASCARD"]
    assert "#0091ca" in ada_client.get(f"{HERE}/qr.svg?logo=y").text
    assert "#0091ca" not in ada_client.get(f"{HERE}/qr.svg").text


def test_the_logo_in_the_qr_code_has_the_colors_of_the_shop(ada_client: FormClient) -> None:
    settings.update("brand_color", "#b32f55")
    settings.update("ink_color", "#ffffff")  # too light for white text
    db.session.commit()
    drawn = ada_client.get(f"{HERE}/qr.svg?logo=y").text
    assert 'fill="#b32f55"' in drawn
    assert 'rx="7.5" fill="#fff' not in drawn


def test_the_card_page_shows_test_link_and_history(ada_client: FormClient) -> None:
    page = ada_client.get(HERE).text
    assert "http://localhost/t/ADASCARD" in page
    assert "You claimed this card." in words_of(page)


def test_a_dashboard_with_many_cards_collapses_some(
    client: FormClient, ada: User, create_card: Callable[..., Card]
) -> None:
    login(client, ada)
    tokens = [create_card(ada).token for _number in range(12)]
    assert '<details class="tc-more">' not in client.get("/dashboard").text
    tokens += [create_card(ada).token for _number in range(2)]
    page = client.get("/dashboard").text
    shown, folded = page.split("2 more cards")
    assert [re.findall(r'href="/cards/(\w+)"', part) for part in (shown, folded)] == [tokens[:12], tokens[12:]]


def test_an_empty_dashboard_explains_the_first_steps(client: FormClient, cleo: User) -> None:
    login(client, cleo)
    page = client.get("/dashboard").text
    assert 'action="/find-card"' in page
    for words in ("Hello Cleo", "No cards yet", "No taps yet", "A profile is a page about you"):
        assert words in words_of(page)


def test_the_dashboard_shows_the_target_of_each_card(
    ada_client: FormClient, create_card: Callable[..., Card], profile: Profile, ada: User
) -> None:
    create_card(ada, alias="Site", profile=profile)
    create_card(ada, alias="Nothing")
    create_card(
        ada, alias="Away", url="https://example.com/", status=CardStatus.LOCKED, locked_because=LockedBecause.LOST
    )
    create_card(ada, alias="Retired one", status=CardStatus.RETIRED)
    page = words_of(ada_client.get("/dashboard").text)
    for words in ("example.com", "Profile: Ada Obi", "No destination yet", "Deactivated"):
        assert words in page
    assert "Retired one" not in page


def test_own_taps_and_bots_are_not_counted(
    ada_client: FormClient, new_client: Callable[[], FormClient], run_worker: Callable[[], None]
) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1"}
    new_client().get("/t/ADASCARD", headers=phone)
    new_client().get("/t/ADASCARD", headers={"User-Agent": "WhatsApp/2.24.20.89 A"})
    ada_client.get("/t/ADASCARD", headers=phone)
    run_worker()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Tap)) == 3
    assert "1 tap in 30 days" in words_of(ada_client.get("/dashboard").text)
    assert ada_client.get(HERE).text.count("<tr><td>Phone") == 1
