"""Back office pages for producing and packing orders: artwork, cards, claim codes and delivery notes."""

from flask import Response, abort, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from ... import files
from ...clock import utcnow
from ...models import Card, Order, OrderLine
from ...models.orders import IN_PROGRESS_STATUSES
from ...services.cards import cards, claims
from ...services.orders import back_office, fulfillment, production
from ...web import csvs, uploads
from ...web.access import access
from ...web.qr_files import qr_file
from ..blueprint import bp
from . import labels
from .order_forms import SwapForm
from .orders import run_step


@bp.get("/orders/<number>/files/<name>")
@access("staff:orders.view")
def order_file(number: str, name: str) -> Response:
    """Download a picture of an order as it was stored; any other name is a 404 error."""
    order = back_office.get_order(number)
    line_file = next((file for file in labels.files(order) if file.name == name), None)
    if line_file is None:
        abort(404)
    with files.open_upload(name, uploads.folder()) as upload:
        response = Response(upload.read(), mimetype=files.KINDS[name.rpartition(".")[2]])
    response.headers["Content-Disposition"] = f'attachment; filename="{line_file.download_name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.cache_control.private = True
    return response


@bp.get("/orders/<number>/cards", endpoint="order_cards")
@access("staff:orders.view")
def list_order_cards(number: str) -> str:
    """List the cards of an order with their URLs, QR codes and claim codes."""
    order = back_office.get_order(number)
    return render_template(
        "admin/order_cards.html",
        order=order,
        cards=with_codes(order),
        site=current_app.config["SITE_URL"],
        may_swap=current_user.may("orders.edit") and order.status in IN_PROGRESS_STATUSES,
    )


@bp.get("/orders/<number>/cards.csv")
@access("staff:cards.make")
def order_cards_csv(number: str) -> Response:
    """Download the cards of an order as CSV, for encoding chips and printing inserts."""
    order, site = back_office.get_order(number), current_app.config["SITE_URL"]
    rows = [
        (*(line.title, line.design_name), *(card.token, f"{site}/t/{card.token}", f"{site}/q/{card.token}"), code)
        for line, card, code in with_codes(order)
    ]
    header = ("line", "design", "token", "tap_url", "qr_url", "claim_code")
    return csvs.csv_file(f"{order.number}-cards.csv", header, rows)


@bp.get("/orders/<number>/cards/<token>/qr.<kind>")
@access("staff:orders.view")
def order_card_qr(number: str, token: str, kind: str) -> Response:
    """Download the QR code of a card of an order."""
    card = get_card_or_404(back_office.get_order(number), token)
    return qr_file(f"{current_app.config['SITE_URL']}/q/{card.token}", kind, name=f"tapcard-{card.token}")


@bp.route("/orders/<number>/cards/<token>/swap", methods=["GET", "POST"])
@access("staff:orders.edit")
def swap_card(number: str, token: str) -> ResponseReturnValue:
    """Replace a card of an order with a card from stock."""
    order, form = back_office.get_order(number), SwapForm()
    card = get_card_or_404(order, token)

    def action() -> None:
        stock = cards.get_by_token(form.token.data or "")
        if stock is None:
            raise cards.CardNotFound(_("No card has that token. Check the spelling."), field="token")
        fulfillment.swap_card(card, stock, current_user, utcnow())

    return run_step(
        order, form, action, _("Card replaced."),
        title=_("Use a card from stock"), label=_("Use this card"),
        lead=_("Replaces card %(token)s.", token=card.token),
    )  # fmt: skip


def get_card_or_404(order: Order, token: str) -> Card:
    """Return a card of an order by its token; any other token is a 404 error."""
    token = cards.clean_token(token)
    card = next((card for _line, card in production.cards_of(order) if card.token == token), None)
    return card or abort(404)


@bp.get("/orders/<number>/delivery-note")
@access("staff:orders.view")
def delivery_note(number: str) -> str:
    """Show the delivery note of an order, without prices."""
    return render_template("admin/delivery_note.html", order=back_office.get_order(number))


def with_codes(order: Order) -> list[tuple[OrderLine, Card, str]]:
    """Return the cards of an order with their lines and claim codes."""
    return [(line, card, claim_code_of(card)) for line, card in production.cards_of(order)]


def claim_code_of(card: Card) -> str:
    """Return the claim code of an unclaimed card, or an empty text without the permission `cards.make`."""
    if not current_user.may("cards.make"):
        return ""
    return claims.read_claim_code(card, current_app.extensions["keys"]) or ""
