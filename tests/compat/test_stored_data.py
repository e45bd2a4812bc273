"""Data stored by commit 5828590, the version before the restructuring, keeps working: database, cookies, links, files.

`make_data.py` made the data with the code of that commit. Each test starts from the same upgraded database, a few
minutes after the data was made.
"""

import dataclasses
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import itsdangerous
import pyotp
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade

from config import Config
from tapcard import registry, settings, worker
from tapcard.app import create_app
from tapcard.db import db, transactions
from tapcard.keys import Keys
from tapcard.models import (
    Card,
    Enquiry,
    Order,
    OrderStatus,
    OutboxMessage,
    Promotion,
    PromotionCustomer,
    Role,
    Schedule,
    Subscriber,
    SubscriberStatus,
    Tap,
    TapDay,
    User,
    UserAgent,
)
from tapcard.services.accounts import registration, roles
from tapcard.services.cards import claims
from tapcard.services.cart import promotions
from tapcard.services.cart.promotions import Customer
from tapcard.tap import profile_forms
from tapcard.web import pictures
from tapcard.workflows import draining
from tests import needs
from tests.conftest import DATABASE, FormClient, clean_instance, login

HERE = Path(__file__).resolve().parent
BEFORE: dict[str, Any] = json.loads((HERE / "before.json").read_text())
MADE_AT = datetime.fromisoformat(BEFORE["made_at"])
LINKS, ORDERS, USERS = BEFORE["links"], BEFORE["orders"], BEFORE["users"]
BEFORE_REVISION = "20261130_sold"
NEW_PASSWORD = "battery staple correct"
LINK = re.compile(r"http://localhost(/[^\s<>\"]+)")
# links whose token the worker makes anew for each email
FRESH = re.compile(r"(/verify/|/set-password/|/account/email/confirm/|/account/email/undo/).+")
pytestmark = pytest.mark.sql


class Clock(datetime):
    """A clock that stands still."""

    present = MADE_AT

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.present


# --- the database -----------------------------------------------------------------------------------------------------


def rows_before() -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Return the stored rows of each table, with the names of the columns."""
    connection = sqlite3.connect(":memory:")
    connection.executescript((HERE / "before.sql").read_text())
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for name in names:
        cursor = connection.execute(f'SELECT * FROM "{name}"')
        found[name] = ([column[0] for column in cursor.description], cursor.fetchall())
    connection.close()
    return {name: rows for name, rows in found.items() if name not in ("alembic_version", "sqlite_sequence")}


def copy_to_postgresql() -> None:
    """Insert the rows into an empty database of the same revision."""
    with db.engine.begin() as connection:
        connection.execute(sa.text("SET session_replication_role = replica"))  # in any order
        connection.execute(sa.text("SET TIME ZONE 'UTC'"))
        cursor: Any = connection.connection.cursor()
        for name, (columns, rows) in rows_before().items():
            facts = {column["name"]: column for column in sa.inspect(connection).get_columns(name)}
            rows = [
                [
                    for_postgresql(value, facts[column]["type"])
                    for column, value in zip(columns, row, strict=True)
                    if "computed" not in facts[column]
                ]
                for row in rows
            ]
            columns = [column for column in columns if "computed" not in facts[column]]
            places = ", ".join(["%s"] * len(columns))
            insert = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"
            cursor.execute(f"DELETE FROM {name}")
            if rows:
                cursor.executemany(insert, rows)
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            if "id" in columns:
                cursor.execute(f"SELECT setval({sequence}, (SELECT coalesce(max(id), 1) FROM {name}))")
        connection.execute(sa.text("SET session_replication_role = origin"))


def for_postgresql(value: Any, kind: Any) -> Any:
    """Return a value as PostgreSQL takes it; SQLite stores flags, and numbers in JSON, as numbers."""
    if isinstance(kind, sa.Boolean):
        return None if value is None else bool(value)
    return str(value) if isinstance(kind, sa.JSON) and value is not None else value


def stored_columns() -> dict[str, str]:
    """Return the columns of each table, apart from those that the database computes."""
    return {
        table.name: ", ".join(column.name for column in table.columns if column.computed is None)
        for table in db.metadata.sorted_tables
    }


@pytest.fixture(scope="module")
def application(base_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application over the stored database, upgraded."""
    folder = tmp_path_factory.mktemp("before")
    with ExitStack() as stack:
        if DATABASE == "sqlite":
            with sqlite3.connect(folder / "before.sqlite") as connection:
                connection.executescript((HERE / "before.sql").read_text())
            connection.close()
            url = f"sqlite:///{folder / 'before.sqlite'}"
        else:
            created = stack.enter_context(needs.new_database("before"))
            url = created.replace("postgresql://", "postgresql+psycopg://", 1)
        config = dataclasses.replace(
            base_config, secret_key=BEFORE["secret_key"], database_url=url, instance_path=folder
        )
        app = create_app(config)
        app.test_client_class = FormClient
        with app.app_context():
            if DATABASE != "sqlite":
                upgrade(revision=BEFORE_REVISION)
                copy_to_postgresql()
            upgrade()
            db.session.remove()
            snapshot(folder)
        yield app
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


