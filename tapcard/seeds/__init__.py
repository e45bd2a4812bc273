"""Factories for demo data and tests, and the initial data of a new shop."""

from .factories import (
    create_address,
    create_card,
    create_category,
    create_collection,
    create_delivery_method,
    create_design,
    create_lead,
    create_option,
    create_product,
    create_profile,
    create_promotion,
    create_user,
)
from .pages import create_enquiry, create_page, create_subscriber, seed_pages
from .shop import seed_delivery

__all__ = [
    "create_address",
    "create_card",
    "create_category",
    "create_collection",
    "create_delivery_method",
    "create_design",
    "create_enquiry",
    "create_lead",
    "create_option",
    "create_page",
    "create_product",
    "create_profile",
    "create_promotion",
    "create_subscriber",
    "create_user",
    "seed_delivery",
    "seed_pages",
]
