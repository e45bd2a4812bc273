"""Make the stored data of these tests. Runs with the code of commit 5828590, not with the current code.

In a checkout of that commit, with its own requirements installed:

    PYTHONPATH=. .venv/bin/python path/to/tests/compat/make_data.py

It writes next to itself: `before.sql` (the database), `before.json` (cookies, links, codes, and what the old code does
with them), `pictures/` (the uploads) and `spool/`. The clock is stopped, so that the tests continue at the same moment.
"""

import io
import json
import os
import re
import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import itsdangerous
import pyotp
import sqlalchemy as sa
from flask_migrate import upgrade
from PIL import Image

import tapcard.clock
import tapcard.services.visitors
import tapcard.tap.profile_forms
import tapcard.tap.record
import tapcard.web.pictures
from config import Config
from tapcard import files, images, outbox, seeds, settings, worker
from tapcard.app import create_app
from tapcard.db import db, transactions
from tapcard.gateways.offline import OfflineGateway
from tapcard.models import (
    ClaimPolicy,
    Design,
    DesignStatus,
    DisplayRate,
    LockedBecause,
    OrderMove,
    OutboxMessage,
    Tap,
    User,
)
from tapcard.services import (
    accounts,
    cards,
    carts,
    closing,
    credit,
    design_keeping,
    enquiries,
    found,
    leads,
    newsletter,
    orders,
    payments,
    pictures,
    reviews,
    transfers,
    two_factor,
    weekly_mail,
    wishlist,
)
from tests import buying
from tests.conftest import PASSWORD, FormClient, login

HERE = Path(__file__).resolve().parent
SECRET = "the secret key of the version before, kept for its tests"
MADE_AT = datetime(2026, 11, 30, 10, tzinfo=UTC)  # a Monday
LATER = timedelta(minutes=10)
LINK = re.compile(r"http://localhost/[^\s<>\"]+")
PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"
)
made: dict[str, Any] = {"secret_key": SECRET, "password": PASSWORD, "made_at": MADE_AT.isoformat()}


class Clock(datetime):
    """A clock that stays at one time until it is set."""

    present = MADE_AT

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.present


def set_clock(instant: datetime) -> datetime:
    Clock.present = instant
    return instant


def stop_clocks() -> None:
    tapcard.clock.datetime = Clock
    seconds = SimpleNamespace(
        time=lambda: Clock.present.timestamp(), time_ns=lambda: int(Clock.present.timestamp()) * 1_000_000_000
    )
    tapcard.tap.record.time = tapcard.services.visitors.time = seconds
    itsdangerous.TimestampSigner.get_timestamp = lambda _self: int(Clock.present.timestamp())


def picture(color: str, instance: Path) -> str:
    """Store a small upload as the old code does."""
    raw = io.BytesIO()
    Image.new("RGB", (320, 320), color).save(raw, "PNG")
    return files.store(images.make_photo(raw.getvalue()), files.folder(instance))


def committed(row: Any) -> Any:
    db.session.commit()
    return row


def mailed() -> list[str]:
    """Send all emails that are due, and return their links."""
    db.session.commit()
    found_links: list[str] = []
    while (message := outbox.claim(Clock.present)) is not None:
        prepared = worker.PREPARE[message.kind](**message.payload)
        outbox.done(message, Clock.present)
        db.session.commit()
        if prepared is not None:
            found_links += LINK.findall(prepared.body)
    return found_links


def link_of(found_links: list[str], part: str) -> str:
    (link,) = {each.removeprefix("http://localhost") for each in found_links if part in each}
    return link


def cookies_of(client: FormClient) -> dict[str, str]:
    names = ("tc_session", "tc_me", "tc_currency")
    return {name: cookie.value for name in names if (cookie := client.get_cookie(name)) is not None}


