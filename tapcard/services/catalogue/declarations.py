"""Declarations of the catalogue: permissions, uploads, personal data."""

import sqlalchemy as sa
from sqlalchemy import select

from ...db import db, execute_update
from ...models import Category, Product, ProductPicture, Review, ReviewStatus
from ...registry import (
    Person,
    PersonalDataRule,
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
