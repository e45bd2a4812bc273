"""Pages about one's own account, and those that lead to having one."""

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
from ..web.access import HOLDER, PUBLIC, SIGNED_LINK, access, here
from ..web.forms import Form, refusals
from ..web.guards import ask_second_factor, log_in_user, log_out_user, renew_session, wait_outside
from ..web.redirects import asked_next
from ..web.sessions import current_hash
from ..web.throttling import forgive, form_status, throttle
from .closing_forms import MailsForm
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
def keep_out_of_caches(response: Response) -> Response:
    """Nothing here is anybody else's business, also when no session was touched."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@bp.errorhandler(email_links.LinkExpired)
@bp.errorhandler(email_links.LinkUsed)
def dead_link(error: DomainError) -> Response:
    """Say that a mailed link has ended, and how to get another."""
    page = render_template("auth/link_expired.html", message=_(error.message, **error.params))
    return make_response(page, error.status)


# --- coming and going -------------------------------------------------------------------------------------------------


@bp.route("/sign-up", methods=["GET", "POST"])
@access(PUBLIC)
def sign_up() -> Response:
    """Make an account; its holder is signed in at once."""
    if current_user.is_authenticated:
        return redirect(onwards())
    form = SignUpForm()
    if form.validate_on_submit():
        with refusals(form):
            return make_account(form)
    return page("auth/sign_up.html", form, next=asked_next(), card=card_ahead(asked_next()))


def make_account(form: SignUpForm) -> Response:
    """Do what a filled sign-up form asks for."""
    throttle("sign_up", account=email_addresses.fold(form.email.data), address=True)
    user = registration.sign_up(
        form.first_name.data, form.last_name.data, form.email.data, form.password.data, utcnow()
    )
    db.session.commit()
    if user is None:
        return redirect(url_for("auth.link_sent"))
    log_in_user(user)
    flash(_("Welcome. We've sent you an email. Open the link in it to confirm your address."), "success")
    return redirect(onwards())


@bp.route("/log-in", methods=["GET", "POST"])
@access(PUBLIC)
def log_in() -> Response:
    """Sign somebody in by address and password."""
    if current_user.is_authenticated:
        return redirect(onwards())
    form = LogInForm()
    if form.validate_on_submit():
        with refusals(form):
            email = email_addresses.fold(form.email.data)
            throttle("log_in", account=email, address=True)
            user = credentials.authenticate(email, form.password.data, utcnow())
            proof = PasswordProof.of(user)
            forgive("log_in", email)
            db.session.commit()
            return identified(proof, remember=form.remember.data)
    return page("auth/log_in.html", form, next=asked_next(), card=card_ahead(asked_next()))


def identified(proof: PasswordProof, *, remember: bool = False) -> Response:
    """Go on from a proven identity, whatever proved it: signed in, or asked for the second factor first."""
    user = db.session.get_one(User, proof.user_id)
    if user.has_two_factor:
        ask_second_factor(proof, remember=remember)
        return redirect(url_for("auth.second_factor", next=asked_next()))
    return come_in(user, proof, remember=remember)


def come_in(user: User, proof: PasswordProof, *, remember: bool, second_factor_at: datetime | None = None) -> Response:
    """Sign in whoever has proved all there is; with a closed account they first say whether to open it again."""
    if not user.is_active:
        wait_outside(user, proof, second_factor_at)
        return redirect(url_for("auth.reopen"))
    log_in_user(user, remember=remember, proof=proof, second_factor_at=second_factor_at)
    return redirect(onwards())


@bp.post("/log-out")
@access(PUBLIC)
def log_out() -> Response:
    """Sign the visitor out."""
    log_out_user()
    flash(_("You've logged out."), "info")
    return redirect(url_for("shop.front" if "shop.front" in current_app.view_functions else "auth.log_in"))


def home() -> str:
    """Where somebody goes who did not come from anywhere."""
    return url_for("tap.dashboard")


def onwards() -> str:
    """Where somebody goes once signed in: their `next`, unless it is a card of somebody by now, which may lead away."""
    path = asked_next()
    if path is None:
        return home()
    endpoint, values = target_of(path)
    card = cards.get_by_token(values["token"]) if endpoint == "tap.activate" else None
    return home() if card is not None and card.status is not CardStatus.UNCLAIMED else path


def card_ahead(path: str | None) -> Card | None:
    """The unclaimed card that somebody is about to make their own, if `next` leads to its activation."""
    endpoint, values = target_of(path)
    card = cards.get_by_token(values["token"]) if endpoint == "tap.activate" else None
    return card if card is not None and card.status is CardStatus.UNCLAIMED else None


def target_of(path: str | None) -> tuple[str, dict[str, Any]]:
    """The endpoint and the values of a path of this site; an empty endpoint for none."""
    try:
        inside = unquote(urlsplit(path or "").path).removeprefix(request.script_root)
        endpoint, values = current_app.url_map.bind("localhost").match(inside, method="GET")
    except HTTPException:
        return "", {}
    return str(endpoint), dict(values)


# --- the address ------------------------------------------------------------------------------------------------------


@bp.route("/verify/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def verify(token: str) -> Response:
    """Confirm an address; by a button, because mail programs open links by themselves.

    Where nobody is logged in with that account, whoever signed up may be a stranger: it gets a new password.
    """
    facts = email_links.read_link(token, LinkPurpose.VERIFY_EMAIL, utcnow())
    form = Form()
    if form.validate_on_submit():
        user = email_change.verify_email(token, utcnow(), by=current_user.id)
        ownership.attach_orders(user)
        if user.password_hash is None:
            return on_to_password(user, _("%(email)s is confirmed. Now choose a password.", email=facts.email))
        db.session.commit()
        flash(_("Thank you. %(email)s is confirmed.", email=facts.email), "success")
        return go_on_as(facts.user_id)
    starts_anew = not facts.is_verified and not is_own(facts)
    return page("auth/verify.html", form, email=facts.email, starts_anew=starts_anew, path=here())


@bp.post("/verify")
@access(HOLDER)
def resend_verification() -> Response:
    """Send the mail that verifies an address once more."""
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
    """Ask for another address; it takes effect when that one confirms."""
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
    """Let a new address take effect; for the account's holder alone, as its orders come along with an address.

    Whoever wants to move an account can type any address, and people press buttons in mails.
    """
    facts = email_links.read_link(token, LinkPurpose.CHANGE_EMAIL, utcnow())
    form = Form()
    if not is_own(facts):
        return page("auth/confirm_email_log_in.html", form, email=facts.email, path=here())
    if form.validate_on_submit():
        with refusals(form):
            ownership.attach_orders(email_change.confirm_email_change(token, utcnow()))
            db.session.commit()
            flash(_("Email changed. Log in with %(email)s from now on.", email=facts.email), "success")
            return go_on_as(facts.user_id)
    return page("auth/confirm_email.html", form, email=facts.email, current_email=facts.current_email)


@bp.route("/account/email/undo/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def undo_email(token: str) -> Response:
    """Take a former address back, and go on to a new password."""
    facts = email_links.read_link(token, LinkPurpose.UNDO_EMAIL, utcnow())
    form = Form()
    if form.validate_on_submit():
        with refusals(form):
            user = email_change.undo_email_change(token, utcnow())
            ownership.attach_orders(user)
            if not user.is_active:
                user = closure.reopen(user.id, utcnow())
            text = _("Your email is %(email)s again. Now choose a new password.", email=facts.email)
            return on_to_password(user, text)
    return page("auth/undo_email.html", form, email=facts.email, current_email=facts.current_email)


def is_own(facts: LinkDetails) -> bool:
    """Whether a link is followed in a browser that is signed in with its account."""
    return bool(current_user.id == facts.user_id)


def on_to_password(user: User, message: str) -> Response:
    """Commit, and lead whoever proved to have an account's address on to a new password; nobody stays signed in."""
    token = email_links.issue_link(user, LinkPurpose.SET_PASSWORD, user.email, utcnow())
    db.session.commit()
    if current_user.is_authenticated:
        log_out_user()
    flash(message, "success")
    return redirect(url_for("auth.set_password", token=token))


