"""Public information pages of the shop."""

from collections.abc import Callable, Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from ..db import db
from ..models import Design, Product
from ..money import Money
from ..services.cards import designs
from ..services.cart import pricing, wishlist
from ..services.catalogue import category_tree, product_lists
from ..web.access import PUBLIC, access
from ..web.filters import shop
from ..web.paging import paginate_counted
from .blueprint import bp
from .forms import FindCardForm, token_in
from .pages import page_or_built_in

DESIGNS_IN_FRONT = 4  # the page with its pictures stays below 150 KB
DESIGNS_PER_PAGE = 24


def prices_of(cards: Sequence[Product]) -> Callable[[Design], Money]:
    """Return a function that prices a card of a design like the order page: on the first card product."""
    return lambda design: pricing.card_price(design, cards[0] if cards else None, shop())


@bp.get("/")
@access(PUBLIC)
def front() -> ResponseReturnValue:
    """Show the front page."""
    cards = db.session.scalars(designs.card_products()).all()
    lowest, highest = pricing.card_price_range(cards, shop())
    tree = category_tree.load()
    featured = product_lists.featured(tree)
    return render_template(
        "shop/front.html",
        designs=db.session.scalars(designs.public_designs().limit(DESIGNS_IN_FRONT)).all(),
        price_of=prices_of(cards),
        lowest_price=lowest,
        has_many_prices=lowest != highest,
        activation_price=Money(shop().activation_amount, shop().currency),
        find_form=FindCardForm(formdata=None),
        featured=featured,
        wished=wishlist.wished_product_ids(current_user.id, [listed.product.id for listed in featured]),
        categories=tree.with_products(),
        sells_cards=bool(cards),
    )


@bp.get("/designs", endpoint="designs")
@access(PUBLIC)
def all_designs() -> ResponseReturnValue:
    """Show all public designs."""
    page = paginate_counted(designs.public_designs(), DESIGNS_PER_PAGE)
    cards = db.session.scalars(designs.card_products()).all()
    return render_template("shop/designs.html", page=page, price_of=prices_of(cards), sells_cards=bool(cards))


@bp.get("/find-card")
@access(PUBLIC)
def find_card() -> ResponseReturnValue:
    """Redirect from an entered token to the page of its card."""
    form = FindCardForm(request.args)
    if "token" not in request.args:
        return render_template("shop/find_card.html", form=FindCardForm(formdata=None))
    if not form.validate():
        return render_template("shop/find_card.html", form=form), 422
    return redirect(url_for("tap.activate", token=token_in(form.token.data or "")))


@bp.get("/terms")
@access(PUBLIC)
def terms() -> ResponseReturnValue:
    """Show the terms of service."""
    return page_or_built_in("terms", "shop/terms.html")


@bp.get("/privacy")
@access(PUBLIC)
def privacy() -> ResponseReturnValue:
    """Show the privacy policy."""
    return page_or_built_in("privacy", "shop/privacy.html")
