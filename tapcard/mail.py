"""Mails: prepared from the outbox's promises, and sent; in development they become files instead.

The worker does, for a promise whose kind is in `KINDS`:

1. `message = KINDS[kind](**payload)`: looks up what the mail says; the rows of its links are changed here.
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

from . import settings
from .clock import utcnow
from .db import db
from .models import User

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


def has_page(endpoint: str) -> bool:
    """Tell whether this installation has a page."""
    return endpoint in current_app.view_functions


def reply_address(address: str | None) -> str | None:
    """An address as it can stand in a header; None when there is none that could."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email if address else None
    except EmailNotValidError:
        return None


def active_user(user_id: int) -> User | None:
    """Return an active user, or None."""
    user = db.session.get(User, user_id)
    return user if user is not None and user.is_active else None


# --- kinds ------------------------------------------------------------------------------------------------------------

Writer = Callable[..., Message | None]
KINDS: dict[str, Writer] = {}


def kind(name: str) -> Callable[[Writer], Writer]:
    """Register the function that writes the emails of one outbox kind, or returns None when nobody is emailed."""

    def register(write: Writer) -> Writer:
        if KINDS.setdefault(name, write) is not write:
            raise ValueError(f"two functions write {name}")
        return write

    return register
