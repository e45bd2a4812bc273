"""Activation by payment: a card that waits for it goes into the cart of whoever wants it, and on to the checkout."""

from flask import abort, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import utcnow
from ..db import db
from ..services.cards import cards
from ..services.cart import editing
from ..web.access import PUBLIC, access
from ..web.carts import cart_to_fill
from ..web.filters import shop
from .blueprint import bp


@bp.post("/activate/<token>/pay")
@access(PUBLIC)
def activate(token: str) -> Response:
    """Take a card to the checkout; who is not signed in does that first, and comes back to the card."""
    card = cards.get_by_token(token)
    if card is None:
        abort(404)
    here = url_for("tap.activate", token=card.token)
    if not current_user.is_authenticated:
        return redirect(url_for("auth.log_in", next=here))
    if card.owner_id == current_user.id:  # paid meanwhile
        return redirect(url_for("tap.card", token=card.token))
    editing.add_activation(cart_to_fill(), card, shop(), utcnow())
    db.session.commit()
    return redirect(url_for("shop.checkout"))
