"""Who is asking: Flask-Login over our own sessions, and changes of rights.

A session says what its holder proved: since when the password has been in force that was typed, and since when the
second factor. One that rests on a former password, or on none where there is a second factor by now, signs nobody in,
however it came about.
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
from ..models import User
from ..services.accounts import credentials
from ..services.accounts.credentials import PasswordProof
from ..services.cart.carts import piece_count_subquery
from . import carts, sessions

LONGEST_ID = 18  # digits of what fits the column
OUTSIDE = "outside"  # in a session
OUTSIDE_FOR = timedelta(minutes=15)
PROVEN = "_proven"  # in a session: what its holder proved, and when
HALF_WAY = "_half_way"  # in a session: who gave the right password, and still has to give the second factor
HALF_WAY_LIFETIME = timedelta(minutes=10)
LATELY = timedelta(minutes=10)


@dataclass(frozen=True)
class HalfWay:
    """Somebody whose password was right, and who is nobody yet."""

    user: User
    proof: PasswordProof
    remember: bool


class Anonymous(AnonymousUserMixin):
    """A visitor who is not signed in, with the questions that pages ask of everybody."""

    id = None
    is_staff = False
    is_verified = False

    def may(self, permission: str) -> bool:
        """Whether the visitor has a permission: none has."""
        return False


def init_app(app: Flask) -> None:
    """Let Flask-Login know who is signed in; its own "remember me" cookie is never set."""
    manager = LoginManager()
    manager.session_protection = None  # our sessions change their id at every change of rights
    manager.anonymous_user = Anonymous
    manager.user_loader(load_user)
    manager.init_app(app)
    credentials.configure_hasher(cheap=app.testing)


def load_user(user_id: str) -> User | None:
    """The user of a session, as long as they are active and what the session rests on is still in force."""
    if not (user_id.isascii() and user_id.isdigit()):
        return None
    if len(user_id) > LONGEST_ID:
        return None
    asked = select(User, piece_count_subquery(int(user_id))).where(User.id == int(user_id))
    whole = (joinedload(User.two_factor), joinedload(User.roles))
    user, pieces = db.session.execute(asked.options(*whole)).unique().one_or_none() or (None, 0)
    if user is None or not user.is_active or not _rests_on(session.get(PROVEN, {}), user):
        return None
    carts.cache_item_count(pieces)
    return user


def _rests_on(proven: dict[str, Any], user: User) -> bool:
    """Whether what was proven is what the user's account asks for today."""
    if proven.get("password", "") != _stamp(user.password_set_at):
        return False
    second = user.two_factor.confirmed_at if user.two_factor is not None else None
    return second is None or proven.get("second_factor") == _stamp(second)


def _stamp(instant: datetime | None) -> str:
    return instant.isoformat() if instant is not None else ""


def look_at_nobody() -> None:
    """Take the visitor for signed out for the rest of the request, without asking the database."""
    g._login_user = Anonymous()  # noqa: SLF001  where Flask-Login keeps its answer


def log_in_user(
    user: User, *, remember: bool = False, proof: PasswordProof | None = None, second_factor_at: datetime | None = None
) -> None:
    """Sign somebody in with a new session id; what the browser carried before is dropped.

    Give the proof that was taken when the password was checked, and since when the second factor has been in force that
    was. Views go by `auth.views.identified`, which asks for the second factor first: without it, a session of somebody
    who has one is worth nothing.
    """
    proof = proof or PasswordProof.of(user)
    _sign_in(
        user,
        remember=remember,
        password=_stamp(proof.password_set_at),
        second_factor=_stamp(second_factor_at),
        at=utcnow().timestamp(),
    )


def _sign_in(user: User, *, remember: bool, **proven: Any) -> None:
    sessions.renew(user, remember=remember, kept=(sessions.CART, sessions.ORDERS, sessions.UPLOADER))
    session[PROVEN] = proven
    login_user(user)
    carts.merge_guest_cart(user, session.get(sessions.CART))
    session.pop(sessions.CART, None)  # not before: should the database fail meanwhile, nothing is lost


def ask_second_factor(proof: PasswordProof, *, remember: bool) -> None:
    """Keep in mind for a while, under a new session id, whose password was right; nobody is signed in by that."""
    logout_user()
    sessions.renew(kept=(sessions.CART, sessions.ORDERS, sessions.UPLOADER))
    session[HALF_WAY] = {
        "user_id": proof.user_id,
        "password": _stamp(proof.password_set_at),
        "remember": remember,
        "until": (utcnow() + HALF_WAY_LIFETIME).timestamp(),
    }


def half_way() -> HalfWay | None:
    """Who is about to give the second factor in this browser; None when nobody is, or what was proven is outdated."""
    kept = session.get(HALF_WAY)
    if kept is None or kept["until"] <= utcnow().timestamp():
        return None
    user = db.session.get(User, kept["user_id"], options=[joinedload(User.two_factor)])
    if user is None or not (user.is_active or user.may_return(utcnow())) or not user.has_two_factor:
        return None
    if kept["password"] != _stamp(user.password_set_at):
        return None
    return HalfWay(user, PasswordProof.of(user), kept["remember"])


def proved_lately() -> bool:
    """Whether the visitor typed their password a moment ago."""
    return bool(utcnow().timestamp() - session.get(PROVEN, {}).get("at", 0) < LATELY.total_seconds())


def wait_outside(user: User, proof: PasswordProof, second_factor_at: datetime | None) -> None:
    """Remember for a quarter of an hour, under a new session id, who proved to be the person of a closed account."""
    logout_user()
    sessions.renew(kept=(sessions.CART, sessions.ORDERS, sessions.UPLOADER))
    session[OUTSIDE] = {
        "user_id": user.id,
        "password": _stamp(proof.password_set_at),
        "second_factor": _stamp(second_factor_at),
        "until": (utcnow() + OUTSIDE_FOR).timestamp(),
    }


def who_waits_outside() -> int | None:
    """The id of whoever proved so a moment ago."""
    waiting = session.get(OUTSIDE)
    return waiting["user_id"] if waiting and waiting["until"] > utcnow().timestamp() else None


def still_rests_on(user: User) -> bool:
    """Whether what was proven by whoever waits outside is what the account asks for today."""
    return _rests_on(session[OUTSIDE], user)


def let_in(user: User) -> None:
    """Sign in whoever waited outside, by what they proved then."""
    proven = {name: session[OUTSIDE][name] for name in ("password", "second_factor")}
    _sign_in(user, remember=False, **proven, at=utcnow().timestamp())


def log_out_user() -> None:
    """Sign the visitor out and end their session."""
    logout_user()
    sessions.renew()


def renew_session(
    *, proof: PasswordProof | None = None, second_factor_at: datetime | None = None, is_proven_now: bool = False
) -> None:
    """Change the session's id because the rights of whoever is signed in have changed; what it rests on stays.

    Give what it rests on from now on: another password, or a second factor.
    """
    proven = dict(session.get(PROVEN, {}))
    if proof is not None:
        proven["password"] = _stamp(proof.password_set_at)
    if second_factor_at is not None:
        proven["second_factor"] = _stamp(second_factor_at)
    if proof is not None or is_proven_now:
        proven["at"] = utcnow().timestamp()
    _sign_in(db.session.get_one(User, current_user.id), remember=session.permanent, **proven)
