"""What a holder does with cards: names them, points them, switches them off, gives them back; nobody else does."""

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
from tests.watching import error_of, form_to, forms_on, words_of

HERE = "/cards/ADASCARD"
PAGES = ("/cards/ADASCARD", "/cards/ADASCARD/release", "/cards/ADASCARD/qr.svg", "/cards/ADASCARD/qr.png")
POSTS = ("/cards/ADASCARD", "/cards/ADASCARD/lock", "/cards/ADASCARD/unlock", "/cards/ADASCARD/release")
FIELDS = {"alias": "Stolen", "target": "url", "reroute_url": "https://evil.example/", "profile": "0", "sure": "y"}


@pytest.fixture
def adas(client: FormClient, card: Card, ada: User) -> FormClient:
    """Ada's browser; she has one card."""
    login(client, ada)
    return client


def save(client: FormClient, path: str = HERE, **changes: Any):
    """Open the card's page as a person does, change some of it, send it."""
    form = form_to(client.get(path).text, path)
    return client.post(path, data={**form.values, **changes}, csrf=False)


def columns_of(card: Card) -> tuple[Any, ...]:
    return tuple(db.session.execute(sa.select(*Card.__table__.c).where(Card.id == card.id)).one())


# --- whose card it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_a_card_is_seen_by_its_holder_alone(
    new_client: Callable[[], FormClient], adas: FormClient, cleo: User, ben: User, olu: User, path: str
) -> None:
    assert adas.get(path).status_code == 200
    assert adas.get(path.replace("ADASCARD", "adascard")).status_code == 200
    for user in (cleo, ben, olu):
        client = new_client()
        login(client, user)
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Everyday" not in answer.text
    assert new_client().get(path).location == f"/log-in?next={path}"


