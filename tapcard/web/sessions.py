"""Server-side sessions in the table `web_sessions`, read and written on a separate connection.

The SQLAlchemy back end of Flask-Session would commit unfinished work of a view that refused, write on every request and
accept a session id that the browser invented.
"""

import hashlib
import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask, Request, Response, after_this_request, current_app, g, request, session
from flask_session.base import ServerSideSession, ServerSideSessionInterface
from sqlalchemy.exc import DBAPIError, OperationalError

from ..clock import utcnow
from ..db import db, separate_transaction, transactions
from ..keys import ME_COOKIE
from ..models import User, WebSession
from ..tokens import new_secret

IDLE_LIFETIME = timedelta(hours=12)
REMEMBERED_LIFETIME = timedelta(days=60)
TOUCH_INTERVAL = timedelta(minutes=1)
TOUCH_TIMEOUT = 0.05
FLASHES = "_flashes"
CART = "cart_id"  # session key: the cart of a guest
UPLOADER = "uploader"  # session key: a secret that binds uploads not yet in the cart to this browser
ORDERS = "orders"  # session key: ids of orders placed, or opened by their link, in this browser


class Session(ServerSideSession):
    """A session that knows whether its row is stored, and which former session ids have to be deleted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_stored = False
        self.former_ids: list[str] = []
        self.database_error: DBAPIError | None = None

    @property
    def lifetime(self) -> timedelta:
        return REMEMBERED_LIFETIME if self.permanent else IDLE_LIFETIME


class DatabaseSessions(ServerSideSessionInterface):
    """Session storage that keeps a row only for sessions with content."""

    session_class = Session

    def open_session(self, app: Flask, request: Request) -> Session:
        sid = request.cookies.get(app.config["SESSION_COOKIE_NAME"], "")
        fresh = self.session_class(sid=new_secret(), permanent=False)
        try:
            return (self._open(sid) if sid else None) or fresh
        except DBAPIError as error:
            fresh.database_error = error  # raised before the view, where it becomes a page
            return fresh

    def _open(self, sid: str) -> Session | None:
        row = self._read(hash_session_id(sid))
        if row is None:
            return None
        opened = self.session_class(json.loads(row.data), sid=sid)
        opened.is_stored = True
        if utcnow() - row.seen_at > TOUCH_INTERVAL:
            self._touch(row.id, opened.lifetime)
        return opened

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        db.session.rollback()  # discard whatever the view did not commit
        if g.get("is_unsaved"):
            return  # saving failed once in this request; the error page must not wait again
        g.is_unsaved = True
        self._save(app, session, response)
        g.is_unsaved = False

    def _save(self, app: Flask, session: Session, response: Response) -> None:
        if session.former_ids:
            with separate_transaction() as connection:
                hashes = [hash_session_id(sid) for sid in session.former_ids]
                connection.execute(sa.delete(WebSession).where(WebSession.sid_hash.in_(hashes)))
        super().save_session(app, session, response)
        if g.get("is_tap_redirect"):
            response.headers.pop("Vary", None)  # the redirect is not cacheable, and the fast path sends no Vary

    def _get_store_id(self, sid: str) -> str:
        return hash_session_id(sid)

    def _read(self, sid_hash: str) -> Any:
        columns = (WebSession.id, WebSession.data, WebSession.seen_at)
        query = sa.select(*columns).where(WebSession.sid_hash == sid_hash, WebSession.expires_at > utcnow())
        with transactions(writing=False), db.engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _touch(self, row_id: int, lifetime: timedelta) -> None:
        """Update when the session was last seen, or leave it to the next request if the database is locked."""
        now = utcnow()
        values = {"seen_at": now, "expires_at": now + lifetime}
        with suppress(OperationalError), separate_transaction(timeout=TOUCH_TIMEOUT) as connection:
            connection.execute(sa.update(WebSession).where(WebSession.id == row_id).values(values))

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        row = self._read(store_id)
        return None if row is None else json.loads(row.data)

    def _delete_session(self, store_id: str) -> None:
        with separate_transaction() as connection:
            connection.execute(sa.delete(WebSession).where(WebSession.sid_hash == store_id))

    def _upsert_session(self, session_lifetime: timedelta, session: Session, store_id: str) -> None:
        now = utcnow()
        user_id = session.get("_user_id")
        values = {
            "user_id": int(user_id) if user_id else None,
            "data": json.dumps(dict(session)).encode(),
            "seen_at": now,
            "expires_at": now + session.lifetime,
        }
        with separate_transaction() as connection:
            if session.is_stored:  # a session that was ended meanwhile stays ended
                connection.execute(sa.update(WebSession).where(WebSession.sid_hash == store_id).values(values))
            else:
                device = request.headers.get("User-Agent", "").replace("\0", "")[:200]
                connection.execute(
                    sa.insert(WebSession).values(sid_hash=store_id, created_at=now, device=device, **values)
                )
                session.is_stored = True


def init_app(app: Flask) -> None:
    """Store sessions in the database."""
    app.session_interface = DatabaseSessions(app, key_prefix="", permanent=False)
    app.permanent_session_lifetime = REMEMBERED_LIFETIME
    app.before_request(raise_database_error)


def raise_database_error() -> None:
    """Fail a request whose session could not be read, instead of treating the visitor as logged out."""
    if (error := getattr(session, "database_error", None)) is not None:
        raise error


def hash_session_id(sid: str) -> str:
    """Return the SHA-256 of a session id, which is what is stored."""
    return hashlib.sha256(sid.encode()).hexdigest()


def current_session_hash() -> str:
    """Return the stored hash of the current session's id, to keep it when other sessions end."""
    return hash_session_id(session.sid)  # type: ignore[attr-defined]


def renew(user: User | None = None, *, remember: bool = False, keys_to_keep: tuple[str, ...] = ()) -> None:
    """Change the session's id because privileges change; keep only the flashed messages and `keys_to_keep`.

    Also set, or clear, the cookie that marks a holder's own taps. Call it before Flask-Login's `login_user`.
    """
    kept_values = {key: session[key] for key in (FLASHES, *keys_to_keep) if key in session}
    session.former_ids.append(session.sid)  # type: ignore[attr-defined]
    session.sid = new_secret()  # type: ignore[attr-defined]
    session.is_stored = False  # type: ignore[attr-defined]
    session.clear()
    session.update(kept_values)
    session.permanent = user is not None and remember
    g.pop("csrf_token", None)  # a form in this response needs the token of the new session
    value = current_app.extensions["keys"].sign_me(user.id) if user is not None else None

    @after_this_request
    def set_me_cookie(response: Response) -> Response:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        if value is None:
            response.delete_cookie(ME_COOKIE, path="/", secure=secure, httponly=True, samesite="Lax")
        else:
            age = REMEMBERED_LIFETIME if remember else None
            response.set_cookie(ME_COOKIE, value, max_age=age, path="/", secure=secure, httponly=True, samesite="Lax")
        return response
