"""Declarations of the catalogue: permissions, uploads, personal data."""

import sqlalchemy as sa
from flask_babel import lazy_gettext as _
from sqlalchemy import select

from ...db import db, execute_update
from ...models import Category, Product, ProductPicture, Review, ReviewStatus
from ...registry import (
    Person,
    PersonalDataRule,
    declare_audit_labels,
    declare_other_columns,
    declare_permissions,
    declare_personal_data,
    declare_uploads,
)


def _delete_reviews(person: Person) -> None:
    """Delete a person's reviews and subtract their ratings."""
    is_own = Review.user_id == person.id
    ratings = db.session.execute(
        select(Review.product_id, Review.rating).where(is_own, Review.status == ReviewStatus.APPROVED)
    ).all()
    for product_id, rating in ratings:
        values = {"rating_count": Product.rating_count - 1, "rating_sum": Product.rating_sum - rating}
        execute_update(sa.update(Product).where(Product.id == product_id).values(**values))
    execute_update(sa.delete(Review).where(is_own))


declare_permissions("catalogue.edit", "reviews.decide")
declare_uploads(Category.picture, ProductPicture.name)
declare_personal_data(
    PersonalDataRule("reviews", {"reviews": ("author", "text")}, _delete_reviews),
)
declare_other_columns(
    {
        "categories": ("name", "slug", "description", "picture"),
        "collections": ("name", "slug", "description"),
        "products": (
            "name",
            "slug",
            "sku",
            "promo_text",
            "size",
            "material",
            "color",
            "details",
            "available_on",
            "page_title",
            "page_description",
            "search_text",
        ),
        "product_pictures": ("name", "alt"),
        "product_options": ("key", "label", "choices"),
        "display_rates": ("currency",),
    }
)
declare_audit_labels(
    actions={
        "category.changed": _("Category updated"),
        "category.made": _("Category created"),
        "category.moved": _("Category moved"),
        "collection.changed": _("Collection updated"),
        "collection.made": _("Collection created"),
        "display_rate.changed": _("Exchange rate updated"),
        "display_rate.removed": _("Currency removed"),
        "product.changed": _("Product updated"),
        "product.counted": _("Stock updated"),
        "product.hidden": _("Product hidden"),
        "product.made": _("Product created"),
        "product.option_added": _("Product option added"),
        "product.option_changed": _("Product option updated"),
        "product.option_removed": _("Product option removed"),
        "product.options_arranged": _("Product options reordered"),
        "product.picture_added": _("Product images added"),
        "product.picture_described": _("Alt text updated"),
        "product.picture_removed": _("Product image removed"),
        "product.pictures_arranged": _("Product images reordered"),
        "product.shown": _("Product published"),
        "review.approved": _("Review approved"),
        "review.rejected": _("Review rejected"),
    },
    objects={
        "categories": _("Category"),
        "collections": _("Collection"),
        "products": _("Product"),
        "reviews": _("Review"),
    },
)
