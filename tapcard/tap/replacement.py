"""Replace a lost or worn-out card with a new one."""

from flask import current_app, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..db import db
from ..errors import mark
from ..models import Card
from ..services.cards import cards, replacement
from ..web.access import HOLDER, access
from ..web.forms import refusals
from ..web.throttling import form_status, throttle
from .blueprint import bp
from .transfer_forms import ANOTHER, ReplaceForm


@bp.route("/cards/<token>/replace", methods=["GET", "POST"])
@access(HOLDER)
def replace_card(token: str) -> Response:
    """Show the form for choosing the new card; replace the old card and retire it."""
    own = cards.own_card(current_user, token)
    blank = cards.cards_without_target(current_user, exclude=own)
    form = ReplaceForm(blank)
    if form.validate_on_submit():
        with refusals(form):
            new = chosen_card(form)
            replacement.replace(own, new, current_user, current_app.extensions["keys"], code=form.code.data or "")
            db.session.commit()
            flash(_("Card replaced. The old card no longer works."), "success")
            return redirect(url_for("tap.card", token=new.token))
    page = render_template("tap/replace.html", card=own, form=form, blank=blank)
    return make_response(page, *form_status(form))


def chosen_card(form: ReplaceForm) -> Card:
    """Return the chosen card, either the holder's own or by its submitted token; attempts are rate limited."""
    if form.replacement.data != ANOTHER:
        return cards.own_card(current_user, form.replacement.data)
    throttle("claim", account=current_user.id)
    token = cards.clean_token(form.token.data or "")
    new = cards.get_by_token(token) if token else None
    if new is None:
        raise cards.CardNotFound(
            mark("We couldn't find a card with that token. Check the card and try again."), field="token"
        )
    throttle("claim_card", account=new.id)
    return new
