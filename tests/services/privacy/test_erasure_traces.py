"""Erasure leaves no personal data in any file or table."""

import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from tapcard import files, seeds, worker
from tapcard.clock import utcnow
from tapcard.db import db, truncate_wal
from tapcard.models import (
    AuditEntry,
    Card,
    CardEvent,
    CardStatus,
    Enquiry,
    Order,
    OrderStatus,
    ProductKind,
    Review,
    ReviewStatus,
    Subscriber,
    User,
    WishlistEntry,
)
from tapcard.services.cart import credit
from tapcard.services.payments import settlement
from tapcard.services.privacy import closure
from tapcard.workflows import draining, privacy
from tests import purchases
from tests.conftest import PASSWORD
from tests.services.privacy.personal_data import (
    EMAIL,
    SECRETS,
    erase,
    find_traces,
    random_picture,
    use_application,
    write_personal_data,
)


def test_no_trace_of_an_erased_user_is_left(fresh_app: Flask, move_clock: Callable[[timedelta], None]) -> None:
    app = fresh_app
    zeb = seeds.create_user(EMAIL, first_name="Zebulon", last_name="Quirkzahl", password=PASSWORD, title="Dr-Xylo",
                            born_on=date(1987, 6, 5), roles=["staff"])  # fmt: skip
    cleo = seeds.create_user("cleo@example.com", password=PASSWORD)
    db.session.commit()
    card, data = write_personal_data(zeb, cleo, app)
    zeb_id, card_id = zeb.id, card.id
    client: Any = app.test_client()

    def run() -> None:
        db.session.commit()
        app.extensions["spool"].rotate()
        worker.create_schedules(utcnow())
        worker.run_once(draining.create_drainer())

    use_application(client, zeb, app, run)
    before = find_traces(app, SECRETS, data)
    missing = set(SECRETS) - {name for names in before.values() for name in names} - {"1987-06-05"}
    assert missing == set(), "the test stores these nowhere"
    closure.close(zeb_id, PASSWORD, utcnow())
    db.session.commit()
    run()
    move_clock(timedelta(days=13))
    privacy.erase_closed()
    assert db.session.get_one(User, zeb_id).erased_at is None
    move_clock(timedelta(days=15))
    db.session.rollback()
    privacy.erase_closed()

    assert find_traces(app, SECRETS, data) == {}
    user = db.session.get_one(User, zeb_id)
    assert (user.email, user.full_name, user.password_hash, user.roles) == (
        f"erased-{zeb_id}@erased.invalid", "", None, [])  # fmt: skip
    card = db.session.get_one(Card, card_id)
    assert (card.status, card.alias, card.target, card.reroute_url) == (CardStatus.RETIRED, None, None, None)
    assert db.session.scalar(sa.select(sa.func.count()).where(CardEvent.card_id == card_id)) == 6
    assert db.session.scalars(sa.select(AuditEntry.details).where(AuditEntry.tag == "user.erased")).all() == [{}]
    assert len(list((Path(app.instance_path) / "mail").glob("*.eml"))) == 0


SOLD = (
    "buyer-q@example.com", "Zenobia", "Quarrington", "Quagmire Lane", "TownQ", "Quagmire note", "PlaceQ", "TrackQ",
    "EngravedQ",
    "EvidenceQ", "pay-q.example", "WhyOrderQ", "AuthorQ", "ReviewQ", "CreditQ", "EnquiryQ", "ConsentQ", "TypedQ",
)  # fmt: skip


