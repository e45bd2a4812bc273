"""Display currency and sitemap of the shop."""

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
from ..services.catalogue import category_tree, exchange_rates, product_lists
from ..web import filters
from ..web.access import PUBLIC, access
from ..web.carts import known_order_ids
from ..web.redirects import next_url
from .blueprint import bp
from .catalogue import site_url

CURRENCY_COOKIE = "tc_currency"  # the currency in which prices are also shown
ONE_YEAR = 365 * 24 * 60 * 60
MAX_SITEMAP_URLS = 50_000  # sitemaps.org


@dataclass(frozen=True)
class DisplayCurrency:
    """The currency in which prices are also shown, as a guide; nothing is charged in it."""

    currency: str  # the chosen one
    rates: dict[str, Decimal]

    @property
    def choices(self) -> list[str]:
        """Return the currencies to choose from, the shop's own first; empty if there are no rates."""
        return [filters.shop().currency, *self.rates] if self.rates else []

    def about(self, price: Money) -> Money | None:
        """Return the approximate price in the chosen currency; None if that is the shop's own."""
        return exchange_rates.convert(price, self.currency, self.rates)


@bp.app_template_filter()
def shop_money(amount: int) -> Money:
    """Return an amount in minor units as money in the shop's currency."""
    return Money(amount, filters.shop().currency)


@bp.app_template_global()
def display() -> DisplayCurrency:
    """Return this visitor's display currency; the rates are read once per request."""
    if "display" not in g:
        rates, own = exchange_rates.load(filters.shop().currency), filters.shop().currency
        currency = request.cookies.get(CURRENCY_COOKIE, "")
        g.display = DisplayCurrency(currency if currency in rates else own, rates)
    current: DisplayCurrency = g.display
    return current


@bp.app_template_global()
def guest_has_orders() -> bool:
    """Return whether this browser may open guest orders, which no account menu lists."""
    return not g.get("is_plain") and not current_user.is_authenticated and bool(known_order_ids())


@bp.post("/currency")
@access(PUBLIC)
def choose_currency() -> ResponseReturnValue:
    """Store the display currency in a cookie; a currency without a rate selects the shop's own."""
    response = make_response(redirect(next_url(url_for("shop.products"))))
    currency, secure = request.form.get("currency", ""), current_app.config["SESSION_COOKIE_SECURE"]
    if currency in display().rates:
        response.set_cookie(CURRENCY_COOKIE, currency, ONE_YEAR, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(CURRENCY_COOKIE, secure=secure, httponly=True, samesite="Lax")
    return response


@bp.get("/sitemap.xml")
@access(PUBLIC)
def sitemap() -> Response:
    """Return the sitemap for search engines."""
    page = render_template("shop/sitemap.xml", addresses=list(public_urls())[:MAX_SITEMAP_URLS])
    return Response(page, mimetype="application/xml")


def public_urls() -> Iterator[str]:
    """Yield the absolute URLs of the shop's public pages."""
    tree = category_tree.load()
    for endpoint in ("shop.front", "shop.products", "shop.designs", "shop.terms", "shop.privacy", "shop.contact"):
        yield site_url() + url_for(endpoint)
    for category in tree.visible.values():
        yield site_url() + url_for("shop.category", slug=category.slug)
    for slug in db.session.scalars(select(Collection.slug).where(Collection.is_active).order_by(Collection.id)):
        yield site_url() + url_for("shop.collection", slug=slug)
    for slug in db.session.scalars(select(ShopPage.slug).where(ShopPage.is_published).order_by(ShopPage.id)):
        yield site_url() + url_for("shop.page", slug=slug)
    product_slugs = (
        select(Product.slug)
        .where(*product_lists.for_sale_conditions(tree))
        .order_by(Product.id)
        .limit(MAX_SITEMAP_URLS)
    )
    for slug in db.session.scalars(product_slugs):
        yield site_url() + url_for("shop.product", slug=slug)