@pytest.mark.parametrize("path", POSTS)
def test_a_card_is_changed_by_its_holder_alone(
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
def test_the_form_sets_nothing_that_it_does_not_show(adas: FormClient, card: Card, cleo: User, extra: str) -> None:
    before = columns_of(card)
    assert save(adas, **{extra: str(cleo.id)}).status_code == 302
    assert columns_of(card) == before


def test_somebody_elses_profile_cannot_be_chosen(
    adas: FormClient, card: Card, create_profile: Callable[..., Profile], ada: User, cleo: User
) -> None:
    create_profile(ada, "ada")
    hers = create_profile(cleo, "cleo")
    answer = save(adas, target="profile", profile=str(hers.id))
    assert answer.status_code == 422
    assert (card.target, card.profile_id) == (Target.URL, None)


# --- where it leads ---------------------------------------------------------------------------------------------------


def test_the_very_next_tap_goes_to_the_new_place(adas: FormClient, new_client: Callable[[], FormClient]) -> None:
    visitor = new_client()
    assert visitor.get("/t/ADASCARD").location == "https://example.com/"
    answer = save(adas, reroute_url="new.example/page", alias="Work")
    assert answer.location == HERE
    assert visitor.get("/t/ADASCARD").location == "https://new.example/page"
    page = adas.get(HERE).text
    assert "Changes saved. They apply from the next tap." in page
    assert form_to(page, HERE).values["alias"] == "Work"


def test_a_card_opens_a_profile(adas: FormClient, card: Card, profile: Profile) -> None:
    assert save(adas, target="profile", profile=str(profile.id)).location == HERE
    assert adas.get("/t/ADASCARD").location == "/p/ada"
    assert card.reroute_url == "https://example.com/", "kept for later"


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
def test_what_cannot_be_is_said_at_its_field_and_kept(
    adas: FormClient, card: Card, create_card: Callable[..., Card], ada: User, profile: Profile,
    changes: dict[str, str], field: str, says: str,
) -> None:  # fmt: skip
    create_card(ada, alias="Everyday two")
    before = columns_of(card)
    typed = {"alias": "Kept name", "reroute_url": "kept.example", **changes}
    answer = save(adas, **typed)
    assert answer.status_code == 422
    assert says in error_of(answer.text, field)
    form = form_to(answer.text, HERE)
    for name in ("alias", "reroute_url"):
        assert form.values[name] == typed[name].strip()
    assert columns_of(card) == before


def test_a_blocked_host_is_refused_and_what_was_typed_is_kept(adas: FormClient, card: Card) -> None:
    blocked_hosts.block_host("evil.example", None)
    answer = save(adas, reroute_url="www.evil.example")
    assert answer.status_code == 422
    assert "This address can't be used." in error_of(answer.text, "reroute_url")
    assert form_to(answer.text, HERE).values["reroute_url"] == "www.evil.example"


def test_a_card_whose_address_was_blocked_shows_as_switched_off_until_it_leads_elsewhere(
    adas: FormClient, new_client: Callable[[], FormClient]
) -> None:
    blocked_hosts.block_host("example.com", None)
    tap = new_client().get("/t/ADASCARD")
    assert tap.status_code == 200
    assert "This card has been deactivated" in tap.text
    assert "The shop has blocked the address" in adas.get(HERE).text
    assert save(adas, reroute_url="good.example").status_code == 302
    assert new_client().get("/t/ADASCARD").location == "https://good.example"


def test_a_holder_without_a_profile_is_led_to_make_one_and_nothing_typed_is_lost(adas: FormClient, card: Card) -> None:
    answer = save(adas, target="profile", alias="Conference", reroute_url="later.example")
    assert answer.location == "/profiles/new?card=ADASCARD"
    assert (card.alias, card.target, card.profile_id) == ("Conference", Target.PROFILE, None)
    assert card.reroute_url == "https://later.example"
    page = adas.get(answer.location)
    form = form_to(page.text, answer.location)
    made = adas.post(answer.location, data={**form.values, "name": "Ada Obi", "slug": "ada-obi"}, csrf=False)
    assert made.location == HERE
    assert adas.get("/t/ADASCARD").location == "/p/ada-obi"


def test_my_profile_without_a_profile_is_a_friendly_page_for_whoever_taps(
    adas: FormClient, new_client: Callable[[], FormClient]
) -> None:
    save(adas, target="profile")
    tap = new_client().get("/t/ADASCARD")
    assert tap.status_code == 200
    assert "set up yet" in tap.text
    assert adas.get("/t/ADASCARD").location == HERE


def test_a_card_that_leads_nowhere_is_no_log_in_for_strangers(
    client: FormClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(ada, token="EMPTY222")
    answer = client.get("/t/EMPTY222")
    assert answer.status_code == 200
    assert not [form for form in forms_on(answer.text) if form.method == "post"]


def test_an_unclaimed_card_has_no_page_of_a_holder(
    client: FormClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(token="STOCK222", code="CARD2345")
    login(client, ada)
    for path in ("/cards/STOCK222", "/cards/STOCK222/release", "/cards/STOCK222/qr.svg"):
        assert client.get(path).status_code == 404


def test_a_design_without_a_picture_breaks_no_page(
    adas: FormClient, card: Card, create_card: Callable[..., Card], client: FormClient
) -> None:
    design = card.design
    assert design is not None
    assert design.front_picture is None
    create_card(token="STOCK222", design=design, code="CARD2345")
    bare = create_card(token="STOCK333", code="CARD2345")
    assert bare.design is None
    for path in ("/dashboard", HERE, f"{HERE}/release", "/activate/STOCK222", "/activate/STOCK333", "/designs", "/"):
        assert client.get(path).status_code == 200, path


# --- lost and found ---------------------------------------------------------------------------------------------------


def test_a_lost_card_is_switched_off_and_on_again(
    adas: FormClient, card: Card, new_client: Callable[[], FormClient]
) -> None:
    assert adas.post(f"{HERE}/lock").location == HERE
    assert (card.status, card.locked_because) == (CardStatus.LOCKED, LockedBecause.LOST)
    assert "This card has been deactivated" in new_client().get("/t/ADASCARD").text
    assert "Reactivate card" in adas.get(HERE).text
    assert adas.post(f"{HERE}/unlock").location == HERE
    assert new_client().get("/t/ADASCARD").location == "https://example.com/"
    assert [event.move for event in card.events][-2:] == [CardMove.LOCK, CardMove.UNLOCK]
    assert "You reactivated this card." in words_of(adas.get(HERE).text)


def test_what_staff_switched_off_its_holder_cannot_switch_on(adas: FormClient, card: Card, ben: User) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben)
    answer = adas.post(f"{HERE}/unlock")
    assert answer.status_code == 409
    assert "You can't reactivate this card. Contact the shop." in words_of(answer.text)
    assert card.status is CardStatus.LOCKED
    page = words_of(adas.get(HERE).text)
    assert "The shop has suspended this card." in page
    assert "Marsh" not in page, "whose deed it was stays in the shop"


@pytest.mark.parametrize("step", ["lock", "unlock"])
def test_switching_twice_is_refused_with_a_page(adas: FormClient, card: Card, step: str) -> None:
    if step == "lock":
        adas.post(f"{HERE}/lock")
    answer = adas.post(f"{HERE}/{step}")
    assert answer.status_code == 409
    assert answer.text.count("<h1>") == 1


def test_a_lost_card_may_still_be_pointed_elsewhere(adas: FormClient, card: Card) -> None:
    adas.post(f"{HERE}/lock")
    assert save(adas, reroute_url="new.example").location == HERE
    assert (card.status, card.reroute_url) == (CardStatus.LOCKED, "https://new.example")


@pytest.mark.parametrize("step", ["lock", "unlock"])
def test_nothing_is_switched_by_looking(adas: FormClient, card: Card, step: str) -> None:
    assert adas.get(f"{HERE}/{step}").status_code == 405
    adas.get(f"{HERE}/release?sure=y")
    assert card.status is CardStatus.ACTIVE


# --- giving back ------------------------------------------------------------------------------------------------------


def test_a_card_given_back_is_gone_and_its_taps_stay(
    adas: FormClient,
    new_client: Callable[[], FormClient],
    card: Card,
    run_worker: Callable[[], None],
    ada: User,
    cleo: User,
) -> None:
    new_client().get("/t/ADASCARD")
    run_worker()
    answer = adas.post(f"{HERE}/release", data={"sure": "y"})
    assert answer.status_code == 200
    code = re.search(r'class="tc-code-big">([2-9A-Z]{8})<', answer.text)
    assert code
    assert answer.headers["Cache-Control"] == "no-store"
    assert adas.get(HERE).status_code == 404
    assert "ADASCARD" not in adas.get("/dashboard").text.partition("<tbody")[0]
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


def test_a_card_is_not_given_back_without_consent(adas: FormClient, card: Card) -> None:
    answer = adas.post(f"{HERE}/release", data={})
    assert answer.status_code == 422
    assert "Tick this box to continue." in answer.text
    assert card.status is CardStatus.ACTIVE


def test_a_card_that_is_off_is_not_given_back(adas: FormClient, card: Card) -> None:
    adas.post(f"{HERE}/lock")
    answer = adas.post(f"{HERE}/release", data={"sure": "y"})
    assert answer.status_code == 422
    assert "Only active cards can be released." in answer.text
    assert card.status is CardStatus.LOCKED


# --- the rest of the page ---------------------------------------------------------------------------------------------


def test_the_qr_code_carries_the_configured_address_and_not_the_asked_one(adas: FormClient) -> None:
    cookie = adas.get_cookie("tc_session")
    assert cookie is not None
    mine = adas.get(f"{HERE}/qr.svg").data
    adas.set_cookie("tc_session", cookie.value, domain="evil.example")
    asked = adas.get(f"{HERE}/qr.svg", base_url="http://evil.example")
    assert asked.data == mine
    assert mine.startswith((b"<?xml", b"<svg"))


def test_the_qr_code_comes_as_svg_and_png(adas: FormClient) -> None:
    svg, png = adas.get(f"{HERE}/qr.svg"), adas.get(f"{HERE}/qr.png")
    assert (svg.mimetype, png.mimetype) == ("image/svg+xml", "image/png")
    assert svg.headers["Content-Disposition"] == 'attachment; filename="tapcard-ADASCARD.svg"'
    with Image.open(io.BytesIO(png.data)) as image:
        assert image.size[0] >= 300
    assert adas.get(f"{HERE}/qr.gif").status_code == 404


def test_the_qr_code_has_our_logo_in_it_where_it_is_wanted(adas: FormClient) -> None:
    page = adas.get(HERE).text
    assert 'name="logo"' in page
    for kind in ("svg", "png"):
        assert f'action="{HERE}/qr.{kind}"' in page
    bare, marked = adas.get(f"{HERE}/qr.png?logo="), adas.get(f"{HERE}/qr.png?logo=y")
    assert bare.data == adas.get(f"{HERE}/qr.png").data != marked.data
    with Image.open(io.BytesIO(marked.data)) as image:
        assert [found.text for found in zxingcpp.read_barcodes(image.convert("L"))] == ["http://localhost/q/ADASCARD"]
    assert "#0091ca" in adas.get(f"{HERE}/qr.svg?logo=y").text
    assert "#0091ca" not in adas.get(f"{HERE}/qr.svg").text


def test_the_logo_in_a_qr_code_wears_the_shops_colours(adas: FormClient) -> None:
    settings.update("brand_color", "#b32f55")
    settings.update("ink_color", "#ffffff")  # too light to carry anything white
    db.session.commit()
    drawn = adas.get(f"{HERE}/qr.svg?logo=y").text
    assert 'fill="#b32f55"' in drawn
    assert 'rx="7.5" fill="#fff' not in drawn


def test_the_card_page_tells_the_test_link_and_the_history(adas: FormClient) -> None:
    page = adas.get(HERE).text
    assert "http://localhost/t/ADASCARD" in page
    assert "You claimed this card." in words_of(page)


def test_of_many_cards_some_unfold_and_none_is_missing(
    client: FormClient, ada: User, create_card: Callable[..., Card]
) -> None:
    login(client, ada)
    tokens = [create_card(ada).token for _number in range(12)]
    assert '<details class="tc-more">' not in client.get("/dashboard").text
    tokens += [create_card(ada).token for _number in range(2)]
    page = client.get("/dashboard").text
    shown, folded = page.split("2 more cards")
    assert [re.findall(r'href="/cards/(\w+)"', part) for part in (shown, folded)] == [tokens[:12], tokens[12:]]


def test_an_empty_dashboard_says_what_to_do(client: FormClient, cleo: User) -> None:
    login(client, cleo)
    page = words_of(client.get("/dashboard").text)
    for words in ("Hello Cleo", "No cards yet", "No taps yet", "A profile is a page about you"):
        assert words in page


def test_the_dashboard_tells_where_each_card_leads(
    adas: FormClient, create_card: Callable[..., Card], profile: Profile, ada: User
) -> None:
    create_card(ada, alias="Site", profile=profile)
    create_card(ada, alias="Nothing")
    create_card(
        ada, alias="Away", url="https://example.com/", status=CardStatus.LOCKED, locked_because=LockedBecause.LOST
    )
    create_card(ada, alias="Retired one", status=CardStatus.RETIRED)
    page = words_of(adas.get("/dashboard").text)
    for words in ("example.com", "Profile: Ada Obi", "No destination yet", "Deactivated"):
        assert words in page
    assert "Retired one" not in page


def test_taps_of_others_count_and_ones_own_and_robots_do_not(
    adas: FormClient, new_client: Callable[[], FormClient], run_worker: Callable[[], None]
) -> None:
    phone = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1"}
    new_client().get("/t/ADASCARD", headers=phone)
    new_client().get("/t/ADASCARD", headers={"User-Agent": "WhatsApp/2.24.20.89 A"})
    adas.get("/t/ADASCARD", headers=phone)
    run_worker()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Tap)) == 3
    assert "1 tap in 30 days" in words_of(adas.get("/dashboard").text)
    assert adas.get(HERE).text.count("<tr><td>Phone") == 1
