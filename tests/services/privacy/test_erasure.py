"""Erasing: nothing of a person is left in any byte of the installation; and the table that says so misses nothing."""

import io
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import upgrade
from PIL import Image

from tapcard import email_addresses, files, outbox, registry, seeds, subjects, worker
from tapcard.clock import utcnow
from tapcard.db import db, transactions, truncate_wal
from tapcard.models import (
    AuditEntry,
    Card,
    CardEvent,
    CardStatus,
    CardTransfer,
    Enquiry,
    FormerSlug,
    Lead,
    LinkPurpose,
    LockedBecause,
    Order,
    OrderStatus,
    ProductKind,
    Profile,
    ProfileLink,
    RecoveryCode,
    Review,
    ReviewStatus,
    Subscriber,
    Tap,
    TwoFactor,
    User,
    WishlistEntry,
)
from tapcard.registry import Job
from tapcard.services.accounts import addresses, email_links, registration, roles
from tapcard.services.cards import transitions
from tapcard.services.cart import credit
from tapcard.services.core import audit, uploads
from tapcard.services.payments import settlement
from tapcard.services.privacy import closure, erasure
from tapcard.services.privacy.erasure import NotErasable
from tapcard.workflows import draining, privacy
from tests import buying
from tests.conftest import PASSWORD, FormClient, login
from tests.watching import form_to

subjects.load()  # declarations are complete, whichever test runs first
PRIVACY = Path(__file__).resolve().parents[3] / "docs" / "privacy.md"
AGENT = "Mozilla/5.0 (X11) Quagmire-Browser/7.7"
EMAIL = "zebulon.quirk@example.com"
# whatever is said, typed or sent about the person; none of it may be found afterwards
SECRETS = (
    EMAIL, "zebulon", "quirkzahl", "Dr-Xylo", "zebs-former", "zebs-page", "HeadlineQ", "CompanyQ", "BioQ",
    "zeb-mail@example.org", "7700900123", "zebtok", "https://zeb-site.example", "LinkTitleQ", "link-q.example",
    "LeadNameQ",
    "lead-q@example.com", "LeadNoteQ", "AliasQ", "reroute-q.example", "offer-q@example.com", "WhyQ", "DetailQ",
    "203.0.113.77",
    "SecretQ", "CodeHashQ", "LineOneQ", "CityQ", "RegionQ", "QQ1 1QQ", "former-q@example.com", "new-q@example.com",
    "OutboxQ", "FlatQ", "1987-06-05",
)  # fmt: skip


# --- the table --------------------------------------------------------------------------------------------------------


def documented_rows() -> dict[str, tuple[set[str], str]]:
    """Return what docs/privacy.md says is kept: by name, the tables and what erasing does."""
    section = PRIVACY.read_text().split("## Personal data")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: (set(re.findall(r"`(\w+)`", row[1])), row[4]) for row in cells}


def test_the_documentation_and_the_code_name_the_same() -> None:
    said = documented_rows()
    assert set(said) == {rule.data for rule in registry.personal_data}
    for kept in registry.personal_data:
        tables, erasing_does = said[kept.data]
        assert tables == set(kept.columns), kept.data
        assert erasing_does, kept.data


def test_every_column_that_can_say_something_of_a_person_is_classified() -> None:
    known = [
        (table, column)
        for kept in registry.personal_data
        for table, columns in kept.columns.items()
        for column in columns
    ]
    known += registry.other_columns
    assert len(known) == len(set(known)), "a column stands in two places"
    telling = {
        (table.name, column.name)
        for table in db.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, sa.String | sa.JSON | sa.LargeBinary | sa.Date)
        and not isinstance(column.type, sa.Enum)
    }  # fmt: skip
    assert telling - set(known) == set(), "declare them in services/<subject>/declarations.py and docs/privacy.md"
    assert set(known) - telling == set(), "there are no such columns any more"


# --- the person -------------------------------------------------------------------------------------------------------


