"""Account pages: sign-up, login, email links, password and personal details."""

from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .. import email_addresses, outbox
from ..clock import utcnow
from ..db import db
from ..errors import DomainError
from ..models import Card, CardStatus, LinkPurpose, User
from ..services.accounts import credentials, email_change, email_links, registration
from ..services.accounts.credentials import PasswordProof
from ..services.accounts.email_links import LinkDetails
from ..services.cards import cards
from ..services.orders import ownership
from ..services.privacy import closure
from ..web.access import HOLDER, PUBLIC, SIGNED_LINK, access, current_path
from ..web.forms import Form, refusals
from ..web.guards import log_in_user, log_out_user, renew_session, start_reopening, start_two_factor
from ..web.redirects import requested_next
from ..web.sessions import current_session_hash
from ..web.throttling import form_status, reset_throttle, throttle
from .closure_forms import MailsForm
from .forms import (
    ChangeEmailForm,
    ChangePasswordForm,
    DetailsForm,
    ForgotPasswordForm,
    LogInForm,
    SetPasswordForm,
    SignUpForm,
)

bp = Blueprint("auth", __name__)


@bp.after_request
def disable_caching(response: Response) -> Response:
    """Forbid caching of all account pages, even if no session was used."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@bp.errorhandler(email_links.LinkExpired)
@bp.errorhandler(email_links.LinkUsed)
def link_expired(error: DomainError) -> Response:
    """Show that an emailed link is no longer valid, and how to get another."""
    page = render_template("auth/link_expired.html", message=_(error.message, **error.params))
    return make_response(page, error.status)


# --- sign-up, login and logout ----------------------------------------------------------------------------------------


@bp.route("/sign-up", methods=["GET", "POST"])
@access(PUBLIC)
def sign_up() -> Response:
    """Create an account and log its user in."""
    if current_user.is_authenticated:
        return redirect(url_after_login())
    form = SignUpForm()
    if form.validate_on_submit():
        with refusals(form):
            return create_account(form)
    return page("auth/sign_up.html", form, next=requested_next(), card=card_to_activate(requested_next()))


def create_account(form: SignUpForm) -> Response:
    """Create the account that a valid sign-up form describes."""
    throttle("sign_up", account=email_addresses.fold(form.email.data), address=True)
    user = registration.sign_up(
        form.first_name.data, form.last_name.data, form.email.data, form.password.data, utcnow()
    )
    db.session.commit()
    if user is None:
        return redirect(url_for("auth.link_sent"))
    log_in_user(user)
    flash(_("Welcome. We've sent you an email. Open the link in it to confirm your address."), "success")
    return redirect(url_after_login())


@bp.route("/log-in", methods=["GET", "POST"])
@access(PUBLIC)
def log_in() -> Response:
    """Log a user in by email address and password."""
    if current_user.is_authenticated:
        return redirect(url_after_login())
    form = LogInForm()
    if form.validate_on_submit():
        with refusals(form):
            email = email_addresses.fold(form.email.data)
            throttle("log_in", account=email, address=True)
            user = credentials.authenticate(email, form.password.data, utcnow())
            proof = PasswordProof.of(user)
            reset_throttle("log_in", email)
            db.session.commit()
            return continue_login(proof, remember=form.remember.data)
    return page("auth/log_in.html", form, next=requested_next(), card=card_to_activate(requested_next()))


def continue_login(proof: PasswordProof, *, remember: bool = False) -> Response:
    """Continue logging in after the password: complete it, or ask for the second factor first."""
    user = db.session.get_one(User, proof.user_id)
    if user.has_two_factor:
        start_two_factor(proof, remember=remember)
        return redirect(url_for("auth.second_factor", next=requested_next()))
    return complete_login(user, proof, remember=remember)


def complete_login(
    user: User, proof: PasswordProof, *, remember: bool, second_factor_at: datetime | None = None
) -> Response:
    """Log a fully authenticated user in; ask first whether to reopen a closed account."""
    if not user.is_active:
        start_reopening(user, proof, second_factor_at)
        return redirect(url_for("auth.reopen"))
    log_in_user(user, remember=remember, proof=proof, second_factor_at=second_factor_at)
    return redirect(url_after_login())


@bp.post("/log-out")
@access(PUBLIC)
def log_out() -> Response:
    """Log the visitor out."""
    log_out_user()
    flash(_("You've logged out."), "info")
    return redirect(url_for("shop.front" if "shop.front" in current_app.view_functions else "auth.log_in"))


def default_url() -> str:
    """Return the URL after log in without a `next`: the dashboard."""
    return url_for("tap.dashboard")


def url_after_login() -> str:
    """Return the URL after log in: `next`, except for a claimed card, which may redirect anywhere."""
    path = requested_next()
    if path is None:
        return default_url()
    endpoint, values = match_path(path)
    card = cards.get_by_token(values["token"]) if endpoint == "tap.activate" else None
    return default_url() if card is not None and card.status is not CardStatus.UNCLAIMED else path


def card_to_activate(path: str | None) -> Card | None:
    """Return the unclaimed card that `next` activates, or None."""
    endpoint, values = match_path(path)
    card = cards.get_by_token(values["token"]) if endpoint == "tap.activate" else None
    return card if card is not None and card.status is CardStatus.UNCLAIMED else None


def match_path(path: str | None) -> tuple[str, dict[str, Any]]:
    """Return the endpoint and values of a path of this site; the endpoint is empty if there is none."""
    try:
        site_path = unquote(urlsplit(path or "").path).removeprefix(request.script_root)
        endpoint, values = current_app.url_map.bind("localhost").match(site_path, method="GET")
    except HTTPException:
        return "", {}
    return str(endpoint), dict(values)


# --- email address ----------------------------------------------------------------------------------------------------


@bp.route("/verify/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def verify(token: str) -> Response:
    """Verify an email address, by a button, because email programs open links by themselves.

    Unless the account's own user is logged in, the account may have been created by a stranger, so a new password is
    required.
    """
    facts = email_links.read_link(token, LinkPurpose.VERIFY_EMAIL, utcnow())
    form = Form()
    if form.validate_on_submit():
        user = email_change.verify_email(token, utcnow(), by=current_user.id)
        ownership.attach_orders(user)
        if user.password_hash is None:
            return redirect_to_set_password(
                user, _("%(email)s is confirmed. Now choose a password.", email=facts.email)
            )
        db.session.commit()
        flash(_("Thank you. %(email)s is confirmed.", email=facts.email), "success")
        return redirect_after_link(facts.user_id)
    starts_anew = not facts.is_verified and not is_own_link(facts)
    return page("auth/verify.html", form, email=facts.email, starts_anew=starts_anew, path=current_path())


@bp.post("/verify")
@access(HOLDER)
def resend_verification() -> Response:
    """Send the verification email again."""
    if current_user.is_verified:
        flash(_("Your email is already confirmed."), "info")
        return redirect(url_for("auth.account"))
    throttle("verify_email", account=current_user.id)
    outbox.post("mail.verify_email", user_id=current_user.id)
    db.session.commit()
    flash(
        _("We've sent an email to %(email)s. Open the link in it to confirm your address.", email=current_user.email),
        "success",
    )
    return redirect(url_for("auth.account"))


@bp.route("/account/email", methods=["GET", "POST"])
@access(HOLDER)
def change_email() -> Response:
    """Request a change of email address, which takes effect once the new address confirms it."""
    form, user_id = ChangeEmailForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("change_email", account=user_id)
            email_change.request_email_change(user_id, form.current.data, form.email.data, utcnow())
            db.session.commit()
            text = _(
                "We've sent an email to %(email)s. Open the link in it to confirm the change.", email=form.email.data
            )
            flash(text, "success")
            return redirect(url_for("auth.account"))
    return page("auth/change_email.html", form)


@bp.route("/account/email/confirm/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def confirm_email(token: str) -> Response:
    """Apply a change of email address; only for the logged-in user of the account, who also gets its orders.

    Anyone can request a change to another person's address, and recipients follow links in emails.
    """
    facts = email_links.read_link(token, LinkPurpose.CHANGE_EMAIL, utcnow())
    form = Form()
    if not is_own_link(facts):
        return page("auth/confirm_email_log_in.html", form, email=facts.email, path=current_path())
    if form.validate_on_submit():
        with refusals(form):
            ownership.attach_orders(email_change.confirm_email_change(token, utcnow()))
            db.session.commit()
            flash(_("Email changed. Log in with %(email)s from now on.", email=facts.email), "success")
            return redirect_after_link(facts.user_id)
    return page("auth/confirm_email.html", form, email=facts.email, current_email=facts.current_email)


@bp.route("/account/email/undo/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def undo_email(token: str) -> Response:
    """Restore a former email address, and continue with a new password."""
    facts = email_links.read_link(token, LinkPurpose.UNDO_EMAIL, utcnow())
    form = Form()
    if form.validate_on_submit():
        with refusals(form):
            user = email_change.undo_email_change(token, utcnow())
            ownership.attach_orders(user)
            if not user.is_active:
                user = closure.reopen(user.id, utcnow())
            text = _("Your email is %(email)s again. Now choose a new password.", email=facts.email)
            return redirect_to_set_password(user, text)
    return page("auth/undo_email.html", form, email=facts.email, current_email=facts.current_email)


def is_own_link(facts: LinkDetails) -> bool:
    """Return whether the link's user is the logged-in user."""
    return bool(current_user.id == facts.user_id)