def main() -> None:
    stop_clocks()
    instance = Path(tempfile.mkdtemp())
    config = Config(
        secret_key=SECRET,
        environment="testing",
        site_url="http://localhost",
        instance_path=instance,
        database_url=f"sqlite:///{instance / 'before.sqlite'}",
        flood_limit="100000 per minute",
        sandbox_gateway=True,
        mail={"MAIL_SERVER": "", "MAIL_DEFAULT_SENDER": "tapcard <no-reply@example.com>"},
    )
    app = create_app(config)
    app.test_client_class = FormClient
    with app.app_context():
        upgrade()
        accounts.seed_roles()
        db.session.commit()
    with app.app_context(), transactions(writing=True):
        fill(app, instance)
        db.session.commit()
        db.session.remove()
        keep(app, instance)
        observe(app, instance)
    shutil.rmtree(instance)


def fill(app: Any, instance: Path) -> None:
    """Create users, cards, orders and all other rows, the oldest first."""
    keys = app.extensions["keys"]
    now = set_clock(MADE_AT - timedelta(days=6))
    changed = {
        "shop_name": "Harbour Cards", "time_zone": "Europe/Berlin", "order_minutes": 90, "brand_color": "#117755",
        "whatsapp_number": "+447400123456", "offline_text": "Sort code 00-00-00", "newsletter_consent": "Yes, please.",
    }  # fmt: skip
    for name, value in changed.items():
        settings.change(name, value)
    made["settings"] = changed

    # people
    people = {
        name: seeds.create_user(f"{name}@example.com", first_name=name.title(), last_name="Lind", password=PASSWORD)
        for name in ("ada", "cleo", "eve", "flo", "gil", "hal", "ivy", "jon", "kim")
    }
    ada, cleo, eve, flo, gil, hal, ivy, jon, kim = people.values()
    ben = seeds.create_user("ben@example.com", first_name="Ben", last_name="Marsh", password=PASSWORD, roles=["staff"])
    olu = seeds.create_user("olu@example.com", first_name="Olu", last_name="Ade", password=PASSWORD, roles=["owner"])
    seeds.create_user("tia@example.com", first_name="Tia", last_name="Bell", password=PASSWORD, roles=["teacher"])
    ada.wants_weekly_mail = True
    seeds.create_address(ada)
    db.session.commit()
    made["users"] = {user.first_name.lower(): user.id for user in db.session.scalars(sa.select(User))}

    # cards and profiles
    photo, banned = picture("teal", instance), picture("maroon", instance)
    made["photo"], made["unused"] = photo, banned
    design = seeds.create_design(front_picture=photo)
    profile = seeds.create_profile(ada, "ada-lind", photo=photo)
    seeds.create_card(ada, token="ADASCARD", url="https://example.com/ada", design=design, alias="Everyday")
    seeds.create_card(ada, token="PAGECARD", profile=profile)
    seeds.create_card(token="NEWCARD", code="K7M2Q9XZ", keys=keys)
    seeds.create_card(token="PAYCARD", policy=ClaimPolicy.PAY)
    lost, offered, given = (seeds.create_card(ada, token=token) for token in ("LOSTCARD", "GIFTCARD", "GAVECARD"))
    cards.lock(lost, LockedBecause.LOST, ada)
    cards.block_host("bad.example", ben, "phishing")
    db.session.commit()
    made["claim"] = {"token": "NEWCARD", "code": "K7M2Q9XZ"}

    # last week's taps, already counted
    set_clock(MADE_AT - timedelta(days=4))
    for _number in range(3):
        app.test_client().get("/t/ADASCARD", headers={"User-Agent": PHONE})
    app.extensions["spool"].rotate()
    set_clock(MADE_AT - timedelta(days=3))
    db.session.commit()
    worker.drainer().drain()
    worker.fold()

    # the shop
    category = seeds.create_category("Desk", picture=photo)
    journal = seeds.create_product(category=category, pictures=[(photo, "A journal")], tax_rate=2000)
    seeds.create_option(journal)
    bottle = seeds.create_product("Émaillé bottle", slug="emaille-bottle", unit_amount=2400, stock=10)
    code = seeds.create_promotion("WELCOME10", most_uses_each=1)
    method = seeds.create_delivery_method()
    credit.give(ada, 500, "for the wait", actor=olu)
    wishlist.add(ada, bottle)
    db.session.add(DisplayRate(currency="EUR", rate=1.2))
    db.session.commit()

    # an order in each state
    states: dict[str, str] = {}

    def order(name: str, who: User | None, *products: Any, **values: Any) -> Any:
        one = buying.order_of(who, *(products or (journal,)), method=method, **values)
        states[name] = one.number
        return one

    order("expired", kim)
    set_clock(MADE_AT - timedelta(days=2))
    orders.expire_due(Clock.present, keys)
    paid = order("paid", cleo)
    buying.pay(paid)
    processing = buying.cards_of(jon, 2, design)
    states["processing"] = processing.number
    orders.process(processing, ben)
    shipped = order("shipped", hal)
    buying.pay(shipped)
    orders.ship(shipped, ben, Clock.present, carrier="Royal Mail", tracking_number="RM1")
    delivered = order("delivered", None)
    buying.deliver(delivered)
    for_review = order("for_review", flo)
    buying.deliver(for_review)
    reviews.write(journal, flo, rating=5, text="Lies flat.", author="Flo")
    refunded = order("refunded", gil)
    buying.pay(refunded)
    orders._move(refunded, OrderMove.REFUND, olu, "did not like it")
    canceled = order("canceled", kim)
    orders.cancel(canceled, ben, keys, Clock.present, "asked by phone")
    cart = buying.cart_of(eve, journal)
    replaced = buying.place(cart, buying.buyer(eve, method=method))
    states["replaced"] = replaced.number
    db.session.commit()
    carts.clear(buying.whole(cart))
    buying.fill(buying.whole(cart), bottle)
    replacing = buying.place(cart, buying.buyer(eve, method=method))
    states["replacing"] = replacing.number
    db.session.commit()
    buying.pay(replacing)
    mailed()

    # links that were emailed
    now = set_clock(MADE_AT)
    links: dict[str, str] = {}
    accounts.sign_up("Dan", "Lind", "dan@example.com", PASSWORD, now)
    links["verify"] = link_of(mailed(), "/verify/")
    outbox.post("mail.set_password", email=hal.email)
    links["set_password"] = link_of(mailed(), "/set-password/")
    accounts.ask_email_change(flo.id, PASSWORD, "flo.new@example.com", now)
    links["confirm_email"] = link_of(mailed(), "/account/email/confirm/")
    accounts.ask_email_change(gil.id, PASSWORD, "gil.new@example.com", now)
    token = link_of(mailed(), "/account/email/confirm/").rpartition("/")[2]
    accounts.confirm_email_change(token, now)
    links["undo_email"] = link_of(mailed(), "/account/email/undo/")
    outbox.post("mail.order_link", order_id=delivered.id)
    links["order"] = link_of(mailed(), "/orders/link/")
    outbox.post("mail.order_delivered", order_id=delivered.id)
    links["review"] = link_of(mailed(), "/review/")
    newsletter.ask("nora@example.com", "Yes, please.", now)
    both = mailed()
    links["newsletter_confirm"] = link_of(both, "/newsletter/confirm/")
    links["newsletter_leave"] = link_of(both, "/newsletter/leave/")
    newsletter.confirm(links["newsletter_confirm"].rpartition("/")[2], keys, now)
    newsletter.ask("olaf@example.com", "Yes, please.", now)
    links["newsletter_confirm"] = link_of(mailed(), "/newsletter/confirm/")
    links["weekly_off"] = f"/mails/weekly/{weekly_mail.token_of(ada.id, keys)}"
    transfers.offer(offered, ada, jon.email, now)
    links["offer"] = link_of(mailed(), "/offers/")
    made["links"] = links

    # two-factor login
    offer = two_factor.new_offer(eve, "a browser", keys, now)
    secret = two_factor.secret_in(offer, eve, "a browser", keys, now)
    assert secret is not None
    _row, recovery = two_factor.switch_on(
        eve, offer, pyotp.TOTP(secret).at(now), browser="a browser", keys=keys, now=now
    )
    two_factor.check(eve, recovery[0], keys=keys, now=now)
    made["two_factor"] = {"secret": secret, "recovery_codes": recovery[1:]}

    # what the worker has still to do: outbox messages of every kind
    outbox.post("mail.verify_email", user_id=accounts.find("dan@example.com").id)  # type: ignore[union-attr]
    outbox.post("mail.set_password", email=kim.email)
    db.session.commit()
    accounts.change_password(kim.id, PASSWORD, "battery staple correct", keep_sid_hash="", now=now)
    outbox.post("mail.two_factor_off", user_id=jon.id)
    accounts.ask_email_change(cleo.id, PASSWORD, "cleo.new@example.com", now)
    accounts.ask_email_change(jon.id, PASSWORD, "jon.new@example.com", now)
    leads.receive(
        profile, name="Gus Lind", email="gus@example.com", phone="", note="Hello", region="GB", consent_text="I agree.",
        now=now,
    )  # fmt: skip
    found.pass_on(lost, "Found in the tram.", "finder@example.com", "GB")
    given_offer = transfers.offer(given, ada, cleo.email, now)
    transfers.accept(given_offer.id, cleo, now)
    transfers.offer(db.session.merge(cards_named("PAGECARD")), ada, "zoe@example.com", now)
    enquiries.receive(
        name="Gus Lind", email="gus@example.com", order_number=delivered.number, message="Where is it?", user=None,
        shop=settings.load(), now=now,
    )  # fmt: skip
    newsletter.ask("pia@example.com", "Yes, please.", now)
    weekly_mail.promise(now.date())
    artwork = Design(name="Mine", owner_id=jon.id, is_public=False, status=DesignStatus.REQUESTED, front_picture=photo)
    db.session.add(artwork)
    db.session.flush()
    design_keeping.decide(artwork, approve=False, why="Too small to print.", by=ben)
    pictures.leave([banned], ada.id)
    closing.close(ivy.id, PASSWORD, now)
    db.session.commit()
    undo, _token = accounts.LinkToken.issue(gil, accounts.LinkPurpose.UNDO_EMAIL, "gil@example.com", now)
    db.session.add(undo)
    db.session.flush()
    outbox.post("mail.email_changed", link_id=undo.id)
    pending = order("pending", cleo, bottle)
    outside = order("pending_outside", jon)
    gateway, shop = OfflineGateway(), settings.load()
    payment = payments.begin(outside, gateway, jon)
    payments.started(payment, gateway.start(payments.charge_of(payment, shop, "")), gateway, shop, now)
    for name in ("order_shipped", "order_delivered", "order_canceled", "order_link", "order_paid"):
        about = {"order_shipped": shipped, "order_canceled": canceled, "order_paid": paid}.get(name, delivered)
        outbox.post(f"mail.{name}", order_id=about.id)
    wrong = buying.begin(pending)
    payments.settle(wrong, buying.paid(wrong, amount=buying.pounds(1)), keys, now)
    db.session.commit()

    # a promotion that was counted for its customer, a cart that holds it
    cart = buying.cart_of(kim, bottle)
    cart.promotion = code
    db.session.commit()
    with_code = buying.place(cart, buying.buyer(kim, method=method))
    states["with_code"] = with_code.number
    db.session.commit()
    buying.cart_of(ada, journal, bottle, quantity=2)
    made["orders"] = states
    waiting = set(db.session.scalars(sa.select(OutboxMessage.kind).where(OutboxMessage.done_at.is_(None))))
    assert waiting == set(worker.PREPARE), set(worker.PREPARE) ^ waiting
    made["outbox_kinds"] = sorted(waiting)
    worker.plan(now + timedelta(hours=1))
    made["jobs"] = sorted(worker.SCHEDULES)
    db.session.commit()
    visit(app, people, ben)


