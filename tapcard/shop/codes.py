"""The cards of an order: claimed by their buyer, or handed out with their claim codes as a list, a file or a sheet."""

import re
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
from ..services.orders import fulfillment, orders
from ..web.access import BUYER, HOLDER, access, to_log_in
from ..web.carts import known_orders
from ..web.csvs import csv_file
from ..web.filters import label
from .blueprint import bp

CARDS_A_PAGE = 24
PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class SoldCard:
    """A card of an order as its buyer sees it."""

    card: Card
    line: OrderLine
    state: str  # waiting, own, taken or retired
    read: Callable[[], str | None]  # its claim code: opening the seal takes a while

    @property
    def is_waiting(self) -> bool:
        return self.state == "waiting"

    @property
    def code(self) -> str | None:
        """The claim code of a card that nobody has yet."""
        return self.read() if self.is_waiting else None

    @property
    def address(self) -> str:
        """What the chip says: of the configured site, never of the request."""
        return f"{current_app.config['SITE_URL']}/t/{self.card.token}"

    @property
    def qr(self) -> Markup:
        """The code that is printed on the card."""
        drawn = qr.svg(
            f"{current_app.config['SITE_URL']}/q/{self.card.token}",
            title=_("QR code of card %(token)s", token=self.card.token),
            use_fixed_mask=True,
        )
        return Markup(drawn)  # noqa: S704  drawn by segno from our own address


def asked_order(number: str) -> Order:
    """The order, if its codes are the visitor's to see; who is not signed in may be its buyer, and is asked to."""
    user = current_user if current_user.is_authenticated else None
    try:
        return fulfillment.order_with_codes(number, user=user, known=known_orders())
    except orders.OrderNotFound:
        if user is not None:
            raise
        abort(to_log_in())


def sold_cards(order: Order) -> list[SoldCard]:
    """Every card of an order, line by line."""
    keys: Keys = current_app.extensions["keys"]
    waiting = {card.id for card in fulfillment.unclaimed(order)}
    return [
        SoldCard(card, line, state_of(card, card.id in waiting), partial(claims.read_claim_code, card, keys))
        for line in fulfillment.card_lines(order)
        for card in line.cards
    ]


def state_of(card: Card, is_waiting: bool) -> str:
    """Whose a card is, as far as that is the buyer's business."""
    if is_waiting:
        return "waiting"
    if card.status is CardStatus.RETIRED:
        return "retired"
    return "own" if current_user.is_authenticated and card.owner_id == current_user.id else "taken"


def private(page: str) -> Response:
    """A page that nothing keeps: codes are worth cards."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/orders/<number>/codes")
@access(BUYER)
def codes(number: str) -> Response:
    """The cards of an order with their codes, some at a time."""
    order = asked_order(number)
    sold = sold_cards(order)
    pages = max(1, -(-len(sold) // CARDS_A_PAGE))
    asked = request.args.get("page", "1")
    page = int(asked) if PAGE_NUMBER.fullmatch(asked) else 0
    if not 1 <= page <= pages:
        abort(404)
    return private(
        render_template(
            "shop/codes.html",
            order=order,
            lines=fulfillment.card_lines(order),
            sold=sold[(page - 1) * CARDS_A_PAGE : page * CARDS_A_PAGE],
            total=len(sold),
            waiting=sum(each.is_waiting for each in sold),
            may_claim=current_user.is_authenticated and order.user_id == current_user.id,
            page=page,
            pages=pages,
        )
    )


@bp.get("/orders/<number>/codes.csv")
@access(BUYER)
def codes_csv(number: str) -> Response:
    """The same as a file for a spreadsheet."""
    order = asked_order(number)
    claimed = {"own": _("Claimed by you"), "taken": _("Claimed")}
    header = [_("Card"), _("Address"), _("Claim code"), _("Status"), _("Design")]
    rows = [
        (each.card.token, each.address, each.code, claimed.get(each.state) or label(each.card), each.line.design_name)
        for each in sold_cards(order)
    ]
    response = csv_file(f"cards-{order.number}.csv", header, rows)
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/orders/<number>/codes/sheet")
@access(BUYER)
def codes_sheet(number: str) -> Response:
    """The cards that nobody has yet as slips to print and cut out."""
    order = asked_order(number)
    waiting = [each for each in sold_cards(order) if each.is_waiting]
    return private(render_template("shop/codes_sheet.html", order=order, sold=waiting))


@bp.post("/orders/<number>/claim")
@access(HOLDER)
def claim_cards(number: str) -> Response:
    """Make one card of the buyer's own order theirs, or all that nobody has."""
    order = orders.own_order(number, user=current_user, known=())
    token = request.form.get("token")
    claimed = fulfillment.claim_for(order, current_user, token)
    db.session.commit()
    if token is not None:
        flash(_("The card is yours. Now choose what it opens."), "success")
        return redirect(url_for("tap.card", token=cards.clean_token(token)))
    if claimed:
        flash(ngettext("You've claimed %(num)d card.", "You've claimed %(num)d cards.", claimed), "success")
    else:
        flash(_("All cards in this order have already been claimed."))
    return redirect(url_for("shop.codes", number=number))
