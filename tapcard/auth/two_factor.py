"""Two-factor log in: the second page of logging in, setting it up, recovery codes, switching it off."""

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
from ..web.access import HOLDER, PUBLIC, access, lacks_second_factor
from ..web.filters import shop
from ..web.forms import refusals
from ..web.guards import (
    half_way,
    proved_lately,
    renew_session,
)
from ..web.redirects import asked_next, next_url
from ..web.sessions import current_hash
from ..web.throttling import forgive, throttle
from .forms import ConfirmPasswordForm, DownloadCodesForm, SecondFactorForm, SetUpTwoFactorForm, SwitchOffForm
from .views import bp, come_in, onwards, page


def keys() -> Keys:
    """The keys that seal secrets."""
    found: Keys = current_app.extensions["keys"]
    return found


def myself() -> User:
    """The row of whoever is signed in."""
    return db.session.get_one(User, current_user.id)


# --- logging in -------------------------------------------------------------------------------------------------------


@bp.route("/log-in/code", methods=["GET", "POST"])
@access(PUBLIC)
def second_factor() -> Response:
    """Ask for the second factor after a right password, and sign in."""
    if current_user.is_authenticated:
        return redirect(onwards())
    found = half_way()
    if found is None:
        return redirect(url_for("auth.log_in", next=asked_next()))
    form, user_id, remember = SecondFactorForm(), found.user.id, found.remember
    if form.validate_on_submit():
        with refusals(form):
            throttle("second_factor", account=user_id, address=True)
            return finish_log_in(form.code.data or "", remember=remember)
    return page("auth/second_factor.html", form, next=asked_next())


def finish_log_in(code: str, *, remember: bool) -> Response:
    """Sign in whoever is half-way and gives the right code; looks once more, as something may have changed."""
    found = half_way()
    if found is None or found.user.two_factor is None:
        return redirect(url_for("auth.log_in", next=asked_next()))
    user, proof, since = found.user, found.proof, found.user.two_factor.confirmed_at
    two_factor.verify_code(user, code, keys=keys(), now=utcnow())
    forgive("second_factor", user.id)
    db.session.commit()
    return come_in(user, proof, remember=remember, second_factor_at=since)


# --- the password once more -------------------------------------------------------------------------------------------


@bp.route("/account/confirm-password", methods=["GET", "POST"])
@access(HOLDER)
def confirm_password() -> Response:
    """Ask for the password before something that matters, and go on there."""
    form, user_id = ConfirmPasswordForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            credentials.confirm_password(user_id, form.current.data or "")
            forgive("confirm_password", user_id)
            db.session.commit()
            renew_session(is_proven_now=True)
            return redirect(next_url(url_for("auth.account")))
    return page("auth/confirm_password.html", form, next=asked_next())


# --- setting up -------------------------------------------------------------------------------------------------------


@bp.get("/account/two-factor")
@access(HOLDER)
def show_two_factor() -> str:
    """Whether two-factor log in is on, and what can be done about it."""
    return render_template("auth/two_factor.html", left=two_factor.count_recovery_codes(current_user))


@bp.route("/account/two-factor/set-up", methods=["GET", "POST"])
@access(HOLDER)
def set_up_two_factor() -> Response:
    """Show a secret to an authenticator app; its first right code switches two-factor log in on."""
    if current_user.has_two_factor:
        return redirect(next_url(url_for("auth.show_two_factor")))
    form = SetUpTwoFactorForm()
    if form.validate_on_submit():
        with refusals(form):
            return switch_on(form)
    if not proved_lately() and offered_secret(form) is None:
        return redirect(url_for("auth.confirm_password", next=url_for("auth.set_up_two_factor", next=asked_next())))
    return set_up_page(form)


def switch_on(form: SetUpTwoFactorForm) -> Response:
    """Do what a filled set-up form asks for; the recovery codes are shown by the answer alone."""
    user = myself()
    throttle("second_factor", account=user.id)
    row, codes = two_factor.enable(
        user, form.offer.data or "", form.code.data or "", browser=current_hash(), keys=keys(), now=utcnow()
    )
    since = row.confirmed_at
    forgive("second_factor", user.id)
    db.session.commit()
    renew_session(second_factor_at=since)
    flash(_("Two-factor authentication is on. You've been logged out everywhere else."), "success")
    return codes_page(codes, next_url(url_for("auth.show_two_factor")))


def offered_secret(form: SetUpTwoFactorForm) -> str | None:
    """The secret that the page showed which a form comes from, if it is still good."""
    return two_factor.read_setup_token(form.offer.data or "", current_user, current_hash(), keys(), utcnow())


def set_up_page(form: SetUpTwoFactorForm) -> Response:
    """The page with the secret: the one that was shown before, as an app may have it already, else a new one."""
    if (secret := offered_secret(form)) is None:
        form.offer.data = two_factor.create_setup_token(current_user, current_hash(), keys(), utcnow())
        secret = offered_secret(form)
    assert secret is not None
    address = two_factor.provisioning_uri(secret, current_user, shop().shop_name)
    drawing = Markup(qr.svg(address, title=_("QR code for your authenticator app")))  # noqa: S704  segno's own
    return page(
        "auth/set_up_two_factor.html",
        form,
        secret=secret,
        address=address,
        drawing=drawing,
        next=asked_next(),
        is_needed=lacks_second_factor(),
    )


# --- recovery codes ---------------------------------------------------------------------------------------------------


@bp.route("/account/two-factor/codes", methods=["GET", "POST"])
@access(HOLDER)
def new_recovery_codes() -> Response:
    """Make other recovery codes; the old ones end."""
    must_be_on()
    form, user_id = ConfirmPasswordForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            credentials.confirm_password(user_id, form.current.data or "")
            codes = two_factor.replace_recovery_codes(myself(), keys())
            forgive("confirm_password", user_id)
            db.session.commit()
            return codes_page(codes, url_for("auth.show_two_factor"))
    return page("auth/new_recovery_codes.html", form)


@bp.post("/account/two-factor/codes/file")
@access(HOLDER)
def download_codes() -> Response:
    """Send recovery codes that were just shown as a file; nothing but this person's own."""
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


def codes_page(codes: list[str], onwards_to: str) -> Response:
    """Show recovery codes; this once."""
    return make_response(render_template("auth/recovery_codes.html", codes=codes, onwards_to=onwards_to))


# --- switching off ----------------------------------------------------------------------------------------------------


@bp.route("/account/two-factor/off", methods=["GET", "POST"])
@access(HOLDER)
def switch_off_two_factor() -> Response:
    """Do without a second factor; asks for password and code."""
    must_be_on()
    form, user_id = SwitchOffForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            throttle("second_factor", account=user_id, address=True)
            credentials.confirm_password(user_id, form.current.data or "")
            two_factor.disable(myself(), form.code.data or "", keys=keys(), now=utcnow())
            forget_attempts(user_id)
            db.session.commit()
            renew_session()
            flash(_("Two-factor authentication is off."), "info")
            return redirect(url_for("auth.show_two_factor"))
    return page("auth/switch_off_two_factor.html", form, is_needed=is_needed())


def must_be_on() -> None:
    """There is nothing to change about what is off."""
    if not current_user.has_two_factor:
        abort(404)


def is_needed() -> bool:
    """Whether the back office would be closed to this person without it."""
    return bool(current_app.config["TAPCARD"].requires_staff_two_factor and current_user.is_staff)


def forget_attempts(user_id: int) -> None:
    """Password and code were both right."""
    for scope in ("confirm_password", "second_factor"):
        forgive(scope, user_id)
