"""Order emails: recipients, contents and when they are sent."""

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
from tests import purchases
from tests.purchases import create_order

PACKAGE = Path(worker.__file__).parent
Read = Callable[[], list[EmailMessage]]


def bodies_of(message: EmailMessage) -> tuple[str, str]:
    """Return plain text and HTML of an email."""
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    return plain.get_content(), html.get_content()


@pytest.fixture
def deliver_emails(app: Any, mailbox: Read) -> Callable[..., dict[str, list[EmailMessage]]]:
    """Return a function that delivers due messages, or all with `waiting`, and returns the new emails by recipient."""
    seen: list[int] = [0]

    def run(*, waiting: bool = False) -> dict[str, list[EmailMessage]]:
        if waiting:
            db.session.execute(sa.update(OutboxMessage).values(due_at=utcnow()))
        db.session.commit()
        while worker.deliver_due():
            pass
        mails, by_whom = mailbox(), {}
        for message in mails[seen[0] :]:
            by_whom.setdefault(message["To"], []).append(message)
        seen[0] = len(mails)
        left = db.session.scalars(sa.select(OutboxMessage.error).where(OutboxMessage.error != "")).all()
        assert list(left) == []
        db.session.commit()
        return by_whom

    return run


def choose_offline_payment(order: Order) -> Payment:
    """Choose offline payment for an order."""
    gateway = OfflineGateway()
    payment = payments.create(order, gateway, None)
    payments.record_started(payment, Started(payment.public_id, None), gateway, ShopSettings(), utcnow())
    db.session.commit()
    return payment


def test_every_email_kind_posted_in_the_code_has_a_handler() -> None:
    posted = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "post":
                first = node.args[0] if node.args else None
                if isinstance(first, ast.Constant) and str(first.value).startswith("mail."):
                    posted.add(first.value)
    assert len(posted) > 15
    assert posted <= worker.HANDLERS.keys()


