"""What concerns the whole shop: the currency prices are shown in, and the map for search engines."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from flask import Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from ..db import db
from ..models import Collection, Product, ShopPage
from ..money import Money
from ..services.catalogue import exchange_rates, search
from ..web import filters
from ..web.access import PUBLIC, access
from ..web.carts import known_order_ids
from ..web.redirects import next_url
from .blueprint import bp
from .catalogue import site

CURRENCY = "tc_currency"  # a cookie: which currency prices are shown in beside the shop's
ONE_YEAR = 365 * 24 * 60 * 60
MOST_IN_MAP = 50_000  # sitemaps.org


@dataclass(frozen=True)
class Display:
    """How prices are shown beside the real ones; nothing is charged by it."""

    currency: str  # the chosen one
    rates: dict[str, Decimal]

    @property
    def choices(self) -> list[str]:
        """The currencies to choose from, the shop's own first; none where there is no choice."""
        return [filters.shop().currency, *self.rates] if self.rates else []

    def about(self, price: Money) -> Money | None:
        """What a price is about, in the chosen currency; None when that is the shop's own."""
        return exchange_rates.convert(price, self.currency, self.rates)


@bp.app_template_filter()
def shop_money(amount: int) -> Money:
    """An amount in the shop's currency."""
    return Money(amount, filters.shop().currency)


@bp.app_template_global()
def display() -> Display:
    """How this visitor wants prices shown; the rates are read once a request."""
    if "display" not in g:
        rates, own = exchange_rates.load(filters.shop().currency), filters.shop().currency
        chosen = request.cookies.get(CURRENCY, "")
        g.display = Display(chosen if chosen in rates else own, rates)
    found: Display = g.display
    return found


@bp.app_template_global()
def guest_has_orders() -> bool:
    """Whether this browser may open orders that no menu of an account leads to."""
    return not g.get("is_plain") and not current_user.is_authenticated and bool(known_order_ids())


@bp.post("/currency")
@access(PUBLIC)
def choose_currency() -> ResponseReturnValue:
    """Remember in which currency a visitor wants to see prices; one we have no rate for is the shop's."""
    answer = make_response(redirect(next_url(url_for("shop.products"))))
    wanted, secure = request.form.get("currency", ""), current_app.config["SESSION_COOKIE_SECURE"]
    if wanted in display().rates:
        answer.set_cookie(CURRENCY, wanted, ONE_YEAR, secure=secure, httponly=True, samesite="Lax")
    else:
        answer.delete_cookie(CURRENCY, secure=secure, httponly=True, samesite="Lax")
    return answer


@bp.get("/sitemap.xml")
@access(PUBLIC)
def sitemap() -> Response:
    """List the shop's public pages for search engines."""
    page = render_template("shop/sitemap.xml", addresses=list(public_addresses())[:MOST_IN_MAP])
    return Response(page, mimetype="application/xml")


def public_addresses() -> Iterator[str]:
    """Every page of the shop that is for everybody, as a whole address."""
    tree = search.shelves()
    for endpoint in ("shop.front", "shop.products", "shop.designs", "shop.terms", "shop.privacy", "shop.contact"):
        yield site() + url_for(endpoint)
    for shelf in tree.shown.values():
        yield site() + url_for("shop.category", slug=shelf.slug)
    for slug in db.session.scalars(select(Collection.slug).where(Collection.is_active).order_by(Collection.id)):
        yield site() + url_for("shop.collection", slug=slug)
    for slug in db.session.scalars(select(ShopPage.slug).where(ShopPage.is_published).order_by(ShopPage.id)):
        yield site() + url_for("shop.page", slug=slug)
    wanted = select(Product.slug).where(*search.listed(tree)).order_by(Product.id).limit(MOST_IN_MAP)
    for slug in db.session.scalars(wanted):
        yield site() + url_for("shop.product", slug=slug)
