"""Packing: a card from stock replaces one that would have to be produced."""

from collections.abc import Callable

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.keys import Keys
from tapcard.models import Card, CardStatus, Design, Order, User
from tapcard.services.cards import cards, claims
from tapcard.services.orders import transitions
from tests import purchases
from tests.conftest import FormClient, login
from tests.pages import error_of


@pytest.fixture
def order(ada: User, create_design: Callable[..., Design]) -> Order:
    """Place a paid order of two cards with a design of the shop."""
    return purchases.order_cards(ada, 2, create_design("Lake at dusk"))


def path_to(order: Order, token: str) -> str:
    """Return the path that swaps a card of an order."""
    return f"/admin/orders/{order.number}/cards/{token}/swap"


def test_staff_pack_a_card_from_stock_by_its_token(
    client: FormClient, ben: User, order: Order, create_card: Callable[..., Card], keys: Keys
) -> None:
    made = order.lines[0].cards[0]
    token, code, line_id = made.token, claims.read_claim_code(made, keys), made.order_line_id
    stock = create_card(token="STCK2345", code="CARD2345", design=made.design)
    login(client, ben)
    assert path_to(order, token) in client.get(f"/admin/orders/{order.number}/cards").text
    answer = client.post(path_to(order, token), data={"token": "stck2345"})
    assert answer.status_code == 302
    assert (stock.status, stock.order_line_id, claims.read_claim_code(stock, keys)) == (
        CardStatus.UNCLAIMED,
        line_id,
        code,
    )
    assert cards.get_by_token(token).status is CardStatus.RETIRED  # type: ignore[union-attr]
    assert client.get(path_to(order, token)).status_code == 404, "it is no card of the order any more"


def test_an_unsuitable_card_is_refused_next_to_its_field(
    client: FormClient, ben: User, order: Order, create_card: Callable[..., Card], create_design: Callable[..., Design]
) -> None:
    token = order.lines[0].cards[0].token
    create_card(token="RTHER234", code="CARD2345", design=create_design("Another"))
    path = path_to(order, token)
    login(client, ben)
    for typed, why in (("", "Scan the card"), ("NOSUCH22", "No card has that token"), ("RTHER234", "same design")):
        answer = client.post(path, data={"token": typed})
        assert answer.status_code == 422
        assert why in error_of(answer.text, "token")
        assert f'value="{typed}"' in answer.text
    assert cards.get_by_token(token).status is CardStatus.UNCLAIMED  # type: ignore[union-attr]


def test_cards_of_a_shipped_order_cannot_be_swapped(
    client: FormClient, ben: User, order: Order, create_card: Callable[..., Card]
) -> None:
    made = order.lines[0].cards[0]
    token = made.token
    create_card(token="STCK2345", code="CARD2345", design=made.design)
    transitions.ship(order, ben, utcnow())
    db.session.commit()
    login(client, ben)
    assert path_to(order, token) not in client.get(f"/admin/orders/{order.number}/cards").text
    assert client.post(path_to(order, token), data={"token": "STCK2345"}).status_code == 422


def test_a_card_of_another_order_is_not_found(client: FormClient, ben: User, order: Order, cleo: User) -> None:
    other = purchases.order_cards(cleo, 1)
    login(client, ben)
    assert client.get(path_to(order, other.lines[0].cards[0].token)).status_code == 404