def test_an_offline_payment_emails_instructions_to_the_buyer_and_a_notice_to_the_owner(
    olu: User, bottle: Product, set_setting: Callable[[str, Any], None],
    create_delivery_method: Callable[..., Any], deliver_emails: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    """H39"""
    set_setting("offline_text", "Account 12345678\nThe <Shop>")
    order = create_order(
        None, bottle, quantity=2, method=create_delivery_method(), first_name="Mary Ann", last_name="O'Brien",
        note="Ring <twice>",
    )  # fmt: skip
    number = order.number
    choose_offline_payment(order)
    mails = deliver_emails(waiting=True)
    [buyers], [owners] = mails.pop("gus@example.com"), mails.pop("olu@example.com")
    assert mails == {}
    plain, html = bodies_of(buyers)
    assert number in buyers["Subject"]
    expected = (
        "Hello Mary Ann,|Account 12345678|2 × Steel bottle|£48.00|Delivery (Standard delivery): £3.50|Total: £51.50"
    )
    for words in (*expected.split("|"), "VAT included", f"/orders/link/{number}-"):
        assert words in plain, words
    assert "\r\nLondon\r\nN1 9GU\r\nUnited Kingdom\r\n" in plain
    assert "The &lt;Shop&gt;" in html
    assert "None" not in plain + html
    assert "Ring" not in plain, "the note must not be sent to an unverified address"
    plain, html = bodies_of(owners)
    assert "awaiting payment" in owners["Subject"]
    assert owners["Reply-To"] == "gus@example.com"
    for words in ("Customer: Mary Ann O'Brien", "gus@example.com", "Ring <twice>", "Total: £51.50", "1 High Street"):
        assert words in plain, words
    assert "Phone" not in plain
    assert "Ring &lt;twice&gt;" in html
    assert "O&#39;Brien" in html
    assert "&amp;#39;" not in html


def test_a_paid_order_sends_one_email_to_buyer_and_owner(
    olu: User, ada: User, bottle: Product, deliver_emails: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order = create_order(ada, bottle, phone="+442079460000")
    bottle.name, bottle.unit_amount = "Renamed", 1
    db.session.commit()
    purchases.pay(order)
    mails = deliver_emails(waiting=True)
    [buyers], [owners] = mails["ada@example.com"], mails["olu@example.com"]
    assert "received your payment" in buyers["Subject"]
    assert "1 × Steel bottle   £24.00" in bodies_of(buyers)[0]
    assert "Phone: +44 20 7946 0000" in bodies_of(owners)[0]


def test_order_emails_name_the_designs_as_they_were_sold(
    olu: User,
    ada: User,
    create_design: Callable[..., Design],
    deliver_emails: Callable[..., dict[str, list[EmailMessage]]],
) -> None:
    lake, ember = create_design("Lake & dusk"), create_design("Ember ridge")
    order = purchases.order_designs(ada, lake, ember)
    lake.name = "Renamed"
    mails = [mail for messages in deliver_emails(waiting=True).values() for mail in messages]
    transitions.ship(order, olu, utcnow())
    mails += deliver_emails()["ada@example.com"]
    lake.name = "Lake & dusk"
    other_order = purchases.order_designs(None, lake, ember, is_paid=False)
    lake.name = "Renamed"
    mails += deliver_emails(waiting=True)["gus@example.com"]
    transitions.cancel(other_order, None, purchases.keys(), utcnow())
    mails += deliver_emails()["gus@example.com"]
    assert len(mails) == 5, "paid, to the owner, shipped; received, canceled"
    for mail in mails:
        plain, html = bodies_of(mail)
        assert "Lake & dusk" in plain
        assert "Ember ridge" in plain
        assert "Lake &amp; dusk" in html
        assert "Ember ridge" in html
        assert "Renamed" not in plain + html


def test_an_unpaid_order_is_confirmed_later_to_the_buyer_only(
    olu: User, ada: User, bottle: Product, deliver_emails: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    create_order(ada, bottle)
    assert deliver_emails() == {}
    mails = deliver_emails(waiting=True)
    assert list(mails) == ["ada@example.com"]
    assert "waiting for your payment" in bodies_of(mails["ada@example.com"][0])[0]


def test_an_ended_order_is_not_confirmed(
    ada: User, bottle: Product, keys: Keys, deliver_emails: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    transitions.cancel(create_order(ada, bottle), ada, keys, utcnow())
    [mail] = deliver_emails(waiting=True)["ada@example.com"]
    assert "has been cancelled" in mail["Subject"]
    create_order(ada, bottle)
    transitions.expire_due(utcnow() + timedelta(days=1), keys)
    assert deliver_emails(waiting=True) == {}


def test_the_owner_email_setting_replaces_the_addresses_of_all_active_owners(
    olu: User, create_user: Callable[..., User], ada: User, bottle: Product, set_setting: Callable[[str, Any], None],
    deliver_emails: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    create_user("oba@example.com", roles=["owner"])
    create_user("gone@example.com", roles=["owner"], is_active=False)
    purchases.pay(create_order(ada, bottle))
    assert sorted(deliver_emails()) == ["ada@example.com", "oba@example.com", "olu@example.com"]
    set_setting("owner_email", "orders@example.com")
    purchases.pay(create_order(ada, bottle))
    assert sorted(deliver_emails()) == ["ada@example.com", "orders@example.com"]


def test_delivery_is_emailed_with_links_to_review(
    ada: User, ben: User, bottle: Product, deliver_emails: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order = create_order(ada, bottle)
    purchases.pay(order)
    transitions.ship(order, ben, utcnow(), carrier="Royal Mail", tracking_number="RM 12")
    deliver_emails()
    transitions.deliver(order, ben, utcnow())
    [mail] = deliver_emails()["ada@example.com"]
    assert "has been delivered" in mail["Subject"]
    plain, html = bodies_of(mail)
    assert order.number in plain
    for text in (plain, html):
        assert re.search(rf"http://localhost/orders/link/{order.number}-[^/\s]+/review/steel-bottle\b", text)


def test_the_shipping_email_contains_carrier_and_tracking_number(
    ada: User, ben: User, bottle: Product, deliver_emails: Callable[..., dict[str, list[EmailMessage]]]
) -> None:
    order = create_order(ada, bottle)
    purchases.pay(order)
    deliver_emails()
    transitions.ship(order, ben, utcnow(), carrier="Royal Mail", tracking_number="RM 12")
    [mail] = deliver_emails()["ada@example.com"]
    for text in bodies_of(mail):
        assert "Royal Mail" in text
        assert "RM 12" in text


def test_an_erased_buyer_gets_no_email_and_the_outbox_is_emptied(
    ada: User, ben: User, olu: User, bottle: Product, design: Design, keys: Keys,
    deliver_emails: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    order, gone = create_order(ada, bottle), create_order(None, bottle)
    nobody = f"erased-1@{anonymization.ERASED_HOST}"
    for changed_order in (order, gone):
        changed_order.email, changed_order.first_name, changed_order.last_name = nobody, "", ""
    purchases.pay(order)
    transitions.ship(order, ben, utcnow())
    transitions.deliver(order, ben, utcnow())
    transitions.cancel(gone, None, keys, utcnow())
    outbox.post("mail.order_link", order_id=order.id)
    design.status = DesignStatus.APPROVED
    outbox.post("mail.artwork_decided", design_id=design.id, order_id=order.id)
    mails = deliver_emails(waiting=True)
    assert sorted(mails) == ["olu@example.com"]
    assert {str(mail["Reply-To"]) for mail in mails["olu@example.com"]} <= {"None"}
    assert db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.done_at.is_(None))).all() == []


@pytest.mark.parametrize("case", ["wrong", "canceled"])
def test_a_mismatched_or_late_payment_is_emailed_to_the_owner(
    olu: User,
    ada: User,
    bottle: Product,
    keys: Keys,
    deliver_emails: Callable[..., dict[str, list[EmailMessage]]],
    case: str,
) -> None:
    order = create_order(ada, bottle)
    payment = purchases.start_payment(order)
    if case == "canceled":
        transitions.cancel(order, ada, keys, utcnow())
        db.session.commit()
        evidence = purchases.paid_evidence(payment)
    else:
        evidence = purchases.paid_evidence(payment, amount=Money(100, "GBP"))
    deliver_emails()
    settlement.settle(payment, evidence, keys, utcnow())
    [mail] = deliver_emails()["olu@example.com"]
    plain, html = bodies_of(mail)
    assert "Payment method: Test payment" in plain
    assert "Test payment" in html
    assert "sandbox" not in plain + html
    assert ("doesn't match" in plain) == (case == "wrong")
    assert ("already paid or cancelled" in plain) == (case == "canceled")
    assert order.number in plain


def test_a_delivery_cost_to_be_agreed_is_not_called_free(
    ada: User, olu: User, bottle: Product, create_delivery_method: Callable[..., Any],
    deliver_emails: Callable[..., dict[str, list[EmailMessage]]],
) -> None:  # fmt: skip
    """The email shows the delivery method as it was when ordering."""
    method = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED, locations=["Abk"])
    order = create_order(ada, bottle, method=method, location="Abk")
    method.kind = DeliveryKind.FLAT
    purchases.pay(order)
    for [mail] in deliver_emails().values():
        assert "Delivery (Drop off, Abk): To be agreed" in bodies_of(mail)[0]
        assert "To be agreed" in bodies_of(mail)[1]
    purchases.pay(create_order(ada, bottle))
    for [mail] in deliver_emails().values():
        assert "Delivery: To be agreed" in bodies_of(mail)[0]
