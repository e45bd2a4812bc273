"""Account emails: recipients, links, form, and sending with and without a server."""

import email
import email.policy
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tapcard import mail, seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.mails import accounts as accounts_mails
from tapcard.models import Card, CardTransfer, LinkPurpose, LinkToken, OutboxMessage, TransferOutcome, User

LINK = re.compile(r"(http://localhost/\S*?)([\w-]{43})")
NOW = utcnow()


def parse(message: Any) -> EmailMessage:
    return email.message_from_bytes(message.as_bytes(), policy=email.policy.default)  # type: ignore[return-value]


def body_of(message: Any, kind: str) -> str:
    body = parse(message).get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def create_email(user: User) -> Any:
    """Create an email with its link stored and no open transaction."""
    message = accounts_mails.verify_email(user.id)
    assert message is not None
    db.session.commit()
    return message


def create_link(user: User, purpose: LinkPurpose, address: str) -> int:
    link, _token = LinkToken.issue(user, purpose, address, NOW)
    db.session.add(link)
    db.session.commit()
    return link.id


def payload_for(kind: str, user: User) -> dict[str, Any]:
    if kind == "mail.set_password":
        return {"email": user.email}
    if kind == "mail.email_change":
        return {"link_id": create_link(user, LinkPurpose.CHANGE_EMAIL, "lovelace@example.com")}
    if kind == "mail.email_changed":
        return {"link_id": create_link(user, LinkPurpose.UNDO_EMAIL, "former@example.com")}
    if kind == "mail.lead_received":
        lead = seeds.create_lead(seeds.create_profile(user))
        db.session.commit()
        return {"lead_id": lead.id}
    if kind == "mail.card_found":
        card = create_committed_card(user)
        return {"card_id": card.id, "owner_id": user.id, "message": "It is here.", "answer_to": "gus@example.com"}
    if kind in ("mail.card_offered", "mail.offer_answered"):
        ended = {"ended_at": NOW, "outcome": TransferOutcome.ACCEPTED} if kind == "mail.offer_answered" else {}
        transfer = CardTransfer(
            card=create_committed_card(user),
            from_user=user,
            to_email="noa@example.com",
            expires_at=NOW + timedelta(days=7),
            **ended,
        )
        db.session.add(transfer)
        db.session.commit()
        return {"transfer_id": transfer.id}
    if kind == "mail.enquiry":
        enquiry = seeds.create_enquiry()
        db.session.commit()
        return {"enquiry_id": enquiry.id, "to": "olu@example.com"}
    return {"user_id": user.id}


def create_committed_card(user: User) -> Card:
    card = seeds.create_card(user)
    db.session.commit()
    return card


@pytest.fixture
def dora(create_user: Callable[..., User]) -> User:
    """Return a user with an unverified address."""
    return create_user("dora@example.com", first_name="Dora", verified=False)


EXPECTED = {
    "mail.verify_email": ("dora@example.com", "/verify/", LinkPurpose.VERIFY_EMAIL, timedelta(days=7)),
    "mail.set_password": ("dora@example.com", "/set-password/", LinkPurpose.SET_PASSWORD, timedelta(hours=1)),
    "mail.email_change": (
        "lovelace@example.com", "/account/email/confirm/", LinkPurpose.CHANGE_EMAIL, timedelta(days=1)),
    "mail.email_changed": ("former@example.com", "/account/email/undo/", LinkPurpose.UNDO_EMAIL, timedelta(days=7)),
}  # fmt: skip


SUBJECTS = {
    "mail.verify_email": "Confirm your email for tapcard",
    "mail.set_password": "Reset the password for your tapcard account",
    "mail.email_change": "Confirm your new email for tapcard",
    "mail.email_changed": "The email for your tapcard account was changed",
    "mail.password_changed": "The password for your tapcard account was changed",
    "mail.two_factor_on": "Two-factor authentication is on for your tapcard account",
    "mail.two_factor_off": "Two-factor authentication is off for your tapcard account",
    "mail.recovery_code_used": "A recovery code was used to log in to your tapcard account",
    "mail.card_found": "Someone found your card ",
    "mail.card_offered": "Someone wants to transfer a card to you",
    "mail.offer_answered": "The transfer of your card ",
}


