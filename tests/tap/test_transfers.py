"""Pages for transferring, replacing and the history of a card."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardEvent, CardMove, CardStatus, CardTransfer, LockedBecause, User
from tapcard.services.cards import transfers, transitions
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import words_of

HERE = "/cards/ADASCARD"


@pytest.fixture
def ada_client(client: FormClient, ada: User) -> FormClient:
    """Return the client of Ada."""
    login(client, ada)
    return client


@pytest.fixture
def cleo_client(new_client: Callable[[], FormClient], cleo: User) -> FormClient:
    """Return the client of Cleo."""
    browser = new_client()
    login(browser, cleo)
    return browser


@pytest.fixture
def offer(card: Card, ada: User, cleo: User) -> CardTransfer:
    """Return an offer of Ada's card to Cleo."""
    transfer = transfers.offer(card, ada, cleo.email, utcnow())
    db.session.commit()
    return transfer


def history_of(client: FormClient, token: str = "ADASCARD") -> str:
    text = words_of(client.get(f"/cards/{token}").text)
    return text.partition(" History ")[2].partition("Lost or no longer")[0]


# --- offering ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["cleo@example.com", "nobody-yet@example.com"])
def test_an_offer_does_not_reveal_whether_the_address_has_an_account(
    ada_client: FormClient, card: Card, cleo: User, run_worker: Callable[[], None],
    mailbox: Callable[[], list[EmailMessage]], email: str,
) -> None:  # fmt: skip
    response = ada_client.post(f"{HERE}/transfer", data={"email": email})
    assert response.location == HERE
    page = words_of(ada_client.get(HERE).text)
    assert f"We've sent a transfer request to {email}." in page
    assert f"Transfer to {email} pending until" in page
    assert "Transfer card" not in page
    run_worker()
    [mail] = mailbox()
    body = mail.get_body(("plain",))
    assert body is not None
    assert mail["To"] == email
    assert "Ada Obi wants to transfer an NFC card to you" in body.get_content()
    assert re.search(r"http://localhost/offers/\d+\s", body.get_content())
    for secret in ("ada@example.com", "Everyday", "https://example.com/"):
        assert secret not in body.get_content()


@pytest.mark.parametrize("email", ["", "no address", "ada@example.com", "x@y"])
def test_an_invalid_address_is_refused_and_kept_in_the_form(
    ada_client: FormClient, card: Card, outbox: Callable[[], list[str]], email: str
) -> None:
    response = ada_client.post(f"{HERE}/transfer", data={"email": email})
    assert response.status_code == 422
    assert f'value="{email}"' in response.text
    assert outbox() == []


def test_offers_are_limited_by_sender(ada_client: FormClient, card: Card) -> None:
    statuses = []
    for place in range(11):
        statuses.append(ada_client.post(f"{HERE}/transfer", data={"email": f"person{place}@example.com"}).status_code)
        ada_client.post(f"{HERE}/transfer/withdraw")
    assert statuses == [302] * 10 + [429]


def test_offers_are_limited_by_recipient(
    create_card: Callable[..., Card], create_user: Callable[..., User], new_client: Callable[[], FormClient]
) -> None:
    statuses = []
    for place in range(3):
        sender = create_user(f"sender{place}@example.com")
        browser = new_client()
        login(browser, sender)
        for _time in range(4):
            card = create_card(sender)
            response = browser.post(f"/cards/{card.token}/transfer", data={"email": "Cleo@example.com"})
            statuses.append(response.status_code)
    assert statuses == [302] * 10 + [429] * 2


def test_an_offered_card_keeps_working_and_the_offer_can_be_withdrawn(
    ada_client: FormClient, cleo_client: FormClient, offer: CardTransfer, new_client: Callable[[], FormClient]
) -> None:
    assert new_client().get("/t/ADASCARD").location == "https://example.com/"
    assert ada_client.post(f"{HERE}/transfer/withdraw").location == HERE
    assert "Transfer card" in words_of(ada_client.get(HERE).text)
    assert cleo_client.get(f"/offers/{offer.id}").status_code == 404
    assert ada_client.post(f"{HERE}/transfer/withdraw").status_code == 409


# --- responding -------------------------------------------------------------------------------------------------------


def test_an_offer_is_shown_on_the_dashboard_and_accepted(
    ada_client: FormClient, cleo_client: FormClient, offer: CardTransfer, card: Card, cleo: User,
    run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]],
) -> None:  # fmt: skip
    here = f"/offers/{offer.id}"
    assert f'href="{here}"' in cleo_client.get("/dashboard").text
    page = cleo_client.get(here).text
    assert "Ada Obi wants to transfer card ADASCARD to you" in words_of(page)
    for secret in ("ada@example.com", "Everyday", "https://example.com/"):
        assert secret not in page
    for _time in range(2):  # submitted twice
        assert cleo_client.post(f"{here}/accept").location == HERE
    assert card.owner_id == cleo.id
    assert 'value="Everyday"' not in cleo_client.get(HERE).text
    assert ada_client.get(HERE).status_code == 404
    assert here not in cleo_client.get("/dashboard").text
    run_worker()
    assert [(mail["To"], mail["Subject"]) for mail in mailbox()] == [
        ("ada@example.com", "The transfer of your card ADASCARD was accepted")
    ], "the email about the offer is no longer sent"


