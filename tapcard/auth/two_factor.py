"""Two-factor authentication pages: log in, set-up, recovery codes, disabling."""

from flask import abort, current_app, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from .. import qr
from ..clock import utcnow
from ..db import db
from ..keys import Keys
from ..models import User
from ..services.accounts import credentials, two_factor
from ..web.access import HOLDER, PUBLIC, access, needs_two_factor_setup
from ..web.filters import shop
from ..web.forms import refusals
from ..web.guards import (
    has_recent_proof,
    pending_two_factor,
    renew_session,
)
from ..web.redirects import next_url, requested_next
from ..web.sessions import current_session_hash
from ..web.throttling import reset_throttle, throttle
from .forms import ConfirmPasswordForm, DisableTwoFactorForm, DownloadCodesForm, SecondFactorForm, SetUpTwoFactorForm
from .views import bp, complete_login, page, url_after_login


def keys() -> Keys:
    """Return the keys of the application."""
    app_keys: Keys = current_app.extensions["keys"]
    return app_keys


def current_user_row() -> User:
    """Return the row of the logged-in user."""
    return db.session.get_one(User, current_user.id)


# --- logging in -------------------------------------------------------------------------------------------------------


@bp.route("/log-in/code", methods=["GET", "POST"])
@access(PUBLIC)
def second_factor() -> Response:
    """Ask for the second factor after the password, and log in."""
    if current_user.is_authenticated:
        return redirect(url_after_login())
    pending = pending_two_factor()
    if pending is None:
        return redirect(url_for("auth.log_in", next=requested_next()))
    form, user_id, remember = SecondFactorForm(), pending.user.id, pending.remember
    if form.validate_on_submit():
        with refusals(form):
            throttle("second_factor", account=user_id, address=True)
            return finish_log_in(form.code.data or "", remember=remember)
    return page("auth/second_factor.html", form, next=requested_next())


def finish_log_in(code: str, *, remember: bool) -> Response:
    """Complete the pending log in with a code; check again that it is still pending."""
    pending = pending_two_factor()
    if pending is None or pending.user.two_factor is None:
        return redirect(url_for("auth.log_in", next=requested_next()))
    user, proof, since = pending.user, pending.proof, pending.user.two_factor.confirmed_at
    two_factor.verify_code(user, code, keys=keys(), now=utcnow())
    reset_throttle("second_factor", user.id)
    db.session.commit()
    return complete_login(user, proof, remember=remember, second_factor_at=since)


# --- password confirmation --------------------------------------------------------------------------------------------


@bp.route("/account/confirm-password", methods=["GET", "POST"])
@access(HOLDER)
def confirm_password() -> Response:
    """Ask for the password again before a sensitive action, and continue there."""
    form, user_id = ConfirmPasswordForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            credentials.confirm_password(user_id, form.current.data or "")
            reset_throttle("confirm_password", user_id)
            db.session.commit()
            renew_session(is_proven_now=True)
            return redirect(next_url(url_for("auth.account")))
    return page("auth/confirm_password.html", form, next=requested_next())


# --- setting up -------------------------------------------------------------------------------------------------------


@bp.get("/account/two-factor")
@access(HOLDER)
def show_two_factor() -> str:
    """Show whether two-factor authentication is enabled, with links to change it."""
    return render_template("auth/two_factor.html", left=two_factor.count_recovery_codes(current_user))


@bp.route("/account/two-factor/set-up", methods=["GET", "POST"])
@access(HOLDER)
def set_up_two_factor() -> Response:
    """Show a secret for an authenticator app; its first correct code enables two-factor authentication."""
    if current_user.has_two_factor:
        return redirect(next_url(url_for("auth.show_two_factor")))
    form = SetUpTwoFactorForm()
    if form.validate_on_submit():
        with refusals(form):
            return enable_two_factor(form)
    if not has_recent_proof() and submitted_secret(form) is None:
        return redirect(url_for("auth.confirm_password", next=url_for("auth.set_up_two_factor", next=requested_next())))
    return setup_page(form)


