"""Create accounts, links and changes of address for the tests of accounts."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.errors import DomainError
from tapcard.models import LinkPurpose, LinkToken, OutboxMessage, RecoveryCode, TwoFactor, User, WebSession
from tapcard.services.accounts import credentials, email_change, email_links, registration
from tapcard.services.accounts.credentials import WrongCredentials
from tests.conftest import PASSWORD

NEW_PASSWORD = "battery staple correct"
NOW = utcnow()


def queued_payloads(kind: str) -> list[dict[str, Any]]:
    of_kind = select(OutboxMessage.payload).where(OutboxMessage.kind == kind)
    return list(db.session.scalars(of_kind.order_by(OutboxMessage.id)))


def create_link(user: User, purpose: LinkPurpose, email: str | None = None, now: Any = None) -> str:
    token = email_links.issue_link(user, purpose, email or user.email, now or NOW)
    db.session.commit()
    return token


def emailed_token(promise: dict[str, Any]) -> str:
    """Return the token that the email of a message contains."""
    token = db.session.get_one(LinkToken, promise["link_id"]).renew()
    db.session.commit()
    return token


def create_unverified_user(email: str = "dora@example.com") -> User:
    user = registration.sign_up("Dora", "Lu", email, PASSWORD, NOW)
    db.session.commit()
    assert user is not None
    return user


def run_concurrently(app: Flask, number: int, work: Callable[[], object]) -> list[object]:
    """Run a function concurrently; return 'done' or the class of its error for each thread."""
    start = Barrier(number)
    db.session.commit()

    def run(_number: int) -> object:
        with app.app_context():
            start.wait()
            try:
                work()
            except DomainError as error:
                db.session.rollback()
                return type(error)
            db.session.commit()
            return "done"

    with ThreadPoolExecutor(number) as pool:
        results = list(pool.map(run, range(number)))
    db.session.expire_all()
    return results


def refusal_message(email: str, password: str) -> str:
    with pytest.raises(WrongCredentials) as refusal:
        credentials.authenticate(email, password, NOW)
    assert refusal.value.field is None
    return str(refusal.value)


def create_account_of_stranger() -> User:
    """Create an unverified account with a session, two-factor authentication and recovery codes."""
    user = create_unverified_user()
    db.session.add(WebSession(sid_hash="0" * 64, user_id=user.id, data=b"{}", seen_at=NOW, expires_at=NOW))
    db.session.add(TwoFactor(user_id=user.id, secret="sealed", confirmed_at=NOW))
    db.session.add(RecoveryCode(user_id=user.id, code_hash="0" * 64))
    db.session.commit()
    return user


def has_no_access(user: User) -> bool:
    """Return whether an account has no session, two-factor authentication, recovery code or open link."""
    left = [
        *(db.session.scalar(select(model).where(model.user_id == user.id)) for model in (WebSession, TwoFactor)),
        db.session.scalar(select(RecoveryCode).where(RecoveryCode.user_id == user.id)),
        db.session.scalar(select(LinkToken).where(LinkToken.used_at.is_(None), LinkToken.expires_at > NOW)),
    ]
    return left == [None] * len(left)


def request_change(user: User, email: str = "lovelace@example.com") -> str:
    """Request another address; return the token of its email."""
    email_change.request_email_change(user.id, PASSWORD, email, NOW)
    db.session.commit()
    return emailed_token(queued_payloads("mail.email_change")[-1])


def change_email(user: User, email: str = "lovelace@example.com") -> str | None:
    """Change an address; return the token that undoes it, if the former address gets an email."""
    before = len(queued_payloads("mail.email_changed"))
    email_change.confirm_email_change(request_change(user, email), NOW)
    db.session.commit()
    messages = queued_payloads("mail.email_changed")[before:]
    return emailed_token(messages[0]) if messages else None
