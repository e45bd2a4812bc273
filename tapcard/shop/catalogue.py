"""Product lists with filters, and product pages."""

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
from ..services.catalogue import category_tree, product_lists, reviews, search
from ..services.catalogue.product_lists import Sort
from ..services.catalogue.search import Filter, Listing
from ..web import filters
from ..web.access import PUBLIC, access
from . import add_to_cart
from .blueprint import bp
from .catalogue_forms import NAMES, FilterForm, filter_arguments, price_text, read_filter, without

SCHEMA = "https://schema.org/"
SCHEMA_AVAILABILITY = {
    Availability.IN_STOCK: "InStock",
    Availability.OUT_OF_STOCK: "OutOfStock",
    Availability.PRE_ORDER: "PreOrder",
}


@bp.get("/shop")
@access(PUBLIC)
def products() -> Response:
    """Show all products that are for sale, or those that match a filter."""
    return list_page(dict(request.args))


@bp.get("/shop/category/<slug>")
@access(PUBLIC)
def category(slug: str) -> Response:
    """Show the products of a category and its subcategories."""
    return list_page({**request.args, "category": slug}, page_of="category")


@bp.get("/shop/collection/<slug>")
@access(PUBLIC)
def collection(slug: str) -> Response:
    """Show the products of a collection."""
    return list_page(dict(request.args), page_of="collection", collection_slug=slug)


@bp.get("/products/<slug>")
@access(PUBLIC)
def product(slug: str) -> Response:
    """Show a product."""
    return make_response(product_page(slug))


# --- lists ------------------------------------------------------------------------------------------------------------


def list_page(arguments: dict[str, str], page_of: str = "", collection_slug: str = "") -> Response:
    """Return a list page; empty parameters that a form leaves in the URL are removed by a redirect."""
    if any(name != "search" and request.args.get(name) == "" for name in NAMES):
        filled: dict[str, Any] = {name: value for name, value in request.args.items() if value or name == "search"}
        return redirect(url_for(request.endpoint or "", **(request.view_args or {}), **filled))
    tree, all_collections = category_tree.load(), search.collections()
    if page_of == "collection":
        arguments[_kind_or_404(all_collections, collection_slug)] = collection_slug
    form = FilterForm(MultiDict(arguments))
    is_valid = form.validate()
    listing = search.find(read_filter(form, arguments), tree, all_collections)
    if page_of == "category" and listing.category is None:
        abort(404)
    wished = wishlist.wished_product_ids(current_user.id, [listed.product.id for listed in listing.products])
    view = ListView(listing)
    page = render_template("shop/products.html", form=form, listing=listing, view=view, Sort=Sort, wished=wished)
    return make_response(page, 200 if is_valid else 422)


def _kind_or_404(all_collections: list[Collection], slug: str) -> CollectionKind:
    return next((collection.kind for collection in all_collections if collection.slug == slug), None) or abort(404)


def list_url(applied: Filter) -> str:
    """Return the URL of a list, under the page of its category or collection if it has one."""
    values: dict[str, Any] = filter_arguments(applied)
    if applied.category:
        return url_for("shop.category", slug=values.pop("category"), **values)
    if len(applied.collections) == 1:
        [kind] = applied.collections
        return url_for("shop.collection", slug=values.pop(kind.value), **values)
    return url_for("shop.products", **values)