def snapshot(folder: Path) -> None:
    """Keep a copy of the upgraded database."""
    if DATABASE == "sqlite":
        source, target = (sqlite3.connect(folder / name) for name in ("before.sqlite", "upgraded.sqlite"))
        source.backup(target)
        source.close()
        target.close()
        return
    with db.engine.begin() as connection:
        connection.execute(sa.text("CREATE SCHEMA upgraded"))
        for name, columns in stored_columns().items():
            connection.execute(sa.text(f"CREATE TABLE upgraded.{name} AS SELECT {columns} FROM public.{name}"))


def restore(folder: Path) -> None:
    """Undo what the test before did to the database."""
    if DATABASE == "sqlite":
        source, target = (sqlite3.connect(folder / name) for name in ("upgraded.sqlite", "before.sqlite"))
        source.backup(target)
        source.close()
        target.close()
        return
    with db.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for name, columns in stored_columns().items():
            connection.execute(sa.text(f"DELETE FROM public.{name}"))
            connection.execute(sa.text(f"INSERT INTO public.{name} ({columns}) SELECT {columns} FROM upgraded.{name}"))


@pytest.fixture
def app(application: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The application over the stored database and files, five minutes after they were made."""
    set_clock(timedelta(minutes=5))
    seconds = SimpleNamespace(
        time=lambda: Clock.present.timestamp(), time_ns=lambda: int(Clock.present.timestamp() * 1e9)
    )
    monkeypatch.setattr("tapcard.clock.datetime", Clock)
    monkeypatch.setattr("tapcard.tap.recorder.time", seconds)
    monkeypatch.setattr("tapcard.services.taps.visitor_hash.time", seconds)
    monkeypatch.setattr(itsdangerous.TimestampSigner, "get_timestamp", lambda _self: int(seconds.time()))
    folder = Path(application.instance_path)
    with application.app_context(), transactions(writing=True):
        restore(folder)
        clean_instance(folder)
        for kept, name in (("pictures", "uploads"), ("spool", "spool")):
            shutil.copytree(HERE / kept, folder / name, dirs_exist_ok=True)
        application.extensions["rate_limiter"].reset()
        yield application
        db.session.rollback()
        db.session.remove()


def set_clock(after: timedelta) -> datetime:
    """Let it be some time after the data was made."""
    Clock.present = MADE_AT + after
    return Clock.present


@pytest.fixture
def browser(app: Flask) -> Callable[[str], FormClient]:
    """Return a browser with the cookies that the old version set."""

    def with_cookies(name: str) -> FormClient:
        client: FormClient = app.test_client()  # type: ignore[assignment]
        for cookie, value in BEFORE["cookies"][name].items():
            client.set_cookie(cookie, value)
        return client

    return with_cookies


def user(name: str) -> User:
    return db.session.get_one(User, USERS[name], populate_existing=True)


def order(name: str) -> Order:
    return db.session.scalars(sa.select(Order).where(Order.number == ORDERS[name])).one()


def is_logged_in(client: FormClient) -> bool:
    return client.get("/account").status_code == 200


# --- rows -------------------------------------------------------------------------------------------------------------


def test_no_row_is_lost(app: Flask) -> None:
    """Upgrading keeps every row."""
    counts = {name: len(rows) for name, (_columns, rows) in rows_before().items()}
    now = {name: db.session.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) for name in counts}
    assert now == counts
    assert sum(counts.values()) > 200


def test_every_table_can_be_read(app: Flask) -> None:
    """Each stored value fits the type of its column in the models."""
    for table in db.metadata.sorted_tables:
        db.session.execute(sa.select(table)).all()


def test_settings(app: Flask) -> None:
    """Changed settings are in force under their names."""
    shop = settings.load()
    assert {name: getattr(shop, name) for name in BEFORE["settings"]} == BEFORE["settings"]


def test_roles(app: Flask, browser: Callable[[str], FormClient]) -> None:
    """Staff can work with the stored permissions, and with those of today, which replace them."""
    staff = browser("staff")
    assert staff.get("/admin/orders").status_code == 200
    roles.seed_roles()
    db.session.commit()
    assert staff.get("/admin/orders").status_code == 200
    stored = {role.name: tuple(role.permissions) for role in db.session.scalars(sa.select(Role))}
    assert stored == roles.fixed_roles()


@pytest.mark.parametrize("state", ORDERS)
def test_order_in_the_back_office(browser: Callable[[str], FormClient], state: str) -> None:
    """Staff can open an order in each state, and read why it came to that."""
    page = browser("staff").get(f"/admin/orders/{ORDERS[state]}")
    assert page.status_code == 200
    expected = {
        "for_review": "delivered", "replaced": "canceled", "replacing": "paid", "pending_outside": "pending",
        "with_code": "pending",
    }  # fmt: skip
    assert order(state).status is OrderStatus(expected.get(state, state))
    reasons = {"canceled": "asked by phone", "refunded": "did not like it"}
    assert reasons.get(state, "") in page.text


def test_order_of_a_buyer(app: Flask, client: FormClient) -> None:
    """Buyers see their orders, also one that took the place of another."""
    login(client, user("cleo"))
    assert ORDERS["paid"] in client.get("/orders").text
    for state in ("paid", "pending"):
        assert client.get(f"/orders/{ORDERS[state]}").status_code == 200


def test_promotion_counts_for_its_customer(app: Flask, client: FormClient, keys: Keys) -> None:
    """A code that each customer may use once is used up, until the order expires and gives the use back."""
    promotion = db.session.scalars(sa.select(Promotion)).one()
    with pytest.raises(promotions.UsedByCustomer):
        promotions.count_use(promotion, Customer(user("kim"), user("kim").email), keys, Clock.present)
    db.session.rollback()
    set_clock(timedelta(hours=3))
    run_jobs()
    assert order("with_code").status is OrderStatus.EXPIRED
    assert db.session.scalars(sa.select(Promotion.use_count)).one() == 0
    assert set(db.session.scalars(sa.select(PromotionCustomer.use_count))) == {0}


def test_files(app: Flask, client: FormClient) -> None:
    """Stored pictures are shown."""
    answer = client.get(f"/uploads/{BEFORE['photo']}")
    assert (answer.status_code, answer.mimetype) == (200, "image/webp")
    assert answer.data == (HERE / "pictures" / BEFORE["photo"]).read_bytes()
    assert BEFORE["photo"] in client.get("/p/ada-lind").text
    assert BEFORE["photo"] in client.get("/products/moorland-journal").text


# --- cookies ----------------------------------------------------------------------------------------------------------


def test_holder_stays_logged_in(app: Flask, browser: Callable[[str], FormClient]) -> None:
    """A remembered session lasts 60 days."""
    set_clock(timedelta(days=59))
    holder = browser("holder")
    page = holder.get("/dashboard")
    assert page.status_code == 200
    assert "ADASCARD" in page.text
    set_clock(timedelta(days=59 + 59))  # from the last visit on
    assert is_logged_in(holder)


def test_session_that_is_not_remembered_ends(browser: Callable[[str], FormClient]) -> None:
    """Staff did not tick the box: after 12 hours they have to log in."""
    staff = browser("staff")
    set_clock(timedelta(hours=13))
    assert not is_logged_in(staff)


def test_cookie_of_own_taps(app: Flask, keys: Keys) -> None:
    """The signed cookie still names its user."""
    assert keys.unsign_me(BEFORE["cookies"]["holder"]["tc_me"]) == USERS["ada"]
    assert keys.unsign_me(BEFORE["cookies"]["staff"]["tc_me"]) == USERS["ben"]


def test_form_of_the_old_version(app: Flask, browser: Callable[[str], FormClient]) -> None:
    """A form that was open during the upgrade can be sent."""
    data = {"csrf_token": BEFORE["csrf_token"]}
    assert browser("holder").post("/wishlist/add/moorland-journal", data=data).status_code == 302
    assert browser("holder").post("/wishlist/add/moorland-journal", data={"csrf_token": "x"}).status_code == 400


def test_stamped_form_of_the_old_version(app: Flask, client: FormClient) -> None:
    """So can the contact form, which carries a signed time."""
    typed = {"name": "Zoe", "email": "zoe@example.com", "message": "Do you engrave?", "stamp": BEFORE["contact_stamp"]}
    assert client.post("/contact", data=typed).status_code == 302
    assert db.session.scalar(sa.select(Enquiry.message).where(Enquiry.email == "zoe@example.com")) == "Do you engrave?"


def test_pictures_in_forms_of_the_old_version(app: Flask, keys: Keys) -> None:
    """So can forms that carry a signed picture, for twelve hours."""
    tokens, photo = BEFORE["form_tokens"], BEFORE["photo"]
    assert keys.unsign(pictures.TOKEN_PURPOSE, tokens["kept-picture"], pictures.TOKEN_LIFETIME) == ["a browser", photo]
    age = profile_forms.PICTURE_TOKEN_LIFETIME
    assert keys.unsign("profile-photo", tokens["profile-photo"], age) == [USERS["ada"], photo]
    set_clock(timedelta(hours=13))
    assert keys.unsign("profile-photo", tokens["profile-photo"], age) is None


def test_cart_of_a_guest(browser: Callable[[str], FormClient]) -> None:
    """A guest finds their cart, with prices in the chosen currency, and takes it along when logging in."""
    guest = browser("guest")
    assert quantities(guest.get("/cart").text) == ["3"]
    assert "€" in guest.get("/products/emaille-bottle").text
    login(guest, user("hal"))
    assert quantities(guest.get("/cart").text) == ["3"]


def test_cart_of_a_holder(browser: Callable[[str], FormClient]) -> None:
    """So does somebody who is logged in."""
    assert quantities(browser("holder").get("/cart").text) == ["2", "2"]


def quantities(page: str) -> list[str]:
    """Return how many pieces the lines of a cart's page show."""
    fields = re.findall(r"<input[^>]*name=\"quantity\"[^>]*>", page)
    return [value for field in fields for value in re.findall(r"value=\"(\d+)\"", field)]


def test_orders_of_a_guest(client: FormClient, browser: Callable[[str], FormClient]) -> None:
    """The browser that opened an order by its link may open it again, and no other may."""
    path = f"/orders/{ORDERS['delivered']}"
    assert browser("buyer").get(path).status_code == 200
    assert client.get(path).status_code != 200


def test_second_step_of_a_login(browser: Callable[[str], FormClient]) -> None:
    """Whoever had typed the password can go on with the code of the app."""
    eve = browser("half_way")
    assert not is_logged_in(eve)
    code = pyotp.TOTP(BEFORE["two_factor"]["secret"]).at(Clock.present)
    assert eve.post("/log-in/code", data={"code": code}).status_code == 302
    assert is_logged_in(eve)


def test_recovery_code(browser: Callable[[str], FormClient]) -> None:
    """So does a recovery code, once."""
    code = BEFORE["two_factor"]["recovery_codes"][0]
    eve, second = browser("half_way"), browser("half_way")
    assert eve.post("/log-in/code", data={"code": code}).status_code == 302
    assert is_logged_in(eve)
    login(second, user("eve"))
    second.post("/log-in/code", data={"code": code})
    assert not is_logged_in(second)


def test_reopening_an_account(browser: Callable[[str], FormClient]) -> None:
    """Whoever had proved to own a closed account can open it again."""
    ivy = browser("outside")
    assert ivy.get("/account/reopen").status_code == 200
    assert ivy.post("/account/reopen").status_code == 302
    assert is_logged_in(ivy)
    assert user("ivy").is_active


# --- links and codes --------------------------------------------------------------------------------------------------


def test_verify_link(app: Flask, client: FormClient) -> None:
    assert client.get(LINKS["verify"]).status_code == 200
    assert client.post(LINKS["verify"]).location.startswith("/set-password/")
    dan = registration.find_user("dan@example.com")
    assert dan is not None
    assert dan.is_verified


def test_password_link(app: Flask, client: FormClient) -> None:
    assert client.get(LINKS["set_password"]).status_code == 200
    sent = client.post(LINKS["set_password"], data={"password": NEW_PASSWORD, "repeated": NEW_PASSWORD})
    assert sent.status_code == 302
    client.post("/log-out")
    login(client, user("hal"), NEW_PASSWORD)
    assert is_logged_in(client)


def test_link_to_confirm_an_address(app: Flask, client: FormClient) -> None:
    login(client, user("flo"))
    assert client.post(LINKS["confirm_email"]).status_code == 302
    assert user("flo").email == "flo.new@example.com"


def test_link_to_undo_a_change_of_address(app: Flask, client: FormClient) -> None:
    assert user("gil").email == "gil.new@example.com"
    assert client.post(LINKS["undo_email"]).location.startswith("/set-password/")
    assert user("gil").email == "gil@example.com"


@pytest.mark.parametrize("kind", ["order", "review"])
def test_link_to_an_order(client: FormClient, kind: str) -> None:
    """It needs no account, and does not expire."""
    set_clock(timedelta(days=400))
    answer = client.get(LINKS[kind])
    assert answer.status_code == 302
    assert answer.location.startswith(f"/orders/{ORDERS['delivered']}")
    assert client.get(f"/orders/{ORDERS['delivered']}").status_code == 200
    forged = LINKS["order"][:-1] + ("0" if LINKS["order"][-1] != "0" else "1")
    assert client.get(forged).status_code == 404


def test_newsletter_links(app: Flask, client: FormClient) -> None:
    def status(email: str) -> SubscriberStatus | None:
        return db.session.scalar(sa.select(Subscriber.status).where(Subscriber.email == email))

    assert client.post(LINKS["newsletter_confirm"]).status_code == 302
    assert status("olaf@example.com") is SubscriberStatus.SUBSCRIBED
    assert status("nora@example.com") is SubscriberStatus.SUBSCRIBED
    assert client.post(LINKS["newsletter_leave"], csrf=False).status_code == 200
    assert status("nora@example.com") is SubscriberStatus.UNSUBSCRIBED


def test_link_to_stop_the_weekly_email(app: Flask, client: FormClient) -> None:
    assert user("ada").wants_weekly_mail
    assert client.post(LINKS["weekly_off"], csrf=False).status_code == 200
    assert not user("ada").wants_weekly_mail


def test_link_to_an_offered_card(app: Flask, client: FormClient) -> None:
    login(client, user("jon"))
    assert client.get(LINKS["offer"]).status_code == 200
    assert client.post(f"{LINKS['offer']}/accept").location == "/cards/GIFTCARD"
    assert card("GIFTCARD").owner_id == USERS["jon"]


def card(token: str) -> Card:
    return db.session.scalars(sa.select(Card).where(Card.token == token)).one()


def test_claim_code(app: Flask, client: FormClient, keys: Keys) -> None:
    """The shop can still print the sealed code, and it is still the right one."""
    token, code = BEFORE["claim"]["token"], BEFORE["claim"]["code"]
    assert claims.read_claim_code(card(token), keys) == code
    login(client, user("jon"))
    client.post(f"/activate/{token}", data={"code": code})
    assert card(token).owner_id == USERS["jon"]


def test_codes_of_sold_cards(app: Flask, client: FormClient) -> None:
    """The buyer of cards can still read the codes."""
    login(client, user("jon"))
    assert client.get(f"/orders/{ORDERS['processing']}/codes").status_code == 200


@pytest.mark.parametrize("page", BEFORE["pages"], ids=lambda page: page[0][:40])
def test_linked_page(client: FormClient, page: list[Any]) -> None:
    """Every link in an email of the old version answers as it did."""
    path, status, location = page
    answer = client.get(path)
    assert (answer.status_code, answer.location) == (status, location)


# --- the worker -------------------------------------------------------------------------------------------------------


def run_jobs() -> None:
    """Run what is due, without an error."""
    db.session.commit()
    worker.create_schedules(Clock.present)
    worker.run_due_jobs(Clock.present)
    db.session.expire_all()
    assert set(db.session.scalars(sa.select(Schedule.error))) == {""}


def test_outbox(app: Flask, mailbox: Callable[[], list[EmailMessage]]) -> None:
    """Messages of every kind go to the same people, with the same links, as the old version would have sent them."""
    set_clock(timedelta(minutes=10))
    waiting = set(db.session.scalars(sa.select(OutboxMessage.kind).where(OutboxMessage.done_at.is_(None))))
    assert sorted(waiting) == BEFORE["outbox_kinds"]
    for path in (Path(app.instance_path) / "uploads").glob("*.webp"):
        os.utime(path, (0, 0))
    while worker.deliver_due():
        pass
    db.session.expire_all()
    left = db.session.execute(
        sa.select(OutboxMessage.kind, OutboxMessage.error).where(OutboxMessage.done_at.is_(None))
    ).all()
    assert left == []
    sent = []
    for message in mailbox():
        body = message.get_body(("plain",))
        assert body is not None
        sent.append(facts(message["To"], message["Reply-To"], LINK.findall(body.get_content())))
    assert sorted(sent) == sorted(facts(to, reply_to, links) for _kind, to, reply_to, links in BEFORE["mails"])
    assert not (Path(app.instance_path) / "uploads" / BEFORE["unused"]).exists()
    assert (Path(app.instance_path) / "uploads" / BEFORE["photo"]).exists()


def facts(to: str, reply_to: str | None, links: list[str]) -> tuple[str, str, list[str]]:
    """Return what stays the same of an email."""
    return str(to), str(reply_to or ""), sorted({FRESH.sub(r"\1", link) for link in links})


def test_schedules(app: Flask) -> None:
    """Jobs run at the stored times under the stored names, each without an error."""
    stored = sorted(db.session.scalars(sa.select(Schedule.name)))
    assert stored == BEFORE["jobs"]
    assert set(stored) <= set(registry.jobs)
    run_jobs()
    assert db.session.scalars(sa.select(Schedule.last_run_at).where(Schedule.name.in_(stored))).all() == [None] * 11
    now = set_clock(timedelta(hours=2))
    run_jobs()
    ran = db.session.scalars(sa.select(Schedule.last_run_at).where(Schedule.name.in_(stored))).all()
    assert set(ran) == {now}


def test_closed_account_is_erased(app: Flask) -> None:
    """Somebody who closed their account before the upgrade is erased in time."""
    set_clock(timedelta(days=13))
    run_jobs()
    assert user("ivy").erased_at is None
    set_clock(timedelta(days=15))
    run_jobs()
    assert user("ivy").erased_at is not None


def test_personal_data_can_be_downloaded(browser: Callable[[str], FormClient]) -> None:
    answer = browser("holder").post("/account/download")
    assert answer.status_code == 200
    assert len(answer.data) > 1000
    answer.close()


def test_spooled_taps(app: Flask, client: FormClient) -> None:
    """Taps that the old version had spooled are stored once, as it would have stored them."""
    taps_before = db.session.scalar(sa.select(sa.func.count()).select_from(Tap))
    assert taps_before == len(BEFORE["taps"]) - BEFORE["taps_drained"]
    db.session.commit()
    assert draining.create_drainer().drain() == BEFORE["taps_drained"]
    table = Tap.__table__
    columns = [column for column in table.columns if column.name != "id"]
    rows = db.session.execute(sa.select(*columns).order_by(table.c.uid)).all()
    assert [" ".join(str(utc(value)) for value in row) for row in rows] == BEFORE["taps"]
    assert list((Path(app.instance_path) / "spool").glob("*.spool")) == []
    assert draining.create_drainer().drain() == 0
    assert db.session.scalar(sa.select(sa.func.sum(TapDay.tap_count))) == taps_before


def utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def test_same_visitor(app: Flask, client: FormClient) -> None:
    """A phone that tapped before the upgrade is the same visitor on the same day."""
    before = BEFORE["taps"][3].split()[-3]
    agent = db.session.scalars(sa.select(UserAgent.text)).one()
    client.get("/t/ADASCARD", headers={"User-Agent": agent})
    app.extensions["spool"].rotate()
    db.session.commit()
    draining.create_drainer().drain()
    assert db.session.scalars(sa.select(Tap.visitor).order_by(Tap.uid.desc())).first() == before
