"""Handle taps that are not answered by the fast path, and claiming cards."""

from flask import Response, abort, current_app, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from ..clock import utcnow
from ..db import db
from ..models import Card, CardStatus, Channel, ClaimPolicy, Outcome, User
from ..services.cards import cards, claims
from ..services.cards.claims import AlreadyClaimed
from ..services.orders import inventory
from ..services.profiles import found_reports
from ..services.taps import routing
from ..services.taps.routing import CardFacts, TapResult, Visitor
from ..web import filters, rate_limits
from ..web.access import HOLDER, PUBLIC, access
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .fast import redirect_headers
from .forms import ClaimForm, OpenClaimForm
from .recorder import CardIds, TapRecorder

REGISTER = "cards.register"


@bp.get("/t/<token>", endpoint="tap_nfc")
@bp.get("/card/<token>", endpoint="tap_card")
@access(PUBLIC)
def tap_nfc(token: str) -> AnyResponse:
    """Handle a tap on the NFC chip."""
    return tapped(token, Channel.NFC)


@bp.get("/q/<token>", endpoint="tap_qr")
@access(PUBLIC)
def tap_qr(token: str) -> AnyResponse:
    """Handle a scan of the printed QR code."""
    return tapped(token, Channel.QR)


def tapped(raw_token: str, channel: Channel) -> AnyResponse:
    """Resolve a tap, record it and respond to it."""
    token = cards.clean_token(raw_token)
    card = routing.load_card_facts(token) if token else None
    result = routing.resolve(card, current_visitor)
    if result.outcome is Outcome.ORPHAN:
        rate_limits.throttle_unknown_token()
    if token:
        record(token, channel, card, result)
    return respond(token, card, result)


def current_visitor() -> Visitor:
    """Return the visitor according to the session."""
    if not current_user.is_authenticated:
        return Visitor()
    return Visitor(user_id=current_user.id, may_register=current_user.may(REGISTER))


def record(token: str, channel: Channel, card: CardFacts | None, result: TapResult) -> None:
    """Pass a tap to the recorder."""
    recorder: TapRecorder = current_app.extensions["tap_recorder"]
    if card is None:
        recorder.record(request.environ, channel.value, result.outcome.value, None, token)
    else:
        card_ids = CardIds(card.id, card.owner_id, card.design_id)
        recorder.record(request.environ, channel.value, result.outcome.value, card_ids)


def respond(token: str, facts: CardFacts | None, result: TapResult) -> AnyResponse:
    """Return the page or redirect for an outcome."""
    if result.outcome is Outcome.REDIRECT:
        assert result.url is not None
        return tap_redirect(result.url)
    if result.outcome is Outcome.PROFILE:
        assert facts is not None
        return tap_redirect(url_for("tap.profile", slug=facts.profile_slug))
    if result.outcome is Outcome.EDIT:
        return tap_redirect(url_for("tap.card", token=token))
    if result.outcome is Outcome.ORPHAN:
        return unknown(token, result)
    card = cards.get_by_token(token)
    assert card is not None
    if result.outcome is Outcome.ACTIVATION:
        return activation_page(card, None)
    template, status = {
        Outcome.RETIRED: ("tap/retired.html", 410),
        Outcome.SWITCHED_OFF: ("tap/locked.html", 200),
        Outcome.SETUP: ("tap/setup.html", 200),
    }[result.outcome]
    response = make_response(
        render_template(template, card=card, may_be_reported=found_reports.can_be_reported(card)), status
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def tap_redirect(url: str) -> Response:
    """Return the same redirect as the fast path."""
    g.is_tap_redirect = True
    response = Response(status=302)
    response.headers.clear()
    response.headers.extend(redirect_headers(url, current_app.config["TAPCARD"].is_production))
    return response


def unknown(token: str, result: TapResult) -> AnyResponse:
    """Respond to an unknown token: staff may register it, everyone else gets a 404 page."""
    if token and result.may_register and "backoffice" in current_app.blueprints:
        return tap_redirect(url_for("backoffice.register_card", token=token))
    response = make_response(render_template("errors/404.html", message=_("We couldn't find that card.")), 404)
    response.headers["Cache-Control"] = "no-store"
    return response


# --- claiming ---------------------------------------------------------------------------------------------------------


@bp.get("/activate/<token>")
@access(PUBLIC)
def activate(token: str) -> AnyResponse:
    """Show the activation page of an unclaimed card; other cards respond as if tapped, but nothing is recorded."""
    token = cards.clean_token(token)
    facts = routing.load_card_facts(token) if token else None
    result = routing.resolve(facts, current_visitor)
    if result.outcome is Outcome.ORPHAN:
        rate_limits.throttle_unknown_token()
    return respond(token, facts, result)


@bp.post("/activate/<token>", endpoint="claim")
@access(HOLDER)
def claim(token: str) -> AnyResponse:
    """Claim an unclaimed card for the visitor."""
    card = cards.get_by_token(token)
    if card is None:
        abort(404)
    if card.owner_id == current_user.id:  # submitted twice
        return redirect(url_for("tap.card", token=card.token))
    form = claim_form(card)
    if form is not None and form.validate_on_submit():
        with refusals(form):
            throttle("claim", account=str(current_user.id))
            throttle("claim_card", account=str(card.id))
            code = form.code.data if isinstance(form, ClaimForm) else ""
            claims.claim(card, current_user, current_app.extensions["keys"], code=code or "")
            db.session.commit()
            flash(_("The card is yours. Choose what it opens."), "success")
            return redirect(url_for("tap.card", token=card.token))
    if card.status is CardStatus.RETIRED:
        return redirect(url_for("tap.activate", token=card.token))
    if card.status is not CardStatus.UNCLAIMED:
        raise AlreadyClaimed(_("This card has already been claimed."))
    response = activation_page(card, form)
    if form is None:
        response.status_code = 409  # this card is activated by payment
    return response


def payer() -> User | None:
    """Return the user who would pay for a card: the one who is signed in, if any."""
    return current_user if current_user.is_authenticated else None


def claim_form(card: Card) -> ClaimForm | OpenClaimForm | None:
    """Return the form for the card's claim policy, or None for policy `pay`."""
    if card.claim_policy is ClaimPolicy.CODE:
        return ClaimForm()
    return OpenClaimForm() if card.claim_policy is ClaimPolicy.OPEN else None


def activation_page(card: Card, form: ClaimForm | OpenClaimForm | None) -> AnyResponse:
    """Render the activation page with the form or button for the card's claim policy."""
    page_url = url_for("tap.activate", token=card.token)
    signed_in = current_user.is_authenticated
    if form is None and signed_in:
        form = claim_form(card)
    page = render_template(
        "tap/activate.html",
        card=card,
        form=form,
        policy=card.claim_policy.value,
        price=claims.activation_price(card, filters.shop()),
        is_being_paid=card.claim_policy is ClaimPolicy.PAY and inventory.is_card_held(card, payer(), utcnow()),
        signed_in=signed_in,
        sign_up_url=url_for("auth.sign_up", next=page_url),
        log_in_url=url_for("auth.log_in", next=page_url),
    )
    response = make_response(page, *(form_status(form) if form is not None else (200,)))
    response.headers["Cache-Control"] = "no-store"
    return response
