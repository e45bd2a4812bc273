"""Account pages: close and reopen the account, download the data, choose optional emails."""

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
from ..web.guards import REOPENING, finish_reopening, is_reopening_proof_current, log_out_user, reopening_user_id
from ..web.throttling import reset_throttle, throttle
from .closure_forms import CloseForm, MailsForm
from .views import bp, default_url, page


@bp.route("/account/close", methods=["GET", "POST"])
@access(HOLDER)
def close() -> Response:
    """Explain the consequences, ask for the password, and close the account."""
    form, user_id = CloseForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            closure.close(user_id, form.current.data, utcnow())
            reset_throttle("confirm_password", user_id)
            db.session.commit()
            log_out_user()
            return redirect(url_for("auth.closed"))
    return page("auth/close.html", form, has_password=current_user.password_hash is not None)


@bp.get("/account/closed")
@access(PUBLIC)
def closed() -> str:
    """Confirm that the account was closed, and explain how to reopen it."""
    return render_template("auth/closed.html")


@bp.route("/account/reopen", methods=["GET", "POST"])
@access(PUBLIC)
def reopen() -> Response:
    """Ask the user of a closed account, after log in, whether to reopen it, and do so."""
    user_id = reopening_user_id()
    user = db.session.get(User, user_id) if user_id is not None else None
    if user is None or not user.can_reopen(utcnow()) or not is_reopening_proof_current(user):
        session.pop(REOPENING, None)
        return redirect(url_for("auth.log_in"))
    form = Form()
    if form.validate_on_submit():
        user = closure.reopen(user.id, utcnow())
        db.session.commit()
        finish_reopening(user)
        flash(_("Welcome back. Your account has been restored."), "success")
        return redirect(default_url())
    return page("auth/reopen.html", form, email=user.email, until=user.reopenable_until)


@bp.post("/account/download")
@access(HOLDER)
def download_data() -> Response:
    """Send the data export, written to a file first so that a slow client does not hold the database."""
    user_id = current_user.id
    throttle("download_data", account=user_id)
    db.session.rollback()
    file = tempfile.TemporaryFile()  # noqa: SIM115  sent, and closed, after this function
    with transactions(writing=False):
        for piece in export.stream_json(db.session.get_one(User, user_id), utcnow(), uploads.folder()):
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
    """Store which optional emails a user wants."""
    form = MailsForm()
    if form.validate_on_submit():
        registration.update_mail_preferences(
            current_user, lead=form.wants_lead_mail.data, weekly=form.wants_weekly_mail.data
        )
        db.session.commit()
        flash(_("Changes saved."), "success")
    return redirect(url_for("auth.account", _anchor="mails"))