def test_declining_an_offer_emails_the_sender(
    ada_client: FormClient, cleo_client: FormClient, offer: CardTransfer, run_worker: Callable[[], None],
    mailbox: Callable[[], list[EmailMessage]],
) -> None:  # fmt: skip
    assert cleo_client.post(f"/offers/{offer.id}/decline").location == "/dashboard"
    assert ada_client.get(HERE).status_code == 200
    run_worker()
    assert [mail["Subject"] for mail in mailbox()] == ["The transfer of your card ADASCARD was declined"]


def test_an_offer_is_visible_only_to_its_recipient(
    ada_client: FormClient, offer: CardTransfer, new_client: Callable[[], FormClient], ben: User, card: Card, ada: User
) -> None:
    ben_client = new_client()
    login(ben_client, ben)
    for browser in (ada_client, ben_client):
        assert browser.get(f"/offers/{offer.id}").status_code == 404
        assert browser.post(f"/offers/{offer.id}/accept").status_code == 404
        assert browser.post(f"/offers/{offer.id}/decline").status_code == 404
        assert "transfer a card to you" not in browser.get("/dashboard").text
    assert card.owner_id == ada.id


def test_signing_up_returns_to_the_offer_and_requires_verification(
    app: Flask, card: Card, ada: User, new_client: Callable[[], FormClient], run_worker: Callable[[], None],
    mailbox: Callable[[], list[EmailMessage]],
) -> None:  # fmt: skip
    transfer = transfers.offer(card, ada, "noa@example.com", utcnow())
    db.session.commit()
    here, browser = f"/offers/{transfer.id}", new_client()
    to_log_in = browser.get(here)
    assert to_log_in.location == f"/log-in?next={here}"
    assert f"next={here}" in browser.get(to_log_in.location).text
    person = {"first_name": "Noa", "last_name": "Weil", "email": "noa@example.com", "password": PASSWORD, "terms": "y"}
    assert browser.post(f"/sign-up?next={here}", data=person).location == here
    page = browser.get(here).text
    assert "Confirm your email first" in page
    assert "Ada" not in page
    assert "ADASCARD" not in page
    assert browser.post(f"{here}/accept").status_code == 404
    assert here not in browser.get("/dashboard").text
    run_worker()
    [verify] = [mail for mail in mailbox() if "Confirm" in mail["Subject"]]
    body = verify.get_body(("plain",))
    assert body is not None
    browser.post(re.search(r"http://localhost(/verify/\S+)", body.get_content())[1])  # type: ignore[index]
    assert browser.post(f"{here}/accept").location == HERE


# --- replacing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def blank_card(create_card: Callable[..., Card], ada: User) -> Card:
    """Return a card of Ada's without a target."""
    return create_card(ada, token="BLANK222")


def test_a_card_is_replaced_by_an_own_card(
    ada_client: FormClient, new_client: Callable[[], FormClient], card: Card, blank_card: Card
) -> None:
    ada_client.post(f"{HERE}/lock")
    assert 'value="BLANK222"' in ada_client.get(f"{HERE}/replace").text
    assert ada_client.post(f"{HERE}/replace", data={"replacement": "BLANK222"}).location == "/cards/BLANK222"
    assert new_client().get("/t/BLANK222").location == "https://example.com/"
    assert new_client().get("/t/ADASCARD").status_code == 410
    assert ada_client.get(HERE).status_code == 404
    assert "ADASCARD" not in ada_client.get("/dashboard").text


def test_a_card_is_replaced_by_an_unclaimed_card(
    ada_client: FormClient, card: Card, create_card: Callable[..., Card], ada: User
) -> None:
    new = create_card(token="WAITING2", code="CARD2345")
    fields = {"replacement": "another", "token": " waiting2 ", "code": "card-2345"}
    assert ada_client.post(f"{HERE}/replace", data=fields).location == "/cards/WAITING2"
    assert (new.owner_id, new.alias, card.replaced_by_id) == (ada.id, "Everyday", new.id)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"replacement": "another", "token": "NOSUCH22"}, "We couldn't find a card with that token."),
        ({"replacement": "another", "token": ""}, "We couldn't find a card with that token."),
        ({"replacement": "another", "token": "ADASCARD"}, "A card can't replace itself."),
        ({"replacement": "another", "token": "CLEOCARD"}, "This card has already been claimed."),
        ({"replacement": "another", "token": "INUSE222"}, "That card is already in use."),
        ({"replacement": "another", "token": "WAITING2", "code": "WRONG234"}, "That code isn't valid"),
        ({"replacement": "CLEOCARD"}, "Not a valid choice"),
        ({}, "Choose the new card."),
    ],
)
def test_an_invalid_replacement_is_refused(
    ada_client: FormClient, card: Card, create_card: Callable[..., Card], ada: User, cleo: User, blank_card: Card,
    fields: dict[str, str], message: str,
) -> None:  # fmt: skip
    create_card(cleo, token="CLEOCARD")
    create_card(ada, token="INUSE222", url="https://example.com/other")
    create_card(token="WAITING2", code="CARD2345")
    response = ada_client.post(f"{HERE}/replace", data=fields)
    assert response.status_code == 422
    assert message in words_of(response.text)
    assert card.status is CardStatus.ACTIVE