# notices without a secret link
NOTICES = ("mail.password_changed", "mail.two_factor_on", "mail.two_factor_off", "mail.recovery_code_used",
        "mail.card_found", "mail.card_offered", "mail.offer_answered")  # fmt: skip

# emails of orders, the weekly digest, the newsletter and artwork are tested elsewhere
OTHER_KINDS = ("mail.order_", "mail.payment_", "mail.weekly", "mail.newsletter_", "mail.artwork_")


def account_kinds() -> list[str]:
    return [kind for kind in mail.KINDS if not kind.startswith(OTHER_KINDS)]


@pytest.mark.usefixtures("app")  # registers the email kinds
def test_every_email_kind_is_tested() -> None:
    assert set(account_kinds()) == {*EXPECTED, *NOTICES, "mail.lead_received", "mail.account_closed", "mail.enquiry"}


@pytest.mark.parametrize("kind", EXPECTED)
def test_an_email_contains_a_link_and_only_its_hash_is_stored(dora: User, kind: str) -> None:
    to, path, purpose, lifetime = EXPECTED[kind]
    message = mail.KINDS[kind](**payload_for(kind, dora))
    db.session.commit()
    assert message is not None
    assert parse(message)["To"] == to
    address, token = LINK.findall(body_of(message, "plain"))[0]
    assert address == f"http://localhost{path}"
    row = db.session.scalars(select(LinkToken).where(LinkToken.token_hash == LinkToken.hash_of(token))).one()
    assert (row.user_id, row.purpose, row.email) == (dora.id, purpose, to)
    assert row.expires_at - row.created_at == lifetime
    assert token in body_of(message, "html")


@pytest.mark.parametrize("kind", [*EXPECTED, *NOTICES])
def test_an_email_has_all_headers_and_both_parts(dora: User, kind: str) -> None:
    message = mail.KINDS[kind](**payload_for(kind, dora))
    assert message is not None
    headers = parse(message)
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"]
    assert headers["Message-ID"].endswith("@example.com>")
    assert headers["From"] == "tapcard <no-reply@example.com>"
    assert headers["Subject"].startswith(SUBJECTS[kind])
    assert headers["Reply-To"] is None
    text, html = body_of(message, "plain"), body_of(message, "html")
    assert text.startswith("Hello")
    assert "<" not in text
    assert "&#" not in text
    assert "#0091ca" in html
    assert "max-width:600px" in html
    assert "<script" not in html
    assert "<img" not in html


def test_replies_go_to_the_support_address(dora: User, set_setting: Callable[[str, Any], None]) -> None:
    set_setting("support_email", "help@example.com")
    set_setting("shop_name", "Cards & Co")
    message = accounts_mails.verify_email(dora.id)
    assert parse(message)["Reply-To"] == "help@example.com"
    assert parse(message)["Subject"] == "Confirm your email for Cards & Co"
    assert "Cards &amp; Co" in body_of(message, "html")
    assert "Cards & Co" in body_of(message, "plain")


@pytest.mark.parametrize("kind", [*EXPECTED, *NOTICES])
def test_a_deactivated_user_gets_no_email(dora: User, kind: str) -> None:
    payload = payload_for(kind, dora)
    dora.is_active = False
    db.session.commit()
    assert mail.KINDS[kind](**payload) is None


@pytest.mark.parametrize("kind", ["mail.email_change", "mail.email_changed"])
@pytest.mark.parametrize("end", ["used_at", "expires_at"])
def test_an_expired_link_is_not_sent(dora: User, kind: str, end: str) -> None:
    payload = payload_for(kind, dora)
    setattr(db.session.get_one(LinkToken, payload["link_id"]), end, NOW)
    db.session.commit()
    assert mail.KINDS[kind](**payload) is None


def test_a_verified_user_gets_no_verification_email(ada: User) -> None:
    assert accounts_mails.verify_email(ada.id) is None