def redirect_to_set_password(user: User, message: str) -> Response:
    """Commit, log out, and redirect the proven owner of the address to set a new password."""
    token = email_links.issue_link(user, LinkPurpose.SET_PASSWORD, user.email, utcnow())
    db.session.commit()
    if current_user.is_authenticated:
        log_out_user()
    flash(message, "success")
    return redirect(url_for("auth.set_password", token=token))


def redirect_after_link(user_id: int) -> Response:
    """Redirect after a link was followed: its user under a new session id, other visitors to log in."""
    if current_user.is_authenticated and current_user.id == user_id:
        renew_session()
        return redirect(default_url())
    return redirect(url_for("auth.log_in"))


# --- password ---------------------------------------------------------------------------------------------------------


@bp.route("/forgot-password", methods=["GET", "POST"])
@access(PUBLIC)
def forgot_password() -> Response:
    """Send a link to set a password; the answer is the same whether or not there is an account."""
    form = ForgotPasswordForm()
    if form.validate_on_submit():
        with refusals(form):
            email = email_addresses.normalize(form.email.data)
            throttle("forgot_password", account=email, address=True)
            outbox.post("mail.set_password", email=email)
            db.session.commit()
            return redirect(url_for("auth.link_sent"))
    return page("auth/forgot_password.html", form)


