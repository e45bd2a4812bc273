"""Cart page: promotion codes, delivery and store credit."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    DeliveryMethod,
    Product,
    Promotion,
    ThrottleCounter,
    User,
)
from tapcard.services.cart import credit
from tapcard.services.core.rate_limits import LIMITS, Limit, Limits
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to
from tests.shop.carts import add, said, the_cart

# --- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_lowers_the_total_until_it_is_removed(
    client: FormClient, bottle: Product, create_promotion: Callable[..., Promotion]
) -> None:
    create_promotion("WELCOME10")
    add(client, bottle)
    assert client.post("/cart/code", data={"code": " welcome10 "}).location == "/cart"
    words = said(client)
    assert "Discount (WELCOME10) −£2.40" in words
    assert "Total £21.60" in words
    client.post("/cart/code/drop")
    assert "Total £24.00" in said(client)
    assert db.session.scalars(select(Promotion)).one().use_count == 0, "typing a code uses nothing up"


def test_each_refusal_of_a_code_has_its_own_error_message(
    client: FormClient, bottle: Product, ada: User, create_promotion: Callable[..., Promotion],
    create_product: Callable[..., Product],
) -> None:  # fmt: skip
    """H30"""
    day, now = timedelta(days=1), utcnow()
    for code, values in {
        "SOON": {"starts_at": now + day}, "LATE": {"ends_at": now - day}, "BIG": {"minimum_amount": 5000},
        "OTHER": {"product": create_product("Other")}, "MEMBERS": {"needs_account": True}, "OFF": {"is_active": False},
        "GONE": {"most_uses": 1, "use_count": 1},
    }.items():  # fmt: skip
        create_promotion(code, **values)
    add(client, bottle)
    for code, sentence in {
        "": "Enter a code.", "NOPE": "That code isn't valid.", "OFF": "That code isn't valid.",
        "currency": "That code isn't valid.", "shop_name": "That code isn't valid.",
        "x" * 5000: "That code isn't valid.",
        "SOON": "isn't active yet", "LATE": "has expired", "BIG": "Spend at least £50.00",
        "OTHER": "doesn't apply to anything in your cart", "MEMBERS": "customers with an account",
        "GONE": "usage limit", "<b>": "That code isn't valid",
    }.items():  # fmt: skip
        db.session.execute(sa.delete(ThrottleCounter))  # these have their own test
        answer = client.post("/cart/code", data={"code": code})
        assert answer.status_code == 422, code
        assert sentence in error_of(answer.text, "code"), code
        assert "Steel bottle" in answer.text
    assert the_cart().promotion is None


def test_entering_codes_is_throttled(
    client: FormClient, bottle: Product, create_promotion: Callable[..., Promotion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "promotion_code", Limits(account=Limit(2, 60), address=Limit(9, 60)))
    create_promotion("WELCOME10")
    add(client, bottle)
    answers = [client.post("/cart/code", data={"code": code}) for code in ("A", "B", "WELCOME10")]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert "Too many attempts" in answers[-1].text
    assert the_cart().promotion is None


def test_a_code_that_no_longer_applies_is_left_out_with_its_reason(
    client: FormClient, bottle: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion("WELCOME10")
    add(client, bottle)
    client.post("/cart/code", data={"code": "WELCOME10"})
    promotion.ends_at = utcnow() - timedelta(days=1)
    db.session.commit()
    words = said(client)
    assert "Code not applied: This code has expired." in words
    assert "Total £24.00" in words


# --- delivery, credit -------------------------------------------------------------------------------------------------


def test_the_first_delivery_method_is_used_until_another_is_chosen(
    client: FormClient, bottle: Product, methods: list[DeliveryMethod]
) -> None:
    add(client, bottle)
    words = said(client)
    assert "Spend £26.00 more for free delivery" in words
    assert "Parcel £2.40" in words
    assert "Total £26.40" in words
    assert the_cart().checkout == {}
    van = methods[1].id
    data = {"delivery": str(van), f"location-{van}": "Lekki"}
    assert client.post("/cart/delivery", data=data).location == "/cart"
    assert the_cart().checkout == {"delivery_method_id": van, "delivery_location": "Lekki"}
    assert "Total £27.50" in said(client)
    values = form_to(client.get("/cart").text, "/cart/delivery").values
    assert values.pop("csrf_token")
    assert values == data
    client.post("/cart/delivery", data={"delivery": str(methods[2].id)})
    assert the_cart().checkout["delivery_location"] == ""
    assert "Total £24.00" in said(client)


def test_a_delivery_method_that_is_not_offered_is_refused(
    client: FormClient, bottle: Product, methods: list[DeliveryMethod]
) -> None:
    add(client, bottle)
    for odd in ("", str(methods[3].id), "0", "-1", "x", "9" * 30, "1.5"):
        answer = client.post("/cart/delivery", data={"delivery": odd})
        assert (answer.status_code, error_of(answer.text, "delivery")) == (422, "Choose a delivery method."), odd
    van = methods[1].id
    for place in ("", "Paris", "ikeja"):
        answer = client.post("/cart/delivery", data={"delivery": str(van), f"location-{van}": place})
        assert (answer.status_code, error_of(answer.text, f"location-{van}")) == (422, "Choose a delivery location."), (
            place
        )
    assert the_cart().checkout == {}


def test_only_users_with_credit_can_spend_it(
    client: FormClient, bottle: Product, ada: User, cleo: User, new_client: Callable[[], FormClient]
) -> None:
    credit.give(ada, 500, "a present")
    db.session.commit()
    login(client, ada)
    add(client, bottle)
    assert "Use my credit (£5.00)" in said(client)
    client.post("/cart/credit", data={"use": "y"})
    words = said(client)
    assert "Store credit −£5.00" in words
    assert "Total £19.00" in words
    client.post("/cart/credit")
    assert "Total £24.00" in said(client)
    other = new_client()
    add(other, bottle)
    other.post("/cart/credit", data={"use": "y"})
    assert "credit" not in said(other)
    assert "Total £24.00" in said(other)
