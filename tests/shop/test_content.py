"""Pages written by staff, the newsletter forms and the contact form, as visitors see them."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Enquiry, PageMenu, ShopPage, Subscriber, SubscriberStatus, ThrottleCounter, User
from tapcard.web import bot_protection
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of
from tests.statements import queries, statements

GUS = {"name": "Gus Lind", "email": "gus@example.com", "order_number": "", "message": "Do you ship to Lagos?"}


def footer_of(page: str) -> str:
    return page.partition("<footer")[2]


# --- pages ------------------------------------------------------------------------------------------------------------


def test_menus_list_pages_in_their_order(client: FormClient) -> None:
    seeds.create_page("faq", "FAQ", position=2)
    seeds.create_page("about", "About us", position=1)
    seeds.create_page("team", "Our team", menu=PageMenu.TOP)
    seeds.create_page("draft", "A draft", is_published=False)
    seeds.create_page("hidden", "In no menu", menu=PageMenu.NONE)
    page = client.get("/").text
    footer = re.findall(r'<a href="([^"]+)"', footer_of(page))
    assert footer == ["/contact", "/find-order", "/pages/about", "/pages/faq", "/terms", "/privacy"]
    assert '<a href="/pages/team"' in page.partition("<footer")[0]
    assert "A draft" not in page
    assert "In no menu" not in page
    shown = client.get("/pages/hidden")
    assert shown.status_code == 200
    assert "<h2>Who we are</h2>" in shown.text
    assert client.get("/pages/draft").status_code == client.get("/pages/none").status_code == 404


def test_a_page_replaces_the_built_in_page_until_it_is_unpublished(client: FormClient) -> None:
    page = seeds.create_page("terms", "Our terms", body="Only *these* count.", is_published=False)
    db.session.commit()
    assert "Only <em>these</em> count." not in client.get("/terms").text
    page.is_published = True
    db.session.commit()
    shown = client.get("/terms").text
    assert "Only <em>these</em> count." in shown
    assert footer_of(shown).count('href="/terms"') == 1
    moved = client.get("/pages/terms")
    assert (moved.status_code, moved.location) == (301, "/terms")


def test_menu_pages_add_no_statements(client: FormClient) -> None:
    def asked() -> int:
        client.get("/designs")
        db.session.commit()
        with statements(all_of_them=True) as found:
            client.get("/designs")
        return len(queries(found))

    without = asked()
    for number in range(20):
        seeds.create_page(f"page-{number}", menu=list(PageMenu)[number % 3])
    db.session.commit()
    assert asked() == without


def test_menus_and_the_footer_set_no_cookie(client: FormClient) -> None:
    answer = client.get("/designs")
    assert "Set-Cookie" not in answer.headers
    assert 'action="/newsletter/start"' in footer_of(answer.text)
    assert 'action="/newsletter/start"' not in client.get("/p/none").text.partition("<main")[0]


def test_page_titles_are_escaped(client: FormClient) -> None:
    evil = "<script>alert(1)</script>"
    seeds.create_page("evil", evil, description=f'"{evil}', menu=PageMenu.TOP)
    db.session.commit()
    assert "<script>alert" not in client.get("/pages/evil").text


# --- the newsletter ---------------------------------------------------------------------------------------------------


def subscribe(client: FormClient, email: str = "gus@example.com", **changes: Any) -> Any:
    form = form_to(client.get("/newsletter").text, "/newsletter")
    return client.post("/newsletter", data={**form.values, "email": email, **changes}, csrf=False)


def readers() -> list[Subscriber]:
    return list(db.session.scalars(sa.select(Subscriber).order_by(Subscriber.id)))


def path_in(mail: EmailMessage, word: str) -> str:
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    return re.search(rf"http://localhost(/newsletter/{word}/\S+)", text)[1]  # type: ignore[index]


def test_a_visitor_subscribes_from_the_footer_and_unsubscribes(
    client: FormClient, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    started = client.post("/newsletter/start", data={"email": " Gus@Example.com"}, csrf=False)
    form = form_to(started.text, "/newsletter")
    assert readers() == [], "the line at the foot of a page changes nothing"
    answer = client.post("/newsletter", data=form.values, csrf=False)
    assert (answer.status_code, answer.location) == (302, "/newsletter/sent")
    [gus] = readers()
    assert (gus.email, gus.status) == ("gus@example.com", SubscriberStatus.PENDING)
    assert gus.consent_text in words_of(started.text), "what is kept is what stood there"
    run_worker()
    [mail] = mailbox()
    confirm, leave = path_in(mail, "confirm"), path_in(mail, "leave")
    assert mail["List-Unsubscribe"] == f"<http://localhost{leave}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Confirm subscription" in client.get(confirm).text
    assert readers()[0].status is SubscriberStatus.PENDING, "a mail program that looks ahead confirms nothing"
    assert client.post(confirm).location == confirm
    assert "You're subscribed" in client.get(confirm).text
    assert readers()[0].status is SubscriberStatus.SUBSCRIBED
    client.get(leave)
    assert readers()[0].status is SubscriberStatus.SUBSCRIBED
    gone = client.post(leave, data={"List-Unsubscribe": "One-Click"}, csrf=False)
    assert gone.status_code == 200
    assert "You've been unsubscribed" in gone.text
    assert readers()[0].status is SubscriberStatus.UNSUBSCRIBED
    assert gone.headers["Cache-Control"] == "no-store"
    assert client.get(confirm).status_code == 410


def test_the_newsletter_form_does_not_reveal_subscribers(
    client: FormClient, new_client: Callable[[], FormClient]
) -> None:
    for email, status in zip("abc", SubscriberStatus, strict=True):
        seeds.create_subscriber(f"{email}@example.com", status=status)
    db.session.commit()
    answers = {
        (answer.status_code, answer.location, answer.text)
        for email in ("a", "b", "c", "nobody")
        if (answer := subscribe(new_client(), f"{email}@example.com"))
    }
    assert len(answers) == 1


def test_confirmation_emails_to_one_address_are_limited(new_client: Callable[[], FormClient]) -> None:
    answers = [subscribe(new_client()).status_code for _time in range(4)]
    assert answers == [302, 302, 302, 429]
    assert subscribe(new_client(), "other@example.com").status_code == 302


def test_sign_ups_of_one_visitor_are_limited(client: FormClient) -> None:
    answers = [subscribe(client, f"reader-{number}@example.com").status_code for number in range(21)]
    assert answers[-2:] == [302, 429]


def test_an_invalid_address_is_refused_and_bots_are_ignored(
    client: FormClient, set_setting: Callable[[str, Any], None]
) -> None:
    refused = subscribe(client, "gus at home")
    assert refused.status_code == 422
    assert "Enter a valid email address" in error_of(refused.text, "email")
    assert 'value="gus at home"' in refused.text
    assert subscribe(client, homepage="https://spam.example").location == "/newsletter/sent"
    old = form_to(client.get("/newsletter").text, "/newsletter").values
    set_setting("newsletter_consent", "I agree to anything.")
    outdated = client.post("/newsletter", data={**old, "email": "gus@example.com"}, csrf=False)
    assert outdated.status_code == 422, "nobody agrees to words that did not stand there"
    assert "I agree to anything." in outdated.text
    assert readers() == []


def test_a_logged_in_user_confirms_by_email_too(client: FormClient, ada: User, outbox: Callable[[], list[str]]) -> None:
    login(client, ada)
    form = form_to(client.get("/newsletter").text, "/newsletter")
    assert form.values["email"] == ada.email
    client.post("/newsletter", data=form.values, csrf=False)
    assert readers()[0].status is SubscriberStatus.PENDING
    assert outbox() == ["mail.newsletter_confirm"]


# --- contact form -----------------------------------------------------------------------------------------------------


def write(client: FormClient, waited: float = 30, **changes: Any) -> Any:
    form = form_to(client.get("/contact").text, "/contact")
    stamp = bot_protection.make_stamp("contact", utcnow() - timedelta(seconds=waited))
    return client.post("/contact", data={**form.values, **GUS, "stamp": stamp, **changes}, csrf=False)


def messages() -> list[Enquiry]:
    return list(db.session.scalars(sa.select(Enquiry).order_by(Enquiry.id)))


def test_a_message_is_stored_and_emailed_to_the_owner_with_a_reply_address(
    client: FormClient, olu: User, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    answer = write(client, order_number="tc-7f3k-92qx", message="One\r\nTwo <b>three</b>")
    assert (answer.status_code, answer.location) == (302, "/contact/sent")
    [kept] = messages()
    assert (kept.name, kept.email, kept.order_number) == ("Gus Lind", "gus@example.com", "TC-7F3K-92QX")
    assert (kept.message, kept.user_id, kept.answered_at) == ("One\nTwo <b>three</b>", None, None)
    run_worker()
    [mail] = mailbox()
    assert (mail["To"], mail["Reply-To"]) == (olu.email, "gus@example.com")
    assert mail["Subject"] == "Message from Gus Lind about order TC-7F3K-92QX"
    assert "Two <b>three</b>" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Two &lt;b&gt;three" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert f"/admin/enquiries/{kept.id}" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_messages_go_to_the_owner_address_or_else_the_support_address(
    client: FormClient,
    olu: User,
    set_setting: Callable[[str, Any], None],
    run_worker: Callable[[], None],
    mailbox: Callable[[], list[EmailMessage]],
) -> None:
    set_setting("support_email", "help@example.com")
    write(client)
    run_worker()
    set_setting("owner_email", "owner@example.com")
    write(client, message="Another")
    run_worker()
    assert [mail["To"] for mail in mailbox()] == ["help@example.com", "owner@example.com"]


def test_the_form_is_prefilled_for_a_logged_in_user(client: FormClient, ada: User) -> None:
    login(client, ada)
    form = form_to(client.get("/contact?order=TC-7F3K-92QX").text, "/contact")
    assert form.values["name"] == "Ada Obi"
    assert form.values["email"] == ada.email
    assert form.values["order_number"] == "TC-7F3K-92QX"
    write(client)
    assert messages()[0].user_id == ada.id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"email": "nobody"}, "email"),
        ({"message": ""}, "message"),
        ({"message": "x" * 2001}, "message"),
        ({"order_number": "x" * 21}, "order_number"),
    ],
)
def test_missing_or_too_long_values_show_errors_next_to_their_fields(
    client: FormClient, changes: dict[str, str], field: str
) -> None:
    answer = write(client, **changes)
    assert answer.status_code == 422
    assert error_of(answer.text, field)
    assert messages() == []


def test_bots_spam_and_repeated_messages_are_silently_ignored(client: FormClient) -> None:
    sent = [
        write(client, homepage="https://spam.example"),
        write(client, message='<a href="https://spam.example">Buy</a>'),
        write(client),
        write(client),
    ]
    assert {answer.location for answer in sent} == {"/contact/sent"}
    assert len(messages()) == 1
    for stamp, waited in (("made up", 0), (None, 0.5)):
        quick = write(client, waited, message="Other", **({"stamp": stamp} if stamp else {}))
        assert quick.status_code == 422
        assert "submitted too quickly" in words_of(quick.text)
    assert len(messages()) == 1


def test_a_visitor_can_send_ten_messages_an_hour(client: FormClient) -> None:
    answers = [write(client, message=f"Message {number}").status_code for number in range(11)]
    assert answers[-2:] == [302, 429]
    assert len(messages()) == 10
    assert "gus" not in "".join(db.session.scalars(sa.select(ThrottleCounter.subject)))


def test_a_chat_is_offered_if_the_shop_has_a_number(
    client: FormClient, set_setting: Callable[[str, Any], None]
) -> None:
    assert "wa.me" not in client.get("/contact").text
    set_setting("whatsapp_number", "not a number")
    assert "wa.me" not in client.get("/contact").text
    set_setting("whatsapp_number", "+447911123456")
    assert 'href="https://wa.me/447911123456?text=Hello%2C%20I%20have%20a%20question."' in client.get("/contact").text
    set_setting("whatsapp_text", 'Hi & "bye"\n?x=1')
    assert "wa.me/447911123456?text=Hi%20%26%20%22bye%22%0A%3Fx%3D1" in client.get("/contact").text


def test_messages_are_accepted_without_pages_or_an_owner(app: Flask, client: FormClient) -> None:
    assert write(client).status_code == 302
    assert len(messages()) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ShopPage)) == 0
