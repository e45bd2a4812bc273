"""Lists of products with their filters, and the page of each product."""

from dataclasses import dataclass, replace
from typing import Any

from flask import abort, current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import false
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from ..models import Availability, Collection, CollectionKind, Product, ProductKind
from ..money import Money
from ..services.cart import pricing, wishlist
from ..services.catalogue import reviews, search
from ..services.catalogue.search import Filter, Listing, Sort
from ..web import filters
from ..web.access import PUBLIC, access
from . import add_to_cart
from .blueprint import bp
from .catalogue_forms import NAMES, FilterForm, arguments_of, filter_of, price_text, without

SCHEMA = "https://schema.org/"
SCHEMA_AVAILABILITY = {
    Availability.IN_STOCK: "InStock",
    Availability.OUT_OF_STOCK: "OutOfStock",
    Availability.PRE_ORDER: "PreOrder",
}


@bp.get("/shop")
@access(PUBLIC)
def products() -> Response:
    """List everything that is sold, or what a visitor asks for."""
    return list_page(dict(request.args))


@bp.get("/shop/category/<slug>")
@access(PUBLIC)
def category(slug: str) -> Response:
    """List what stands on a shelf, and on those below it."""
    return list_page({**request.args, "category": slug}, is_of="category")


@bp.get("/shop/collection/<slug>")
@access(PUBLIC)
def collection(slug: str) -> Response:
    """List what belongs to a collection."""
    return list_page(dict(request.args), is_of="collection", collection_slug=slug)


@bp.get("/products/<slug>")
@access(PUBLIC)
def product(slug: str) -> Response:
    """Show a product."""
    return make_response(product_page(slug))


# --- lists ------------------------------------------------------------------------------------------------------------


def list_page(asked: dict[str, str], is_of: str = "", collection_slug: str = "") -> Response:
    """Answer with a list; a form leaves empty names in the address, which are tidied away first."""
    if any(name != "search" and request.args.get(name) == "" for name in NAMES):
        kept: dict[str, Any] = {name: value for name, value in request.args.items() if value or name == "search"}
        return redirect(url_for(request.endpoint or "", **(request.view_args or {}), **kept))
    tree, every = search.shelves(), search.collections()
    if is_of == "collection":
        asked[_kind_or_404(every, collection_slug)] = collection_slug
    form = FilterForm(MultiDict(asked))
    is_valid = form.validate()
    listing = search.find(filter_of(form, asked), tree, every)
    if is_of == "category" and listing.shelf is None:
        abort(404)
    wished = wishlist.wished_product_ids(current_user.id, [each.product.id for each in listing.tiles])
    view = ListView(listing)
    page = render_template("shop/products.html", form=form, listing=listing, view=view, Sort=Sort, wished=wished)
    return make_response(page, 200 if is_valid else 422)


def _kind_or_404(every: list[Collection], slug: str) -> CollectionKind:
    return next((each.kind for each in every if each.slug == slug), None) or abort(404)


def address_of(asked: Filter) -> str:
    """The address of a list, under the page of its category or collection if it has one."""
    values: dict[str, Any] = arguments_of(asked)
    if asked.category:
        return url_for("shop.category", slug=values.pop("category"), **values)
    if len(asked.collections) == 1:
        [kind] = asked.collections
        return url_for("shop.collection", slug=values.pop(kind.value), **values)
    return url_for("shop.products", **values)


