"""Stored rows and files keep working after an upgrade."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import settings
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import OrderStatus, Promotion, PromotionCustomer, Role
from tapcard.services.accounts import roles
from tapcard.services.cart import promotions
from tapcard.services.cart.promotions import Customer
from tests.compat.stored_data import BEFORE, HERE, ORDERS, Clock, order, rows_before, run_jobs, set_clock, user
from tests.conftest import FormClient, login

pytestmark = pytest.mark.sql


def test_upgrading_keeps_every_row(app: Flask) -> None:
    """Upgrading keeps every row."""
    counts = {name: len(rows) for name, (_columns, rows) in rows_before().items()}
    now = {name: db.session.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) for name in counts}
    assert now == counts
    assert sum(counts.values()) > 200


def test_every_table_can_be_read(app: Flask) -> None:
    """Each stored value fits the type of its column in the models."""
    for table in db.metadata.sorted_tables:
        db.session.execute(sa.select(table)).all()


def test_changed_settings_keep_their_values(app: Flask) -> None:
    """Changed settings keep their values."""
    shop = settings.load()
    assert {name: getattr(shop, name) for name in BEFORE["settings"]} == BEFORE["settings"]


def test_staff_keep_their_permissions(app: Flask, browser: Callable[[str], FormClient]) -> None:
    """Staff can work with the stored permissions and with the current ones that replace them."""
    staff = browser("staff")
    assert staff.get("/admin/orders").status_code == 200
    roles.seed_roles()
    db.session.commit()
    assert staff.get("/admin/orders").status_code == 200
    stored = {role.name: tuple(role.permissions) for role in db.session.scalars(sa.select(Role))}
    assert stored == roles.fixed_roles()


@pytest.mark.parametrize("state", ORDERS)
def test_staff_can_open_orders_in_every_state(browser: Callable[[str], FormClient], state: str) -> None:
    """Staff can open an order in each state and see its history."""
    page = browser("staff").get(f"/admin/orders/{ORDERS[state]}")
    assert page.status_code == 200
    expected = {
        "for_review": "delivered", "replaced": "canceled", "replacing": "paid", "pending_outside": "pending",
        "with_code": "pending",
    }  # fmt: skip
    assert order(state).status is OrderStatus(expected.get(state, state))
    reasons = {"canceled": "asked by phone", "refunded": "did not like it"}
    assert reasons.get(state, "") in page.text


def test_buyers_see_their_orders(app: Flask, client: FormClient) -> None:
    """Buyers see their orders, including one that replaced another."""
    login(client, user("cleo"))
    assert ORDERS["paid"] in client.get("/orders").text
    for state in ("paid", "pending"):
        assert client.get(f"/orders/{ORDERS[state]}").status_code == 200


def test_a_used_promotion_stays_used_until_the_order_expires(app: Flask, client: FormClient, keys: Keys) -> None:
    """A code for one use per customer is used up until the order expires and releases the use."""
    promotion = db.session.scalars(sa.select(Promotion)).one()
    with pytest.raises(promotions.UsedByCustomer):
        promotions.count_use(promotion, Customer(user("kim"), user("kim").email), keys, Clock.present)
    db.session.rollback()
    set_clock(timedelta(hours=3))
    run_jobs()
    assert order("with_code").status is OrderStatus.EXPIRED
    assert db.session.scalars(sa.select(Promotion.use_count)).one() == 0
    assert set(db.session.scalars(sa.select(PromotionCustomer.use_count))) == {0}


def test_stored_pictures_are_shown(app: Flask, client: FormClient) -> None:
    """Stored pictures are shown."""
    response = client.get(f"/uploads/{BEFORE['photo']}")
    assert (response.status_code, response.mimetype) == (200, "image/webp")
    assert response.data == (HERE / "pictures" / BEFORE["photo"]).read_bytes()
    assert BEFORE["photo"] in client.get("/p/ada-lind").text
    assert BEFORE["photo"] in client.get("/products/moorland-journal").text