@dataclass(frozen=True)
class ListView:
    """The parts of a list page besides the products: headings, filters and sort orders."""

    listing: Listing

    def link(self, **changes: Any) -> str:
        """Return the URL of this list with changes, from its first page on."""
        return list_url(replace(self.listing.filter, **{"page": 1, **changes}))

    @property
    def title(self) -> str:
        """Return the heading of the list."""
        if self.listing.category is not None:
            return self.listing.category.name
        return self._only_collection.name if self._only_collection is not None else _("Shop")

    @property
    def description(self) -> str:
        """Return the description of the category or collection."""
        if self.listing.category is not None:
            return self.listing.category.description
        return self._only_collection.description if self._only_collection is not None else ""

    @property
    def is_single_collection(self) -> bool:
        """Return whether the list is that of one collection."""
        return self._only_collection is not None

    @property
    def _only_collection(self) -> Collection | None:
        collections = list(self.listing.chosen_collections.values())
        return collections[0] if self.listing.category is None and len(collections) == 1 else None

    @property
    def canonical(self) -> str:
        """Return the canonical URL of this list for search engines."""
        return site_url() + list_url(replace(self._unfiltered, page=self.listing.filter.page))

    @property
    def is_special(self) -> bool:
        """Return whether the list is further filtered or sorted, so that search engines should not index it."""
        return replace(self.listing.filter, page=1) != self._unfiltered

    @property
    def _unfiltered(self) -> Filter:
        applied = self.listing.filter
        return Filter(category=applied.category, collections=applied.collections if self.is_single_collection else {})

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Return the parts of the filter, each with the URL of the list without it."""
        applied, chips = self.listing.filter, []
        if self.listing.category is not None:
            chips.append((self.listing.category.name, self.link(category=None)))
        for kind, collection in self.listing.chosen_collections.items():
            chips.append((collection.name, list_url(replace(without(applied, kind), page=1))))
        if applied.availability is not None:
            chips.append((filters.label(applied.availability), self.link(availability=None)))
        if applied.discounted:
            chips.append((_("Deals"), self.link(discounted=False)))
        if applied.min_amount is not None:
            chips.append(
                (_("From %(price)s", price=filters.write_minor(applied.min_amount)), self.link(min_amount=None))
            )
        if applied.max_amount is not None:
            chips.append(
                (_("Up to %(price)s", price=filters.write_minor(applied.max_amount)), self.link(max_amount=None))
            )
        if applied.search:
            chips.append((_("“%(words)s”", words=applied.search), self.link(search="")))
        return chips

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """Return the sort orders to choose from: label, URL, whether it is the current one."""
        labels = {
            Sort.FEATURED: _("Featured"),
            Sort.NEWEST: _("Newest"),
            Sort.PRICE_UP: _("Price: low to high"),
            Sort.PRICE_DOWN: _("Price: high to low"),
            Sort.RATING: _("Top rated"),
        }
        return [(label, self.link(sort=sort), sort is self.listing.filter.sort) for sort, label in labels.items()]

    @property
    def groups(self) -> list[tuple[str, str, list[tuple[str, Any]]]]:
        """Return the facets to filter by: name of the field, legend, and each facet with its label."""
        listing = self.listing
        legends = {
            CollectionKind.BRAND: _("Brand"),
            CollectionKind.THEME: _("Theme"),
            CollectionKind.SEASON: _("Season"),
        }
        groups = [("category", _("Category"), [(facet.label, facet) for facet in listing.category_facets])]
        for kind, legend in legends.items():
            groups.append((kind.value, legend, [(facet.label, facet) for facet in listing.collection_facets[kind]]))
        states = [(filters.label(Availability(facet.value)), facet) for facet in listing.availability_facets]
        return [group for group in [*groups, ("availability", _("Availability"), states)] if group[2]]


# --- one product ------------------------------------------------------------------------------------------------------


def product_page(slug: str, form: Any = None) -> str:
    """Render the page of a product, with the form to buy it as submitted, if it was; 404 if it is not for sale."""
    user = current_user if current_user.is_authenticated else None
    row = product_lists.get_for_sale(slug, reviews.can_review(user) if user is not None else false())
    if row is None:
        abort(404)
    product, can_review = tuple(row)
    tree = category_tree.load()
    lowest, highest = price_range(product)
    related = product_lists.related(product, tree)
    return render_template(
        "shop/product.html",
        product=product,
        lowest_price=lowest if lowest != highest else None,
        category_path=tree.path(product.category_id),
        related=related,
        wished=wishlist.wished_product_ids(current_user.id, [product.id, *(listed.product.id for listed in related)]),
        reviews=reviews.approved(product),
        can_review=can_review,
        buy_form=form if form is not None else add_to_cart.prefill(add_to_cart.buy_form(product)),
        canonical=site_url() + url_for("shop.product", slug=slug),
        data=structured_data(product, lowest, highest),
    )


def price_range(product: Product) -> tuple[Money, Money]:
    """Return the lowest and the highest price of a product; the price of a card depends on its design."""
    if product.kind is ProductKind.CARD:
        return pricing.card_price_range([product], filters.shop())
    price = Money(product.price_amount, filters.shop().currency)
    return price, price


def site_url() -> str:
    """Return the base URL of this installation."""
    url: str = current_app.config["SITE_URL"]
    return url


def structured_data(product: Product, lowest: Money, highest: Money) -> dict[str, Any]:
    """Return the schema.org description of a product for search engines."""
    url = site_url() + url_for("shop.product", slug=product.slug)
    prices = {"@type": "Offer", "price": price_text(lowest.amount)}
    if lowest != highest:
        low_price, high_price = price_text(lowest.amount), price_text(highest.amount)
        prices = {"@type": "AggregateOffer", "lowPrice": low_price, "highPrice": high_price}
    data: dict[str, Any] = {
        "@context": SCHEMA,
        "@type": "Product",
        "name": product.name,
        "sku": product.sku,
        "description": product.page_description or product.promo_text or product.name,
        "image": [site_url() + url_for("uploads.file", name=picture.name) for picture in product.pictures],
        "url": url,
        "offers": {
            **prices,
            "priceCurrency": lowest.currency,
            "availability": SCHEMA + SCHEMA_AVAILABILITY[product.current_availability],
            "url": url,
        },
    }
    if product.rating is not None:
        data["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(product.rating, 1),
            "reviewCount": product.rating_count,
        }
    return data
