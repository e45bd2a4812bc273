"""Mails: prepared from the outbox's promises, and sent; in development they become files instead.

The worker does, for a promise whose kind is in `PREPARE`:

1. `message = PREPARE[kind](**payload)`: looks up what the mail says; the rows of its links are changed here.
2. `db.session.commit()`: from now on the link in the message works. The other way round, a crash could leave a mail
   whose link was never stored.
3. `if message is not None: mail.send(message)`, with no transaction open. None means there is nobody to write to any
   more; the promise is kept all the same.
4. mark the promise done and commit. After a crash between 3 and 4 the mail goes out once more, which is better than not
   at all; of two mails with the same kind of link the later one works in any case.

A payload holds ids and addresses, never a token: the outbox table must not be a way into an account.
"""

import os
import secrets
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.utils import make_msgid, parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask_mail
from email_validator import EmailNotValidError, validate_email
from flask import Flask, current_app
from flask_babel import force_locale
from flask_mail import Message
from sqlalchemy import select

from . import settings
from .clock import utcnow
from .db import db
from .models import Card, CardTransfer, Enquiry, Lead, LinkPurpose, LinkToken, TransferOutcome, User

SMTP_SECONDS = 30


class MailNotConfigured(Exception):
    """There is no mail server to send by; promised mails wait in the outbox until there is one."""


class _Connection(flask_mail.Connection):
    """A connection that gives up after a while and checks the server's certificate; the library's own does neither."""

    def configure_host(self) -> smtplib.SMTP:
        server, port = self.mail.server, self.mail.port
        host: smtplib.SMTP
        if self.mail.use_ssl:
            host = smtplib.SMTP_SSL(server, port, timeout=SMTP_SECONDS, context=ssl.create_default_context())
        else:
            host = smtplib.SMTP(server, port, timeout=SMTP_SECONDS)
        if self.mail.use_tls:
            host.starttls(context=ssl.create_default_context())
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError, smtplib.SMTPException):  # whatever comes after the mail was taken does not unsend it
            if self.host is not None:
                self.host.quit()


def init_app(app: Flask) -> None:
    """Read the mail server's settings."""
    flask_mail.Mail().init_app(app)


# --- sending ----------------------------------------------------------------------------------------------------------


def send(message: Message) -> None:
    """Send a mail, or write it to a file where no server is configured; raises `MailNotConfigured` in production."""
    if current_app.config["MAIL_SERVER"]:
        with _Connection(current_app.extensions["mail"]) as connection:
            connection.send(message, envelope_from=parseaddr(str(message.sender))[1])
    elif current_app.config["TAPCARD"].is_production:
        raise MailNotConfigured("MAIL_SERVER is not set")
    else:
        write(message, Path(current_app.instance_path) / "mail", utcnow())


def write(message: Message, folder: Path, now: datetime) -> Path:
    """Write a mail to a file whose name sorts by time; whoever looks into the folder never sees half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
    unfinished = path.with_suffix(".part")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    unfinished.rename(path)
    return path


# --- writing ----------------------------------------------------------------------------------------------------------


def compose(name: str, to: str, *, reply_to: str | None = None, **values: Any) -> Message:
    """Write a mail from the folder `mail/<name>` of the templates to one address; answers go there, or to the shop."""
    shop = settings.load()
    values |= {"shop": shop, "site_url": current_app.config["SITE_URL"], "to": to}
    values["replies_go_elsewhere"] = reply_to is not None
    with force_locale(shop.locale):
        subject, text, html = (
            _render(f"mail/{name}/{part}", values) for part in ("subject.txt", "body.txt", "body.html")
        )
    sender = current_app.config["MAIL_DEFAULT_SENDER"]
    recipient = validate_email(to, check_deliverability=False).ascii_email or to
    message = Message(
        subject=" ".join(subject.split()),  # one line, whatever a name may carry
        recipients=[recipient],
        body=text.strip() + "\n",
        html=html.strip() + "\n",
        sender=sender,
        reply_to=reply_to or shop.support_email or None,
        extra_headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    message.msgId = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    return message


def link_to(endpoint: str, **values: Any) -> str:
    """The address of one of our pages as it stands in a mail: under `SITE_URL`, never under a request's host."""
    site = urlsplit(current_app.config["SITE_URL"])
    adapter = current_app.url_map.bind(site.netloc, script_name=site.path or "/", url_scheme=site.scheme)
    return adapter.build(endpoint, values, force_external=True)


