"""Carts of guests, merged at login and sign-up."""

from unittest.mock import Mock

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy import select

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    CartLine,
    Product,
    TwoFactor,
    User,
)
from tapcard.services.cart import editing, merging
from tests import purchases
from tests.conftest import PASSWORD, FormClient, login
from tests.shop.carts import add, badge, lines, said, the_cart
from tests.shop.test_add_to_cart import picture, sent


def test_a_guest_cart_is_merged_once_at_login(
    client: FormClient, engraved: Product, product: Product, ada: User
) -> None:
    """H19"""
    purchases.create_cart(ada, product, quantity=2)
    add(client, engraved, 2, **{"option-logo": sent(picture())})
    add(client, product, 3)
    picture_names = db.session.scalars(select(CartLine.pictures).where(CartLine.product_id == engraved.id)).one()
    login(client, ada)
    assert sorted(lines()) == sorted([(product.id, 5), (engraved.id, 2)])
    assert f"/uploads/{picture_names[0]}" in client.get("/cart").text
    assert badge(client) == "7"
    client.post("/log-out")
    assert badge(client) == "hidden"
    assert "Your cart is empty" in client.get("/cart").text
    add(client, product)
    assert badge(client) == "1"
    login(client, ada)
    assert badge(client) == "8"


def test_a_guest_cart_is_kept_at_sign_up(client: FormClient, engraved: Product) -> None:
    """H19"""
    add(client, engraved, 2, **{"option-logo": sent(picture())})
    client.post("/sign-up", data={"first_name": "Dora", "last_name": "Lu", "email": "dora@example.com",
                                  "password": PASSWORD, "terms": "y"})  # fmt: skip
    assert badge(client) == "2"
    cart = the_cart()
    assert cart.user is not None
    assert len(cart.lines[0].pictures) == 1


def test_login_with_a_full_cart_lists_the_lines_left_out(
    monkeypatch: pytest.MonkeyPatch, client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    purchases.create_cart(ada, product)
    add(client, bottle)
    monkeypatch.setattr(editing, "MAX_LINES", 1)
    assert login(client, ada).location == "/dashboard"
    assert f"{bottle.name} wasn&#39;t added because your cart is full." in client.get("/dashboard").text
    assert lines() == [(product.id, 1)]


def test_quantities_capped_at_login_show_a_message(
    client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    purchases.create_cart(ada, bottle, product, quantity=6)
    add(client, bottle, 6)
    add(client, product, 99)
    login(client, ada)
    words = said(client)
    assert "Steel bottle: only 10 left. All of them are in your cart." in words
    assert f"{product.name}: you can order up to 99 at a time." in words


def test_a_guest_cart_survives_a_database_failure_at_login(
    monkeypatch: pytest.MonkeyPatch, client: FormClient, bottle: Product, ada: User
) -> None:
    add(client, bottle)
    with monkeypatch.context() as patch:
        patch.setattr(
            merging, "merge_guest_cart", Mock(side_effect=sa.exc.OperationalError("", {}, Exception("locked")))
        )
        assert login(client, ada).status_code == 503
    client.post("/account/confirm-password", data={"current": PASSWORD})
    assert badge(client) == "1"


def test_a_guest_cart_is_merged_after_the_second_factor(
    client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    secret, now = pyotp.random_base32(), utcnow()
    purchases.create_cart(ada, product)
    sealed = purchases.keys().encrypt(secret)
    db.session.add(TwoFactor(user_id=ada.id, secret=sealed, created_at=now, confirmed_at=now, last_step=0))
    db.session.commit()
    add(client, bottle, 2)
    assert login(client, ada).location == "/log-in/code"
    assert badge(client) == "2", "nobody is signed in yet"
    client.post("/log-in/code", data={"code": pyotp.TOTP(secret).now()})
    assert badge(client) == "3"
