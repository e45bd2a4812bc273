"""Cards of an order, for the buyer to claim or to hand out with claim codes as a list, CSV file or printed sheet."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from .. import qr
from ..db import db
from ..keys import Keys
from ..models import Card, CardStatus, Order, OrderLine
from ..services.cards import cards, claims
from ..services.orders import fulfillment, queries
from ..web.access import BUYER, HOLDER, access, redirect_to_log_in
from ..web.carts import known_order_ids
from ..web.csvs import csv_file
from ..web.filters import label
from ..web.paging import paginate_list
from .blueprint import bp

CARDS_PER_PAGE = 24


@dataclass(frozen=True)
class SoldCard:
    """A card of an order as its buyer sees it."""

    card: Card
    line: OrderLine
    state: str  # waiting, own, taken or retired
    read: Callable[[], str | None]  # decrypts the claim code, which takes a while

    @property
    def is_waiting(self) -> bool:
        return self.state == "waiting"

    @property
    def code(self) -> str | None:
        """Return the claim code of an unclaimed card."""
        return self.read() if self.is_waiting else None

    @property
    def address(self) -> str:
        """Return the URL on the chip: of the configured site, never of the request."""
        return f"{current_app.config['SITE_URL']}/t/{self.card.token}"

    @property
    def qr(self) -> Markup:
        """Return the QR code printed on the card."""
        drawn = qr.svg(
            f"{current_app.config['SITE_URL']}/q/{self.card.token}",
            title=_("QR code for card %(token)s", token=self.card.token),
            use_fixed_mask=True,
        )
        return Markup(drawn)  # noqa: S704  drawn by segno from our own address


def order_with_codes(number: str) -> Order:
    """Return the order if the visitor may see its codes; a guest is asked to log in."""
    user = current_user if current_user.is_authenticated else None
    try:
        return fulfillment.order_with_codes(number, user=user, known_ids=known_order_ids())
    except queries.OrderNotFound:
        if user is not None:
            raise
        abort(redirect_to_log_in())


def cards_of_order(order: Order) -> list[SoldCard]:
    """Return every card of an order, line by line."""
    keys: Keys = current_app.extensions["keys"]
    waiting = {card.id for card in fulfillment.unclaimed_cards(order)}
    return [
        SoldCard(card, line, state_of(card, card.id in waiting), partial(claims.read_claim_code, card, keys))
        for line in fulfillment.card_lines(order)
        for card in line.cards
    ]


def state_of(card: Card, is_waiting: bool) -> str:
    """Return the state of a card as far as it concerns the buyer."""
    if is_waiting:
        return "waiting"
    if card.status is CardStatus.RETIRED:
        return "retired"
    return "own" if current_user.is_authenticated and card.owner_id == current_user.id else "taken"


def uncached(page: str) -> Response:
    """Return a page that must not be cached, since a code lets anyone claim its card."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/orders/<number>/codes")
@access(BUYER)
def codes(number: str) -> Response:
    """List the cards of an order with their codes."""
    order = order_with_codes(number)
    sold = cards_of_order(order)
    return uncached(
        render_template(
            "shop/codes.html",
            order=order,
            lines=fulfillment.card_lines(order),
            page=paginate_list(sold, CARDS_PER_PAGE),
            waiting=sum(card.is_waiting for card in sold),
            may_claim=current_user.is_authenticated and order.user_id == current_user.id,
        )
    )


@bp.get("/orders/<number>/codes.csv")
@access(BUYER)
def codes_csv(number: str) -> Response:
    """Return the cards of an order as a CSV file."""
    order = order_with_codes(number)
    claimed = {"own": _("Claimed by you"), "taken": _("Claimed")}
    header = [_("Card"), _("Address"), _("Claim code"), _("Status"), _("Design")]
    rows = [
        (sold.card.token, sold.address, sold.code, claimed.get(sold.state) or label(sold.card), sold.line.design_name)
        for sold in cards_of_order(order)
    ]
    response = csv_file(f"cards-{order.number}.csv", header, rows)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/orders/<number>/codes/sheet")
@access(BUYER)
def codes_sheet(number: str) -> Response:
    """Return the unclaimed cards as slips to print and cut."""
    order = order_with_codes(number)
    unclaimed = [card for card in cards_of_order(order) if card.is_waiting]
    return uncached(render_template("shop/codes_sheet.html", order=order, sold=unclaimed))


@bp.post("/orders/<number>/claim")
@access(HOLDER)
def claim_cards(number: str) -> Response:
    """Claim one card of the buyer's own order, or all unclaimed ones."""
    order = queries.own_order(number, user=current_user, known_ids=())
    token = request.form.get("token")
    claimed = fulfillment.claim_cards(order, current_user, token)
    db.session.commit()
    if token is not None:
        flash(_("The card is yours. Now choose what it opens."), "success")
        return redirect(url_for("tap.card", token=cards.clean_token(token)))
    if claimed:
        flash(ngettext("You've claimed %(num)d card.", "You've claimed %(num)d cards.", claimed), "success")
    else:
        flash(_("All cards in this order have already been claimed."))
    return redirect(url_for("shop.codes", number=number))