@pytest.fixture
def zeb(create_user: Callable[..., User]) -> User:
    """Somebody of whom a lot is known."""
    return create_user(EMAIL, first_name="Zebulon", last_name="Quirkzahl", title="Dr-Xylo", born_on=date(1987, 6, 5))


def picture() -> bytes:
    """A picture like no other."""
    made = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(made, "WEBP", quality=80)
    return made.getvalue()


def fill(zeb: User, cleo: User, app: Flask) -> tuple[Card, bytes]:
    """Write something personal into every table that can hold it."""
    data = picture()
    name = files.store(data, files.folder(app.instance_path))
    profile = seeds.create_profile(
        zeb, "zebs-page", headline="HeadlineQ", company="CompanyQ", bio="BioQ " * 90, email="zeb-mail@example.org",
        phone="+447700900123", whatsapp="+447700900123", tiktok="zebtok", website="https://zeb-site.example/",
        address="LineOneQ, CityQ", photo=name, banner=name,
    )  # fmt: skip
    card = seeds.create_card(zeb, token="ZEBSCARD", url="https://reroute-q.example/x", alias="AliasQ")
    seeds.create_card(zeb, profile=profile, alias="AliasQ too")
    db.session.add_all([
        ProfileLink(profile_id=profile.id, position=1, title="LinkTitleQ", url="https://link-q.example/"),
        FormerSlug(profile_id=profile.id, slug="zebs-former"),
        TwoFactor(user_id=zeb.id, secret="SecretQ"),
        RecoveryCode(user_id=zeb.id, code_hash="CodeHashQ"),
        CardTransfer(card=card, from_user=zeb, to_email="offer-q@example.com", expires_at=utcnow()),
    ])  # fmt: skip
    for number in range(30):
        db.session.add(Lead(
            owner_id=zeb.id, profile_id=profile.id, name=f"LeadNameQ {number}", email="lead-q@example.com",
            note="LeadNoteQ " * 20, consent_text="I agree that Zebulon Quirkzahl keeps this."))  # fmt: skip
    addresses.add(zeb, {
        "name": "Zebulon Quirkzahl", "line1": "LineOneQ", "line2": "FlatQ", "city": "CityQ", "region": "RegionQ",
        "postal_code": "QQ1 1QQ", "country": "GB", "phone": "+447700900123"})  # fmt: skip
    email_links.issue_link(zeb, LinkPurpose.UNDO_EMAIL, "former-q@example.com", utcnow())
    audit.record("profile.deleted", subject=profile, actor=zeb, slug="zebs-former", note="DetailQ")
    audit.record("user.looked_at", subject=zeb, actor=cleo, origin="203.0.113.77", note="DetailQ")
    db.session.commit()
    transitions.lock(card, LockedBecause.LOST, zeb, "WhyQ")
    transitions.unlock(card, zeb)
    db.session.commit()
    return card, data


def change_pictures(client: FormClient, zeb: User, app: Flask) -> list[str]:
    """Send a photo, replace it, take a banner off, send one that is never saved; tells the names they had."""
    [profile] = db.session.scalars(sa.select(Profile).where(Profile.owner_id == zeb.id))
    path, names = f"/profiles/{profile.id}", {str(profile.banner)}
    for changes in (
        {"photo": (io.BytesIO(picture()), "first.webp")},
        {"photo": (io.BytesIO(picture()), "second.webp"), "remove_banner": "y"},
        {"banner": (io.BytesIO(picture()), "draft.webp"), "email": "nonsense"},
    ):
        form = form_to(client.get(path).text, path)
        client.post(path, data={**form.values, **changes}, content_type="multipart/form-data", csrf=False)
        db.session.rollback()
    folder = files.folder(app.instance_path)
    names |= {path.name for path in folder.glob("*.webp")}
    assert len(names) == 4
    return sorted(names)


