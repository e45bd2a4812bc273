"""Back office start page, card registration and blocked domains."""

from datetime import timedelta

import sqlalchemy as sa
from flask import abort, current_app, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from ..clock import today_in, utcnow
from ..db import db
from ..models import (
    BlockedHost,
    Card,
    CardStatus,
    ClaimPolicy,
    Design,
    DesignStatus,
    OutboxMessage,
    Product,
    Review,
    ReviewStatus,
)
from ..services.cards import blocked_hosts, cards, claims, creation
from ..services.catalogue import products
from ..services.orders import production
from ..services.taps import rollups, routing
from ..web import filters
from ..web.access import access
from ..web.forms import refusals
from .blueprint import bp
from .forms import BlockHostForm, RegisterForm, UnblockHostForm

ORPHANS_SHOWN = 50


@bp.get("/")
@access("staff:cards.view")
def index() -> str:
    """Cards by state, taps of 30 days, and what needs a person."""
    today = today_in(filters.shop().time_zone)
    by_status = dict(db.session.execute(sa.select(Card.status, sa.func.count()).group_by(Card.status)).all())
    claims = db.session.scalar(
        sa.select(sa.func.count()).select_from(Card).where(Card.claimed_at >= utcnow() - timedelta(days=30))
    )
    failed = db.session.scalar(
        sa.select(sa.func.count()).select_from(OutboxMessage).where(OutboxMessage.failed_at.is_not(None))
    )
    return render_template(
        "admin/index.html",
        waiting=what_waits(),
        order_numbers=production.order_figures(utcnow(), filters.shop()) if current_user.may("orders.view") else None,
        unclaimed=by_status.get(CardStatus.UNCLAIMED, 0),
        active=by_status.get(CardStatus.ACTIVE, 0),
        locked=by_status.get(CardStatus.LOCKED, 0),
        tap_count=rollups.shop_total(today - timedelta(days=29), today),
        claims=claims,
        failed=failed,
        orphans=routing.unknown_tokens(ORPHANS_SHOWN, utcnow() - timedelta(days=30)),
    )


def what_waits() -> dict[str, int]:
    """How much of the catalogue needs a person, by what it is; one statement."""
    counted = {
        "low": sa.select(sa.func.count()).select_from(Product).where(products.low_stock_condition()),
        "designs": sa.select(sa.func.count()).select_from(Design).where(Design.status == DesignStatus.REQUESTED),
        "reviews": sa.select(sa.func.count()).select_from(Review).where(Review.status == ReviewStatus.WAITING),
    }
    numbers = db.session.execute(sa.select(*(each.scalar_subquery() for each in counted.values()))).one()
    return dict(zip(counted, numbers, strict=True))


@bp.route("/cards/register", methods=["GET", "POST"])
@access("staff:cards.register")
def register_card() -> Response:
    """Enter a blank card; its claim code is shown for the insert."""
    designs = db.session.scalars(sa.select(Design).order_by(Design.name)).all()
    form = RegisterForm(designs, token=request.args.get("token", "").strip()[:40])
    if form.validate_on_submit():
        design = next((design for design in designs if design.id == form.design.data), None)
        keys = current_app.extensions["keys"]
        policy = ClaimPolicy(form.policy.data)
        with refusals(form):
            card, code = creation.register(form.token.data or "", design, policy, keys, current_user)
            db.session.commit()
            return make_response(render_template("admin/registered.html", card=card, code=code))
    return make_response(render_template("admin/register_card.html", form=form), 422 if form.errors else 200)


@bp.get("/cards/<token>/code")
@access("staff:cards.make")
def claim_code(token: str) -> Response:
    """The claim code of an unclaimed card, for whoever packs it."""
    card = cards.get_by_token(token)
    code = claims.read_claim_code(card, current_app.extensions["keys"]) if card is not None else None
    if card is None or code is None:
        abort(404)
    return make_response(render_template("admin/registered.html", card=card, code=code))


@bp.route("/hosts", methods=["GET", "POST"])
@access("staff:hosts.block")
def hosts() -> Response:
    """Hosts that no card may lead to."""
    form = BlockHostForm()
    if form.validate_on_submit():
        with refusals(form):
            marked = blocked_hosts.block_host(form.host.data or "", current_user, form.reason.data or "")
            db.session.commit()
            flash(_("Domain blocked. Cards affected: %(number)s.", number=marked), "success")
            return redirect(url_for("backoffice.hosts"))
    blocked = db.session.scalars(sa.select(BlockedHost).order_by(BlockedHost.host)).all()
    page = render_template("admin/hosts.html", form=form, hosts=blocked)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/hosts/unblock")
@access("staff:hosts.block")
def unblock_host() -> Response:
    """Allow a host again."""
    form = UnblockHostForm()
    if not form.validate_on_submit():
        abort(400)
    blocked_hosts.unblock_host(form.host.data or "", current_user)
    db.session.commit()
    flash(_("Domain unblocked."), "success")
    return redirect(url_for("backoffice.hosts"))
