"""Promotions, delivery methods and exchange rates in the back office."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    AuditEntry,
    Category,
    Collection,
    DeliveryKind,
    DeliveryMethod,
    DisplayRate,
    Product,
    Promotion,
    PromotionScope,
    User,
)
from tapcard.services.cart import promotions
from tapcard.services.cart.promotions import Customer
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of
from tests.purchases import create_order, keys

NEW = "/admin/promotions/new"
NEW_DELIVERY = "/admin/delivery/new"


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


def form_values(client: FormClient, path: str, **changes: Any) -> dict[str, Any]:
    return {**form_to(client.get(path).text, "").values, **changes}


def submit(client: FormClient, path: str, **changes: Any) -> Any:
    return client.post(path, data=form_values(client, path, **changes), csrf=False)


# --- promotions -------------------------------------------------------------------------------------------------------


def test_a_promotion_is_created_and_listed_with_its_uses(
    ben_client: FormClient, set_setting: Callable[[str, Any], None], product: Product
) -> None:
    set_setting("time_zone", "Africa/Lagos")
    values = {"code": " welcome 10 ", "percent": "12.5", "starts_at": "2026-12-01T00:00", "ends_at": "2027-01-01T00:00",
             "minimum_amount": "20", "most_uses": "5", "most_uses_each": "1", "applies_to": "product",
             "product_sku": product.sku, "needs_account": "y"}  # fmt: skip
    assert submit(ben_client, NEW, **values).location == "/admin/promotions"
    promotion = db.session.scalars(sa.select(Promotion)).one()
    assert (promotion.code, promotion.percent, promotion.amount, promotion.minimum_amount) == (
        "WELCOME10",
        1250,
        None,
        2000,
    )
    assert (promotion.starts_at, promotion.ends_at) == (
        datetime(2026, 11, 30, 23, tzinfo=UTC),
        datetime(2026, 12, 31, 23, tzinfo=UTC),
    )
    assert (promotion.applies_to, promotion.product, promotion.most_uses, promotion.most_uses_each) == (
        PromotionScope.PRODUCT,
        product,
        5,
        1,
    )
    assert "WELCOME10 12.5%" in words_of(ben_client.get("/admin/promotions").text)
    assert "0 of 5" in words_of(ben_client.get("/admin/promotions").text)
    shown = form_values(ben_client, f"/admin/promotions/{promotion.id}")
    assert {name: shown[name] for name in values} == {**values, "code": "WELCOME10", "minimum_amount": "20.00"}


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"code": ""}, "code", "Enter a code."),
        ({"code": "ÄÖÜ"}, "code", "Use 2 to 40 unaccented letters"),
        ({"code": "taken"}, "code", "Another promotion uses that code. Enter a different one."),
        ({"percent": ""}, "percent", "Enter either a percentage or an amount."),
        ({"amount": "3"}, "percent", "Enter either a percentage or an amount."),
        ({"percent": "101"}, "percent", "Enter a percentage from 0.01 to 100."),
        ({"percent": "0"}, "percent", "Enter a percentage from 0.01 to 100."),
        ({"percent": "", "amount": "0"}, "amount", "Enter 0.01 or more."),
        ({"percent": "", "amount": "NaN"}, "amount", "Enter an amount such as 12.50"),
        (
            {"starts_at": "2027-01-01T00:00", "ends_at": "2026-01-01T00:00"},
            "ends_at",
            "Choose an end date after",
        ),
        ({"ends_at": "tomorrow"}, "ends_at", "Enter a date and time"),
        ({"applies_to": "category"}, "category", "Choose what it applies to."),
        (
            {"applies_to": "product", "product_sku": "NO-SUCH"},
            "product_sku",
            "No product has that SKU.",
        ),
        ({"most_uses": "0"}, "most_uses", "Enter a whole number from 1"),
    ],
)
def test_an_invalid_promotion_is_refused_and_the_form_keeps_the_values(
    ben_client: FormClient, create_promotion: Callable[..., Promotion], changes: dict[str, str], field: str, says: str
) -> None:
    create_promotion("TAKEN")
    response = submit(ben_client, NEW, **{"code": "good", "percent": "10", **changes})
    assert response.status_code == 422
    assert says in error_of(response.text, field)
    shown = form_to(response.text, "").values
    assert {name: shown[name] for name in changes} == changes
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Promotion)) == 1


def test_a_promotion_used_while_being_edited_keeps_its_use_count(
    ben_client: FormClient, create_promotion: Callable[..., Promotion], cleo: User
) -> None:
    promotion = create_promotion("TEN", most_uses=5)
    slow = form_values(ben_client, f"/admin/promotions/{promotion.id}", most_uses="9")
    promotions.count_use(promotion, Customer(cleo), keys(), utcnow())
    db.session.commit()
    assert ben_client.post(f"/admin/promotions/{promotion.id}", data=slow, csrf=False).status_code == 302
    assert (promotion.use_count, promotion.most_uses) == (1, 9)
    later = ben_client.post(f"/admin/promotions/{promotion.id}", data=slow | {"code": "OTHER"}, csrf=False)
    assert later.status_code == 422
    assert "This was changed elsewhere" in later.text
    assert promotion.code == "TEN"


def test_a_deactivated_promotion_is_unknown_at_once(
    ben_client: FormClient, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion("TEN")
    submit(ben_client, f"/admin/promotions/{promotion.id}", is_active=[])
    with pytest.raises(promotions.UnknownCode):
        promotions.find("ten")


def test_changing_a_category_promotion_to_all_products_clears_its_category(
    ben_client: FormClient, create_category: Callable[..., Category], create_collection: Callable[..., Collection]
) -> None:
    category, collection = create_category(), create_collection()
    chosen = {"category": str(category.id), "collection": str(collection.id)}
    submit(ben_client, NEW, code="SHELF", percent="10", applies_to="category", **chosen)
    promotion = db.session.scalars(sa.select(Promotion)).one()
    assert (promotion.category_id, promotion.collection_id) == (category.id, None)
    submit(ben_client, f"/admin/promotions/{promotion.id}", applies_to="all")
    assert (promotion.applies_to, promotion.category_id) == (PromotionScope.ALL, None)


# --- delivery ---------------------------------------------------------------------------------------------------------


def test_a_delivery_method_is_created_with_all_its_fields(ben_client: FormClient) -> None:
    values = {
        "name": "To the south",
        "kind": "percent",
        "percent": "10",
        "amount": "3",
        "free_from_amount": "50",
        "days_least": "2",
        "days_most": "5",
        "locations": "Abk\nIbadan (Oyo)\n\nAbk",
        "countries": ["NG", "GB"],
    }
    assert submit(ben_client, NEW_DELIVERY, **values).location == "/admin/delivery"
    method = db.session.scalars(sa.select(DeliveryMethod)).one()
    assert (method.kind, method.percent, method.amount, method.free_from_amount) == (
        DeliveryKind.PERCENT,
        1000,
        0,
        5000,
    )
    assert (method.countries, method.locations, method.days_least) == (["GB", "NG"], ["Abk", "Ibadan (Oyo)"], 2)
    page = words_of(ben_client.get("/admin/delivery").text)
    assert "10% of the subtotal · free from £50.00 · 2 countries · 2 locations · up to 5 days" in page


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "Enter a name."),
        ({"amount": "1,000.5"}, "amount", "Enter an amount such as 12.50"),
        ({"kind": "percent", "percent": "0"}, "percent", "Enter the percentage"),
        ({"kind": "percent", "percent": "101"}, "percent", "Enter a percentage from 0 to 100."),
        ({"days_least": "5", "days_most": "2"}, "days_most", "Enter at least the minimum number of days."),
        ({"countries": "XX"}, "countries", "not a valid choice"),
        ({"locations": "x" * 101}, "locations", "Enter 100 characters or fewer per line."),
    ],
)
def test_an_invalid_delivery_method_is_refused(
    ben_client: FormClient, changes: dict[str, str], field: str, says: str
) -> None:
    response = submit(ben_client, NEW_DELIVERY, **{"name": "Post", "amount": "3.50", **changes})
    assert response.status_code == 422
    assert says in error_of(response.text, field)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DeliveryMethod)) == 0


def test_delivery_methods_are_changed_and_reordered_and_orders_keep_theirs(
    ben_client: FormClient, create_delivery_method: Callable[..., DeliveryMethod], bottle: Product, cleo: User
) -> None:
    first, second = create_delivery_method("Post"), create_delivery_method("Courier", position=1)
    order = create_order(cleo, bottle, method=first)
    named = (order.delivery_name, order.delivery_amount)
    path = f"/admin/delivery/{first.id}"
    slow = form_values(ben_client, path, name="Slow")
    assert submit(ben_client, path, amount="9.99", name="Letter").status_code == 302
    response = ben_client.post(path, data=slow, csrf=False)
    assert (response.status_code, first.name) == (422, "Letter")
    assert 'value="Slow"' in response.text
    ben_client.post(f"{path}/move", data={"to": "down"})
    assert (first.position, second.position) == (1, 0)
    db.session.refresh(order)
    assert (order.delivery_name, order.delivery_amount) == named


# --- rates ------------------------------------------------------------------------------------------------------------

INVALID_RATES = ("", "0", "-1", "x", "NaN", "Infinity", "1e5", "1e30", "0.000000001", "1 000")


def test_exchange_rates_are_set_changed_and_removed(ben_client: FormClient) -> None:
    path = "/admin/currencies"
    assert ben_client.post(path, data={"currency": "NGN", "rate": "2040.5"}).location == path
    ben_client.post(path, data={"currency": "NGN", "rate": "2100"})
    [row] = db.session.scalars(sa.select(DisplayRate))
    assert (row.currency, row.rate) == ("NGN", Decimal(2100))
    assert "NGN 2100" in words_of(ben_client.get(path).text)
    for currency, rate in (("GBP", "1"), ("XXX", "1"), *(("EUR", rate) for rate in INVALID_RATES)):
        assert ben_client.post(path, data={"currency": currency, "rate": rate}).status_code == 422, (currency, rate)
    assert ben_client.post(f"{path}/NGN/remove").location == path
    assert ben_client.post(f"{path}/NGN/remove").status_code == 404
    assert db.session.scalars(sa.select(DisplayRate)).all() == []
    tags = db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.tag.startswith("display_rate")))
    assert sorted(tags) == ["display_rate.changed", "display_rate.changed", "display_rate.removed"]
