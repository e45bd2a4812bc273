"""Back office pages for producing and packing orders: artwork, cards, claim codes and delivery notes."""

from flask import Response, abort, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from ... import files
from ...clock import utcnow
from ...models import Card, Order, OrderLine
from ...services.cards import cards, claims
from ...services.orders import fulfillment, production
from ...web import csvs, uploads
from ...web.access import access
from ...web.qr_files import qr_file
from ..blueprint import bp
from . import labels
from .order_forms import SwapForm
from .orders import step


@bp.get("/orders/<number>/files/<name>")
@access("staff:orders.view")
def order_file(number: str, name: str) -> Response:
    """A buyer's picture as it was stored, to take along; nothing that does not go with the order."""
    found = production.get_order(number)
    wanted = next((each for each in labels.files(found) if each.name == name), None)
    if wanted is None:
        abort(404)
    with files.open_upload(name, uploads.folder()) as upload:
        response = Response(upload.read(), mimetype=files.KINDS[name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f'attachment; filename="{wanted.download_name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.cache_control.private = True
    return response


@bp.get("/orders/<number>/cards")
@access("staff:orders.view")
def order_cards(number: str) -> str:
    """The cards of an order, with what goes onto them and into the box."""
    found = production.get_order(number)
    return render_template(
        "admin/order_cards.html",
        order=found,
        cards=with_codes(found),
        site=current_app.config["SITE_URL"],
        may_swap=current_user.may("orders.edit") and found.status in fulfillment.BEFORE_SHIPPING,
    )


@bp.get("/orders/<number>/cards.csv")
@access("staff:cards.make")
def order_cards_csv(number: str) -> Response:
    """The same as a table, for whoever writes the chips and prints the inserts."""
    found, site = production.get_order(number), current_app.config["SITE_URL"]
    rows = [
        (*(line.title, line.design_name), *(card.token, f"{site}/t/{card.token}", f"{site}/q/{card.token}"), code)
        for line, card, code in with_codes(found)
    ]
    header = ("line", "design", "token", "tap_url", "qr_url", "claim_code")
    return csvs.csv_file(f"{found.number}-cards.csv", header, rows)


@bp.get("/orders/<number>/cards/<token>/qr.<kind>")
@access("staff:orders.view")
def order_card_qr(number: str, token: str, kind: str) -> Response:
    """The QR code of one of its cards, to print."""
    card = sold_card(production.get_order(number), token)
    return qr_file(f"{current_app.config['SITE_URL']}/q/{card.token}", kind, name=f"tapcard-{card.token}")


@bp.route("/orders/<number>/cards/<token>/swap", methods=["GET", "POST"])
@access("staff:orders.edit")
def swap_card(number: str, token: str) -> ResponseReturnValue:
    """Pack a card from stock instead of one that would have to be made."""
    found, form = production.get_order(number), SwapForm()
    card = sold_card(found, token)

    def do() -> None:
        stock = cards.get_by_token(form.token.data or "")
        if stock is None:
            raise cards.CardNotFound(_("No card has that token. Check the spelling."), field="token")
        fulfillment.swap_card(card, stock, current_user, utcnow())

    return step(
        found, form, do, _("Card replaced."),
        title=_("Use a card from stock"), label=_("Use this card"),
        lead=_("Replaces card %(token)s.", token=card.token),
    )  # fmt: skip


def sold_card(found: Order, token: str) -> Card:
    """A card of an order by its token; any other does not exist."""
    wanted = cards.clean_token(token)
    card = next((card for _line, card in production.cards_of(found) if card.token == wanted), None)
    return card or abort(404)


@bp.get("/orders/<number>/delivery-note")
@access("staff:orders.view")
def delivery_note(number: str) -> str:
    """What goes into the box: everything but the prices."""
    return render_template("admin/delivery_note.html", order=production.get_order(number))


def with_codes(found: Order) -> list[tuple[OrderLine, Card, str]]:
    """The cards of an order with their lines and claim codes."""
    return [(line, card, claim_code_of(card)) for line, card in production.cards_of(found)]


def claim_code_of(card: Card) -> str:
    """The claim code of an unclaimed card, for those who make cards."""
    if not current_user.may("cards.make"):
        return ""
    return claims.read_claim_code(card, current_app.extensions["keys"]) or ""
