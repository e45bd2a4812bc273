"""Activation by payment: a card is added to the cart of the user who activates it."""

from flask import abort, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..services.cards import cards
from ..services.cart import editing
from ..services.orders.replacement import reservations_for
from ..web.access import PUBLIC, access
from ..web.carts import get_or_create_cart
from ..web.context import rule_context
from .blueprint import bp


@bp.post("/activate/<token>/pay")
@access(PUBLIC)
def activate(token: str) -> Response:
    """Add the activation of a card to the cart and go to the checkout; a guest logs in first."""
    card = cards.get_by_token(token)
    if card is None:
        abort(404)
    here = url_for("tap.activate", token=card.token)
    if not current_user.is_authenticated:
        return redirect(url_for("auth.log_in", next=here))
    if card.owner_id == current_user.id:  # paid in the meantime
        return redirect(url_for("tap.card", token=card.token))
    editing.add_activation(get_or_create_cart(), card, rule_context(), reservations_for)
    db.session.commit()
    return redirect(url_for("shop.checkout"))