def cards_named(token: str) -> Any:
    return db.session.scalars(sa.select(cards.Card).where(cards.Card.token == token)).one()


def visit(app: Any, people: dict[str, User], ben: User) -> None:
    """Visit the site with several clients and keep their cookies."""
    jars: dict[str, dict[str, str]] = {}
    holder: FormClient = app.test_client()
    assert login(holder, people["ada"], remember="y").status_code == 302
    jars["holder"] = cookies_of(holder)
    made["csrf_token"] = holder.csrf_token()
    staff: FormClient = app.test_client()
    login(staff, ben)
    jars["staff"] = cookies_of(staff)
    guest: FormClient = app.test_client()
    assert guest.post("/cart/add/emaille-bottle", data={"quantity": "3"}).status_code == 302
    assert guest.post("/currency", data={"currency": "EUR"}).status_code == 302
    jars["guest"] = cookies_of(guest)
    buyer: FormClient = app.test_client()
    assert buyer.get(made["links"]["order"]).status_code == 302
    jars["buyer"] = cookies_of(buyer)
    half_way: FormClient = app.test_client()
    assert login(half_way, people["eve"]).location == "/log-in/code"
    jars["half_way"] = cookies_of(half_way)
    outside: FormClient = app.test_client()
    assert login(outside, people["ivy"]).location == "/account/reopen"
    jars["outside"] = cookies_of(outside)
    made["cookies"] = jars
    page = app.test_client().get("/contact").text
    made["contact_stamp"] = re.search(r'name="stamp"[^>]*value="([^"]+)"', page)[1]  # type: ignore[index]
    with app.test_request_context():
        made["form_tokens"] = {
            "kept-picture": tapcard.web.pictures._signer().dumps(["a browser", made["photo"]]),
            "profile-photo": tapcard.tap.profile_forms._signer("photo").dumps([people["ada"].id, made["photo"]]),
        }
    # taps that are not yet in the database: a stranger's, the holder's own, an unknown card
    for path, cookies in (("/t/ADASCARD", {}), ("/q/PAGECARD", jars["holder"]), ("/t/NQSVCHCARD", {})):
        browser = app.test_client()
        for name, value in cookies.items():
            browser.set_cookie(name, value)
        browser.get(path, headers={"User-Agent": PHONE, "Accept-Language": "de-DE", "Referer": "https://ref.example/x"})
    app.extensions["spool"].rotate()


