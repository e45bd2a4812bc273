"""The form on a product's page."""

from typing import Any

from ..models import Product


def buy_form(product: Product) -> Any:
    """Build the form that puts a product into the cart."""
    return None