def _render(name: str, values: dict[str, Any]) -> str:
    # without the context processors: they ask about a visitor, and here is none
    return current_app.jinja_env.get_template(name).render(**values)


# --- the mails of accounts --------------------------------------------------------------------------------------------


def verify_email(user_id: int) -> Message | None:
    """Ask somebody to confirm the address they signed up with."""
    user = _active(user_id)
    if user is None or user.is_verified:
        return None
    token = _issue(user, LinkPurpose.VERIFY_EMAIL)
    return compose("verify_email", user.email, user=user, link=link_to("auth.verify", token=token))


def set_password(email: str) -> Message | None:
    """Send a link to set a password, if there is an account; whoever asked is told the same in either case."""
    user = db.session.scalar(select(User).where(User.email == email))
    if user is None or not user.is_active:
        return None
    token = _issue(user, LinkPurpose.SET_PASSWORD)
    link = link_to("auth.set_password", token=token)
    name = "first_password" if user.password_hash is None else "set_password"
    return compose(name, user.email, user=user, link=link)


def password_changed(user_id: int) -> Message | None:
    """Tell somebody that their password is another one now."""
    user = _active(user_id)
    if user is None:
        return None
    return compose("password_changed", user.email, user=user, link=link_to("auth.forgot_password"))


def two_factor_on(user_id: int) -> Message | None:
    """Tell somebody that logging in asks for a code from now on."""
    return _about_account(user_id, "two_factor_on")


def two_factor_off(user_id: int) -> Message | None:
    """Tell somebody that their password is enough to log in from now on."""
    return _about_account(user_id, "two_factor_off")


def recovery_code_used(user_id: int) -> Message | None:
    """Tell somebody that a recovery code stood in for their app."""
    return _about_account(user_id, "recovery_code_used")


def _about_account(user_id: int, name: str) -> Message | None:
    user = _active(user_id)
    return None if user is None else compose(name, user.email, user=user, link=link_to("auth.forgot_password"))


def email_change(link_id: int) -> Message | None:
    """Ask a new address whether it belongs to the account; an address that has an account already hears nothing."""
    link = _open_link(link_id)
    if link is None or db.session.scalar(select(User.id).where(User.email == link.email)) is not None:
        return None
    token = link.renew()
    return compose("email_change", link.email, user=link.user, link=link_to("auth.confirm_email", token=token))


def email_changed(link_id: int) -> Message | None:
    """Tell the former address that it has been replaced, and how to undo that."""
    link = _open_link(link_id)
    if link is None:
        return None
    token = link.renew()
    return compose("email_changed", link.email, user=link.user, link=link_to("auth.undo_email", token=token))


def account_closed(user_id: int) -> Message | None:
    """Confirm that an account is closed, and tell how to come back and until when; the last mail it gets."""
    user = db.session.get(User, user_id)
    if user is None or not user.may_return(utcnow()):
        return None
    return compose("account_closed", user.email, user=user, until=user.returns_until, link=link_to("auth.log_in"))


# --- the mails of holders ---------------------------------------------------------------------------------------------


def lead_received(lead_id: int) -> Message | None:
    """Tell a holder who left their contact; answering the mail answers that person."""
    lead = db.session.get(Lead, lead_id)
    holder = _active(lead.owner_id) if lead is not None else None
    if lead is None or holder is None or not holder.is_verified or not holder.wants_lead_mail:
        return None
    link = link_to("tap.leads")
    return compose("lead_received", holder.email, reply_to=_mailable(lead.email), user=holder, lead=lead, link=link)