def keep(app: Any, instance: Path) -> None:
    """Write the database and the files."""
    for name, kept in (("uploads", "pictures"), ("spool", "spool")):
        shutil.rmtree(HERE / kept, ignore_errors=True)
        shutil.copytree(instance / name, HERE / kept, ignore=shutil.ignore_patterns(".*", "*.lock"))
    db.engine.dispose()
    with sqlite3.connect(instance / "before.sqlite") as connection:
        (HERE / "before.sql").write_text("\n".join(connection.iterdump()) + "\n")


def observe(app: Any, instance: Path) -> None:
    """Run the old code for a while and record what it does."""
    set_clock(MADE_AT + LATER)
    for path in (instance / "uploads").glob("*.webp"):
        os.utime(path, (0, 0))
    made["taps_drained"] = worker.drainer().drain()
    columns = [column for column in Tap.__table__.columns if column.name != "id"]
    rows = db.session.execute(sa.select(*columns).order_by(Tap.__table__.c.uid)).all()
    made["taps"] = [" ".join(map(str, row)) for row in rows]
    mails, pages = [], set()
    while (message := outbox.claim(Clock.present)) is not None:
        kind = message.kind
        prepared = worker.PREPARE[kind](**message.payload)
        outbox.done(message, Clock.present)
        db.session.commit()
        if prepared is not None:
            found_links = [link.removeprefix("http://localhost") for link in LINK.findall(prepared.body)]
            mails.append([kind, prepared.recipients[0], prepared.reply_to, sorted(found_links)])
            pages.update(found_links)
    made["mails"] = mails
    db.session.commit()
    made["pages"] = [
        [link, response.status_code, response.location]
        for link in sorted(pages)
        if not link.startswith(("/verify/", "/set-password/", "/account/email/"))
        for response in [app.test_client().get(link)]
    ]
    lines = [f"{json.dumps(name)}: {written(value)}" for name, value in made.items()]
    (HERE / "before.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


def written(value: Any) -> str:
    """Return a value as JSON with one list item per line."""
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"  {json.dumps(each)}" for each in value) + "\n]"
    return json.dumps(value, indent=2)


if __name__ == "__main__":
    main()