def use(client: FormClient, zeb: User, app: Flask, run: Callable[[], None]) -> None:
    """Let the application do its usual work."""
    assert login(client, zeb).status_code == 302
    client.get("/t/ZEBSCARD", headers={"User-Agent": AGENT, "Referer": "https://reroute-q.example/"})
    client.post("/account/email", data={"email": "new-q@example.com", "current": PASSWORD})
    client.post("/forgot-password", data={"email": EMAIL})
    client.post("/account/download").close()
    run()
    outbox.post("mail.no_such_kind", email=EMAIL, text="OutboxQ")  # will fail, and keep what it carries
    outbox.post("mail.no_such_kind", user_id=zeb.id, text="OutboxQ")
    db.session.commit()
    run()


def found(app: Flask, secrets: tuple[str, ...], data: bytes) -> dict[str, list[str]]:
    """Which of them stand in which file of the installation, or in which table."""
    instance = Path(app.instance_path)
    places = {str(path.relative_to(instance)): path.read_bytes() for path in instance.rglob("*") if path.is_file()}
    if db.engine.dialect.name == "sqlite":
        base = Path(str(db.engine.url.database))
        places |= {path.name: path.read_bytes() for path in base.parent.glob(base.name + "*")}
    with transactions(writing=False):
        for table in db.metadata.sorted_tables:
            places[f"table {table.name}"] = "\n".join(
                str(tuple(row)) for row in db.session.execute(table.select())
            ).encode()
        db.session.rollback()
    wanted = {each: re.compile(re.escape(each.encode()), re.IGNORECASE) for each in secrets}
    wanted["the picture"] = re.compile(re.escape(data[-400:-100]))
    hits = {place: [each for each, pattern in wanted.items() if pattern.search(raw)] for place, raw in places.items()}
    return {place: names for place, names in hits.items() if names}


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Move the worker's clock on."""

    def move(by: timedelta) -> None:
        then = utcnow() + by
        for module in (worker, privacy):
            monkeypatch.setattr(module, "utcnow", lambda: then)

    return move


@pytest.fixture
def own_app(app: Flask, other_app: Callable[..., Flask], tmp_path: Path) -> Iterator[Flask]:
    """The application; on SQLite over a database file that only this test has ever written."""
    if db.engine.dialect.name != "sqlite":
        yield app
        return
    url = f"sqlite:///{tmp_path / 'instance' / 'tapcard.sqlite'}"
    own = other_app(database_url=url, instance_path=tmp_path / "instance")
    with own.app_context(), transactions(writing=True):
        upgrade()
        roles.seed_roles()
        db.session.commit()
        yield own
        db.session.remove()


def test_nothing_of_an_erased_person_is_left_anywhere(own_app: Flask, later: Callable[[timedelta], None]) -> None:
    app = own_app
    zeb = seeds.create_user(EMAIL, first_name="Zebulon", last_name="Quirkzahl", password=PASSWORD, title="Dr-Xylo",
                            born_on=date(1987, 6, 5), roles=["staff"])  # fmt: skip
    cleo = seeds.create_user("cleo@example.com", password=PASSWORD)
    db.session.commit()
    card, data = fill(zeb, cleo, app)
    zeb_id, card_id = zeb.id, card.id
    client: Any = app.test_client()

    def run() -> None:
        db.session.commit()
        app.extensions["spool"].rotate()
        worker.create_schedules(utcnow())
        worker.run_once(draining.create_drainer())

    use(client, zeb, app, run)
    before = found(app, SECRETS, data)
    missing = set(SECRETS) - {name for names in before.values() for name in names} - {"1987-06-05"}
    assert missing == set(), "the test does not put these anywhere"
    closure.close(zeb_id, PASSWORD, utcnow())
    db.session.commit()
    run()
    later(timedelta(days=13))
    privacy.erase_closed()
    assert db.session.get_one(User, zeb_id).erased_at is None
    later(timedelta(days=15))
    db.session.rollback()
    privacy.erase_closed()

    assert found(app, SECRETS, data) == {}
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


