"""Who is asking: Flask-Login over our own sessions, what a page demands of its visitor, and changes of rights."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, abort, g, redirect, request, session, url_for
from flask_login import AnonymousUserMixin, LoginManager, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..models import User
from ..services import accounts
from . import sessions
from .redirects import safe_next

P = ParamSpec("P")
R = TypeVar("R")

READING_METHODS = ("GET", "HEAD")
OUTSIDE = "outside"  # in a session
OUTSIDE_FOR = timedelta(minutes=15)


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
    accounts.set_password_cost(cheap=app.testing)


def load_user(user_id: str) -> User | None:
    """The user of a session, as long as they are active."""
    user = db.session.get(User, int(user_id)) if user_id.isascii() and user_id.isdigit() else None
    return user if user is not None and user.is_active else None


def look_at_nobody() -> None:
    """Take the visitor for signed out for the rest of the request, without asking the database."""
    g._login_user = Anonymous()  # noqa: SLF001  where Flask-Login keeps its answer


def login_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Demand that the visitor be signed in; after logging in they come back."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if not current_user.is_authenticated:
            return to_log_in()
        return view(*args, **kwargs)

    return guarded


def permission_required(permission: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Demand a permission; for whoever is signed in without it, the page does not exist."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            if not current_user.is_authenticated:
                return to_log_in()
            if not current_user.may(permission):
                abort(404)
            return view(*args, **kwargs)

        return guarded

    return decorate


def to_log_in() -> Response:
    """Send the visitor to log in, and then back here; what was posted is not sent again, so then to the dashboard."""
    here = request.script_root + request.full_path.removesuffix("?") if request.method in READING_METHODS else None
    return redirect(url_for("auth.log_in", next=safe_next(here)))


def log_in_user(user: User, *, remember: bool = False) -> None:
    """Sign somebody in with a new session id; what the browser carried before is dropped."""
    sessions.renew(user, remember=remember)
    login_user(user)


def wait_outside(user: User) -> None:
    """Remember for a quarter of an hour, under a new session id, who proved to be the person of a closed account."""
    sessions.renew()
    session[OUTSIDE] = {"user_id": user.id, "until": (utcnow() + OUTSIDE_FOR).timestamp()}


def who_waits_outside() -> int | None:
    """The id of whoever proved so a moment ago."""
    waiting = session.get(OUTSIDE)
    return waiting["user_id"] if waiting and waiting["until"] > utcnow().timestamp() else None


def log_out_user() -> None:
    """Sign the visitor out and end their session."""
    logout_user()
    sessions.renew()


def renew_session() -> None:
    """Change the session's id because the rights of whoever is signed in have changed."""
    log_in_user(db.session.get_one(User, current_user.id), remember=session.permanent)
