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
from tests import buying
from tests.admin.orders.conftest import note_payment, path_to
from tests.buying import order_of, pay
from tests.conftest import FormClient
from tests.watching import words_of

DAY = timedelta(days=1)


STEPS = {
    OrderMove.PROCESS: ("process", 409),
    OrderMove.SHIP: ("ship", 422),
    OrderMove.DELIVER: ("deliver", 409),
    OrderMove.CANCEL: ("cancel", 422),
}


@pytest.mark.parametrize("move", STEPS)
def test_a_step_is_taken_once_from_an_allowed_status(
    bens: FormClient, ada: User, product: Product, move: OrderMove, outbox: Callable[[], list[str]]
) -> None:
    step, refused = STEPS[move]
    start, end = ORDER_MOVES[move]
    for status in OrderStatus:
        order = order_of(ada, product)
        order.status = status
        db.session.commit()
        answer = bens.post(path_to(order, f"/{step}"), data={"why": "Asked for", "carrier": "Post"})
        if status in start:
            assert (answer.status_code, order.status) == (302, end)
            assert bens.get(path_to(order)).status_code == 200
            assert bens.post(path_to(order, f"/{step}"), data={"why": "Again"}).status_code == refused
        else:
            assert (answer.status_code, order.status) == (refused, status)


def test_a_shipped_order_shows_its_tracking_number_and_email(
    bens: FormClient, order: Order, outbox: Callable[[], list[str]]
) -> None:
    pay(order)
    bens.post(path_to(order, "/ship"), data={"carrier": "Post", "tracking_number": "X1 <b>"})
    assert (order.status, order.carrier, order.tracking_number) == (OrderStatus.SHIPPED, "Post", "X1 <b>")
    assert "mail.order_shipped" in outbox()
    page = bens.get(path_to(order)).text
    assert "X1 &lt;b&gt;" in page
    assert "Shipping confirmation Sending" in words_of(page)
    mail = db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == "mail.order_shipped")).one()
    promises.mark_done(mail, utcnow())
    assert "Shipping confirmation Sent" in words_of(bens.get(path_to(order)).text)


def test_cancellation_needs_a_reason_restores_stock_and_proposes_a_refund(
    bens: FormClient, order: Order, bottle: Product
) -> None:
    note_payment(bens, order, "8")
    assert bens.post(path_to(order, "/cancel"), data={"why": " "}).status_code == 422
    assert bens.post(path_to(order, "/cancel"), data={"why": "Nobody came"}).status_code == 302
    assert (order.status, bottle.stock, payments.find_open(order)) == (OrderStatus.CANCELED, 10, None)
    assert [payment.refund_proposed for payment in production.payments_of(order)] == [False, True]
    assert "Order cancelled: Nobody came" in words_of(bens.get(path_to(order)).text)
    assert note_payment(bens, order, "40").status_code == 422


def test_extending_the_deadline_extends_the_hold_of_the_card(
    bens: FormClient, ada: User, create_card: Callable[..., Card], order: Order
) -> None:
    pay(order)
    cart = buying.cart_of(ada)
    editing.add_activation(cart, create_card(policy=ClaimPolicy.PAY), buying.context(), reservations_for)
    db.session.commit()
    activation = buying.place(cart)
    db.session.commit()
    for days, status in (("", 422), ("0", 422), ("61", 422), ("1.5", 422), ("x", 422), ("20", 302), ("10", 422)):
        assert bens.post(path_to(activation, "/extend"), data={"days": days}).status_code == status, days
    [held] = db.session.scalars(sa.select(CardHold)).all()
    assert activation.expires_at == held.expires_at > utcnow() + 19 * DAY
    assert bens.post(path_to(order, "/extend"), data={"days": "20"}).status_code == 422


def test_notes_are_erased_with_their_buyer(bens: FormClient, order: Order, ada: User) -> None:
    transitions.cancel(order, ada, buying.keys(), utcnow())
    ada.is_active, ada.closed_at = False, utcnow() - DAY
    text = "Call first <i>"
    assert bens.post(path_to(order, "/note"), data={"note": text}).status_code == 302
    page = bens.get(path_to(order)).text
    assert "Note: Call first &lt;i&gt;" in page
    assert "Ben Marsh" in page
    ada_id = ada.id
    erasure.erase(ada_id, utcnow(), closed_before=utcnow())
    db.session.commit()
    assert "Call first" not in bens.get(path_to(order)).text


def test_every_step_is_audited_with_its_actor(bens: FormClient, order: Order, ben: User) -> None:
    note_payment(bens, order, "48")
    bens.post(path_to(order, "/process"))
    bens.post(path_to(order, "/ship"))
    bens.post(path_to(order, "/deliver"))
    tags = ("payment.confirmed", "order.processed", "order.shipped", "order.delivered")
    actors = db.session.execute(
        sa.select(AuditEntry.tag, AuditEntry.actor_id).where(AuditEntry.tag.in_(tags)).order_by(AuditEntry.id)
    ).all()
    assert [tuple(each) for each in actors] == [(tag, ben.id) for tag in tags]
