"""Authentication by Flask-Login over server-side sessions: login, logout, two-factor and reopening an account.

A session stores what its user proved: when the password they entered was set, and when the second factor was confirmed.
A session with the proof of a former password, or without the second factor that the account has now, is not
authenticated.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, g, session
from flask_login import AnonymousUserMixin, LoginManager, current_user, login_user, logout_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from ..clock import utcnow
from ..db import db
from ..ids import parse_id
from ..models import User
from ..services.accounts import credentials
from ..services.accounts.credentials import PasswordProof
from ..services.cart.carts import piece_count_subquery
from . import carts, sessions

REOPENING = "outside"  # session key: the user who proved to own a closed account
REOPENING_LIFETIME = timedelta(minutes=15)
PROOF = "_proven"  # session key: what the user proved, and when
PENDING_TWO_FACTOR = "_half_way"  # session key: the user who has entered the right password but no second factor
PENDING_TWO_FACTOR_LIFETIME = timedelta(minutes=10)
RECENT_PROOF_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class PendingTwoFactor:
    """A user whose password was right, and who is not logged in before the second factor."""

    user: User
    proof: PasswordProof
    remember: bool


class Anonymous(AnonymousUserMixin):
    """A visitor who is not logged in, with the attributes of `User` that pages use."""

    id = None
    is_staff = False
    is_verified = False

    def may(self, permission: str) -> bool:
        """Return False: an anonymous visitor has no permissions."""
        return False


def init_app(app: Flask) -> None:
    """Set up Flask-Login; its own "remember me" cookie is never used."""
    manager = LoginManager()
    manager.session_protection = None  # our sessions change their id whenever privileges change
    manager.anonymous_user = Anonymous
    manager.user_loader(load_user)
    manager.init_app(app)
    credentials.configure_hasher(cheap=app.testing)


def load_user(user_id: str) -> User | None:
    """Return the user of a session, or None if they are inactive or what the session proved is outdated."""
    number = parse_id(user_id)
    if number is None:
        return None
    query = select(User, piece_count_subquery(number)).where(User.id == number)
    query = query.options(joinedload(User.two_factor), joinedload(User.roles))
    user, item_count = db.session.execute(query).unique().one_or_none() or (None, 0)
    if user is None or not user.is_active or not _is_proof_current(session.get(PROOF, {}), user):
        return None
    carts.cache_item_count(item_count)
    return user


def _is_proof_current(proof: dict[str, Any], user: User) -> bool:
    """Return whether a proof matches the password and second factor that the account has now."""
    if proof.get("password", "") != _isoformat(user.password_set_at):
        return False
    second = user.two_factor.confirmed_at if user.two_factor is not None else None
    return second is None or proof.get("second_factor") == _isoformat(second)


def _isoformat(instant: datetime | None) -> str:
    return instant.isoformat() if instant is not None else ""


def treat_as_anonymous() -> None:
    """Treat the visitor as logged out for the rest of the request, without a query."""
    g._login_user = Anonymous()  # noqa: SLF001  where Flask-Login keeps its answer


def log_in_user(
    user: User, *, remember: bool = False, proof: PasswordProof | None = None, second_factor_at: datetime | None = None
) -> None:
    """Log a user in under a new session id, dropping what the session contained.

    `proof` was created when the password was checked; `second_factor_at` is when the second factor that was checked had
    been confirmed. Views call `auth.views.continue_login`, which asks for the second factor first: without it,
    the session of a user who has one is not authenticated.
    """
    proof = proof or PasswordProof.of(user)
    _start_session(
        user,
        remember=remember,
        password=_isoformat(proof.password_set_at),
        second_factor=_isoformat(second_factor_at),
        at=utcnow().timestamp(),
    )


def _start_session(user: User, *, remember: bool, **proof: Any) -> None:
    sessions.renew(user, remember=remember, keys_to_keep=(sessions.CART, sessions.ORDERS, sessions.UPLOADER))
    session[PROOF] = proof
    login_user(user)
    carts.merge_guest_cart(user, session.get(sessions.CART))
    session.pop(sessions.CART, None)  # not earlier: if the database fails meanwhile, nothing is lost


def start_two_factor(proof: PasswordProof, *, remember: bool) -> None:
    """Remember the user with the right password for ten minutes, under a new session id, without logging them in."""
    logout_user()
    sessions.renew(keys_to_keep=(sessions.CART, sessions.ORDERS, sessions.UPLOADER))
    session[PENDING_TWO_FACTOR] = {
        "user_id": proof.user_id,
        "password": _isoformat(proof.password_set_at),
        "remember": remember,
        "until": (utcnow() + PENDING_TWO_FACTOR_LIFETIME).timestamp(),
    }


def pending_two_factor() -> PendingTwoFactor | None:
    """Return the user who still has to give the second factor in this browser; None if their proof is outdated."""
    pending = session.get(PENDING_TWO_FACTOR)
    if pending is None or pending["until"] <= utcnow().timestamp():
        return None
    user = db.session.get(User, pending["user_id"], options=[joinedload(User.two_factor)])
    if user is None or not (user.is_active or user.can_reopen(utcnow())) or not user.has_two_factor:
        return None
    if pending["password"] != _isoformat(user.password_set_at):
        return None
    return PendingTwoFactor(user, PasswordProof.of(user), pending["remember"])


def has_recent_proof() -> bool:
    """Return whether the user entered their password within the last ten minutes."""
    return bool(utcnow().timestamp() - session.get(PROOF, {}).get("at", 0) < RECENT_PROOF_LIFETIME.total_seconds())


def start_reopening(user: User, proof: PasswordProof, second_factor_at: datetime | None) -> None:
    """Remember the user who proved to own a closed account for 15 minutes, under a new session id."""
    logout_user()
    sessions.renew(keys_to_keep=(sessions.CART, sessions.ORDERS, sessions.UPLOADER))
    session[REOPENING] = {
        "user_id": user.id,
        "password": _isoformat(proof.password_set_at),
        "second_factor": _isoformat(second_factor_at),
        "until": (utcnow() + REOPENING_LIFETIME).timestamp(),
    }


def reopening_user_id() -> int | None:
    """Return the id of the user who recently proved to be the user of a closed account, or None."""
    reopening = session.get(REOPENING)
    return reopening["user_id"] if reopening and reopening["until"] > utcnow().timestamp() else None


def is_reopening_proof_current(user: User) -> bool:
    """Return whether the proof of a user who reopens an account still matches the account."""
    return _is_proof_current(session[REOPENING], user)


def finish_reopening(user: User) -> None:
    """Log in the user of a reopened account, by what they proved before."""
    proof = {name: session[REOPENING][name] for name in ("password", "second_factor")}
    _start_session(user, remember=False, **proof, at=utcnow().timestamp())


def log_out_user() -> None:
    """Log the visitor out and end their session."""
    logout_user()
    sessions.renew()


def renew_session(
    *, proof: PasswordProof | None = None, second_factor_at: datetime | None = None, is_proven_now: bool = False
) -> None:
    """Change the session's id because the user's privileges have changed; keep its proof.

    `proof` and `second_factor_at` replace the parts of the proof that changed; `is_proven_now` renews its time.
    """
    values = dict(session.get(PROOF, {}))
    if proof is not None:
        values["password"] = _isoformat(proof.password_set_at)
    if second_factor_at is not None:
        values["second_factor"] = _isoformat(second_factor_at)
    if proof is not None or is_proven_now:
        values["at"] = utcnow().timestamp()
    _start_session(db.session.get_one(User, current_user.id), remember=session.permanent, **values)
