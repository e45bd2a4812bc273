"""Demo data: users, cards, taps and shop as documented, created once and never in production."""

import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from PIL import Image

from tapcard import files
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.demo import demo, drawings
from tapcard.demo.products import PRODUCTS
from tapcard.models import (
    Availability,
    Card,
    CardStatus,
    Category,
    ClaimPolicy,
    DeliveryMethod,
    Design,
    LockedBecause,
    Order,
    OrderLine,
    OrderStatus,
    OutboxMessage,
    Product,
    ProductionStatus,
    ProductKind,
    Profile,
    Review,
    ReviewStatus,
    Tap,
    TapDay,
    Target,
    User,
)
from tapcard.services.accounts import registration
from tapcard.services.cards import cards
from tapcard.services.cart import carts, pricing, promotions
from tapcard.services.orders import checkout, queries
from tapcard.services.taps import rollups
from tapcard.workflows.health import DEMO_PASSWORD
from tests import purchases
from tests.conftest import FormClient, login

DRAWN, GOODS = dict(drawings.DESIGNS), dict(drawings.GOODS)


@pytest.fixture(autouse=True)
def quick_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the drawings by short texts, except in their own tests."""
    for table in (drawings.DESIGNS, drawings.GOODS):
        for name in table:
            monkeypatch.setitem(table, name, lambda name=name: name.encode())  # type: ignore[misc]
    monkeypatch.setattr(drawings, "portrait", lambda: b"portrait")


@pytest.fixture
def seed(app: Flask) -> Callable[..., Result]:
    """Return a function that runs `flask seed --demo`."""

    def run(*arguments: str, app: Flask = app) -> Result:
        db.session.commit()
        with app.app_context():
            result = app.test_cli_runner().invoke(args=["seed", "--demo", *arguments])
        db.session.expire_all()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def number_of(model: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0


@pytest.mark.usefixtures("app")
def test_demo_data_is_created_once(seed: Callable[..., Result]) -> None:
    result = seed()
    assert result.exit_code == 0
    assert "ada@example.com   password tapcard-demo" in result.output
    counts = {model: number_of(model) for model in (User, Card, Design, Profile, Tap, TapDay, Product, Order)}
    assert (counts[User], counts[Card], counts[Design], counts[Profile]) == (5, 10, 12, 1)
    again = seed()
    assert "Nothing to create: everything already exists." in again.output
    assert {model: number_of(model) for model in counts} == counts


def test_every_demo_user_can_log_in(seed: Callable[..., Result], new_client: Callable[[], FormClient]) -> None:
    seed()
    for address, roles, status in (("ada", [], 404), ("ben", ["staff"], 200), ("olu", ["owner"], 200)):
        user = registration.find_user(f"{address}@example.com")
        assert user is not None
        assert [role.name for role in user.roles] == roles
        assert user.is_verified
        client = new_client()
        login(client, user, DEMO_PASSWORD)
        assert client.get("/dashboard").status_code == 200
        assert client.get("/admin/").status_code == status


def test_demo_cards_cover_every_state(seed: Callable[..., Result], keys: object) -> None:
    seed()
    ada = registration.find_user("ada@example.com")
    states = {
        card.token: (card.owner, card.status, card.claim_policy, card.target, card.locked_because)
        for card in db.session.scalars(sa.select(Card).where(Card.order_line_id.is_(None)))
    }
    code, active, unclaimed = ClaimPolicy.CODE, CardStatus.ACTIVE, CardStatus.UNCLAIMED
    assert states == {
        "DEMOURL": (ada, active, code, Target.URL, None),
        "DEMOPRO": (ada, active, code, Target.PROFILE, None),
        "DEMOSET": (ada, active, code, None, None),
        "DEMONEW": (None, unclaimed, code, None, None),
        "DEMOFREE": (None, unclaimed, ClaimPolicy.OPEN, None, None),
        "DEMOPAY": (None, unclaimed, ClaimPolicy.PAY, None, None),
        "DEMOLOST": (ada, CardStatus.LOCKED, code, Target.URL, LockedBecause.LOST),
        "DEMOOLD": (ada, CardStatus.RETIRED, code, Target.URL, None),
    }


def test_demo_cards_respond_as_documented(seed: Callable[..., Result], client: FormClient) -> None:
    seed()
    assert client.get("/t/DEMOURL").location == "https://example.com/"
    assert client.get("/t/DEMOPRO").location == "/p/ada"
    assert client.get("/p/ada").status_code == 200
    expected = {
        "DEMONEW": (200, "ready to claim"),
        "DEMOFREE": (200, "ready to claim"),
        "DEMOPAY": (200, "£10.00"),
        "DEMOSET": (200, "set up yet"),
        "DEMOLOST": (200, "deactivated"),
        "DEMOOLD": (410, "has been retired"),
    }
    for token, (status, words) in expected.items():
        response = client.get(f"/t/{token}")
        assert (response.status_code, words in response.text) == (status, True), token


def test_the_demo_card_can_be_claimed_with_its_code(
    seed: Callable[..., Result], client: FormClient, cleo: User
) -> None:
    seed()
    login(client, cleo)
    assert client.post("/activate/DEMONEW", data={"code": "card 2345"}).location == "/cards/DEMONEW"
    card = cards.get_by_token("DEMONEW")
    assert card is not None
    assert card.owner is cleo


def test_demo_taps_of_two_months_are_on_the_dashboard(seed: Callable[..., Result], client: FormClient) -> None:
    seed()
    ada = registration.find_user("ada@example.com")
    assert ada is not None
    today = utcnow().date()
    days = dict(rollups.taps_per_day(ada, today - timedelta(days=59), today))
    assert sum(days.values()) > 200
    assert sum(1 for number in days.values() if number) > 50
    assert (db.session.scalar(sa.select(sa.func.max(Tap.tapped_at))) or utcnow()) <= utcnow()
    assert {tap.is_bot for tap in db.session.scalars(sa.select(Tap))} == {True, False}
    login(client, ada, DEMO_PASSWORD)
    assert "No taps yet" not in client.get("/dashboard").text


@pytest.mark.parametrize("hour", [0, 7, 8, 23])
def test_demo_taps_are_never_in_the_future(card: Card, hour: int) -> None:
    now = datetime(2026, 11, 20, hour, 30, tzinfo=UTC)
    readings = demo.demo_readings([card], now)
    instants = [reading.at / 1000 for reading in readings]
    assert max(instants) < now.timestamp()
    assert min(instants) > (now - timedelta(days=demo.DEMO_DAYS)).timestamp()
    assert len({reading.uid for reading in readings}) == len(readings)
    assert readings == demo.demo_readings([card], now)


def test_deleted_demo_data_is_created_again(seed: Callable[..., Result]) -> None:
    seed()
    card = cards.get_by_token("DEMOFREE")
    assert card is not None
    for event in card.events:
        db.session.delete(event)
    db.session.delete(card)
    assert "Created: card DEMOFREE." in seed().output


def test_demo_data_is_not_created_in_an_installation_in_use(seed: Callable[..., Result], cleo: User) -> None:
    assert "tapcard-demo" not in seed("--if-empty").output
    assert number_of(User) == 1


def test_demo_data_is_refused_in_production(seed: Callable[..., Result], other_app: Callable[..., Flask]) -> None:
    result = seed(app=other_app(environment="production", site_url="https://cards.example.com"))
    assert result.exit_code == 1
    assert "be created in production" in result.output
    assert number_of(User) == 0


@pytest.mark.usefixtures("app")
def test_every_demo_design_has_a_picture(seed: Callable[..., Result], app: Flask) -> None:
    seed()
    pictures = db.session.scalars(sa.select(Design.front_picture)).all()
    assert len(set(pictures)) == 12
    for name in pictures:
        assert name is not None
        with files.open_upload(name, files.folder(app.instance_path)) as picture:
            assert picture.read()


# --- the shop ---------------------------------------------------------------------------------------------------------


def test_every_demo_category_has_products(seed: Callable[..., Result], app: Flask) -> None:
    seed()
    products = list(db.session.scalars(sa.select(Product)))
    assert len(products) >= 40
    shelves = Counter(product.category.name for product in products if product.category is not None)
    assert shelves.keys() == {
        *("NFC cards", "Card holders", "Journals", "Bottles", "Cups", "Gift packs", "Festive decorations")
    }
    assert {product.kind for product in products} == set(ProductKind)
    for product in products:
        assert product.details, product.name
        assert product.tax_rate == 2000, product.name
        assert product.unit_amount > 0, product.name
        assert product.pictures, product.name
        for picture in product.pictures:
            assert picture.alt, product.name
            assert files.exists(picture.name, files.folder(app.instance_path)), product.name
    assert any(product.is_sold_out for product in products)
    assert any(product.availability is Availability.PRE_ORDER and product.available_on for product in products)
    assert any(product.discount_percent for product in products)
    assert any(product.is_featured for product in products)


def test_demo_products_have_their_options(seed: Callable[..., Result]) -> None:
    seed()
    for shelf, expected in (
        ("Bottles", {"name", "inscription", "phone", "location"}),
        ("Gift packs", {"name", "recipient", "location", "suggestion"}),
    ):
        on_shelf = sa.select(Product).join(Product.category).where(Category.name == shelf)
        for product in db.session.scalars(on_shelf):
            colors = [option.choices for option in product.options if option.key == "color"]
            assert {option.key for option in product.options} - {"color"} == expected, product.name
            assert all(colors), f"{product.name} has a color option without choices"


def test_demo_promotions_and_delivery_are_priced(seed: Callable[..., Result], cleo: User) -> None:
    seed()
    product = db.session.scalars(sa.select(Product).where(Product.slug == "paper-stars")).one()
    method = db.session.scalars(sa.select(DeliveryMethod).order_by(DeliveryMethod.position).limit(1)).one()
    cart = carts.get_or_create(cleo)
    purchases.fill(cart, product, 2)
    who = purchases.buyer(cleo, method=method)
    for code, quantity, discount, delivery in (
        (None, 2, 0, 240),
        ("welcome10", 2, 240, 240),
        ("FIVEOFF", 4, 500, 480),
        (None, 5, 0, 0),
    ):
        line = purchases.load_cart(cart).lines[0]
        line.quantity = quantity
        cart.promotion = promotions.find(code) if code else None
        db.session.commit()
        draft = checkout.quote_cart(purchases.load_cart(cart), who.customer, method, purchases.context())
        assert draft.refusal is None
        totals = draft.totals
        assert (totals.subtotal_amount, totals.discount_amount, totals.delivery_amount) == (
            1200 * quantity,
            discount,
            delivery,
        ), code


def test_demo_delivery_is_free_from_fifty(seed: Callable[..., Result]) -> None:
    seed()
    method = db.session.scalars(sa.select(DeliveryMethod).order_by(DeliveryMethod.position).limit(1)).one()
    assert [pricing.delivery_amount(method, subtotal) for subtotal in (1000, 4999, 5000, 9000)] == [100, 500, 0, 0]


def test_demo_orders_cover_the_important_states(seed: Callable[..., Result]) -> None:
    seed()
    ada = registration.find_user("ada@example.com")
    assert ada is not None
    orders = {order.status: order for order in db.session.scalars(queries.orders_of_user(ada))}
    assert orders.keys() == {OrderStatus.DELIVERED, OrderStatus.PAID, OrderStatus.PENDING}
    queued = orders[OrderStatus.PAID].lines[0]
    assert (queued.quantity, len(queued.cards), queued.production_status) == (2, 2, ProductionStatus.QUEUED)
    assert orders[OrderStatus.PENDING].expires_at > utcnow() + timedelta(days=6)
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 0
    assert number_of(OutboxMessage) == 0, "no emails are sent about demo orders"


def test_demo_reviews_are_by_buyers_and_counted(seed: Callable[..., Result]) -> None:
    seed()
    bought = (
        sa.select(OrderLine.id)
        .join(OrderLine.order)
        .where(
            OrderLine.product_id == Review.product_id,
            Order.user_id == Review.user_id,
            Order.status == OrderStatus.DELIVERED,
        )
    )
    assert number_of(Review) == db.session.scalar(
        sa.select(sa.func.count()).select_from(Review).where(bought.exists(), Review.status == ReviewStatus.APPROVED)
    )
    for product in db.session.scalars(sa.select(Product).where(Product.rating_count > 0)):
        given = list(db.session.scalars(sa.select(Review.rating).where(Review.product_id == product.id)))
        assert (product.rating_count, product.rating_sum) == (len(given), sum(given))


def test_seeding_without_the_demo_creates_a_delivery_method(app: Flask) -> None:
    db.session.commit()
    for words in ("Created: Standard delivery.", "Nothing to create: everything already exists."):
        with app.app_context():
            assert words in app.test_cli_runner().invoke(args=["seed"]).output
    db.session.expire_all()
    method = db.session.scalars(sa.select(DeliveryMethod)).one()
    assert (method.percent, method.free_from_amount) == (1000, 5000)
    assert number_of(User) == number_of(Product) == 0


# --- drawings ---------------------------------------------------------------------------------------------------------


def test_every_demo_design_looks_different(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SCALE", 1), ("WIDTH", 214), ("HEIGHT", 135)):
        monkeypatch.setattr(drawings.cards, name, value)
    drawn = {name: draw() for name, draw in DRAWN.items()}
    assert len(set(drawn.values())) == 12
    for picture in drawn.values():
        with Image.open(io.BytesIO(picture)) as image:
            assert (image.format, image.size) == ("WEBP", (214, 135))
            assert image.convert("RGB").getcolors(maxcolors=20) is None, "more than a few colours"


def test_a_card_is_drawn_in_its_real_proportions() -> None:
    with Image.open(io.BytesIO(DRAWN["Lake at dusk"]())) as image:
        assert image.width / image.height == pytest.approx(85.6 / 53.98, rel=0.001)


def test_every_demo_product_has_a_drawing_and_no_drawing_is_unused() -> None:
    first = {product.slug for product in PRODUCTS}
    second = {f"{product.slug}-engraved" for product in PRODUCTS if product.second_alt}
    assert first | second == set(GOODS)
    assert len(first) == len(PRODUCTS)


@pytest.mark.ui
def test_drawings_of_products_are_square_small_and_different(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawings.scene, "SCALE", 1)
    drawn = [draw() for draw in GOODS.values()]
    assert len(set(drawn)) == len(GOODS)
    assert max(len(picture) for picture in drawn) < 40 * 1024  # smaller in the resolution used by the shop
    for picture in drawn[::7]:
        with Image.open(io.BytesIO(picture)) as image:
            assert (image.format, image.size) == ("WEBP", (900, 900))
