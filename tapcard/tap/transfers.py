"""Card transfers: offered by the holder, accepted or declined by the recipient of the email."""

from flask import flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from .. import email_addresses
from ..clock import utcnow
from ..db import db
from ..services.cards import cards, transfers
from ..web.access import HOLDER, access
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .transfer_forms import OfferForm


@bp.route("/cards/<token>/transfer", methods=["GET", "POST"])
@access(HOLDER)
def transfer_card(token: str) -> Response:
    """Offer a card to an email address; the response is the same whether or not it has an account."""
    own = cards.own_card(current_user, token)
    form = OfferForm()
    if form.validate_on_submit():
        with refusals(form):
            email = email_addresses.normalize(form.email.data or "")
            throttle("offer_card", account=current_user.id)
            throttle("offer_card_to", account=email)
            transfers.offer(own, current_user, email, utcnow())
            db.session.commit()
            flash(_("We've sent a transfer request to %(email)s.", email=email), "success")
            return redirect(url_for("tap.card", token=own.token))
    page = render_template("tap/transfer.html", card=own, form=form)
    return make_response(page, *form_status(form))


@bp.post("/cards/<token>/transfer/withdraw")
@access(HOLDER)
def withdraw_offer(token: str) -> Response:
    """Withdraw an offer."""
    own = cards.own_card(current_user, token)
    transfers.withdraw(own, current_user, utcnow())
    db.session.commit()
    flash(_("Transfer cancelled. The card is still yours."), "success")
    return redirect(url_for("tap.card", token=own.token))


@bp.get("/offers/<int:offer_id>")
@access(HOLDER)
def offer(offer_id: int) -> Response:
    """Show an open offer; users with an unverified email address are asked to verify it first."""
    if not current_user.is_verified:
        return make_response(render_template("tap/offer_unverified.html"))
    offer = transfers.get_offer_to(current_user, offer_id, utcnow())
    return make_response(render_template("tap/offer.html", offer=offer, card=offer.card))


@bp.post("/offers/<int:offer_id>/accept")
@access(HOLDER)
def accept_offer(offer_id: int) -> Response:
    """Accept an offered card."""
    card = transfers.accepted_card(current_user, offer_id)  # submitted twice
    if card is None:
        card = transfers.accept(offer_id, current_user, utcnow())
        db.session.commit()
        flash(_("The card is yours. Choose what it opens."), "success")
    return redirect(url_for("tap.card", token=card.token))


@bp.post("/offers/<int:offer_id>/decline")
@access(HOLDER)
def decline_offer(offer_id: int) -> Response:
    """Decline an offered card."""
    transfers.decline(offer_id, current_user, utcnow())
    db.session.commit()
    flash(_("You declined the card. It stays with its owner."), "success")
    return redirect(url_for("tap.dashboard"))
