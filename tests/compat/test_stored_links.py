"""Links and claim codes sent by the previous version keep working."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Subscriber, SubscriberStatus
from tapcard.services.accounts import registration
from tapcard.services.cards import claims
from tests.compat.stored_data import BEFORE, LINKS, NEW_PASSWORD, ORDERS, USERS, card, is_logged_in, set_clock, user
from tests.conftest import FormClient, login

pytestmark = pytest.mark.sql


def test_a_verification_link_works(app: Flask, client: FormClient) -> None:
    assert client.get(LINKS["verify"]).status_code == 200
    assert client.post(LINKS["verify"]).location.startswith("/set-password/")
    dan = registration.find_user("dan@example.com")
    assert dan is not None
    assert dan.is_verified


def test_a_password_link_works(app: Flask, client: FormClient) -> None:
    assert client.get(LINKS["set_password"]).status_code == 200
    sent = client.post(LINKS["set_password"], data={"password": NEW_PASSWORD, "repeated": NEW_PASSWORD})
    assert sent.status_code == 302
    client.post("/log-out")
    login(client, user("hal"), NEW_PASSWORD)
    assert is_logged_in(client)


def test_a_link_to_confirm_an_address_works(app: Flask, client: FormClient) -> None:
    login(client, user("flo"))
    assert client.post(LINKS["confirm_email"]).status_code == 302
    assert user("flo").email == "flo.new@example.com"


def test_a_link_to_undo_an_address_change_works(app: Flask, client: FormClient) -> None:
    assert user("gil").email == "gil.new@example.com"
    assert client.post(LINKS["undo_email"]).location.startswith("/set-password/")
    assert user("gil").email == "gil@example.com"


@pytest.mark.parametrize("kind", ["order", "review"])
def test_a_link_to_an_order_never_expires(client: FormClient, kind: str) -> None:
    """The link requires no account and does not expire."""
    set_clock(timedelta(days=400))
    response = client.get(LINKS[kind])
    assert response.status_code == 302
    assert response.location.startswith(f"/orders/{ORDERS['delivered']}")
    assert client.get(f"/orders/{ORDERS['delivered']}").status_code == 200
    forged = LINKS["order"][:-1] + ("0" if LINKS["order"][-1] != "0" else "1")
    assert client.get(forged).status_code == 404


def test_newsletter_links_work(app: Flask, client: FormClient) -> None:
    def status(email: str) -> SubscriberStatus | None:
        return db.session.scalar(sa.select(Subscriber.status).where(Subscriber.email == email))

    assert client.post(LINKS["newsletter_confirm"]).status_code == 302
    assert status("olaf@example.com") is SubscriberStatus.SUBSCRIBED
    assert status("nora@example.com") is SubscriberStatus.SUBSCRIBED
    assert client.post(LINKS["newsletter_leave"], csrf=False).status_code == 200
    assert status("nora@example.com") is SubscriberStatus.UNSUBSCRIBED


def test_an_unsubscribe_link_of_the_weekly_digest_works(app: Flask, client: FormClient) -> None:
    assert user("ada").wants_weekly_mail
    assert client.post(LINKS["weekly_off"], csrf=False).status_code == 200
    assert not user("ada").wants_weekly_mail


def test_a_link_to_an_offered_card_works(app: Flask, client: FormClient) -> None:
    login(client, user("jon"))
    assert client.get(LINKS["offer"]).status_code == 200
    assert client.post(f"{LINKS['offer']}/accept").location == "/cards/GIFTCARD"
    assert card("GIFTCARD").owner_id == USERS["jon"]


def test_a_claim_code_is_still_valid(app: Flask, client: FormClient, keys: Keys) -> None:
    """The shop can still print the encrypted code, and it claims the card."""
    token, code = BEFORE["claim"]["token"], BEFORE["claim"]["code"]
    assert claims.read_claim_code(card(token), keys) == code
    login(client, user("jon"))
    client.post(f"/activate/{token}", data={"code": code})
    assert card(token).owner_id == USERS["jon"]


def test_a_buyer_still_sees_claim_codes(app: Flask, client: FormClient) -> None:
    """The buyer of cards can still see the codes."""
    login(client, user("jon"))
    assert client.get(f"/orders/{ORDERS['processing']}/codes").status_code == 200


@pytest.mark.parametrize("page", BEFORE["pages"], ids=lambda page: page[0][:40])
def test_every_emailed_link_gives_the_same_response(client: FormClient, page: list[Any]) -> None:
    """Every link in an email of the previous version gives the same response."""
    path, status, location = page
    response = client.get(path)
    assert (response.status_code, response.location) == (status, location)
