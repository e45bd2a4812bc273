"""What making and packing an order takes: artwork, cards with their codes, the delivery note."""

from flask import Response, abort, current_app, render_template
from flask_login import current_user

from .. import files
from ..models import Card
from ..services import cards, order_desk
from ..web import csvs, uploads
from ..web.guards import permission_required
from ..web.qr_files import qr_file
from . import order_words
from .blueprint import bp


@bp.get("/orders/<number>/files/<name>")
@permission_required("orders.view")
def order_file(number: str, name: str) -> Response:
    """A buyer's picture as it was stored, to take along; nothing that does not go with the order."""
    found = order_desk.whole(number)
    wanted = next((each for each in order_words.files(found) if each.name == name), None)
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
@permission_required("orders.view")
def order_cards(number: str) -> str:
    """The cards of an order, with what goes onto them and into the box."""
    found = order_desk.whole(number)
    made = [(line, card, claim_code_of(card)) for line, card in order_desk.cards_of(found)]
    return render_template("admin/order_cards.html", order=found, cards=made, site=current_app.config["SITE_URL"])


@bp.get("/orders/<number>/cards.csv")
@permission_required("cards.make")
def order_cards_csv(number: str) -> Response:
    """The same as a table, for whoever writes the chips and prints the inserts."""
    found, site = order_desk.whole(number), current_app.config["SITE_URL"]
    rows = [
        (line.title, card.token, f"{site}/t/{card.token}", f"{site}/q/{card.token}", claim_code_of(card))
        for line, card in order_desk.cards_of(found)
    ]
    header = ("line", "token", "tap_url", "qr_url", "claim_code")
    return csvs.csv_file(f"{found.number}-cards.csv", header, rows)


@bp.get("/orders/<number>/cards/<token>/qr.<kind>")
@permission_required("orders.view")
def order_card_qr(number: str, token: str, kind: str) -> Response:
    """The QR code of one of its cards, to print."""
    wanted = cards.clean_token(token)
    card = next((card for _line, card in order_desk.cards_of(order_desk.whole(number)) if card.token == wanted), None)
    if card is None:
        abort(404)
    return qr_file(f"{current_app.config['SITE_URL']}/q/{card.token}", kind, name=f"tapcard-{card.token}")


@bp.get("/orders/<number>/delivery-note")
@permission_required("orders.view")
def delivery_note(number: str) -> str:
    """What goes into the box: everything but the prices."""
    return render_template("admin/delivery_note.html", order=order_desk.whole(number))


def claim_code_of(card: Card) -> str:
    """The claim code of an unclaimed card, for those who make cards."""
    if not current_user.may("cards.make"):
        return ""
    return cards.read_code(card, current_app.extensions["keys"]) or ""
