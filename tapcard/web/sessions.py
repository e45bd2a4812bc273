"""Server-side sessions over `web_sessions`, on a connection of their own.

The stock SQLAlchemy back end commits half-done work of a refused view, writes on every request and adopts an id that
the browser made up; this one does none of it.
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
from ..db import db, own_transaction, transactions
from ..keys import ME_COOKIE
from ..models import User, WebSession
from ..tokens import new_secret

IDLE_LIFETIME = timedelta(hours=12)
REMEMBERED_LIFETIME = timedelta(days=60)
SEEN_EVERY = timedelta(minutes=1)
TOUCH_PATIENCE = 0.05
FLASHES = "_flashes"
CART = "cart_id"  # of a guest
UPLOADER = "uploader"  # a secret that binds pictures on their way into the cart to this browser
ORDERS = "orders"  # ids of orders that were placed, or opened by their link, in this browser


class Session(ServerSideSession):
    """A session that remembers whether its row was there, and which former ids have to go."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_stored = False
        self.former_ids: list[str] = []
        self.trouble: DBAPIError | None = None

    @property
    def lifetime(self) -> timedelta:
        return REMEMBERED_LIFETIME if self.permanent else IDLE_LIFETIME


class DatabaseSessions(ServerSideSessionInterface):
    """Keeps a row only for visitors who carry something."""

    session_class = Session

    def open_session(self, app: Flask, request: Request) -> Session:
        sid = request.cookies.get(app.config["SESSION_COOKIE_NAME"], "")
        fresh = self.session_class(sid=new_secret(), permanent=False)
        try:
            return (self._open(sid) if sid else None) or fresh
        except DBAPIError as error:
            fresh.trouble = error  # raised before the view, where it becomes a page
            return fresh

    def _open(self, sid: str) -> Session | None:
        row = self._read(hash_of(sid))
        if row is None:
            return None
        opened = self.session_class(json.loads(row.data), sid=sid)
        opened.is_stored = True
        if utcnow() - row.seen_at > SEEN_EVERY:
            self._touch(row.id, opened.lifetime)
        return opened

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        db.session.rollback()  # whatever the view did not commit never happened
        if g.get("is_unsaved"):
            return  # it failed once in this request; the page that says so must not wait again
        g.is_unsaved = True
        self._save(app, session, response)
        g.is_unsaved = False

    def _save(self, app: Flask, session: Session, response: Response) -> None:
        if session.former_ids:
            with own_transaction() as connection:
                hashes = [hash_of(sid) for sid in session.former_ids]
                connection.execute(sa.delete(WebSession).where(WebSession.sid_hash.in_(hashes)))
        super().save_session(app, session, response)
        if g.get("is_tap_redirect"):
            response.headers.pop("Vary", None)  # nothing may keep it anyway, and it looks the same by every way

    def _get_store_id(self, sid: str) -> str:
        return hash_of(sid)

    def _read(self, sid_hash: str) -> Any:
        columns = (WebSession.id, WebSession.data, WebSession.seen_at)
        found = sa.select(*columns).where(WebSession.sid_hash == sid_hash, WebSession.expires_at > utcnow())
        with transactions(writing=False), db.engine.connect() as connection:
            return connection.execute(found).one_or_none()

    def _touch(self, row_id: int, lifetime: timedelta) -> None:
        """Note that the browser was here, unless somebody else is writing: the next request will do."""
        now = utcnow()
        values = {"seen_at": now, "expires_at": now + lifetime}
        with suppress(OperationalError), own_transaction(timeout=TOUCH_PATIENCE) as connection:
            connection.execute(sa.update(WebSession).where(WebSession.id == row_id).values(values))

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        row = self._read(store_id)
        return None if row is None else json.loads(row.data)

    def _delete_session(self, store_id: str) -> None:
        with own_transaction() as connection:
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
        with own_transaction() as connection:
            if session.is_stored:  # one that was ended meanwhile stays ended
                connection.execute(sa.update(WebSession).where(WebSession.sid_hash == store_id).values(values))
            else:
                device = request.headers.get("User-Agent", "").replace("\0", "")[:200]
                connection.execute(
                    sa.insert(WebSession).values(sid_hash=store_id, created_at=now, device=device, **values)
                )
                session.is_stored = True


def init_app(app: Flask) -> None:
    """Use these sessions."""
    app.session_interface = DatabaseSessions(app, key_prefix="", permanent=False)
    app.permanent_session_lifetime = REMEMBERED_LIFETIME
    app.before_request(raise_trouble)


def raise_trouble() -> None:
    """Stop a request whose session could not be read: nobody looks signed out for want of a database."""
    if (trouble := getattr(session, "trouble", None)) is not None:
        raise trouble


def hash_of(sid: str) -> str:
    """What is stored of a session's id."""
    return hashlib.sha256(sid.encode()).hexdigest()


def current_hash() -> str:
    """The stored id of the present session, to spare it when the others end."""
    return hash_of(session.sid)  # type: ignore[attr-defined]


def renew(user: User | None = None, *, remember: bool = False, kept: tuple[str, ...] = ()) -> None:
    """Change the session's id with the visitor's rights: all but the messages to show, and what is named, is dropped.

    Also sets, or clears, the cookie by which the owner's own taps are known. Call before Flask-Login's `login_user`.
    """
    carried = {key: session[key] for key in (FLASHES, *kept) if key in session}
    session.former_ids.append(session.sid)  # type: ignore[attr-defined]
    session.sid = new_secret()  # type: ignore[attr-defined]
    session.is_stored = False  # type: ignore[attr-defined]
    session.clear()
    session.update(carried)
    session.permanent = user is not None and remember
    g.pop("csrf_token", None)  # a form on this very answer needs one of the new session
    value = current_app.extensions["keys"].sign_me(user.id) if user is not None else None

    @after_this_request
    def mark_browser(response: Response) -> Response:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        if value is None:
            response.delete_cookie(ME_COOKIE, path="/", secure=secure, httponly=True, samesite="Lax")
        else:
            age = REMEMBERED_LIFETIME if remember else None
            response.set_cookie(ME_COOKIE, value, max_age=age, path="/", secure=secure, httponly=True, samesite="Lax")
        return response


def purge() -> int:
    """Delete expired sessions; tells how many."""
    expired = db.session.execute(sa.delete(WebSession).where(WebSession.expires_at <= utcnow()))
    return expired.rowcount  # type: ignore[attr-defined]
