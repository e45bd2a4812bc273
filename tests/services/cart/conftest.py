"""Carts and products of the cart tests."""

from collections.abc import Callable

import pytest
from flask import Flask

from tapcard.models import (
    Cart,
    OptionKind,
    Product,
)
from tapcard.models import ProductKind as Kind
from tests import purchases


@pytest.fixture
def cart(app: Flask) -> Cart:
    """Create an empty guest cart."""
    return purchases.create_cart(None)


@pytest.fixture
def engraved(bottle: Product, create_option: Callable[..., object]) -> Product:
    """Create a bottle with options for an inscription, a colour and a phone number."""
    create_option(bottle, "inscription", OptionKind.TEXT, max_length=20, extra_amount=300)
    create_option(bottle, "color", OptionKind.COLOR, choices=["night", "sand"], is_required=True)
    create_option(bottle, "phone", OptionKind.PHONE)
    return bottle


@pytest.fixture
def card_product(create_product: Callable[..., Product]) -> Product:
    return create_product("NFC card", kind=Kind.CARD, unit_amount=2600)