def _mailable(address: str | None) -> str | None:
    """An address as it can stand in a header; None when there is none that could."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email if address else None
    except EmailNotValidError:
        return None


def _active(user_id: int) -> User | None:
    user = db.session.get(User, user_id)
    return user if user is not None and user.is_active else None


def _issue(user: User, purpose: LinkPurpose) -> str:
    link, token = LinkToken.issue(user, purpose, user.email, utcnow())
    db.session.add(link)
    return token


def _open_link(link_id: int) -> LinkToken | None:
    """A link that was promised with the work itself, if nothing has ended it meanwhile."""
    link = db.session.get(LinkToken, link_id)
    if link is None or not link.is_open(utcnow()):
        return None
    is_alive = link.user.is_active or (link.purpose is LinkPurpose.UNDO_EMAIL and link.user.may_return(utcnow()))
    return link if is_alive else None


# --- the mails of cards -----------------------------------------------------------------------------------------------


def card_found(card_id: int, owner_id: int, message: str, answer_to: str) -> Message | None:
    """Pass on what a finder wrote, unless the card is another's by now; answers to it do not go by us."""
    card, owner = db.session.get(Card, card_id), _active(owner_id)
    if card is None or owner is None or card.owner_id != owner_id:
        return None
    link = link_to("tap.card", token=card.token)
    return compose("card_found", owner.email, user=owner, card=card, message=message, answer_to=answer_to, link=link)


def card_offered(transfer_id: int) -> Message | None:
    """Tell an address that a card is offered to it, as long as it is."""
    transfer = db.session.get(CardTransfer, transfer_id)
    sender = _active(transfer.from_user_id) if transfer is not None else None
    if transfer is None or sender is None or transfer.ended_at is not None or transfer.expires_at <= utcnow():
        return None
    if db.session.scalar(select(User.id).where(User.email == transfer.to_email, ~User.is_active)) is not None:
        return None
    link = link_to("tap.offer", offer_id=transfer.id)
    return compose("card_offered", transfer.to_email, sender=sender, link=link)


def offer_answered(transfer_id: int) -> Message | None:
    """Tell the former holder whether their card was taken."""
    transfer = db.session.get(CardTransfer, transfer_id)
    sender = _active(transfer.from_user_id) if transfer is not None else None
    if transfer is None or sender is None:
        return None
    is_accepted = transfer.outcome is TransferOutcome.ACCEPTED
    link = link_to("tap.dashboard")
    return compose("offer_answered", sender.email, user=sender, transfer=transfer, is_accepted=is_accepted, link=link)


# --- the mails of the shop --------------------------------------------------------------------------------------------


def enquiry(enquiry_id: int, to: str) -> Message | None:
    """Pass on to the shop what somebody wrote through its form; answering the mail answers that person."""
    found = db.session.get(Enquiry, enquiry_id)
    if found is None:
        return None
    link = link_to("backoffice.enquiry", enquiry_id=found.id) if _has_page("backoffice.enquiry") else ""
    return compose("enquiry", to, reply_to=_mailable(found.email), enquiry=found, link=link)


def _has_page(endpoint: str) -> bool:
    return endpoint in current_app.view_functions


PREPARE: dict[str, Callable[..., Message | None]] = {
    "mail.verify_email": verify_email,
    "mail.set_password": set_password,
    "mail.password_changed": password_changed,
    "mail.two_factor_on": two_factor_on,
    "mail.two_factor_off": two_factor_off,
    "mail.recovery_code_used": recovery_code_used,
    "mail.email_change": email_change,
    "mail.email_changed": email_changed,
    "mail.lead_received": lead_received,
    "mail.account_closed": account_closed,
    "mail.card_found": card_found,
    "mail.card_offered": card_offered,
    "mail.offer_answered": offer_answered,
    "mail.enquiry": enquiry,
}