@pytest.mark.usefixtures("app")
def test_no_email_is_created_for_unknown_ids() -> None:
    assert accounts_mails.verify_email(99) is None
    assert accounts_mails.password_changed(99) is None
    assert accounts_mails.set_password("nobody@example.com") is None
    assert accounts_mails.email_change(99) is None
    assert accounts_mails.email_changed(99) is None


def test_an_address_with_an_account_gets_no_email_about_a_change_request(ada: User, cleo: User) -> None:
    assert accounts_mails.email_change(create_link(ada, LinkPurpose.CHANGE_EMAIL, cleo.email)) is None


def test_an_account_without_a_password_is_asked_to_choose_one(create_user: Callable[..., User]) -> None:
    create_user("gus@example.com", first_name="", password=None)
    message = accounts_mails.set_password("gus@example.com")
    assert "doesn't have a password yet" in body_of(message, "plain")
    assert body_of(message, "plain").startswith("Hello,\n")


@pytest.mark.parametrize(
    "name", ["Dora\r\nBcc: eve@example.com", "Dora\x00", "<b>Dora</b>", "{{ 7 * 1234567 }}", "Zoë 🎉"]
)
def test_names_cannot_inject_headers_or_markup(dora: User, set_setting: Callable[[str, Any], None], name: str) -> None:
    dora.first_name = name.replace("\x00", "")
    set_setting("shop_name", name.replace("\x00", ""))
    db.session.commit()
    message = accounts_mails.verify_email(dora.id)
    headers = parse(message)
    assert set(headers.keys()) == {
        "MIME-Version", "Content-Type", "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted",
        "X-Auto-Response-Suppress",
    }  # fmt: skip
    assert "8641969" not in headers["Subject"]
    assert "<b>" not in body_of(message, "html")


def test_an_international_domain_is_encoded_as_ascii(create_user: Callable[..., User]) -> None:
    create_user("gus@stra\u00dfe.example.com")
    assert parse(accounts_mails.set_password("gus@stra\u00dfe.example.com"))["To"] == "gus@xn--strae-oqa.example.com"


def test_links_use_only_the_configured_site_url(other_app: Callable[..., Flask], dora: User) -> None:
    other, user_id = other_app(site_url="https://cards.example.com/shop"), dora.id
    db.session.commit()
    with other.test_request_context(base_url="https://evil.example/"):
        assert mail.link_to("auth.forgot_password") == "https://cards.example.com/shop/forgot-password"
        text = body_of(accounts_mails.verify_email(user_id), "plain")
    assert "https://cards.example.com/shop/verify/" in text
    assert "evil" not in text


# --- sending ----------------------------------------------------------------------------------------------------------


def test_without_a_server_emails_are_written_to_files_in_order(app: Flask, dora: User) -> None:
    folder = Path(app.instance_path) / "mail"
    for _time in range(3):
        mail.send(create_email(dora))
    paths = sorted(folder.iterdir())
    assert [path.suffix for path in paths] == [".eml"] * 3
    written = [path.stat().st_mtime_ns for path in paths]
    assert written == sorted(written)
    assert {path.stat().st_mode & 0o077 for path in paths} == {0}


def test_production_without_a_server_raises_an_error(other_app: Callable[..., Flask], dora: User) -> None:
    other, message = other_app(environment="production"), create_email(dora)
    with other.app_context():
        with pytest.raises(mail.MailNotConfigured):
            mail.send(message)
    assert not (Path(other.instance_path) / "mail").exists()


class FakeServer:
    """A mail server that records the calls it gets."""

    def __init__(self, host: str, port: int, **options: Any) -> None:
        self.said: list[Any] = [("connect", host, port, options)]
        SERVERS.append(self)

    def starttls(self, **options: Any) -> None:
        self.said.append(("starttls", options))

    def login(self, name: str, password: str) -> None:
        self.said.append(("login", name, password))

    def sendmail(self, sender: str, to: list[str], body: bytes, *_options: Any) -> None:
        self.said.append(("send", sender, to, body))

    def set_debuglevel(self, level: int) -> None:
        pass

    def quit(self) -> None:
        raise smtplib.SMTPServerDisconnected("gone already")