def test_code_attempts_when_replacing_are_limited(
    ada_client: FormClient, card: Card, create_card: Callable[..., Card]
) -> None:
    create_card(token="WAITING2", code="CARD2345")
    fields = {"replacement": "another", "token": "WAITING2", "code": "WRONG234"}
    statuses = [ada_client.post(f"{HERE}/replace", data=fields).status_code for _time in range(11)]
    assert statuses == [422] * 10 + [429]


# --- history ----------------------------------------------------------------------------------------------------------


def test_the_history_includes_replaced_cards(ada_client: FormClient, card: Card, blank_card: Card) -> None:
    ada_client.post(f"{HERE}/lock")
    ada_client.post(f"{HERE}/replace", data={"replacement": "BLANK222"})
    story = history_of(ada_client, "BLANK222")
    assert story.startswith("Replaced card ADASCARD.")
    assert "You marked this card as lost." in story
    assert "previous card ADASCARD" in story
    assert story.count("Replaced card") == 1


def test_a_new_holder_does_not_see_the_earlier_history(
    ada_client: FormClient, cleo_client: FormClient, offer: CardTransfer, ada: User
) -> None:
    ada_client.post(f"{HERE}/transfer/withdraw")
    ada_client.post(f"{HERE}/lock")
    ada_client.post(f"{HERE}/unlock")
    ada_client.post(f"{HERE}/transfer", data={"email": "cleo@example.com"})
    again = transfers.open_offer_of(offer.card, utcnow())
    assert again is not None
    cleo_client.post(f"/offers/{again.id}/accept")
    story = history_of(cleo_client)
    assert story.startswith("You accepted this card from its previous owner.")
    assert "lost" not in story
    assert "claimed" not in story
    assert "Ada" not in cleo_client.get(HERE).text


@pytest.mark.parametrize(
    ("who", "move", "why", "sentence"),
    [
        ("ada", CardMove.LOCK, "lost", "You marked this card as lost."),
        ("ben", CardMove.LOCK, "leads to a trap", "The shop deactivated this card."),
        ("ada", CardMove.LOCK, "closed", "Deactivated when you closed your account."),
        (None, CardMove.LOCK, "closed", "Deactivated when you closed your account."),
        (None, CardMove.LOCK, "abuse", "Card deactivated."),
        ("cleo", CardMove.LOCK, "lost", "Card deactivated."),
        ("ada", CardMove.UNLOCK, "", "You reactivated this card."),
        ("ben", CardMove.UNLOCK, "", "The shop reactivated this card."),
        ("cleo", CardMove.UNLOCK, "", "Card reactivated."),
        ("ada", CardMove.CLAIM, "", "You claimed this card."),
        ("ben", CardMove.CLAIM, "", "The shop registered this card to you."),
        (None, CardMove.CLAIM, "", "Card claimed."),
        ("ben", CardMove.MAKE, "", "The shop created this card."),
        (None, CardMove.MAKE, "imported", "Card created."),
        ("cleo", CardMove.TRANSFER, "", "Card transferred."),
        ("cleo", CardMove.RELEASE, "", "Card released."),
        (None, CardMove.RETIRE, "worn out", "Card retired."),
        ("ada", CardMove.REPLACE, "OLDCARD2", "Replaced card OLDCARD2."),
    ],
)
def test_every_event_is_described_without_naming_a_person(
    ada_client: FormClient,
    card: Card,
    request: pytest.FixtureRequest,
    who: str | None,
    move: CardMove,
    why: str,
    sentence: str,
) -> None:
    actor: Any = request.getfixturevalue(who) if who else None
    db.session.add(CardEvent(card=card, move=move, to_status=CardStatus.ACTIVE, actor=actor, why=why))
    db.session.commit()
    story = history_of(ada_client)
    assert story.startswith(sentence)
    for secret in ("Marsh", "Nemo", "trap", "@"):
        assert secret not in story


def test_a_suspended_card_cannot_be_transferred_replaced_or_released(
    ada_client: FormClient, card: Card, ben: User
) -> None:
    transitions.lock(card, LockedBecause.ABUSE, ben)
    page = words_of(ada_client.get(HERE).text)
    for step in ("Replace card", "Transfer card", "Release card"):
        assert step not in page
    assert ada_client.post(f"{HERE}/transfer", data={"email": "cleo@example.com"}).status_code == 422
