"""Fixtures and helpers for tests of the shop's pages: carts and orders of browsers."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tapcard.db import db
from tapcard.models import Cart, Category, DeliveryKind, DeliveryMethod, OptionKind, Order, Product, User
from tapcard.services.cart import carts, editing
from tapcard.services.cart.editing import LineRequest
from tapcard.services.orders.replacement import reservations_for
from tapcard.web.sessions import CART
from tests import purchases
from tests.conftest import FormClient, login
from tests.pages import PageForm, form_to

GUEST = {
    "email": "gus@example.com", "first_name": "Gus", "last_name": "Lind", "country": "GB", "line1": "1 High Street",
    "city": "London", "postal_code": "N1 9GU",
}  # fmt: skip


def give_cart(client: FormClient, cart: Cart) -> None:
    """Store a guest's cart in a browser's session, as adding a product does."""
    named = [cart.id, cart.created_at.isoformat()]
    db.session.commit()
    client.get("/find-order")  # a session starts with a form
    with client.session_transaction() as kept:
        kept[CART] = named


def fill(client: FormClient, *products: Product, user: User | None = None, quantity: int = 1, **wish: Any) -> Cart:
    """Add products to the cart of a browser: the logged-in user's, otherwise a new guest cart."""
    cart = carts.get_or_create(user)
    for product in products:
        editing.add(cart, LineRequest(product, quantity, **wish), purchases.context(), reservations_for)
    db.session.commit()
    if user is None:
        give_cart(client, cart)
    return cart


def sign_in(client: FormClient, user: User) -> FormClient:
    login(client, user)
    return client


def form_of(answer: TestResponse, action: str, **changes: Any) -> dict[str, Any]:
    """Return the data of a form as a browser submits it, with some fields changed; None leaves a field out."""
    form: PageForm = form_to(answer.text, action)
    return {name: value for name, value in {**form.values, **changes}.items() if value is not None}


def give_details(client: FormClient, **changes: Any) -> TestResponse:
    """Submit the first step of the checkout."""
    page = client.get("/checkout")
    assert page.status_code == 200, page.location
    return client.post("/checkout", data=form_of(page, "/checkout", **changes), csrf=False)


def order_now(client: FormClient, gateway: str | None = "sandbox", **changes: Any) -> TestResponse:
    """Open the review of the order and place it."""
    page = client.get("/checkout/review")
    assert page.status_code == 200, page.location
    data = form_of(page, "/checkout/place", **{"terms": "y", "gateway": gateway, **changes})
    return client.post("/checkout/place", data=data, csrf=False)


def press(client: FormClient, paying: TestResponse, action: str = "pay") -> TestResponse:
    """Submit the sandbox's payment page and return to the shop."""
    path = paying.location.removeprefix("http://localhost")
    assert path.startswith("/billing/sandbox/"), path
    back = client.post(f"{path}/{action}")
    return client.get(back.location.removeprefix("http://localhost"))


def the_order() -> Order:
    """Return the only order."""
    return db.session.scalars(db.select(Order)).one()


@pytest.fixture
def guest(new_client: Callable[[], FormClient]) -> FormClient:
    """Return the browser of Gus, who has no account."""
    return new_client()


@pytest.fixture
def guests_order(guest: FormClient, bottle: Product) -> Order:
    """Place an order as Gus and leave it unpaid."""
    fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest)
    return the_order()


def path_of(order: Order, rest: str = "") -> str:
    """Return the path of an order's page, or of a page below it."""
    return f"/orders/{order.number}{rest}"


def pay_by(client: FormClient, order: Order, gateway: str) -> Any:
    """Choose a payment method on the order's page."""
    action = path_of(order, "/pay")
    data = form_of(client.get(path_of(order)), action, gateway=gateway)
    return client.post(action, data=data, csrf=False)


def number_of(model: type[Any]) -> int:
    """Return the number of rows of a model."""
    return db.session.scalar(db.select(db.func.count()).select_from(model)) or 0


@pytest.fixture
def methods(create_delivery_method: Callable[..., DeliveryMethod]) -> list[DeliveryMethod]:
    """Create delivery methods by percentage, by van and for collection, and one that is no longer offered."""
    return [
        create_delivery_method("Parcel", DeliveryKind.PERCENT, percent=1000, free_from_amount=5000, position=1),
        create_delivery_method("By van", locations=["Ikeja", "Lekki"], position=2),
        create_delivery_method("Collect it", DeliveryKind.PICKUP, position=3),
        create_delivery_method("Former", is_active=False, position=0),
    ]


@pytest.fixture
def engraved(bottle: Product, create_option: Callable[..., object]) -> Product:
    """Return the bottle with an image upload as an option."""
    create_option(bottle, "logo", OptionKind.PICTURE)
    return bottle


@pytest.fixture
def desk(create_category: Callable[..., Category]) -> Category:
    """Create the category of desk products."""
    return create_category("Desk", description="Where you work.")