def buy(zenobia: User, app: Flask, waits: bool) -> Order:
    """An order with everything personal that one can hold; it may wait for whoever proves to have the address."""
    product = seeds.create_product(kind=ProductKind.CARD)
    seeds.create_option(product, "inscription")
    cart = buying.cart_of(None if waits else zenobia)
    name = files.store(picture(), files.folder(app.instance_path))
    buying.fill(cart, product, answers={"inscription": "EngravedQ"}, front_picture=name)
    address = {**buying.ADDRESS, "name": "Zenobia Quarrington", "line1": "Quagmire Lane", "city": "TownQ"}
    order = buying.place(cart, buying.buyer(
        None if waits else zenobia, email=zenobia.email, first_name="Zenobia", last_name="Quarrington",
        note="Quagmire note", address=address, method=seeds.create_delivery_method(), location="PlaceQ"))  # fmt: skip
    db.session.commit()
    payment = buying.begin(order)
    payment.pay_url = "https://pay-q.example/"
    evidence = buying.paid(payment, details={"payer": "EvidenceQ"})
    settlement.settle(payment, evidence, app.extensions["keys"], utcnow())
    order.tracking_number = "TrackQ"
    order.events[0].why = "WhyOrderQ"
    db.session.commit()
    return order


def test_nothing_of_an_erased_buyer_is_left_but_what_the_books_need(own_app: Flask) -> None:
    app = own_app
    zenobia = seeds.create_user("buyer-q@example.com", first_name="Zenobia", last_name="Quarrington")
    kept = [buy(zenobia, app, waits) for waits in (False, True)]
    assert [order.user_id for order in kept] == [zenobia.id, None]
    product = seeds.create_product(rating_count=2, rating_sum=7)
    cart = buying.cart_of(zenobia, product)
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
    with files.open_upload(kept[1].lines[0].pictures[0], files.folder(app.instance_path)) as upload:
        data = upload.read()
    before = found(app, SOLD, data)
    assert {name for names in before.values() for name in names} == {*SOLD, "the picture"}

    erase(zenobia, app)
    db.session.rollback()
    assert truncate_wal()
    assert found(app, SOLD, data) == {}
    for order in kept:
        assert (order.total_amount, order.address, order.status) == (1350, {"country": "GB"}, OrderStatus.PAID)
        assert [(line.title, line.line_amount) for line in order.lines] == [("Moorland journal", 1000)]
    assert (product.rating_count, product.rating_sum) == (1, 3)
    assert credit.balance(zenobia.id) == 0


def test_an_address_that_was_never_proven_brings_nobodys_orders_along(app: Flask) -> None:
    squatter = seeds.create_user("gus@example.com", first_name="Sid", verified=False, password=PASSWORD)
    order = buying.order_of(None, seeds.create_product())
    assert order.user_id is None
    erase(squatter, app)
    db.session.expire_all()
    assert order.email == "gus@example.com"


def test_without_overwriting_traces_would_be_found(tmp_path: Path) -> None:
    """Shows that SQLite keeps what is deleted, unless told not to: the test above would notice."""
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


def test_every_connection_overwrites(app: Flask) -> None:
    if db.engine.dialect.name == "sqlite":
        assert db.session.scalar(sa.text("PRAGMA secure_delete")) == 1


# --- whom it spares ---------------------------------------------------------------------------------------------------


def erase(user: User, app: Flask, now: datetime | None = None) -> None:
    now = now or utcnow()
    closure.deactivate(user, now)
    db.session.commit()
    person = erasure.erase(user.id, now, closed_before=now)
    db.session.commit()
    erasure.delete_files(person, Path(app.instance_path), with_mails=True)


