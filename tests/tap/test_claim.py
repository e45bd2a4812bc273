"""Claiming a card in a browser, from the tap to the page of the card."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tapcard.db import db
from tapcard.models import Card, CardMove, CardStatus, ClaimPolicy, Design, LockedBecause, Tap, User
from tapcard.services.cards import transitions
from tapcard.services.core.rate_limits import LIMITS, Limit, Limits
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import error_of, form_to, words_of

CODE = "CARD2345"
HERE = "/activate/WAITING2"


@pytest.fixture
def unclaimed_card(create_card: Callable[..., Card], design: Design) -> Card:
    """Return an unclaimed card with a claim code."""
    return create_card(token="WAITING2", code=CODE, design=design)


def submit_claim(client: FormClient, code: str, path: str = HERE):
    """Open the activation page and submit its form."""
    form = form_to(client.get(path).text, path)
    return client.post(path, data={**form.values, "code": code}, csrf=False)


def activation_page(client: FormClient) -> str:
    """Return the main part of the activation page."""
    response = client.get(HERE)
    assert response.status_code == 200
    return response.text.partition("<main")[2].partition("</main>")[0]


# --- from the tap to the claim ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/t/WAITING2", "/q/waiting2", "/card/WAITING2/", HERE])
@pytest.mark.usefixtures("unclaimed_card")
def test_a_visitor_is_offered_sign_up_and_login_and_returns_to_the_card(client: FormClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert f'href="/sign-up?next={HERE}"' in page.text
    assert f'href="/log-in?next={HERE}"' in page.text
    assert CODE not in page.text


def test_signing_up_for_a_card_claims_it(client: FormClient, unclaimed_card: Card) -> None:
    names = {"first_name": "Gus", "last_name": "Poe", "email": "gus@example.com", "password": PASSWORD, "terms": "y"}
    assert client.post(f"/sign-up?next={HERE}", data=names).location == HERE
    response = submit_claim(client, " card-2345 ")
    assert response.location == "/cards/WAITING2"
    assert "The card is yours." in client.get(response.location).text
    assert unclaimed_card.status is CardStatus.ACTIVE
    assert unclaimed_card.owner is not None
    assert unclaimed_card.owner.email == "gus@example.com"
    assert [event.move for event in unclaimed_card.events] == [CardMove.MAKE, CardMove.CLAIM]


def test_the_activation_page_shows_the_picture_of_the_card(
    client: FormClient, unclaimed_card: Card, design: Design
) -> None:
    design.front_picture = f"{'a' * 32}.webp"
    db.session.commit()
    page = activation_page(client)
    assert f'<img class="art" src="/uploads/{design.front_picture}" alt="Design: {design.name}"' in page


@pytest.mark.parametrize("has_design", [True, False], ids=["design without a picture", "no design"])
def test_the_activation_page_shows_a_drawing_for_a_card_without_a_picture(
    client: FormClient, create_card: Callable[..., Card], design: Design, *, has_design: bool
) -> None:
    create_card(token="WAITING2", code=CODE, design=design if has_design else None)
    page = activation_page(client)
    assert '<img class="art"' not in page
    assert '<svg class="art"' in page


@pytest.mark.usefixtures("unclaimed_card")
def test_logging_in_for_a_card_returns_to_it(client: FormClient, ada: User) -> None:
    response = client.post(f"/log-in?next={HERE}", data={"email": ada.email, "password": PASSWORD})
    assert response.location == HERE


def test_viewing_the_pages_of_a_card_claims_nothing(client: FormClient, unclaimed_card: Card, ada: User) -> None:
    login(client, ada)
    for path in ("/t/WAITING2", HERE, f"{HERE}?code={CODE}"):
        client.get(path)
    assert unclaimed_card.owner is None


def test_an_open_card_is_claimed_with_one_button(
    client: FormClient, create_card: Callable[..., Card], ada: User
) -> None:
    card = create_card(token="WAITING2", policy=ClaimPolicy.OPEN)
    login(client, ada)
    form = form_to(client.get(HERE).text, HERE)
    assert set(form.values) == {"csrf_token"}
    assert client.post(HERE, data=form.values).location == "/cards/WAITING2"
    assert card.owner is ada


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("CARD2346", "That code isn't valid for this card."),
        ("", "Enter the claim code from the insert."),
        ("  ", "Enter the claim code from the insert."),
        ("x" * 21, "Claim codes have 8 characters."),
        ("CARD\x002345", "characters that aren't allowed"),
        ('<script>"', "That code isn't valid for this card."),
    ],
)
def test_a_wrong_code_shows_an_error_and_stays_in_the_field(
    client: FormClient, unclaimed_card: Card, ada: User, text: str, says: str
) -> None:
    login(client, ada)
    response = submit_claim(client, text)
    assert response.status_code == 422
    assert says in error_of(response.text, "code")
    assert form_to(response.text, HERE).values["code"] == text.strip()
    assert unclaimed_card.owner is None


@pytest.mark.usefixtures("unclaimed_card")
def test_the_code_of_another_card_is_refused(client: FormClient, create_card: Callable[..., Card], ada: User) -> None:
    create_card(token="OTHER222", code="THER6789")
    login(client, ada)
    assert submit_claim(client, "THER6789").status_code == 422


def test_code_attempts_are_limited_by_account(client: FormClient, unclaimed_card: Card, ada: User) -> None:
    limit = LIMITS["claim"].account
    assert limit is not None
    login(client, ada)
    for _attempt in range(limit.count):
        assert submit_claim(client, "WRONG234").status_code == 422
    response = submit_claim(client, CODE)
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 60
    assert "Too many attempts. Wait 15 minutes and try again." in words_of(response.text)
    assert form_to(response.text, HERE).values["code"] == CODE
    assert unclaimed_card.owner is None


def test_code_attempts_are_limited_by_card_across_accounts(
    new_client: Callable[[], FormClient],
    create_user: Callable[..., User],
    unclaimed_card: Card,
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    by_account, by_card = LIMITS["claim"].account, LIMITS["claim_card"].account
    assert by_account is not None
    assert by_card is not None
    assert by_card.count < 100, "of 30 to the power of 8 codes"
    monkeypatch.setitem(LIMITS, "claim_card", Limits(account=Limit(4, by_card.seconds)))
    for _account in range(2):
        client = new_client()
        login(client, create_user())
        for _attempt in range(2):
            assert submit_claim(client, "WRONG234").status_code == 422
    client = new_client()
    login(client, ada)
    assert submit_claim(client, CODE).status_code == 429


def test_attempts_of_one_user_do_not_limit_another(
    client: FormClient, unclaimed_card: Card, ada: User, cleo: User, new_client: Callable[[], FormClient]
) -> None:
    login(client, cleo)
    for _attempt in range(10):
        submit_claim(client, "WRONG234")
    another = new_client()
    login(another, ada)
    assert submit_claim(another, CODE).location == "/cards/WAITING2"


def test_claiming_requires_login(client: FormClient, unclaimed_card: Card) -> None:
    assert client.post(HERE, data={"code": CODE}).location == "/log-in"
    assert unclaimed_card.owner is None


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_a_card_to_be_paid_shows_design_and_price_and_takes_no_code(
    client: FormClient, create_card: Callable[..., Card], create_design: Callable[..., Design], ada: User,
    is_signed_in: bool,
) -> None:  # fmt: skip
    design = create_design("Ember ridge", activation_amount=1250)
    card = create_card(token="WAITING2", policy=ClaimPolicy.PAY, design=design)
    if is_signed_in:
        login(client, ada)
        response = client.post(HERE, data={"code": CODE})
        assert response.status_code == 409
        assert "£12.50" in response.text
    page = words_of(client.get(HERE).text)
    assert "Ember ridge" in page
    assert "£12.50" in page
    assert "Activate for £12.50" in page
    assert card.owner is None


# --- an owned card ----------------------------------------------------------------------------------------------------


def test_a_card_with_an_owner_cannot_be_claimed(client: FormClient, card: Card, cleo: User, ada: User) -> None:
    login(client, cleo)
    response = client.post(f"/activate/{card.token}", data={"code": CODE})
    assert response.status_code == 409
    assert "This card has already been claimed." in response.text
    assert "Obi" not in response.text
    assert card.owner is ada


def test_claiming_twice_by_the_same_user_succeeds(client: FormClient, unclaimed_card: Card, ada: User) -> None:
    login(client, ada)
    for _press in range(2):
        assert client.post(HERE, data={"code": CODE}).location == "/cards/WAITING2"
    assert [event.move for event in unclaimed_card.events].count(CardMove.CLAIM) == 1


@pytest.mark.parametrize(
    ("values", "status", "location"),
    [
        ({"url": "https://example.com/"}, 302, "https://example.com/"),
        ({}, 200, None),
        ({"status": CardStatus.LOCKED, "locked_because": LockedBecause.LOST}, 200, None),
        ({"status": CardStatus.RETIRED}, 410, None),
    ],
)
def test_the_activation_page_of_an_owned_card_responds_like_a_tap_without_counting(
    client: FormClient, create_card: Callable[..., Card], run_worker: Callable[[], None], ada: User,
    values: dict[str, object], status: int, location: str | None,
) -> None:  # fmt: skip
    create_card(ada, token="WAITING2", **values)
    opened, tapped = client.get(HERE), client.get("/t/WAITING2")
    assert (opened.status_code, opened.location) == (tapped.status_code, tapped.location) == (status, location)
    run_worker()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Tap)) == 1, "only the tap is counted"


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("token", ["NOSUCH22", "x" * 21, "%00", "%F0%9F%82%A1", "..%2F..", "A B"])
def test_an_unknown_card_is_not_found(client: FormClient, ada: User, token: str, method: str) -> None:
    login(client, ada)
    assert getattr(client, method)(f"/activate/{token}").status_code == 404


def test_a_retired_card_cannot_be_claimed(client: FormClient, unclaimed_card: Card, ada: User) -> None:
    transitions.retire(unclaimed_card, None, "lost in the post")
    login(client, ada)
    response = client.post(HERE, data={"code": CODE})
    assert client.get(response.location).status_code == 410
    assert unclaimed_card.owner is None
