"""Messages from the finder of a lost card to its holder."""

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Card, LockedBecause, OutboxMessage, Tap, User
from tapcard.services.cards import blocked_hosts, claims, transitions
from tests.conftest import FormClient, login
from tests.pages import words_of

HERE = "/t/ADASCARD/found"
MESSAGE = {"message": "It is at the bar.", "answer_to": "gus@example.net"}


@pytest.fixture
def lost_card(card: Card, ada: User) -> Card:
    """Return a card of Ada's that is marked as lost."""
    transitions.lock(card, LockedBecause.LOST, ada)
    db.session.commit()
    return card


def plain_text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_message_is_emailed_to_the_holder_without_revealing_them(
    client: FormClient, lost_card: Card, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    response = client.post(HERE, data=MESSAGE)
    assert response.location == f"{HERE}?sent=1"
    page = client.get(response.location)
    assert "Thank you" in page.text
    for secret in ("Ada", "Obi", "ada@example.com", "Everyday", "example.com/"):
        assert secret not in page.text
        assert secret not in client.get(HERE).text.replace("ada@example.com or", "")
    run_worker()
    [mail] = mailbox()
    assert mail["To"] == "ada@example.com"
    assert "> It is at the bar." in plain_text(mail)
    assert "gus@example.net" in plain_text(mail)
    assert "http://localhost/cards/ADASCARD" in plain_text(mail)
    assert mail["Reply-To"] is None, "a reply would reveal the address of the holder"
    assert db.session.scalars(sa.select(OutboxMessage.payload)).all() == [{}], "the payload is deleted"


@pytest.mark.parametrize("because", [LockedBecause.ABUSE, LockedBecause.CLOSED, "blocked", None])
def test_only_a_lost_card_has_the_form(
    client: FormClient, card: Card, ada: User, outbox: Callable[[], list[str]], because: Any
) -> None:
    if because == "blocked":
        transitions.lock(card, LockedBecause.LOST, ada)
        blocked_hosts.block_host("example.com", None)
    elif because is not None:
        transitions.lock(card, because, ada)
    db.session.commit()
    assert HERE not in client.get("/t/ADASCARD").text
    assert client.get(HERE).location == "/activate/ADASCARD"
    assert client.post(HERE, data=MESSAGE).location == "/activate/ADASCARD"
    assert outbox() == []


@pytest.mark.parametrize("token", ["NOSUCH22", "WAITING2", "found"])
def test_other_cards_have_no_form(client: FormClient, create_card: Callable[..., Card], token: str) -> None:
    create_card(token="WAITING2", code="CARD2345")
    status = 302 if token == "WAITING2" else 404
    assert client.get(f"/t/{token}/found").status_code == status
    assert client.post(f"/t/{token}/found", data=MESSAGE).status_code == status
    assert client.get("/t/found").status_code == 404, "an unknown token"


def test_a_tap_sets_no_cookie_and_opening_the_form_is_not_a_tap(
    client: FormClient, lost_card: Card, run_worker: Callable[[], None]
) -> None:
    page = client.get("/t/ADASCARD")
    assert f'href="{HERE}"' in page.text
    assert "Set-Cookie" not in page.headers
    run_worker()
    before = db.session.scalar(sa.select(sa.func.count()).select_from(Tap))
    assert client.get(HERE).headers["Cache-Control"] == "no-store"
    run_worker()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Tap)) == before == 1


def test_a_bot_gets_the_same_response_and_no_email_is_sent(
    client: FormClient, lost_card: Card, outbox: Callable[[], list[str]]
) -> None:
    assert client.post(HERE, data={**MESSAGE, "website": "https://spam.example"}).location == f"{HERE}?sent=1"
    assert outbox() == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"message": ""}, "Tell the owner where the card is"),
        ({"message": "x" * 501}, "Enter 500 characters or fewer."),
        ({"answer_to": "somewhere"}, "Enter an email address, such as"),
        ({"answer_to": "gus@example.net\r\nBcc: all@example.com"}, "aren't allowed here"),
        ({"answer_to": "gus@exa mple"}, "Enter an email address, such as"),
    ],
)
def test_invalid_input_is_refused_with_a_message(
    client: FormClient, lost_card: Card, outbox: Callable[[], list[str]], values: dict[str, str], message: str
) -> None:
    response = client.post(HERE, data={**MESSAGE, **values})
    assert response.status_code == 422
    assert message in words_of(response.text)
    assert outbox() == []


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", "They didn't leave any contact details."),
        ("020 7946 0000", "+442079460000"),
        ("Gus@Example.net", "gus@example.net"),
    ],
)
def test_contact_details_of_the_finder_are_optional(
    client: FormClient, lost_card: Card, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]],
    text: str, written: str,
) -> None:  # fmt: skip
    client.post(HERE, data={"message": "x" * 500, "answer_to": text})
    run_worker()
    assert written in plain_text(mailbox()[0])


def test_a_message_cannot_inject_headers_or_markup(
    client: FormClient, lost_card: Card, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    client.post(HERE, data={"message": "<b>Hi</b>\r\nSubject: x\r\n\r\nBcc: all@example.com", "answer_to": ""})
    run_worker()
    [mail] = mailbox()
    assert mail["Bcc"] is None
    assert mail["Subject"] == "Someone found your card Everyday"
    assert "> Bcc: all@example.com" in plain_text(mail)
    html = mail.get_body(("html",))
    assert html is not None
    assert "<b>Hi" not in str(html.get_content())


def test_messages_are_limited_by_card(
    new_client: Callable[[], FormClient], lost_card: Card, outbox: Callable[[], list[str]]
) -> None:
    statuses = [
        new_client().post(HERE, data=MESSAGE, environ_overrides={"REMOTE_ADDR": f"10.0.0.{place}"}).status_code
        for place in range(6)
    ]
    assert statuses == [302] * 5 + [429]
    assert outbox() == ["mail.card_found"] * 5


def test_messages_are_limited_by_ip_address(client: FormClient, create_card: Callable[..., Card], ada: User) -> None:
    statuses = []
    for _place in range(4):
        card = create_card(ada)
        transitions.lock(card, LockedBecause.LOST, ada)
        statuses += [client.post(f"/t/{card.token}/found", data=MESSAGE).status_code for _time in range(3)]
    assert statuses == [302] * 10 + [429] * 2


def test_a_queued_message_is_not_sent_to_the_next_holder(
    client: FormClient, lost_card: Card, ada: User, cleo: User, keys: Keys, app: Flask,
    run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]],
) -> None:  # fmt: skip
    client.post(HERE, data=MESSAGE)
    transitions.unlock(lost_card, ada)
    claims.claim(lost_card, cleo, keys, code=claims.release(lost_card, ada, keys))
    run_worker()
    assert mailbox() == []


def test_the_card_page_says_that_finders_can_write(client: FormClient, lost_card: Card, ada: User) -> None:
    login(client, ada)
    assert "Anyone who finds it can tap it to send you a message" in words_of(client.get("/cards/ADASCARD").text)