def create_paid_order(zenobia: User, app: Flask, waits: bool) -> Order:
    """Place and pay an order with personal data in every column, by a guest if it `waits`."""
    product = seeds.create_product(kind=ProductKind.CARD)
    seeds.create_option(product, "inscription")
    cart = purchases.create_cart(None if waits else zenobia)
    name = files.store(random_picture(), files.folder(app.instance_path))
    purchases.fill(cart, product, answers={"inscription": "EngravedQ"}, front_picture=name)
    address = {**purchases.ADDRESS, "name": "Zenobia Quarrington", "line1": "Quagmire Lane", "city": "TownQ"}
    order = purchases.place(cart, purchases.buyer(
        None if waits else zenobia, email=zenobia.email, first_name="Zenobia", last_name="Quarrington",
        note="Quagmire note", address=address, method=seeds.create_delivery_method(), location="PlaceQ"))  # fmt: skip
    db.session.commit()
    payment = purchases.start_payment(order)
    payment.pay_url = "https://pay-q.example/"
    evidence = purchases.paid_evidence(payment, details={"payer": "EvidenceQ"})
    settlement.settle(payment, evidence, app.extensions["keys"], utcnow())
    order.tracking_number = "TrackQ"
    order.events[0].why = "WhyOrderQ"
    db.session.commit()
    return order


def test_only_accounting_data_of_an_erased_buyer_is_left(fresh_app: Flask) -> None:
    app = fresh_app
    zenobia = seeds.create_user("buyer-q@example.com", first_name="Zenobia", last_name="Quarrington")
    orders = [create_paid_order(zenobia, app, waits) for waits in (False, True)]
    assert [order.user_id for order in orders] == [zenobia.id, None]
    product = seeds.create_product(rating_count=2, rating_sum=7)
    cart = purchases.create_cart(zenobia, product)
    cart.checkout = {"note": "TypedQ"}
    credit.give(zenobia, 500, "CreditQ")
    review = Review(product_id=product.id, user_id=zenobia.id, author="AuthorQ", rating=4, text="ReviewQ")
    review.status = ReviewStatus.APPROVED
    db.session.add_all([
        review,
        WishlistEntry(user_id=zenobia.id, product_id=product.id),
        Subscriber(email=zenobia.email, consent_text="ConsentQ"),
        Enquiry(name="Zenobia", email=zenobia.email, message="EnquiryQ"),
    ])  # fmt: skip
    db.session.commit()
    with files.open_upload(orders[1].lines[0].pictures[0], files.folder(app.instance_path)) as upload:
        data = upload.read()
    before = find_traces(app, SOLD, data)
    assert {name for names in before.values() for name in names} == {*SOLD, "the picture"}

    erase(zenobia, app)
    db.session.rollback()
    assert truncate_wal()
    assert find_traces(app, SOLD, data) == {}
    for order in orders:
        assert (order.total_amount, order.address, order.status) == (1350, {"country": "GB"}, OrderStatus.PAID)
        assert [(line.title, line.line_amount) for line in order.lines] == [("Moorland journal", 1000)]
    assert (product.rating_count, product.rating_sum) == (1, 3)
    assert credit.balance(zenobia.id) == 0


def test_erasing_an_unverified_account_keeps_guest_orders_of_its_address(app: Flask) -> None:
    squatter = seeds.create_user("gus@example.com", first_name="Sid", verified=False, password=PASSWORD)
    order = purchases.create_order(None, seeds.create_product())
    assert order.user_id is None
    erase(squatter, app)
    db.session.expire_all()
    assert order.email == "gus@example.com"


def test_deleted_text_stays_in_the_file_without_secure_delete(tmp_path: Path) -> None:
    """Shows that the tests above would find deleted data if SQLite kept it."""
    traces = {}
    for mode in ("OFF", "ON"):
        path = tmp_path / f"{mode}.sqlite"
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"PRAGMA secure_delete={mode}")
        connection.execute("CREATE TABLE t (x TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("TRACE" * 100,)] * 50)
        connection.execute("DELETE FROM t")
        connection.close()
        traces[mode] = b"TRACE" in path.read_bytes()
    assert traces == {"OFF": True, "ON": False}


def test_every_connection_uses_secure_delete(app: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(sa.text("PRAGMA secure_delete")) == 1
