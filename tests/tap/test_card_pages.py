"""Pages around a card and what they reveal to whom."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tapcard.db import db
from tapcard.models import Card, ClaimPolicy, Design, LockedBecause, Profile, User
from tapcard.services.cards import transitions
from tests.conftest import login


def text_of(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


@pytest.fixture
def private_card(create_card: Callable[..., Card], ada: User, design: Design) -> Card:
    return create_card(ada, token="PRIVATE7", url="https://secret.example/", design=design, alias="Adas little secret")


@pytest.mark.parametrize("because", [LockedBecause.LOST, LockedBecause.ABUSE])
def test_a_locked_card_reveals_nothing_about_its_holder(
    client: FlaskClient, private_card: Card, ada: User, because: LockedBecause
) -> None:
    transitions.lock(private_card, because, ada)
    db.session.commit()
    page = text_of(client, "/t/PRIVATE7")
    assert "deactivated" in page
    for secret in ("Ada", "Obi", "ada@example.com", "Adas little secret", "secret.example"):
        assert secret not in page


def test_only_a_lost_card_has_a_form_for_its_finder(
    client: FlaskClient, create_card: Callable[..., Card], ada: User
) -> None:
    for token, because in (("LOSTCARD", LockedBecause.LOST), ("BADCARD7", LockedBecause.ABUSE)):
        transitions.lock(create_card(ada, token=token, url="https://example.com/"), because, ada)
    db.session.commit()
    assert 'href="/t/LOSTCARD/found"' in text_of(client, "/t/LOSTCARD")
    assert "/found" not in text_of(client, "/t/BADCARD7")


def test_a_card_without_a_target_shows_strangers_no_form(
    client: FlaskClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(ada, token="NOTSETUP", alias="Adas little secret")
    response = client.get("/t/NOTSETUP")
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "set up yet" in page
    assert "<form" not in page
    assert "Adas little secret" not in page


@pytest.mark.parametrize("policy", [ClaimPolicy.CODE, ClaimPolicy.OPEN])
def test_an_unclaimed_card_offers_sign_up_and_returns_to_the_card(
    client: FlaskClient, create_card: Callable[..., Card], design: Design, policy: ClaimPolicy
) -> None:
    create_card(token="WAITING7", policy=policy, code="CARD2345", design=design)
    page = text_of(client, "/activate/WAITING7")
    assert "Sign up to claim this card" in page
    assert 'href="/sign-up?next=/activate/WAITING7"' in page
    assert "<form" not in page
    assert "CARD2345" not in page
    assert 'aria-current="step"' in page


def test_an_unclaimed_card_asks_a_logged_in_user_for_the_code(
    client: FlaskClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(token="WAITING7", code="CARD2345")
    login(client, ada)
    page = text_of(client, "/activate/WAITING7")
    assert 'name="code"' in page
    assert "CARD2345" not in page
    assert re.search(r'<form method="post" action="/activate/WAITING7"', page)


def test_the_page_of_an_open_card_has_no_code_field(
    client: FlaskClient, create_card: Callable[..., Card], ada: User
) -> None:
    create_card(token="OPENCARD", policy=ClaimPolicy.OPEN)
    login(client, ada)
    page = text_of(client, "/activate/OPENCARD")
    assert 'name="code"' not in page
    assert "Claim this card" in page


@pytest.mark.parametrize("is_signed_in", [True, False])
def test_a_card_to_be_paid_shows_its_price_without_the_shop_module(
    other_app: Callable[..., Flask],
    create_card: Callable[..., Card],
    create_design: Callable[..., Design],
    ada: User,
    is_signed_in: bool,
) -> None:
    client = other_app(modules=()).test_client()
    create_card(token="PAYCARD7", policy=ClaimPolicy.PAY, design=create_design("Ember ridge", activation_amount=1250))
    if is_signed_in:
        login(client, ada)
    page = text_of(client, "/activate/PAYCARD7").partition("<main")[2]
    assert "£12.50" in page
    assert "Ember ridge" in page
    assert "doesn't take activation payments online" in page
    assert "<form" not in page


def test_the_dashboard_shows_name_target_and_status_of_a_card(client: FlaskClient, card: Card, ada: User) -> None:
    login(client, ada)
    page = text_of(client, "/dashboard")
    assert "Everyday" in page
    assert "example.com" in page
    assert re.search(r'class="tc-chip good">.*?Active</span>', page)
    assert "0 taps in 30 days" in page


def test_only_an_unverified_user_is_asked_to_verify_the_address(
    client: FlaskClient, new_client: Callable[[], FlaskClient], create_user: Callable[..., User], ada: User
) -> None:
    login(client, create_user("dan@example.com", first_name="Dan", last_name="Roe", verified=False))
    page = text_of(client, "/dashboard")
    assert "Confirm your email" in page
    assert 'action="/verify"' in page
    another = new_client()
    login(another, ada)
    assert "Confirm your email" not in text_of(another, "/dashboard")


def test_only_a_lost_card_can_be_reactivated_by_its_holder(
    client: FlaskClient, create_card: Callable[..., Card], ada: User
) -> None:
    for token, because in (("LOSTCARD", LockedBecause.LOST), ("BADCARD7", LockedBecause.ABUSE)):
        transitions.lock(create_card(ada, token=token, url="https://example.com/"), because, ada)
    db.session.commit()
    login(client, ada)
    assert 'action="/cards/LOSTCARD/unlock"' in text_of(client, "/cards/LOSTCARD")
    page = text_of(client, "/cards/BADCARD7")
    assert "/unlock" not in page
    assert "The shop has suspended this card" in page


def test_a_holder_without_a_profile_is_offered_to_create_one(client: FlaskClient, card: Card, ada: User) -> None:
    login(client, ada)
    assert "You don't have a profile yet" in text_of(client, f"/cards/{card.token}")


def test_a_refused_card_form_keeps_its_values_and_shows_the_error(client: FlaskClient, card: Card, ada: User) -> None:
    login(client, ada)
    response = client.post(
        f"/cards/{card.token}",
        data={"alias": 'My "new" <name>', "target": "url", "reroute_url": "javascript:alert(1)", "profile": "0"},
    )
    page = response.get_data(as_text=True)
    assert response.status_code == 422
    assert 'value="My &#34;new&#34; &lt;name&gt;"' in page
    assert 'value="javascript:alert(1)"' in page
    assert re.search(r'<input[^>]*aria-describedby="reroute_url-error[^"]*"[^>]*name="reroute_url"', page)
    assert 'id="reroute_url-error"' in page
    assert 'href="#reroute_url"' in page  # in the error summary


def test_releasing_asks_for_confirmation_and_shows_the_new_code_once(
    client: FlaskClient, card: Card, ada: User
) -> None:
    login(client, ada)
    confirmation = client.get(f"/cards/{card.token}/release")
    assert "can't be undone" in confirmation.get_data(as_text=True)
    refused = client.post(f"/cards/{card.token}/release", data={})
    assert refused.status_code == 422
    assert "Tick this box to continue." in refused.get_data(as_text=True)
    done = client.post(f"/cards/{card.token}/release", data={"sure": "y"}).get_data(as_text=True)
    code = re.search(r'class="tc-code-big">([2-9A-HJKMNP-TV-Z]{8})<', done)
    assert code
    assert code[1] not in text_of(client, "/dashboard")


def test_a_holder_with_profiles_can_choose_one(
    client: FlaskClient, card: Card, ada: User, profile: Profile, create_profile: Callable[..., Profile]
) -> None:
    create_profile(ada, "obi-and-daughters", name="Obi & Daughters")
    login(client, ada)
    page = text_of(client, f"/cards/{card.token}")
    assert "You don't have a profile yet" not in page
    assert re.search(r'<select[^>]*name="profile"', page)
    assert "Obi &amp; Daughters</option>" in page