@bp.get("/forgot-password/sent")
@access(PUBLIC)
def link_sent() -> str:
    """Show that an email was sent."""
    return render_template("auth/link_sent.html")


@bp.route("/set-password/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def set_password(token: str) -> Response:
    """Set a password through an emailed link, and log in."""
    facts = email_links.read_link(token, LinkPurpose.SET_PASSWORD, utcnow())
    form = SetPasswordForm()
    if form.validate_on_submit():
        with refusals(form):
            user = credentials.set_password(token, form.password.data, utcnow())
            ownership.attach_orders(user)
            proof = PasswordProof.of(user)
            db.session.commit()
            flash(_("Password saved."), "success")
            return continue_login(proof)
    return page("auth/set_password.html", form, email=facts.email, is_first=not facts.has_password)


@bp.route("/account/password", methods=["GET", "POST"])
@access(HOLDER)
def change_password() -> Response:
    """Change the password, and log other browsers out."""
    form, user_id = ChangePasswordForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            user = credentials.change_password(
                user_id, form.current.data, form.password.data, keep_sid_hash=current_session_hash(), now=utcnow()
            )
            proof = PasswordProof.of(user)
            reset_throttle("confirm_password", user_id)
            db.session.commit()
            renew_session(proof=proof)
            flash(_("Password changed. You've been logged out everywhere else."), "success")
            return redirect(url_for("auth.account"))
    return page("auth/change_password.html", form)


# --- account ----------------------------------------------------------------------------------------------------------


@bp.route("/account", methods=["GET", "POST"])
@access(HOLDER)
def account() -> Response:
    """Show the account, and update title, names and date of birth."""
    form = DetailsForm(obj=current_user)
    if form.validate_on_submit():
        registration.update_details(
            current_user,
            title=form.title.data,
            first_name=form.first_name.data,
            last_name=form.last_name.data,
            born_on=form.born_on.data,
        )
        db.session.commit()
        flash(_("Changes saved."), "success")
        return redirect(url_for("auth.account"))
    return page("auth/account.html", form, mails_form=MailsForm(formdata=None, obj=current_user))


def page(template: str, form: Form, **values: Any) -> Response:
    """Return a page with a form, with the status for its result."""
    return make_response(render_template(template, form=form, **values), *form_status(form))
