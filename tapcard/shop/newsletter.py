"""Newsletter pages: sign up, confirm by an emailed link, unsubscribe."""

from flask import current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from .. import email_addresses
from ..clock import utcnow
from ..db import db
from ..email_addresses import MAX_EMAIL_LENGTH
from ..models import SubscriberStatus
from ..services.content import newsletter
from ..services.content.newsletter import MAX_CONSENT_LENGTH
from ..web import filters
from ..web.access import PUBLIC, SIGNED_LINK, access
from ..web.forms import refusals
from ..web.security import csrf
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .newsletter_forms import SubscribeForm


def consent_text() -> str:
    """Return the text that subscribers agree to, which is stored with their address."""
    shop = filters.shop()
    usual = _(
        "I'd like to receive news from %(shop)s by email. I can unsubscribe at any time with one click.",
        shop=shop.shop_name,
    )
    return (shop.newsletter_consent or usual)[:MAX_CONSENT_LENGTH]


@bp.post("/newsletter/start")
@csrf.exempt  # in the footer of every page, also without a session; it changes nothing, unlike the next form
@access(PUBLIC)
def start_subscribing() -> str:
    """Show the sign-up form with the address entered in the footer."""
    form = SubscribeForm(consent_text(), formdata=None)
    form.email.data = request.form.get("email", "")[:MAX_EMAIL_LENGTH]
    return render_template("shop/newsletter.html", form=form)


@bp.route("/newsletter", methods=["GET", "POST"])
@access(PUBLIC)
def subscribe() -> Response:
    """Sign up an address and email it a link; the response does not reveal whether it is subscribed already."""
    form = SubscribeForm(consent_text())
    if request.method == "GET" and current_user.is_authenticated:
        form.email.data = current_user.email
    if form.validate_on_submit():
        with refusals(form):
            email = email_addresses.normalize(form.email.data or "")
            throttle("subscribe", account=email, address=True)
            if not form.is_from_bot:
                newsletter.sign_up(email, form.consent_text, utcnow())
                db.session.commit()
            return redirect(url_for("shop.subscription_asked"))
    return make_response(render_template("shop/newsletter.html", form=form), *form_status(form))


@bp.get("/newsletter/sent", endpoint="subscription_asked")
@access(PUBLIC)
def subscription_requested() -> str:
    """Ask the visitor to check their email; the page is the same in every case."""
    return render_template("shop/newsletter_sent.html", days=newsletter.CONFIRM_WITHIN.days)


@bp.route("/newsletter/confirm/<token>", methods=["GET", "POST"])
@access(SIGNED_LINK)
def confirm_subscription(token: str) -> Response:
    """Show a confirmation button, because email programs open links by themselves, and confirm on POST."""
    keys = current_app.extensions["keys"]
    if request.method == "POST":
        newsletter.confirm(token, keys, utcnow())
        db.session.commit()
        return redirect(url_for("shop.confirm_subscription", token=token))
    subscriber = newsletter.get_by_confirm_token(token, keys, utcnow())
    off = url_for("shop.unsubscribe", token=newsletter.unsubscribe_token(subscriber, keys))
    is_done = subscriber.status is SubscriberStatus.SUBSCRIBED
    page = render_template("shop/newsletter_confirm.html", consent=subscriber.consent_text, is_done=is_done, off=off)
    return private(page)


@bp.route("/newsletter/leave/<token>", methods=["GET", "POST"])
@csrf.exempt  # email programs post without having loaded the page (RFC 8058); the link itself is signed
@access(SIGNED_LINK)
def unsubscribe(token: str) -> Response:
    """Unsubscribe by one click."""
    subscriber = newsletter.get_by_unsubscribe_token(token, current_app.extensions["keys"])
    if request.method == "POST":
        newsletter.unsubscribe(subscriber, utcnow())
        db.session.commit()
    is_done = subscriber.status is SubscriberStatus.UNSUBSCRIBED
    return private(render_template("shop/newsletter_leave.html", is_done=is_done))


def private(page: str) -> Response:
    """Return a page with a secret URL, which is neither cached nor sent as a referrer."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