def go_on_as(user_id: int) -> Response:
    """Go on after a link was followed: by its user under a new session id, by anybody else at the log in."""
    if current_user.is_authenticated and current_user.id == user_id:
        renew_session()
        return redirect(home())
    return redirect(url_for("auth.log_in"))


# --- the password -----------------------------------------------------------------------------------------------------


@bp.route("/forgot-password", methods=["GET", "POST"])
@access(PUBLIC)
def forgot_password() -> Response:
    """Promise a link to set a password; the answer is the same whether or not there is such an account."""
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
    """Ask somebody to look into their mail."""
    return render_template("auth/link_sent.html")


@bp.route("/set-password/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def set_password(token: str) -> Response:
    """Set a password through a mailed link, and sign in with it."""
    facts = email_links.read_link(token, LinkPurpose.SET_PASSWORD, utcnow())
    form = SetPasswordForm()
    if form.validate_on_submit():
        with refusals(form):
            user = credentials.set_password(token, form.password.data, utcnow())
            ownership.attach_orders(user)
            proof = PasswordProof.of(user)
            db.session.commit()
            flash(_("Password saved."), "success")
            return identified(proof)
    return page("auth/set_password.html", form, email=facts.email, is_first=not facts.has_password)


@bp.route("/account/password", methods=["GET", "POST"])
@access(HOLDER)
def change_password() -> Response:
    """Change the password; other browsers are signed out."""
    form, user_id = ChangePasswordForm(), current_user.id
    if form.validate_on_submit():
        with refusals(form):
            throttle("confirm_password", account=user_id)
            user = credentials.change_password(
                user_id, form.current.data, form.password.data, keep_sid_hash=current_hash(), now=utcnow()
            )
            proof = PasswordProof.of(user)
            forgive("confirm_password", user_id)
            db.session.commit()
            renew_session(proof=proof)
            flash(_("Password changed. You've been logged out everywhere else."), "success")
            return redirect(url_for("auth.account"))
    return page("auth/change_password.html", form)


# --- the account ------------------------------------------------------------------------------------------------------


@bp.route("/account", methods=["GET", "POST"])
@access(HOLDER)
def account() -> Response:
    """Show an account, and change how its holder is called."""
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
    """A page with a form, and the status that says how the form fared."""
    return make_response(render_template(template, form=form, **values), *form_status(form))
