"""Closing one's account and coming back, downloading what is kept, choosing which mails come."""

import tempfile

from flask import flash, redirect, render_template, send_file, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import today_in, utcnow
from ..db import db, transactions
from ..models import User
from ..services.accounts import registration
from ..services.privacy import closure, export
from ..web import filters, uploads
from ..web.access import HOLDER, PUBLIC, access
from ..web.forms import Form, refusals
from ..web.guards import OUTSIDE, let_in, log_out_user, still_rests_on, who_waits_outside
from ..web.throttling import forgive, throttle
from .closing_forms import CloseForm, MailsForm
from .views import bp, home, page


@bp.route("/account/close", methods=["GET", "POST"])
@access(HOLDER)
def close() -> Response:
    """Say what closing does, ask for the password, and close the account."""
    form, user_id = CloseForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            closure.close(user_id, form.current.data, utcnow())
            forgive("confirm_password", user_id)
            db.session.commit()
            log_out_user()
            return redirect(url_for("auth.closed"))
    return page("auth/close.html", form, has_password=current_user.password_hash is not None)


@bp.get("/account/closed")
@access(PUBLIC)
def closed() -> str:
    """Say that it is done, and how to come back; nobody is signed in here any more."""
    return render_template("auth/closed.html")


@bp.route("/account/reopen", methods=["GET", "POST"])
@access(PUBLIC)
def reopen() -> Response:
    """Ask whoever has just proved to be the person of a closed account whether to open it, and do so."""
    user_id = who_waits_outside()
    user = db.session.get(User, user_id) if user_id is not None else None
    if user is None or not user.may_return(utcnow()) or not still_rests_on(user):
        session.pop(OUTSIDE, None)
        return redirect(url_for("auth.log_in"))
    form = Form()
    if form.validate_on_submit():
        user = closure.reopen(user.id, utcnow())
        db.session.commit()
        let_in(user)
        flash(_("Welcome back. Your account has been restored."), "success")
        return redirect(home())
    return page("auth/reopen.html", form, email=user.email, until=user.returns_until)


@bp.post("/account/download")
@access(HOLDER)
def download_data() -> Response:
    """Send all that is kept about somebody; put together in a file first, so that no slow reader holds the database."""
    user_id = current_user.id
    throttle("download_data", account=user_id)
    db.session.rollback()
    file = tempfile.TemporaryFile()  # noqa: SIM115  sent, and closed, after this function
    with transactions(writing=False):
        for piece in export.pieces(db.session.get_one(User, user_id), utcnow(), uploads.folder()):
            file.write(piece.encode())
        db.session.rollback()
    file.seek(0)
    day = today_in(filters.shop().time_zone)
    answer = send_file(file, mimetype="application/json", as_attachment=True, download_name=f"tapcard-data-{day}.json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/account/mails")
@access(HOLDER)
def choose_mails() -> Response:
    """Store which mails somebody wants."""
    form = MailsForm()
    if form.validate_on_submit():
        registration.update_mail_preferences(
            current_user, lead=form.wants_lead_mail.data, weekly=form.wants_weekly_mail.data
        )
        db.session.commit()
        flash(_("Changes saved."), "success")
    return redirect(url_for("auth.account", _anchor="mails"))
