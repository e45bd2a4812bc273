"""Email transport: composes and sends emails; development installations save them to files instead.

For an outbox message whose kind is in `KINDS`, the worker

1. calls `message = KINDS[kind](**payload)`, which loads the content and stores the tokens of its links,
2. commits, so that the links work. In the other order, a crash could leave an email whose link was never stored,
3. calls `mail.send(message)` with no transaction open, unless `message` is None because the email is not needed,
4. marks the outbox message as delivered and commits. After a crash between 3 and 4 the email is sent again, which is
   better than not at all; of two emails with the same kind of link the later one always works.

A payload holds ids and addresses, never a token: the outbox table must not give access to an account.
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

SMTP_TIMEOUT_SECONDS = 30


class MailNotConfigured(Exception):
    """Raised when no mail server is configured; emails wait in the outbox until one is."""


class _Connection(flask_mail.Connection):
    """SMTP connection with a timeout and certificate checks, which the library's own connection lacks."""

    def configure_host(self) -> smtplib.SMTP:
        server, port = self.mail.server, self.mail.port
        host: smtplib.SMTP
        if self.mail.use_ssl:
            host = smtplib.SMTP_SSL(server, port, timeout=SMTP_TIMEOUT_SECONDS, context=ssl.create_default_context())
        else:
            host = smtplib.SMTP(server, port, timeout=SMTP_TIMEOUT_SECONDS)
        if self.mail.use_tls:
            host.starttls(context=ssl.create_default_context())
        if self.mail.username and self.mail.password:
            host.login(self.mail.username, self.mail.password)
        return host

    def __exit__(self, *_error: object) -> None:
        with suppress(OSError, smtplib.SMTPException):  # the email is accepted already: errors on closing do not matter
            if self.host is not None:
                self.host.quit()


def init_app(app: Flask) -> None:
    """Read the mail server's settings."""
    flask_mail.Mail().init_app(app)


# --- sending ----------------------------------------------------------------------------------------------------------


def send(message: Message) -> None:
    """Send an email, or save it to a file if no server is configured; raise `MailNotConfigured` in production."""
    if current_app.config["MAIL_SERVER"]:
        with _Connection(current_app.extensions["mail"]) as connection:
            connection.send(message, envelope_from=parseaddr(str(message.sender))[1])
    elif current_app.config["TAPCARD"].is_production:
        raise MailNotConfigured("MAIL_SERVER is not set")
    else:
        save_to_file(message, Path(current_app.instance_path) / "mail", utcnow())


def save_to_file(message: Message, folder: Path, now: datetime) -> Path:
    """Save an email to a file whose name sorts by time, atomically; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.eml"
    partial_path = path.with_suffix(".part")
    with os.fdopen(os.open(partial_path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message.as_bytes())
    partial_path.rename(path)
    return path


# --- composing --------------------------------------------------------------------------------------------------------


def compose(name: str, to: str, *, reply_to: str | None = None, **values: Any) -> Message:
    """Compose an email from the templates in `mail/<name>`; replies go to `reply_to`, or else to the shop."""
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
        subject=" ".join(subject.split()),  # one line, even if a name contains line breaks
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
    """Return the absolute URL of a page, based on `SITE_URL` and never on a request's host."""
    site = urlsplit(current_app.config["SITE_URL"])
    adapter = current_app.url_map.bind(site.netloc, script_name=site.path or "/", url_scheme=site.scheme)
    return adapter.build(endpoint, values, force_external=True)


def _render(name: str, values: dict[str, Any]) -> str:
    # without the context processors, which need a request
    return current_app.jinja_env.get_template(name).render(**values)


def has_page(endpoint: str) -> bool:
    """Return whether this installation has an endpoint."""
    return endpoint in current_app.view_functions


def reply_address(address: str | None) -> str | None:
    """Return an address as it may appear in a header, or None if it is missing or invalid."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email if address else None
    except EmailNotValidError:
        return None


def active_user(user_id: int) -> User | None:
    """Return an active user, or None."""
    user = db.session.get(User, user_id)
    return user if user is not None and user.is_active else None


# --- kinds ------------------------------------------------------------------------------------------------------------

Composer = Callable[..., Message | None]
KINDS: dict[str, Composer] = {}
LABELS: dict[str, str] = {}  # by kind, for staff


def kind(name: str, label: str) -> Callable[[Composer], Composer]:
    """Register the function that writes the emails of one outbox kind, or returns None for no email.

    `label` is the name of the kind in lists for staff.
    """

    def register(composer: Composer) -> Composer:
        if KINDS.setdefault(name, composer) is not composer:
            raise ValueError(f"{name} is registered twice")
        LABELS[name] = label
        return composer

    return register
