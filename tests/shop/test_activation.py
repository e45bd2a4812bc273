"""Activation by payment: the page of the card, its order, and claiming it once paid."""

from collections.abc import Callable

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardStatus, ClaimPolicy, Design, LineKind, Order, OrderStatus, User
from tapcard.services.cart import carts
from tapcard.services.orders import transitions
from tests import purchases
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import form_to, words_of
from tests.test_statements import MAX_QUERIES, second_request_queries

HERE = "/activate/PAYCARD7"
PAY = f"{HERE}/pay"


@pytest.fixture
def pay_card(create_card: Callable[..., Card], create_design: Callable[..., Design]) -> Card:
    """Create a card in stock whose activation costs 12.50."""
    design = create_design("Ember ridge", activation_amount=1250)
    return create_card(token="PAYCARD7", policy=ClaimPolicy.PAY, design=design)


def press(client: FormClient, path: str = HERE) -> str:
    """Open the page of the card and submit its form."""
    form = form_to(client.get(path).text, PAY)
    answer = client.post(form.action, data=form.values, csrf=False)
    assert answer.status_code == 302
    return answer.location


def placed(user: User) -> Order:
    """Place an order of a user's cart."""
    cart = carts.find_by_user(user)
    assert cart is not None
    order = purchases.place(cart)
    db.session.commit()
    return order


@pytest.mark.parametrize("path", ["/t/PAYCARD7", "/q/paycard7", HERE])
@pytest.mark.usefixtures("pay_card")
def test_a_tap_shows_the_card_and_its_activation_price(client: FormClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    words = words_of(page.text)
    assert "The image shows this card's design" in words
    assert "Ember ridge" in words
    assert "Activate for £12.50" in words
    assert f'href="/sign-up?next={HERE}"' in page.text
    assert f'href="/log-in?next={HERE}"' in page.text


def test_a_guest_returns_to_the_card_after_logging_in(client: FormClient, pay_card: Card, ada: User) -> None:
    assert client.post(PAY).location == f"/log-in?next={HERE}"
    assert client.post(f"/log-in?next={HERE}", data={"email": ada.email, "password": PASSWORD}).location == HERE
    press(client)
    cart = carts.find_by_user(ada)
    assert cart is not None
    assert [(line.kind, line.card_id) for line in cart.lines] == [(LineKind.ACTIVATION, pay_card.id)]


def test_the_card_belongs_to_the_payer_only_once_paid(
    client: FormClient, new_client: Callable[[], FormClient], pay_card: Card, ada: User, cleo: User
) -> None:
    login(client, ada)
    press(client)
    press(client)  # submitted twice
    order = placed(ada)
    assert (order.total_amount, pay_card.status) == (1250, CardStatus.UNCLAIMED)
    assert "Activate for" in client.get(HERE).text, "its own payer may go on"
    purchases.pay(order)
    assert (pay_card.owner_id, order.status) == (ada.id, OrderStatus.DELIVERED)
    assert client.get(HERE).location == "/cards/PAYCARD7"
    assert client.post(PAY).location == "/cards/PAYCARD7"
    cleos = new_client()
    login(cleos, cleo)
    assert cleos.post(PAY).status_code == 409
    assert pay_card.owner_id == ada.id


def test_a_second_buyer_can_pay_only_when_the_first_order_ends(
    client: FormClient, new_client: Callable[[], FormClient], pay_card: Card, ada: User, cleo: User, keys
) -> None:
    adas = client
    login(adas, ada)
    press(adas)
    order = placed(ada)
    cleos = new_client()
    login(cleos, cleo)
    for browser in (cleos, new_client()):
        page = browser.get(HERE).text
        assert "Someone else is paying for this card right now." in page
        assert PAY not in page
        assert "Activate for" not in page
    refused = cleos.post(PAY)
    assert refused.status_code == 409
    assert "Someone else is paying for this card right now." in refused.text
    assert carts.piece_count(user_id=cleo.id, cart_id=None) == 0
    transitions.cancel(order, ada, keys, utcnow())
    db.session.commit()
    press(cleos)
    purchases.pay(placed(cleo))
    assert pay_card.owner_id == cleo.id


@pytest.mark.parametrize(
    "changes", [{"policy": ClaimPolicy.OPEN}, {"code": "CARD2345"}, {"status": CardStatus.RETIRED}]
)
def test_only_a_card_awaiting_payment_can_be_paid(
    client: FormClient, create_card: Callable[..., Card], ada: User, changes: dict[str, object]
) -> None:
    create_card(token="PAYCARD7", **changes)
    login(client, ada)
    assert client.post(PAY).status_code == 409
    assert client.post("/activate/NOSUCH22/pay").status_code == 404
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 0


def test_viewing_or_claiming_without_payment_changes_nothing(client: FormClient, pay_card: Card, ada: User) -> None:
    login(client, ada)
    assert client.get(PAY).status_code == 405
    answer = client.post(HERE, data={"code": ""})
    assert (answer.status_code, "Activate for £12.50" in answer.text) == (409, True)
    assert pay_card.owner_id is None


def test_the_page_runs_few_statements(client: FormClient, pay_card: Card, ada: User) -> None:
    login(client, ada)
    assert len(second_request_queries(client, HERE)) <= MAX_QUERIES


def test_a_free_activation_shows_no_price(client: FormClient, pay_card: Card, ada: User) -> None:
    assert pay_card.design is not None
    pay_card.design.activation_amount = 0
    login(client, ada)
    words = words_of(client.get(HERE).text)
    assert "Activate this card" in words
    assert "Activate for" not in words