def rows_of_others(zeb: User) -> dict[str, list[str]]:
    """All rows of all tables that do not speak of one person, as text."""
    ids = {"cards": [card.id for card in db.session.scalars(sa.select(Card).where(Card.owner_id == zeb.id))]}
    texts: dict[str, list[str]] = {}
    for table in db.metadata.sorted_tables:
        columns = table.c
        query = table.select()
        for name in ("user_id", "owner_id", "actor_id", "from_user_id"):
            if name in columns:
                query = query.where(sa.or_(columns[name] != zeb.id, columns[name].is_(None)))
        if table.name == "users":
            query = query.where(columns.id != zeb.id)
        if "card_id" in columns:
            query = query.where(sa.or_(columns.card_id.not_in(ids["cards"]), columns.card_id.is_(None)))
        if table.name in ("audit_entries", "profile_links", "former_slugs"):
            continue
        texts[table.name] = sorted(str(tuple(row)) for row in db.session.execute(query))
    return texts


def test_everybody_elses_rows_stay_as_they_are(
    app: Flask, zeb: User, ada: User, cleo: User, card: Card, profile: Profile
) -> None:
    fill(zeb, cleo, app)
    seeds.create_address(ada)
    db.session.add(Lead(owner_id=ada.id, profile_id=profile.id, name="Zebulon", email=EMAIL, consent_text="Yes"))
    outbox.post("mail.password_changed", user_id=ada.id)
    db.session.add(CardTransfer(card=card, from_user=ada, to_email="dora@example.com", expires_at=utcnow()))
    db.session.commit()
    before = rows_of_others(zeb)
    erase(zeb, app)
    assert rows_of_others(zeb) == before


def test_a_picture_that_somebody_else_uses_too_stays(app: Flask, zeb: User, ada: User, profile: Profile) -> None:
    _card, data = fill(zeb, ada, app)
    profile.photo = files.store(data, files.folder(app.instance_path))
    db.session.commit()
    erase(zeb, app)
    assert files.exists(profile.photo, files.folder(app.instance_path))


def test_artwork_of_ones_own_goes_unless_another_holds_a_card_of_it(
    app: Flask, zeb: User, ada: User, create_card: Callable[..., Card]
) -> None:
    folder = files.folder(app.instance_path)
    names = [files.store(text, folder) for text in (b"alone", b"shared", b"shown")]
    alone, shared, shown = (
        seeds.create_design(f"Design {name}", owner_id=zeb.id, front_picture=name, is_public=name == names[2])
        for name in names
    )
    create_card(ada, design=shared)
    create_card(zeb, design=alone)
    erase(zeb, app)
    db.session.expire_all()
    assert [each.front_picture for each in (alone, shared, shown)] == [None, names[1], names[2]]
    assert [each.owner_id for each in (alone, shared, shown)] == [None] * 3
    assert [files.exists(name, folder) for name in names] == [False, True, True]


def test_the_figures_of_a_card_stay_and_own_taps_lose_everything_but_the_instant(
    app: Flask, zeb: User, client: FormClient, new_client: Callable[[], FormClient], run_worker: Callable[[], None],
    create_card: Callable[..., Card],
) -> None:  # fmt: skip
    create_card(zeb, token="ZEBSCARD", url="https://example.com/")
    login(client, zeb)
    for browser in (client, new_client()):
        browser.get("/t/ZEBSCARD", headers={"User-Agent": AGENT, "Accept-Language": "en-GB"})
    run_worker()
    erase(zeb, app)
    taps = db.session.scalars(sa.select(Tap).order_by(Tap.is_own)).all()
    assert [(tap.is_own, tap.language, bool(tap.visitor), tap.user_agent_id is None) for tap in taps] == [
        (False, "en-GB", True, False), (True, "", False, True)]  # fmt: skip


def test_former_pictures_and_those_never_saved_go_with_their_person(
    app: Flask, zeb: User, cleo: User, client: FormClient
) -> None:
    fill(zeb, cleo, app)
    login(client, zeb)
    names, folder = change_pictures(client, zeb, app), files.folder(app.instance_path)
    others = files.store(b"others", folder)
    uploads.schedule_deletion([others], cleo.id)
    db.session.commit()
    erase(zeb, app)
    assert [name for name in names if files.exists(name, folder)] == []
    assert files.exists(others, folder)  # left by somebody else, a moment ago
    assert uploads.scheduled_deletions_of(zeb.id) == set()


