"""Mails about orders: each says what is so, once, as it was sold; buyers get theirs, the shop's owner gets theirs."""

import ast
import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard import outbox, worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways.base import Started
from tapcard.gateways.offline import OfflineGateway
from tapcard.keys import Keys
from tapcard.models import DeliveryKind, Design, DesignStatus, Order, OutboxMessage, Payment, Product, User
from tapcard.money import Money
from tapcard.services.core import anonymization
from tapcard.services.orders import transitions
from tapcard.services.payments import payments, settlement
from tapcard.settings import ShopSettings
from tests import buying
from tests.buying import order_of

PACKAGE = Path(worker.__file__).parent
Read = Callable[[], list[EmailMessage]]


def texts(message: EmailMessage) -> tuple[str, str]:
    """The plain text and the HTML of a mail."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.fixture
def deliver(app: Any, mailbox: Read) -> Callable[..., dict[str, list[EmailMessage]]]:
    """Keep all promises, also those that wait; gives the new mails by who gets them."""
    seen: list[int] = [0]

    def run(*, waiting: bool = False) -> dict[str, list[EmailMessage]]:
        if waiting:
            db.session.execute(sa.update(OutboxMessage).values(due_at=utcnow()))
        db.session.commit()
        while worker.deliver_due():
            pass
        mails, by_whom = mailbox(), {}
        for each in mails[seen[0] :]:
            by_whom.setdefault(each["To"], []).append(each)
        seen[0] = len(mails)
        left = db.session.scalars(sa.select(OutboxMessage.error).where(OutboxMessage.error != "")).all()
        assert list(left) == []
        db.session.commit()
        return by_whom

    return run


def pay_outside(order: Order) -> Payment:
    """Choose to pay outside the web."""
    gateway = OfflineGateway()
    payment = payments.create(order, gateway, None)
    payments.record_started(payment, Started(payment.public_id, None), gateway, ShopSettings(), utcnow())
    db.session.commit()
    return payment


def test_every_mail_that_is_promised_can_be_written() -> None:
    posted = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "post":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and str(first.value).startswith("mail."):
                    posted.add(first.value)
    assert len(posted) > 15
    assert posted <= worker.HANDLERS.keys()


def test_a_payment_outside_the_web_is_asked_for_once_and_the_owner_hears_of_it(
    olu: User, bottle: Product, set_setting: Callable[[str, Any], None],
    create_delivery_method: Callable[..., Any], deliver: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    """H39"""
    set_setting("offline_text", "Account 12345678\nThe <Shop>")
    order = order_of(
        None, bottle, quantity=2, method=create_delivery_method(), first_name="Mary Ann", last_name="O'Brien",
        note="Ring <twice>",
    )  # fmt: skip
    number = order.number
    pay_outside(order)
    mails = deliver(waiting=True)
    [buyers], [owners] = mails.pop("gus@example.com"), mails.pop("olu@example.com")
    assert mails == {}
    plain, html = texts(buyers)
    assert number in buyers["Subject"]
    told = "Hello Mary Ann,|Account 12345678|2 × Steel bottle|£48.00|Delivery (Standard delivery): £3.50|Total: £51.50"
    for words in (*told.split("|"), "VAT included", "N1 9GU London", f"/orders/link/{number}-"):
        assert words in plain, words
    assert "The &lt;Shop&gt;" in html
    assert "None" not in plain + html
    assert "Ring" not in plain, "a stranger's address is no place for anybody's words"
    plain, html = texts(owners)
    assert "awaiting payment" in owners["Subject"]
    assert owners["Reply-To"] == "gus@example.com"
    for words in ("Customer: Mary Ann O'Brien", "gus@example.com", "Ring <twice>", "Total: £51.50", "1 High Street"):
        assert words in plain, words
    assert "Phone" not in plain
    assert "Ring &lt;twice&gt;" in html
    assert "O&#39;Brien" in html
    assert "&amp;#39;" not in html


def test_paid_at_once_is_one_mail_to_each(
    olu: User, ada: User, bottle: Product, deliver: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order = order_of(ada, bottle, phone="+442079460000")
    bottle.name, bottle.unit_amount = "Renamed", 1
    db.session.commit()
    buying.pay(order)
    mails = deliver(waiting=True)
    [buyers], [owners] = mails["ada@example.com"], mails["olu@example.com"]
    assert "received your payment" in buyers["Subject"]
    assert "1 × Steel bottle   £24.00" in texts(buyers)[0]
    assert "Phone: +44 20 7946 0000" in texts(owners)[0]


def test_every_mail_about_an_order_names_the_designs_of_its_cards_as_they_were_sold(
    olu: User, ada: User, create_design: Callable[..., Design], deliver: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    lake, ember = create_design("Lake & dusk"), create_design("Ember ridge")
    order = buying.cards_with(ada, lake, ember)
    lake.name = "Renamed"
    mails = [mail for each in deliver(waiting=True).values() for mail in each]
    transitions.ship(order, olu, utcnow())
    mails += deliver()["ada@example.com"]
    lake.name = "Lake & dusk"
    other = buying.cards_with(None, lake, ember, is_paid=False)
    lake.name = "Renamed"
    mails += deliver(waiting=True)["gus@example.com"]
    transitions.cancel(other, None, buying.keys(), utcnow())
    mails += deliver()["gus@example.com"]
    assert len(mails) == 5, "paid, to the owner, shipped; received, canceled"
    for mail in mails:
        plain, html = texts(mail)
        assert "Lake & dusk" in plain
        assert "Ember ridge" in plain
        assert "Lake &amp; dusk" in html
        assert "Ember ridge" in html
        assert "Renamed" not in plain + html


def test_left_unpaid_it_is_confirmed_after_a_while_and_the_owner_is_left_alone(
    olu: User, ada: User, bottle: Product, deliver: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order_of(ada, bottle)
    assert deliver() == {}
    mails = deliver(waiting=True)
    assert list(mails) == ["ada@example.com"]
    assert "waiting for your payment" in texts(mails["ada@example.com"][0])[0]


def test_an_order_that_has_ended_is_not_confirmed(
    ada: User, bottle: Product, keys: Keys, deliver: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    transitions.cancel(order_of(ada, bottle), ada, keys, utcnow())
    [mail] = deliver(waiting=True)["ada@example.com"]
    assert "has been cancelled" in mail["Subject"]
    order_of(ada, bottle)
    transitions.expire_due(utcnow() + timedelta(days=1), keys)
    assert deliver(waiting=True) == {}


def test_the_owner_is_the_address_in_the_settings_else_every_active_owner(
    olu: User, create_user: Callable[..., User], ada: User, bottle: Product, set_setting: Callable[[str, Any], None],
    deliver: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    create_user("oba@example.com", roles=["owner"])
    create_user("gone@example.com", roles=["owner"], is_active=False)
    buying.pay(order_of(ada, bottle))
    assert sorted(deliver()) == ["ada@example.com", "oba@example.com", "olu@example.com"]
    set_setting("owner_email", "orders@example.com")
    buying.pay(order_of(ada, bottle))
    assert sorted(deliver()) == ["ada@example.com", "orders@example.com"]


def test_a_parcel_and_its_arrival_are_told(
    ada: User, ben: User, bottle: Product, deliver: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order = order_of(ada, bottle)
    buying.pay(order)
    transitions.ship(order, ben, utcnow(), carrier="Royal Mail", tracking_number="RM 12")
    deliver()
    transitions.deliver(order, ben, utcnow())
    [mail] = deliver()["ada@example.com"]
    assert "has been delivered" in mail["Subject"]
    plain, html = texts(mail)
    assert order.number in plain
    for text in (plain, html):
        assert re.search(rf"http://localhost/orders/link/{order.number}-[^/\s]+/review/steel-bottle\b", text)


def test_the_mail_of_a_parcel_names_its_number(
    ada: User, ben: User, bottle: Product, deliver: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order = order_of(ada, bottle)
    buying.pay(order)
    deliver()
    transitions.ship(order, ben, utcnow(), carrier="Royal Mail", tracking_number="RM 12")
    [mail] = deliver()["ada@example.com"]
    for text in texts(mail):
        assert "Royal Mail" in text
        assert "RM 12" in text


def test_nothing_is_sent_to_a_buyer_who_was_erased_and_the_promises_are_kept(
    ada: User, ben: User, olu: User, bottle: Product, design: Design, keys: Keys,
    deliver: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    order, gone = order_of(ada, bottle), order_of(None, bottle)
    nobody = f"erased-1@{anonymization.ERASED_HOST}"
    for each in (order, gone):
        each.email, each.first_name, each.last_name = nobody, "", ""
    buying.pay(order)
    transitions.ship(order, ben, utcnow())
    transitions.deliver(order, ben, utcnow())
    transitions.cancel(gone, None, keys, utcnow())
    outbox.post("mail.order_link", order_id=order.id)
    design.status = DesignStatus.APPROVED
    outbox.post("mail.artwork_decided", design_id=design.id, order_id=order.id)
    mails = deliver(waiting=True)
    assert sorted(mails) == ["olu@example.com"]
    assert {str(mail["Reply-To"]) for mail in mails["olu@example.com"]} <= {"None"}
    assert db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.done_at.is_(None))).all() == []


@pytest.mark.parametrize("case", ["wrong", "canceled"])
def test_money_that_goes_astray_is_told_to_the_owner(
    olu: User, ada: User, bottle: Product, keys: Keys, deliver: Callable[..., dict[str, list[EmailMessage]]], case: str
) -> None:
    order = order_of(ada, bottle)
    payment = buying.begin(order)
    if case == "canceled":
        transitions.cancel(order, ada, keys, utcnow())
        db.session.commit()
        evidence = buying.paid(payment)
    else:
        evidence = buying.paid(payment, amount=Money(100, "GBP"))
    deliver()
    settlement.settle(payment, evidence, keys, utcnow())
    [mail] = deliver()["olu@example.com"]
    plain, html = texts(mail)
    assert "Payment method: Test payment" in plain
    assert "Test payment" in html
    assert "sandbox" not in plain + html
    assert ("doesn't match" in plain) == (case == "wrong")
    assert ("already paid or cancelled" in plain) == (case == "canceled")
    assert order.number in plain


def test_what_is_agreed_on_later_is_not_called_free(
    ada: User, olu: User, bottle: Product, create_delivery_method: Callable[..., Any],
    deliver: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    """As it was when the order was placed, whatever becomes of that way of delivery."""
    method = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED, locations=["Abk"])
    order = order_of(ada, bottle, method=method, location="Abk")
    method.kind = DeliveryKind.FLAT
    buying.pay(order)
    for [mail] in deliver().values():
        assert "Delivery (Drop off, Abk): To be agreed" in texts(mail)[0]
        assert "To be agreed" in texts(mail)[1]
    buying.pay(order_of(ada, bottle))
    for [mail] in deliver().values():
        assert "Delivery: To be agreed" in texts(mail)[0]
