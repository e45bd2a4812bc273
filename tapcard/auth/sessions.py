"""The browsers one is logged in with: a list, and logging out each of them."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..models import User
from ..services.accounts import sessions
from ..services.taps import user_agents
from ..web.access import HOLDER, access
from ..web.sessions import current_hash
from .views import bp


@bp.get("/account/sessions")
@access(HOLDER)
def list_sessions() -> str:
    """Where one is logged in."""
    found = sessions.sessions_of(current_user, utcnow())
    own = current_hash()
    rows = [(row, user_agents.name_browser(row.device), row.sid_hash == own) for row in found]
    return render_template("auth/sessions.html", rows=sorted(rows, key=lambda row: not row[2]))


@bp.post("/account/sessions/<int:session_id>/end")
@access(HOLDER)
def end_session(session_id: int) -> Response:
    """Log one browser out."""
    sessions.end_session(db.session.get_one(User, current_user.id), session_id)
    db.session.commit()
    flash(_("Device logged out."), "success")
    return redirect(url_for("auth.list_sessions"))


@bp.post("/account/sessions/end-others")
@access(HOLDER)
def end_other_sessions() -> Response:
    """Log every other browser out."""
    sessions.end_other_sessions(db.session.get_one(User, current_user.id), current_hash())
    db.session.commit()
    flash(_("You've been logged out everywhere else."), "success")
    return redirect(url_for("auth.list_sessions"))