# --- when -------------------------------------------------------------------------------------------------------------


def test_an_open_account_is_not_erased(zeb: User) -> None:
    with pytest.raises(NotErasable):
        erasure.erase(zeb.id, utcnow(), closed_before=utcnow())
    assert zeb.erased_at is None


def test_nobody_is_erased_twice(app: Flask, zeb: User) -> None:
    erase(zeb, app)
    with pytest.raises(NotErasable):
        erasure.erase(zeb.id, utcnow(), closed_before=utcnow() + timedelta(days=1))


def test_an_erased_address_can_sign_up_again_and_nobody_can_take_the_erased_one(app: Flask, zeb: User) -> None:
    erase(zeb, app)
    user = registration.sign_up("Zeb", "Two", EMAIL, PASSWORD, utcnow())
    assert user is not None
    assert user.id != zeb.id
    with pytest.raises(email_addresses.InvalidEmail):
        email_addresses.normalize(zeb.email)


def test_the_command_erases_at_once_after_asking(app: Flask, zeb: User, olu: User, card: Card) -> None:
    run = app.test_cli_runner().invoke
    assert "no account" in run(args=["users", "erase", "nobody@example.com"]).output
    assert run(args=["users", "erase", EMAIL], input="n\n").exit_code == 1
    assert db.session.get_one(User, zeb.id, populate_existing=True).is_active
    db.session.commit()
    result = run(args=["users", "erase", EMAIL], input="y\n")
    assert result.exit_code == 0, result.output
    user = db.session.get_one(User, zeb.id, populate_existing=True)
    assert (user.first_name, user.erased_at is not None) == ("", True)
    db.session.commit()
    off = seeds.create_user("off@example.com", is_active=False)
    db.session.commit()
    assert run(args=["users", "erase", "off@example.com", "--yes"]).exit_code == 0
    assert db.session.get_one(User, off.id, populate_existing=True).erased_at is not None
    db.session.commit()
    last = run(args=["users", "erase", "olu@example.com", "--yes"])
    assert (last.exit_code, "only owner" in last.output) == (1, True)
    assert db.session.get_one(User, olu.id, populate_existing=True).is_active


def test_the_command_says_erased_once_every_file_is_gone(
    app: Flask, zeb: User, cleo: User, client: FormClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(zeb, cleo, app)
    login(client, zeb)
    names, folder = change_pictures(client, zeb, app), files.folder(app.instance_path)
    seen: list[list[str]] = []
    echo = click.echo

    def watched(message: str, **how: Any) -> None:
        if message.startswith("Account erased"):
            seen.append([name for name in names if files.exists(name, folder)])
        echo(message, **how)

    monkeypatch.setattr(click, "echo", watched)
    assert "Account erased." in app.test_cli_runner().invoke(args=["users", "erase", EMAIL, "--yes"]).output
    assert seen == [[]]


def test_the_command_does_not_say_erased_when_a_file_is_left(
    app: Flask, zeb: User, cleo: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(zeb, cleo, app)

    def stuck(name: str, folder: Path) -> None:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr(files, "delete", stuck)
    result = app.test_cli_runner().invoke(args=["users", "erase", EMAIL, "--yes"])
    assert result.exit_code == 1
    assert "some of its files" in result.output
    assert "Account erased." not in result.output


def test_the_clean_up_is_planned(app: Flask) -> None:
    assert registry.jobs["users.erase"] == Job(timedelta(days=1), privacy.erase_closed)
    shutil.rmtree(Path(app.instance_path) / "mail", ignore_errors=True)
    privacy.erase_closed()  # nobody is due, nothing is there
