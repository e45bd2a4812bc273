"""Page to report a found card to its owner."""

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ..db import db
from ..models import Card
from ..services.cards import cards
from ..services.profiles import found_reports
from ..web import filters, rate_limits
from ..web.access import PUBLIC, access
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .transfer_forms import FoundForm


@bp.route("/t/<token>/found", methods=["GET", "POST"])
@access(PUBLIC)
def found_card(token: str) -> Response:
    """Send a message to the owner of a lost card; the response reveals neither the owner nor if an email was sent."""
    card = known_card(token)
    if request.method == "GET" and "sent" in request.args:
        return answer("tap/found_thanks.html", card)
    if not found_reports.can_be_reported(card):
        return redirect(url_for("tap.activate", token=card.token))
    form = FoundForm()
    if form.validate_on_submit():
        with refusals(form):
            throttle("card_found", account=card.id, address=True)
            if not form.website.data:
                region = filters.shop().country
                found_reports.send_report(card, form.message.data or "", form.answer_to.data or "", region)
            db.session.commit()
            return redirect(url_for("tap.found_card", token=card.token, sent=1))
    return answer("tap/found.html", card, form)


def known_card(token: str) -> Card:
    """Return the card with this token; guessing unknown tokens is rate limited."""
    clean = cards.clean_token(token)
    card = cards.get_by_token(clean) if clean else None
    if card is None:
        rate_limits.throttle_unknown_token()
        abort(404)
    return card


def answer(template: str, card: Card, form: FoundForm | None = None) -> Response:
    """Render a page that must not be cached."""
    page = render_template(template, card=card, form=form)
    response = make_response(page, *(form_status(form) if form is not None else (200,)))
    response.headers["Cache-Control"] = "no-store"
    return response
