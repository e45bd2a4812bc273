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
from ..services.orders import back_office
from ..services.taps import rollups, routing
from ..web import filters
from ..web.access import access
from ..web.forms import refusals
from .blueprint import bp
from .forms import BlockHostForm, RegisterForm, UnblockHostForm

MAX_ORPHANS = 50


@bp.get("/")
@access("staff:cards.view")
def index() -> str:
    """Show the number of cards by state, the taps of 30 days and open tasks."""
    today = today_in(filters.shop().time_zone)
    by_status = dict(db.session.execute(sa.select(Card.status, sa.func.count()).group_by(Card.status)).all())
    claim_count = db.session.scalar(
        sa.select(sa.func.count()).select_from(Card).where(Card.claimed_at >= utcnow() - timedelta(days=30))
    )
    failed_email_count = db.session.scalar(
        sa.select(sa.func.count()).select_from(OutboxMessage).where(OutboxMessage.failed_at.is_not(None))
    )
    return render_template(
        "admin/index.html",
        waiting=catalogue_tasks(),
        order_numbers=back_office.order_figures(utcnow(), filters.shop()) if current_user.may("orders.view") else None,
        unclaimed=by_status.get(CardStatus.UNCLAIMED, 0),
        active=by_status.get(CardStatus.ACTIVE, 0),
        locked=by_status.get(CardStatus.LOCKED, 0),
        tap_count=rollups.shop_total(today - timedelta(days=29), today),
        claims=claim_count,
        failed=failed_email_count,
        orphans=routing.unknown_tokens(MAX_ORPHANS, utcnow() - timedelta(days=30)),
    )


def catalogue_tasks() -> dict[str, int]:
    """Return the number of low-stock products, designs and reviews awaiting approval, with one statement."""
    queries = {
        "low": sa.select(sa.func.count()).select_from(Product).where(products.low_stock_condition()),
        "designs": sa.select(sa.func.count()).select_from(Design).where(Design.status == DesignStatus.REQUESTED),
        "reviews": sa.select(sa.func.count()).select_from(Review).where(Review.status == ReviewStatus.WAITING),
    }
    counts = db.session.execute(sa.select(*(query.scalar_subquery() for query in queries.values()))).one()
    return dict(zip(queries, counts, strict=True))


@bp.route("/cards/register", methods=["GET", "POST"])
@access("staff:cards.register")
def register_card() -> Response:
    """Register a blank card and show its claim code for the insert."""
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
    """Show the claim code of an unclaimed card for its insert."""
    card = cards.get_by_token(token)
    code = claims.read_claim_code(card, current_app.extensions["keys"]) if card is not None else None
    if card is None or code is None:
        abort(404)
    return make_response(render_template("admin/registered.html", card=card, code=code))


@bp.route("/hosts", methods=["GET", "POST"])
@access("staff:hosts.block")
def hosts() -> Response:
    """List the blocked domains, with a form to block one."""
    form = BlockHostForm()
    if form.validate_on_submit():
        with refusals(form):
            card_count = blocked_hosts.block_host(form.host.data or "", current_user, form.reason.data or "")
            db.session.commit()
            flash(_("Domain blocked. Cards affected: %(number)s.", number=card_count), "success")
            return redirect(url_for("backoffice.hosts"))
    blocked = db.session.scalars(sa.select(BlockedHost).order_by(BlockedHost.host)).all()
    page = render_template("admin/hosts.html", form=form, hosts=blocked)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/hosts/unblock")
@access("staff:hosts.block")
def unblock_host() -> Response:
    """Unblock a domain."""
    form = UnblockHostForm()
    if not form.validate_on_submit():
        abort(400)
    blocked_hosts.unblock_host(form.host.data or "", current_user)
    db.session.commit()
    flash(_("Domain unblocked."), "success")
    return redirect(url_for("backoffice.hosts"))
