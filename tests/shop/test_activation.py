"""Cards that are activated by paying: shown as they are, put into the cart, and their payer's alone once paid."""

from collections.abc import Callable

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardStatus, ClaimPolicy, Design, LineKind, Order, OrderStatus, User
from tapcard.services.cart import carts
from tapcard.services.orders import transitions
from tests import buying
from tests.conftest import PASSWORD, FormClient, login
from tests.test_statements import MOST, count
from tests.watching import form_to, words_of

HERE = "/activate/PAYCARD7"
PAY = f"{HERE}/pay"


@pytest.fixture
def pay_card(create_card: Callable[..., Card], create_design: Callable[..., Design]) -> Card:
    """A card in stock that is activated for 12.50."""
    design = create_design("Ember ridge", activation_amount=1250)
    return create_card(token="PAYCARD7", policy=ClaimPolicy.PAY, design=design)


def press(client: FormClient, path: str = HERE) -> str:
    """Open the page as a person does, and press its button."""
    form = form_to(client.get(path).text, PAY)
    answer = client.post(form.action, data=form.values, csrf=False)
    assert answer.status_code == 302
    return answer.location


def placed(user: User) -> Order:
    """The order of what lies in somebody's cart."""
    cart = carts.find_by_user(user)
    assert cart is not None
    order = buying.place(cart)
    db.session.commit()
    return order


@pytest.mark.parametrize("path", ["/t/PAYCARD7", "/q/paycard7", HERE])
@pytest.mark.usefixtures("pay_card")
def test_a_tap_shows_this_very_card_and_what_it_costs(client: FormClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    words = words_of(page.text)
    assert "The image shows this card's design" in words
    assert "Ember ridge" in words
    assert "Activate for £12.50" in words
    assert f'href="/sign-up?next={HERE}"' in page.text
    assert f'href="/log-in?next={HERE}"' in page.text


def test_whoever_is_not_signed_in_comes_back_to_the_card(client: FormClient, pay_card: Card, ada: User) -> None:
    assert client.post(PAY).location == f"/log-in?next={HERE}"
    assert client.post(f"/log-in?next={HERE}", data={"email": ada.email, "password": PASSWORD}).location == HERE
    press(client)
    cart = carts.find_by_user(ada)
    assert cart is not None
    assert [(line.kind, line.card_id) for line in cart.lines] == [(LineKind.ACTIVATION, pay_card.id)]


def test_the_card_is_its_payers_once_it_is_paid_and_not_before(
    client: FormClient, new_client: Callable[[], FormClient], pay_card: Card, ada: User, cleo: User
) -> None:
    login(client, ada)
    press(client)
    press(client)  # pressed twice
    order = placed(ada)
    assert (order.total_amount, pay_card.status) == (1250, CardStatus.UNCLAIMED)
    assert "Activate for" in client.get(HERE).text, "its own payer may go on"
    buying.pay(order)
    assert (pay_card.owner_id, order.status) == (ada.id, OrderStatus.DELIVERED)
    assert client.get(HERE).location == "/cards/PAYCARD7"
    assert client.post(PAY).location == "/cards/PAYCARD7"
    cleos = new_client()
    login(cleos, cleo)
    assert cleos.post(PAY).status_code == 409
    assert pay_card.owner_id == ada.id


def test_who_comes_second_reads_so_before_paying_and_may_when_the_first_does_not(
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
    buying.pay(placed(cleo))
    assert pay_card.owner_id == cleo.id


@pytest.mark.parametrize(
    "changes", [{"policy": ClaimPolicy.OPEN}, {"code": "CARD2345"}, {"status": CardStatus.RETIRED}]
)
def test_only_a_card_that_waits_for_payment_can_be_paid(
    client: FormClient, create_card: Callable[..., Card], ada: User, changes: dict[str, object]
) -> None:
    create_card(token="PAYCARD7", **changes)
    login(client, ada)
    assert client.post(PAY).status_code == 409
    assert client.post("/activate/NOSUCH22/pay").status_code == 404
    assert carts.piece_count(user_id=ada.id, cart_id=None) == 0


def test_looking_and_claiming_without_paying_do_nothing(client: FormClient, pay_card: Card, ada: User) -> None:
    login(client, ada)
    assert client.get(PAY).status_code == 405
    answer = client.post(HERE, data={"code": ""})
    assert (answer.status_code, "Activate for £12.50" in answer.text) == (409, True)
    assert pay_card.owner_id is None


def test_the_page_asks_seldom(client: FormClient, pay_card: Card, ada: User) -> None:
    login(client, ada)
    assert len(count(client, HERE)) <= MOST


def test_a_card_that_is_free_to_activate_says_no_price(client: FormClient, pay_card: Card, ada: User) -> None:
    assert pay_card.design is not None
    pay_card.design.activation_amount = 0
    login(client, ada)
    words = words_of(client.get(HERE).text)
    assert "Activate this card" in words
    assert "Activate for" not in words