@dataclass(frozen=True)
class ListView:
    """What the page of a list writes, besides the products."""

    listing: Listing

    def link(self, **changes: Any) -> str:
        """The address of this list with changes, from its first page on."""
        return address_of(replace(self.listing.filter, **{"page": 1, **changes}))

    @property
    def title(self) -> str:
        """What the list is called."""
        if self.listing.shelf is not None:
            return self.listing.shelf.name
        return next((each.name for each in self.listing.chosen.values()), "") if self.is_of_one else _("Shop")

    @property
    def description(self) -> str:
        """What the category or the collection says of itself."""
        if self.listing.shelf is not None:
            return self.listing.shelf.description
        return next((each.description for each in self.listing.chosen.values()), "") if self.is_of_one else ""

    @property
    def is_of_one(self) -> bool:
        """Whether the list is that of one collection."""
        return self.listing.shelf is None and len(self.listing.chosen) == 1

    @property
    def canonical(self) -> str:
        """The address under which search engines should know this list."""
        asked = self.listing.filter
        plain = Filter(category=asked.category, collections=asked.collections if self.is_of_one else {})
        return site() + address_of(replace(plain, page=asked.page))

    @property
    def is_special(self) -> bool:
        """Whether this is one of very many combinations, which search engines need not keep."""
        asked = replace(self.listing.filter, page=1)
        return asked != Filter(category=asked.category, collections=asked.collections if self.is_of_one else {})

    @property
    def chips(self) -> list[tuple[str, str]]:
        """What is asked for, each with the address without it."""
        asked, found = self.listing.filter, []
        if self.listing.shelf is not None:
            found.append((self.listing.shelf.name, self.link(category=None)))
        for kind, each in self.listing.chosen.items():
            found.append((each.name, address_of(replace(without(asked, kind), page=1))))
        if asked.availability is not None:
            found.append((availability_name(asked.availability), self.link(availability=None)))
        if asked.deals:
            found.append((_("Deals"), self.link(deals=False)))
        if asked.least is not None:
            found.append((_("From %(price)s", price=_written(asked.least)), self.link(least=None)))
        if asked.most is not None:
            found.append((_("Up to %(price)s", price=_written(asked.most)), self.link(most=None)))
        if asked.search:
            found.append((_("“%(words)s”", words=asked.search), self.link(search="")))
        return found

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """The orders to choose from: words, address, whether it is this one."""
        names = {
            Sort.FEATURED: _("Featured"),
            Sort.NEWEST: _("Newest"),
            Sort.PRICE_UP: _("Price: low to high"),
            Sort.PRICE_DOWN: _("Price: high to low"),
            Sort.RATING: _("Top rated"),
        }
        return [(words, self.link(sort=sort), sort is self.listing.filter.sort) for sort, words in names.items()]

    @property
    def groups(self) -> list[tuple[str, str, list[tuple[str, Any]]]]:
        """The choices to filter by: name of the field, legend, and each option with its words."""
        listing = self.listing
        kinds = {
            CollectionKind.BRAND: _("Brand"),
            CollectionKind.THEME: _("Theme"),
            CollectionKind.SEASON: _("Season"),
        }
        found = [("category", _("Category"), [(each.label, each) for each in listing.categories])]
        for kind, legend in kinds.items():
            found.append((kind.value, legend, [(each.label, each) for each in listing.collections[kind]]))
        states = [(availability_name(Availability(each.value)), each) for each in listing.availabilities]
        return [group for group in [*found, ("availability", _("Availability"), states)] if group[2]]


def availability_name(availability: Availability) -> str:
    """Name how a product can be had."""
    return {
        Availability.IN_STOCK: _("In stock"),
        Availability.PRE_ORDER: _("Pre-order"),
        Availability.OUT_OF_STOCK: _("Sold out"),
    }[availability]


def _written(amount: int) -> str:
    return Money(amount, filters.shop().currency).format(filters.shop().locale)


# --- one product ------------------------------------------------------------------------------------------------------


def product_page(slug: str, form: Any = None) -> str:
    """Draw the page of a product, with the form to buy it as it was sent, if it was; 404 once it is sold no more."""
    user = current_user if current_user.is_authenticated else None
    row = search.product_of(slug, reviews.may_review(user) if user is not None else false())
    if row is None:
        abort(404)
    found, may_review = tuple(row)
    tree = search.shelves()
    prices = prices_of(found)
    related = search.related(found, tree)
    return render_template(
        "shop/product.html",
        product=found,
        least_price=prices[0] if prices[0] != prices[1] else None,
        trail=tree.trail(found.category_id),
        related=related,
        wished=wishlist.wished_product_ids(current_user.id, [found.id, *(each.product.id for each in related)]),
        reviews=reviews.of_product(found),
        may_review=may_review,
        buy_form=form if form is not None else add_to_cart.prefill(add_to_cart.buy_form(found)),
        canonical=site() + url_for("shop.product", slug=slug),
        data=structured_data(found, *prices),
    )


def prices_of(product: Product) -> tuple[Money, Money]:
    """The least and the most that a product costs: a card costs what its design costs."""
    if product.kind is ProductKind.CARD:
        return pricing.card_price_range([product], filters.shop())
    price = Money(product.price_amount, filters.shop().currency)
    return price, price


def site() -> str:
    """Where this installation is found."""
    address: str = current_app.config["SITE_URL"]
    return address


def structured_data(product: Product, least: Money, most: Money) -> dict[str, Any]:
    """Say in schema.org's words what a product is, for search engines."""
    address = site() + url_for("shop.product", slug=product.slug)
    state = Availability.OUT_OF_STOCK if product.is_sold_out else product.availability
    amounts = {"@type": "Offer", "price": price_text(least.amount)}
    if least != most:
        lowest, highest = price_text(least.amount), price_text(most.amount)
        amounts = {"@type": "AggregateOffer", "lowPrice": lowest, "highPrice": highest}
    found: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.name,
        "sku": product.sku,
        "description": product.page_description or product.promo_text or product.name,
        "image": [site() + url_for("uploads.file", name=picture.name) for picture in product.pictures],
        "url": address,
        "offers": {
            **amounts,
            "priceCurrency": least.currency,
            "availability": SCHEMA + SCHEMA_AVAILABILITY[state],
            "url": address,
        },
    }
    if product.rating is not None:
        found["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(product.rating, 1),
            "reviewCount": product.rating_count,
        }
    return found
