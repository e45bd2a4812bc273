"""Steps of orders in the back office: shipping, cancellation, deadlines and notes, each once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tapcard import outbox as promises
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    ORDER_MOVES,
    AuditEntry,
    Card,
    CardHold,
    ClaimPolicy,
    Order,
    OrderMove,
    OrderStatus,
    OutboxMessage,
    Product,
    User,
)
from tapcard.services.cart import editing
from tapcard.services.orders import production, transitions
from tapcard.services.orders.replacement import reservations_for
from tapcard.services.payments import payments
from tapcard.services.privacy import erasure
from tests import purchases
from tests.admin.orders.conftest import note_payment, path_to
from tests.conftest import FormClient
from tests.pages import words_of
from tests.purchases import create_order, pay

DAY = timedelta(days=1)


STEPS = {
    OrderMove.PROCESS: ("process", 409),
    OrderMove.SHIP: ("ship", 422),
    OrderMove.DELIVER: ("deliver", 409),
    OrderMove.CANCEL: ("cancel", 422),
}


@pytest.mark.parametrize("move", STEPS)
def test_a_step_is_taken_once_from_an_allowed_status(
    ben_client: FormClient, ada: User, product: Product, move: OrderMove, outbox: Callable[[], list[str]]
) -> None:
    step, refused = STEPS[move]
    start, end = ORDER_MOVES[move]
    for status in OrderStatus:
        order = create_order(ada, product)
        order.status = status
        db.session.commit()
        answer = ben_client.post(path_to(order, f"/{step}"), data={"why": "Asked for", "carrier": "Post"})
        if status in start:
            assert (answer.status_code, order.status) == (302, end)
            assert ben_client.get(path_to(order)).status_code == 200
            assert ben_client.post(path_to(order, f"/{step}"), data={"why": "Again"}).status_code == refused
        else:
            assert (answer.status_code, order.status) == (refused, status)


def test_a_shipped_order_shows_its_tracking_number_and_email(
    ben_client: FormClient, order: Order, outbox: Callable[[], list[str]]
) -> None:
    pay(order)
    ben_client.post(path_to(order, "/ship"), data={"carrier": "Post", "tracking_number": "X1 <b>"})
    assert (order.status, order.carrier, order.tracking_number) == (OrderStatus.SHIPPED, "Post", "X1 <b>")
    assert "mail.order_shipped" in outbox()
    page = ben_client.get(path_to(order)).text
    assert "X1 &lt;b&gt;" in page
    assert "Shipping confirmation Sending" in words_of(page)
    mail = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail.order_shipped")).one()
    promises.mark_done(mail, utcnow())
    assert "Shipping confirmation Sent" in words_of(ben_client.get(path_to(order)).text)


def test_cancellation_needs_a_reason_restores_stock_and_proposes_a_refund(
    ben_client: FormClient, order: Order, bottle: Product
) -> None:
    note_payment(ben_client, order, "8")
    assert ben_client.post(path_to(order, "/cancel"), data={"why": " "}).status_code == 422
    assert ben_client.post(path_to(order, "/cancel"), data={"why": "Nobody came"}).status_code == 302
    assert (order.status, bottle.stock, payments.find_open(order)) == (OrderStatus.CANCELED, 10, None)
    assert [payment.refund_proposed for payment in production.payments_of(order)] == [False, True]
    assert "Order cancelled: Nobody came" in words_of(ben_client.get(path_to(order)).text)
    assert note_payment(ben_client, order, "40").status_code == 422


def test_extending_the_deadline_extends_the_hold_of_the_card(
    ben_client: FormClient, ada: User, create_card: Callable[..., Card], order: Order
) -> None:
    pay(order)
    cart = purchases.create_cart(ada)
    editing.add_activation(cart, create_card(policy=ClaimPolicy.PAY), purchases.context(), reservations_for)
    db.session.commit()
    activation = purchases.place(cart)
    db.session.commit()
    for days, status in (("", 422), ("0", 422), ("61", 422), ("1.5", 422), ("x", 422), ("20", 302), ("10", 422)):
        assert ben_client.post(path_to(activation, "/extend"), data={"days": days}).status_code == status, days
    [held] = db.session.scalars(sa.select(CardHold)).all()
    assert activation.expires_at == held.expires_at > utcnow() + 19 * DAY
    assert ben_client.post(path_to(order, "/extend"), data={"days": "20"}).status_code == 422


def test_notes_are_erased_with_their_buyer(ben_client: FormClient, order: Order, ada: User) -> None:
    transitions.cancel(order, ada, purchases.keys(), utcnow())
    ada.is_active, ada.closed_at = False, utcnow() - DAY
    text = "Call first <i>"
    assert ben_client.post(path_to(order, "/note"), data={"note": text}).status_code == 302
    page = ben_client.get(path_to(order)).text
    assert "Note: Call first &lt;i&gt;" in page
    assert "Ben Marsh" in page
    ada_id = ada.id
    erasure.erase(ada_id, utcnow(), closed_before=utcnow())
    db.session.commit()
    assert "Call first" not in ben_client.get(path_to(order)).text


def test_every_step_is_audited_with_its_actor(ben_client: FormClient, order: Order, ben: User) -> None:
    note_payment(ben_client, order, "48")
    ben_client.post(path_to(order, "/process"))
    ben_client.post(path_to(order, "/ship"))
    ben_client.post(path_to(order, "/deliver"))
    tags = ("payment.confirmed", "order.processed", "order.shipped", "order.delivered")
    actors = db.session.execute(
        sa.select(AuditEntry.tag, AuditEntry.actor_id).where(AuditEntry.tag.in_(tags)).order_by(AuditEntry.id)
    ).all()
    assert [tuple(each) for each in actors] == [(tag, ben.id) for tag in tags]