def enable_two_factor(form: SetUpTwoFactorForm) -> Response:
    """Enable two-factor authentication; the recovery codes are shown only in this response."""
    user = current_user_row()
    throttle("second_factor", account=user.id)
    row, codes = two_factor.enable(
        user, form.offer.data or "", form.code.data or "", browser=current_session_hash(), keys=keys(), now=utcnow()
    )
    since = row.confirmed_at
    reset_throttle("second_factor", user.id)
    db.session.commit()
    renew_session(second_factor_at=since)
    flash(_("Two-factor authentication is on. You've been logged out everywhere else."), "success")
    return recovery_codes_page(codes, next_url(url_for("auth.show_two_factor")))


def submitted_secret(form: SetUpTwoFactorForm) -> str | None:
    """Return the secret in the submitted set-up token, or None if it is no longer valid."""
    return two_factor.read_setup_token(form.offer.data or "", current_user, current_session_hash(), keys(), utcnow())


def setup_page(form: SetUpTwoFactorForm) -> Response:
    """Return the set-up page, with the secret shown before if still valid, as the app may already have it."""
    if (secret := submitted_secret(form)) is None:
        form.offer.data = two_factor.create_setup_token(current_user, current_session_hash(), keys(), utcnow())
        secret = submitted_secret(form)
    assert secret is not None
    address = two_factor.provisioning_uri(secret, current_user, shop().shop_name)
    drawing = Markup(qr.svg(address, title=_("QR code for your authenticator app")))  # noqa: S704  segno's own
    return page(
        "auth/set_up_two_factor.html",
        form,
        secret=secret,
        address=address,
        drawing=drawing,
        next=requested_next(),
        is_needed=needs_two_factor_setup(),
    )


# --- recovery codes ---------------------------------------------------------------------------------------------------


@bp.route("/account/two-factor/codes", methods=["GET", "POST"])
@access(HOLDER)
def new_recovery_codes() -> Response:
    """Replace the recovery codes."""
    require_two_factor()
    form, user_id = ConfirmPasswordForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            credentials.confirm_password(user_id, form.current.data or "")
            codes = two_factor.replace_recovery_codes(current_user_row(), keys())
            reset_throttle("confirm_password", user_id)
            db.session.commit()
            return recovery_codes_page(codes, url_for("auth.show_two_factor"))
    return page("auth/new_recovery_codes.html", form)


@bp.post("/account/two-factor/codes/file")
@access(HOLDER)
def download_codes() -> Response:
    """Send the recovery codes that were just shown as a file; only the user's own."""
    form = DownloadCodesForm()
    codes = (form.codes.data or "").split()
    if not form.validate_on_submit() or not two_factor.are_recovery_codes_of(current_user, codes, keys()):
        abort(404)
    lines = [_("%(shop)s recovery codes for %(email)s", email=current_user.email, shop=shop().shop_name), "", *codes]
    response = make_response(
        "\r\n".join([*lines, "", _("Each code works once, instead of a code from your authenticator app."), ""])
    )
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


def recovery_codes_page(codes: list[str], onwards_to: str) -> Response:
    """Return the page with new recovery codes, which are shown only once."""
    return make_response(render_template("auth/recovery_codes.html", codes=codes, onwards_to=onwards_to))


# --- disabling --------------------------------------------------------------------------------------------------------


@bp.route("/account/two-factor/off", methods=["GET", "POST"])
@access(HOLDER)
def switch_off_two_factor() -> Response:
    """Disable two-factor authentication, given password and code."""
    require_two_factor()
    form, user_id = DisableTwoFactorForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            throttle("second_factor", account=user_id, address=True)
            credentials.confirm_password(user_id, form.current.data or "")
            two_factor.disable(current_user_row(), form.code.data or "", keys=keys(), now=utcnow())
            reset_throttles(user_id)
            db.session.commit()
            renew_session()
            flash(_("Two-factor authentication is off."), "info")
            return redirect(url_for("auth.show_two_factor"))
    return page("auth/switch_off_two_factor.html", form, is_needed=is_two_factor_required())


def require_two_factor() -> None:
    """Answer 404 if two-factor authentication is not enabled."""
    if not current_user.has_two_factor:
        abort(404)


def is_two_factor_required() -> bool:
    """Return whether the back office requires two-factor authentication of this user."""
    return bool(current_app.config["TAPCARD"].requires_staff_two_factor and current_user.is_staff)


def reset_throttles(user_id: int) -> None:
    """Reset the throttles of password and code after both were correct."""
    for scope in ("confirm_password", "second_factor"):
        reset_throttle(scope, user_id)