SERVERS: list[FakeServer] = []


@pytest.fixture
def fake_servers(monkeypatch: pytest.MonkeyPatch) -> list[FakeServer]:
    """Replace the mail server by a fake one; return its connections."""
    SERVERS.clear()
    monkeypatch.setattr(smtplib, "SMTP", FakeServer)
    monkeypatch.setattr(smtplib, "SMTP_SSL", FakeServer)
    return SERVERS


def app_with_server(other_app: Callable[..., Flask], **options: Any) -> Flask:
    settings = {"MAIL_SERVER": "mail.example.com", "MAIL_PORT": 587, "MAIL_DEFAULT_SENDER": "Cards <c@example.com>"}
    other = other_app(mail={**settings, **options})
    other.extensions["mail"].suppress = False  # otherwise the library sends nothing in tests
    return other


def test_emails_are_sent_through_the_configured_server(
    other_app: Callable[..., Flask], dora: User, fake_servers: list[FakeServer]
) -> None:
    other = app_with_server(other_app, MAIL_USERNAME="cards", MAIL_PASSWORD="secret", MAIL_USE_TLS=True)
    message = create_email(dora)
    with other.app_context():
        mail.send(message)
    (server,) = fake_servers
    (_connect, host, port, options), (_starttls, tls), log_in, (_send, sender, to, body) = server.said
    assert (host, port) == ("mail.example.com", 587)
    assert options["timeout"] == mail.SMTP_TIMEOUT_SECONDS
    assert tls["context"].verify_mode is ssl.CERT_REQUIRED
    assert log_in == ("login", "cards", "secret")
    assert (sender, to) == ("no-reply@example.com", ["dora@example.com"])
    assert b"/verify/" in body


def test_the_certificate_is_verified_with_implicit_tls(
    other_app: Callable[..., Flask], dora: User, fake_servers: list[FakeServer]
) -> None:
    message = create_email(dora)
    with app_with_server(other_app, MAIL_USE_SSL=True).app_context():
        mail.send(message)
    (_connect, _host, _port, options) = fake_servers[0].said[0]
    assert options["context"].verify_mode is ssl.CERT_REQUIRED
    assert options["context"].check_hostname


def test_an_error_of_the_server_is_raised(
    other_app: Callable[..., Flask], dora: User, fake_servers: list[FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any) -> None:
        raise smtplib.SMTPRecipientsRefused({})

    monkeypatch.setattr(FakeServer, "sendmail", refuse)
    message = create_email(dora)
    with app_with_server(other_app).app_context():
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            mail.send(message)


def test_the_link_of_the_last_email_sent_is_the_valid_one(
    ada: User, mailbox: Callable[[], list[EmailMessage]], app: Flask
) -> None:
    link_id = create_link(ada, LinkPurpose.CHANGE_EMAIL, "lovelace@example.com")
    tokens = []
    for _time in range(2):
        message = accounts_mails.email_change(link_id)
        db.session.commit()
        tokens.append(LINK.findall(body_of(message, "plain"))[0][1])
    stored = db.session.scalars(select(LinkToken.token_hash)).one()
    assert stored == LinkToken.hash_of(tokens[1])


def test_outbox_payloads_contain_no_secrets(app: Flask, ada: User, run_worker: Callable[[], None]) -> None:
    for kind in account_kinds():
        db.session.add(OutboxMessage(kind=kind, payload=payload_for(kind, ada), due_at=NOW))
    db.session.commit()
    hashes = set(db.session.scalars(select(LinkToken.token_hash)))
    payloads = str(db.session.scalars(select(OutboxMessage.payload)).all())
    assert not any(token_hash in payloads for token_hash in hashes)
    assert not re.search(r"[\w-]{43}", payloads)
    run_worker()
    assert all(message.done_at for message in db.session.scalars(select(OutboxMessage)))
