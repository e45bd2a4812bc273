"""Orders of a buyer: access, history, payment, cancellation, reordering and reviews."""

import re
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa

from tapcard import registry
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.gateways import sandbox
from tapcard.gateways.base import Evidence, GatewayError, Outcome
from tapcard.gateways.sandbox import SandboxGateway
from tapcard.keys import Keys
from tapcard.models import (
    Cart,
    CartLine,
    DeliveryKind,
    DeliveryMethod,
    Design,
    LinkPurpose,
    Order,
    OrderStatus,
    OutboxMessage,
    Payment,
    PaymentStatus,
    Product,
    ProductOption,
    Review,
    SandboxCharge,
    User,
)
from tapcard.money import Money
from tapcard.services.accounts import email_links
from tapcard.services.orders import queries
from tapcard.services.payments import payments, settlement
from tapcard.workflows import cart as cart_jobs
from tapcard.workflows import orders as order_jobs
from tapcard.workflows import payments as payment_workflows
from tests import purchases as buying
from tests import statements as watching
from tests.conftest import PASSWORD, FormClient
from tests.pages import error_of, form_to, forms_on, words_of
from tests.purchases import order_of
from tests.shop.conftest import GUEST, fill, form_of, give_details, order_now, press, sign_in, the_order
from tests.statements import statements


@pytest.fixture
def guests_order(guest: FormClient, bottle: Product) -> Order:
    """Place an order as Gus and leave it unpaid."""
    fill(guest, bottle)
    give_details(guest, **GUEST)
    order_now(guest)
    return the_order()


def path_of(order: Order, what: str = "") -> str:
    return f"/orders/{order.number}{what}"


def pay_by(client: FormClient, order: Order, gateway: str) -> Any:
    """Choose a payment method on the order's page."""
    action = path_of(order, "/pay")
    data = form_of(client.get(path_of(order)), action, gateway=gateway)
    return client.post(action, data=data, csrf=False)


# --- access -----------------------------------------------------------------------------------------------------------


def test_a_stranger_cannot_open_an_order(
    client: FormClient, new_client: Callable[[], FormClient], guests_order: Order, cleo: User
) -> None:
    """H36"""
    sign_in(client, cleo)
    for browser in (client, new_client()):
        for what in ("", "/cancel", "/receipt"):
            assert browser.get(path_of(guests_order, what)).status_code == 404
        for what in ("/pay", "/cancel", "/again"):
            assert browser.post(path_of(guests_order, what), data={"gateway": "offline"}).status_code == 404
        assert guests_order.number not in browser.get("/orders").text
    assert client.post(path_of(guests_order, "/attach")).status_code == 404
    assert (guests_order.status, guests_order.user_id == cleo.id) == (OrderStatus.PENDING, False)


def test_a_guest_finds_the_orders_of_this_browser_from_every_page(
    new_client: Callable[[], FormClient], guest: FormClient, guests_order: Order, ada: User
) -> None:
    stranger, to_orders = new_client(), 'href="/orders"'
    for path in ("/", "/find-order", "/no/such/page"):
        assert (to_orders in guest.get(path).text, to_orders in stranger.get(path).text) == (True, False), path
    assert guest.get("/find-order").text.partition("</main>")[0].count(to_orders) == 1
    assert 'href="/find-order"' in stranger.get("/orders").text.partition("</main>")[0]
    sign_in(guest, ada)
    assert to_orders not in guest.get("/").text.partition("<footer")[2], "the menu of the account has it"


def test_the_emailed_link_opens_an_order_without_attaching_it(
    client: FormClient,
    new_client: Callable[[], FormClient],
    guests_order: Order,
    cleo: User,
    product: Product,
    keys: Keys,
) -> None:
    """H29"""
    owner, token = guests_order.user_id, queries.link_token(guests_order, keys)
    cart = fill(sign_in(client, cleo), product, user=cleo)
    for browser in (client, new_client()):
        assert browser.get(f"/orders/link/{token}").location == path_of(guests_order)
        assert browser.get(path_of(guests_order)).status_code == 200
        assert guests_order.number in browser.get("/orders").text
    db.session.refresh(cart)
    assert (guests_order.user_id, len(cart.lines)) == (owner, 1)
    assert client.post(path_of(guests_order, "/attach")).status_code == 409
    other = "0" if token[-1] != "0" else "1"
    for forged in (f"{token[:-1]}{other}", f"{guests_order.number}-", guests_order.number, "x" * 300, "é"):
        assert new_client().get(f"/orders/link/{forged}").status_code == 404


def test_an_order_is_attached_by_its_button_or_by_verifying_the_address(
    guest: FormClient, client: FormClient, ada: User, bottle: Product, keys: Keys
) -> None:
    fill(guest, bottle)
    give_details(guest, **{**GUEST, "email": "ada@example.com"})
    order_now(guest)
    order = the_order()
    assert order.user_id is None
    sign_in(client, ada)
    assert order.number not in client.get("/orders").text
    client.get(f"/orders/link/{queries.link_token(order, keys)}")
    assert form_to(client.get(path_of(order)).text, path_of(order, "/attach"))
    assert client.post(path_of(order, "/attach")).status_code == 302
    assert order.user_id == ada.id
    order.user_id, ada.verified_at = None, None
    token = email_links.issue_link(ada, LinkPurpose.VERIFY_EMAIL, ada.email, utcnow())
    db.session.commit()
    assert client.post(path_of(order, "/attach")).status_code == 409
    client.post(f"/verify/{token}")
    assert order.user_id == ada.id


def test_finding_an_order_reveals_nothing_and_emails_its_link(
    client: FormClient, guests_order: Order, outbox: Callable[[], list[str]]
) -> None:
    answers = {}
    for number, email in (("TC-2222-2222", "gus@example.com"), (guests_order.number, "cleo@example.com"),
                          ("é\0", "x"), (guests_order.number.lower(), " Gus@Example.com")):  # fmt: skip
        assert "mail.order_link" not in outbox()
        answer = client.post("/find-order", data={"number": number, "email": email})
        answers[number] = (answer.status_code, answer.location, words_of(client.get("/find-order/sent").text))
    del answers["é\0"]  # an invalid number shows an error
    assert len(set(answers.values())) == 1
    assert outbox().count("mail.order_link") == 1
    sent = [
        client.post("/find-order", data={"number": "TC-2222-2222", "email": "gus@example.com"}) for _time in range(6)
    ]
    assert sent[-1].status_code == 429


# --- history ----------------------------------------------------------------------------------------------------------


def shown(client: FormClient, order: Order) -> list[str]:
    """Return the text of the history, page and receipt of an order."""
    return [words_of(client.get(path).text) for path in ("/orders", path_of(order), path_of(order, "/receipt"))]


def test_the_history_shows_products_as_they_were_sold(client: FormClient, ada: User, bottle: Product) -> None:
    """H32"""
    order = order_of(ada, bottle, quantity=2)
    buying.pay(order)
    bottle.name, bottle.unit_amount, bottle.is_active = "Renamed", 1, False
    db.session.commit()
    sign_in(client, ada)
    for words in shown(client, order):
        assert "Steel bottle" in words
        assert "£48.00" in words
        assert "Renamed" not in words


def test_designs_of_one_card_are_distinguished_on_all_pages(
    client: FormClient, ada: User, create_design: Callable[..., Design]
) -> None:
    lake, ember = create_design("Lake at dusk"), create_design("Ember ridge")
    order = buying.cards_with(ada, lake, ember)
    buying.cards_with(ada, lake)
    tokens = {line.design_name: line.cards[0].token for line in order.lines}
    lake.name = ember.name = "Renamed"
    db.session.commit()
    sign_in(client, ada)
    for words in shown(client, order):
        assert "Design: Lake at dusk" in words
        assert "Design: Ember ridge" in words
        assert "Renamed" not in words
    assert "Metal card · Lake at dusk" in words_of(client.get("/orders").text), "an order of one line, folded"
    for path in ("/codes", "/codes/sheet", "/codes.csv"):
        page = client.get(path_of(order, path)).text
        words = words_of(page) if path != "/codes.csv" else page
        assert "Renamed" not in words
        for name, token in tokens.items():
            assert name in words
            assert token in words
    assert "Renamed" not in words_of(client.get("/dashboard").text)


def test_the_history_has_pages_and_a_fixed_number_of_statements(
    client: FormClient, ada: User, product: Product, bottle: Product
) -> None:
    sign_in(client, ada)
    bottle.stock = None
    db.session.commit()
    found = []
    for number in (2, 23):
        for _time in range(number):
            buying.pay(order_of(ada, product, bottle))
        path = path_of(db.session.scalars(queries.orders_of_user(ada)).first() or the_order())
        for page in ("/orders", path):
            client.get(page)
            with statements(all_of_them=True) as asked:
                assert client.get(page).status_code == 200
            found.append(len(watching.queries(asked)))
    assert max(found) <= 12
    assert found[:2] == found[2:]
    assert client.get("/orders").text.count('class="head"') == 20
    assert client.get("/orders?page=2").text.count('class="head"') == 5
    for page in ("3", "0", "-1", "x", "9" * 30):
        assert client.get(f"/orders?page={page}").status_code == 404


def test_only_a_paid_order_has_a_receipt(guest: FormClient, guests_order: Order) -> None:
    assert guest.get(path_of(guests_order, "/receipt")).status_code == 404
    press(guest, pay_by(guest, guests_order, "sandbox"))
    page = guest.get(path_of(guests_order, "/receipt")).text
    assert re.findall(r'<table class="([^"]+)"', page) == ["table tc-num tc-stacked"], "rows stack on a phone"
    assert "tc-scroll" not in page
    words = words_of(page)
    for each in (guests_order.number, "Steel bottle", "£24.00", "VAT included", "£4.00", "1 High Street"):
        assert each in words


# --- paying -----------------------------------------------------------------------------------------------------------


def test_another_payment_method_closes_the_open_payment(
    guest: FormClient, guests_order: Order, set_setting: Callable[[str, Any], None]
) -> None:
    set_setting("offline_text", "Account 12345678")
    assert "Your payment is being processed" in words_of(guest.get(path_of(guests_order)).text)
    assert pay_by(guest, guests_order, "offline").location == path_of(guests_order)
    words = words_of(guest.get(path_of(guests_order)).text)
    for each in ("Please pay £24.00 by", f"use {guests_order.number} as the payment reference", "Account 12345678"):
        assert each in words
    assert guests_order.expires_at > utcnow() + timedelta(days=6)
    statuses = db.session.scalars(db.select(Payment.status).order_by(Payment.id))
    assert list(statuses) == [PaymentStatus.CANCELED, PaymentStatus.PENDING]
    press(guest, pay_by(guest, guests_order, "sandbox"))
    assert guests_order.status is OrderStatus.PAID
    again = guest.post(path_of(guests_order, "/pay"), data={"gateway": "sandbox"})
    assert again.location == path_of(guests_order)
    assert "isn&#39;t awaiting payment." in guest.get(again.location).text


@pytest.mark.parametrize("gateway", ["", "bank", "paypal", "9" * 30])
def test_a_payment_method_that_is_not_offered_is_refused(guest: FormClient, guests_order: Order, gateway: str) -> None:
    answer = guest.post(path_of(guests_order, "/pay"), data={"gateway": gateway})
    assert answer.status_code == 422
    assert error_of(answer.text, "gateway")


def test_a_declined_payment_can_be_tried_again(guest: FormClient, guests_order: Order) -> None:
    press(guest, pay_by(guest, guests_order, "sandbox"), "decline")
    assert "You haven&#39;t been charged." in guest.get(path_of(guests_order)).text
    press(guest, pay_by(guest, guests_order, "sandbox"))
    assert guests_order.status is OrderStatus.PAID


# --- the worker -------------------------------------------------------------------------------------------------------


def test_an_unpaid_order_expires_and_releases_its_reservations(
    guest: FormClient, guests_order: Order, bottle: Product
) -> None:
    assert bottle.stock == 9
    order_jobs.expire_orders()
    assert guests_order.status is OrderStatus.PENDING
    guests_order.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    order_jobs.expire_orders()
    db.session.expire_all()
    assert (guests_order.status, bottle.stock) == (OrderStatus.EXPIRED, 10)
    assert "This order has expired" in words_of(guest.get(path_of(guests_order)).text)


def test_an_outdated_payment_is_closed_at_the_gateway(guests_order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_workflows, "utcnow", lambda: utcnow() + payments.CHECK_FOR)
    db.session.commit()
    payment_workflows.check_payments()
    db.session.expire_all()
    [payment] = db.session.scalars(sa.select(Payment))
    assert payment.status is PaymentStatus.EXPIRED
    db.session.commit()
    assert not sandbox.change(sa.true(), sandbox.PAID)


def test_a_payment_is_found_without_the_browser_despite_other_failures(
    guest: FormClient, guests_order: Order, ada: User, bottle: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    buying.begin(order_of(ada, bottle))  # unknown to the sandbox
    [_first, last] = payments.payments_to_check(utcnow())
    assert payments.payments_to_check(utcnow(), after_id=last.id) == []
    db.session.commit()
    fetch = SandboxGateway.fetch

    def sometimes(self: SandboxGateway, reference: str) -> Evidence:
        if reference.startswith("ref-"):
            raise ValueError("odd answer")
        return fetch(self, reference)

    monkeypatch.setattr(SandboxGateway, "fetch", sometimes)
    payment_workflows.check_payments()
    db.session.expire_all()
    assert guests_order.status is OrderStatus.PENDING
    db.session.commit()
    sandbox.change(sa.true(), sandbox.PAID)
    payment_workflows.check_payments()
    db.session.expire_all()
    assert guests_order.status is OrderStatus.PAID


def test_abandoned_guest_carts_are_deleted(guest: FormClient, ada: User, product: Product) -> None:
    old, fresh, own = fill(guest, product), fill(guest, product), fill(guest, product, user=ada)
    for cart in (old, own):
        cart.updated_at = utcnow() - cart_jobs.GUEST_CART_RETENTION - timedelta(minutes=1)
    kept = {fresh.id, own.id}
    db.session.commit()
    cart_jobs.purge_carts()
    assert set(db.session.scalars(db.select(Cart.id))) == kept
    assert {"carts.purge", "orders.expire", "payments.look"} <= registry.jobs.keys()


# --- canceling --------------------------------------------------------------------------------------------------------


def test_canceling_an_order_asks_first_and_closes_its_payment(
    guest: FormClient, guests_order: Order, bottle: Product
) -> None:
    assert form_to(guest.get(path_of(guests_order, "/cancel")).text, path_of(guests_order, "/cancel"))
    assert guests_order.status is OrderStatus.PENDING, "looking changes nothing"
    for _time in range(2):
        guest.post(path_of(guests_order, "/cancel"))
        assert (guests_order.status, bottle.stock) == (OrderStatus.CANCELED, 10)
    assert db.session.scalars(db.select(SandboxCharge.state)).one() == sandbox.CLOSED
    assert "You cancelled the order" in words_of(guest.get(path_of(guests_order)).text)


def test_canceling_a_partly_paid_order_proposes_a_refund(
    guest: FormClient, guests_order: Order, olu: User, outbox: Callable[[], list[str]]
) -> None:
    part = Money(500, "GBP")
    due = payments.amount_due(guests_order).amount
    payment_workflows.close(db.session.scalars(sa.select(Payment)).one())
    settlement.record_offline_payment(guests_order, settlement.OfflineReceipt(part), buying.context(olu), due)
    db.session.commit()
    question = words_of(guest.get(path_of(guests_order, "/cancel")).text)
    assert "refund the £5.00" in question
    guest.post(path_of(guests_order, "/cancel"))
    assert "refund the £5.00 you paid." in words_of(guest.get(path_of(guests_order)).text)
    assert guests_order.status is OrderStatus.CANCELED
    [paid] = db.session.scalars(sa.select(Payment).where(Payment.status == PaymentStatus.SUCCEEDED))
    assert paid.refund_proposed
    assert "mail.payment_needs_care" in outbox()


def test_a_payment_just_before_cancellation_counts(
    guest: FormClient, guests_order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    db.session.commit()
    sandbox.change(sa.true(), sandbox.PAID)
    guest.post(path_of(guests_order, "/cancel"))
    assert guests_order.status is OrderStatus.PAID
    assert "can no longer be cancelled" in guest.get(path_of(guests_order)).text


def test_an_order_is_not_canceled_while_the_gateway_fails(
    guest: FormClient, guests_order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise GatewayError("no answer")

    monkeypatch.setattr(SandboxGateway, "close", fail)
    guest.post(path_of(guests_order, "/cancel"))
    assert guests_order.status is OrderStatus.PENDING
    assert "The payment provider isn&#39;t responding." in guest.get(path_of(guests_order)).text


# --- buying again -----------------------------------------------------------------------------------------------------


def test_a_capped_reorder_shows_a_message(client: FormClient, ada: User, bottle: Product, product: Product) -> None:
    sign_in(client, ada)
    order = buying.order_of(ada, bottle, quantity=4)
    buying.pay(order)
    bottle.stock = 3
    client.post(path_of(order, "/again"))
    assert "Steel bottle: only 3 left. All of them are in your cart." in words_of(client.get("/cart").text)
    order = buying.order_of(ada, product, quantity=60)
    buying.pay(order)
    for _time in range(2):
        client.post(path_of(order, "/again"))
    assert f"{product.name}: you can order up to 99 at a time." in words_of(client.get("/cart").text)


def test_a_reorder_adds_available_lines_and_explains_the_others(
    client: FormClient, ada: User, product: Product, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    create_option(product)
    cart = fill(sign_in(client, ada), product, user=ada, answers={"inscription": "For O'Brien"})
    fill(client, bottle, user=ada)
    order = buying.place(cart)
    db.session.commit()
    buying.pay(order)
    product.unit_amount, bottle.is_active = 1200, False
    db.session.commit()
    assert client.post(path_of(order, "/again")).status_code == 302
    [line] = db.session.scalars(db.select(CartLine))
    assert (line.product_id, line.options, line.shown_amount) == (product.id, {"inscription": "For O'Brien"}, 1200)
    words = words_of(client.get("/orders").text)
    assert "Steel bottle: This product isn't available at the moment." in words
    product.options.clear()
    db.session.commit()
    assert client.post(path_of(order, "/again")).location == path_of(order)
    assert "options have changed" in client.get(path_of(order)).text


# --- delivery with a price agreed later -------------------------------------------------------------------------------


@pytest.mark.parametrize("is_named", [True, False])
def test_delivery_to_be_agreed_is_never_called_free(
    client: FormClient, new_client: Callable[[], FormClient], ada: User, olu: User, bottle: Product,
    create_delivery_method: Callable[..., DeliveryMethod], is_named: bool,
) -> None:  # fmt: skip
    """Check the order's own delivery terms, which later changes of the delivery method do not affect."""
    method = create_delivery_method("Drop off", DeliveryKind.TO_BE_AGREED, locations=["Abk"]) if is_named else None
    order = buying.order_of(ada, bottle, method=method, location="Abk" if is_named else "")
    if method is not None:
        method.kind = DeliveryKind.FLAT
    buying.pay(order)
    sign_in(client, ada)
    for path in (path_of(order), path_of(order, "/receipt"), "/orders"):
        words = words_of(client.get(path).text)
        assert "To be agreed" in words, path
        assert "free" not in words, path
    desk = sign_in(new_client(), olu)
    words = words_of(desk.get(f"/admin/orders/{order.number}").text)
    assert f"{'Drop off' if is_named else 'Delivery'} To be agreed" in words
    assert "£0.00" not in words


# --- reviewing --------------------------------------------------------------------------------------------------------


@pytest.fixture
def review_link(run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]) -> Callable[[Order], str]:
    """Pay and deliver an order; return the review link from the buyer's email."""

    def link(order: Order) -> str:
        buying.deliver(order)
        run_worker()
        body = mailbox()[-1].get_body(("plain",))
        assert body is not None
        [path] = re.findall(r"http://localhost(/orders/link/\S+/review/\S+)", body.get_content())
        return str(path)

    return link


def test_a_guest_reviews_by_the_emailed_link(
    new_client: Callable[[], FormClient], bottle: Product, product: Product, review_link: Callable[[Order], str]
) -> None:
    order = buying.order_of(None, bottle)
    path, phone = path_of(order, f"/review/{bottle.slug}"), new_client()
    phone.get(f"/orders/link/{queries.link_token(order, buying.keys())}")
    assert phone.get(path).status_code == 404, "it has not arrived"
    link, phone = review_link(order), new_client()
    assert phone.get(path).status_code == 404, "only by the link"
    page = phone.get(phone.get(link).location)
    assert 'value="Gus"' in page.text
    assert f'href="{path}"' in phone.get(path_of(order)).text
    assert phone.post(path, data={"rating": "9"}).status_code == 422
    sent = phone.post(path, data=form_of(page, path, rating="4", text="Holds tea."))
    assert sent.location == f"/products/{bottle.slug}"
    review = db.session.scalars(db.select(Review)).one()
    assert (review.user_id, review.product_id, review.rating) == (order.user_id, bottle.id, 4)
    assert phone.get(path).status_code == 409, "once"
    assert f'href="{path}"' not in phone.get(path_of(order)).text
    assert phone.get(path_of(order, f"/review/{product.slug}")).status_code == 404, "it was not bought"


def test_a_buyer_with_an_account_logs_in_and_adds_the_order_before_reviewing(
    new_client: Callable[[], FormClient], ada: User, cleo: User, bottle: Product, review_link: Callable[[Order], str]
) -> None:
    order = buying.order_of(None, bottle, email="ada@example.com")
    assert order.user_id is None
    link, path = review_link(order), path_of(order, f"/review/{bottle.slug}")
    stranger, browser = new_client(), new_client()
    sign_in(stranger, cleo).get(link)
    assert stranger.get(path).location == path_of(order)
    assert "Log in as ada@example.com to write a review." in stranger.get(path_of(order)).text
    assert browser.get(link).location == path
    to_log_in = browser.get(path).location
    assert to_log_in == f"/log-in?next={path}"
    assert "Log in as ada@example.com" in browser.get(to_log_in).text
    answer = browser.post(to_log_in, data={"email": ada.email, "password": PASSWORD})
    assert browser.get(answer.location).location == path_of(order)
    assert "Add this order to your account before you write a review." in browser.get(path_of(order)).text
    browser.post(path_of(order, "/attach"))
    assert browser.post(path, data={"rating": "5", "author": "Ada"}).status_code == 302
    assert db.session.scalars(db.select(Review)).one().user_id == ada.id


def test_an_order_of_an_account_is_reviewed_only_when_logged_in(
    new_client: Callable[[], FormClient], ada: User, bottle: Product, review_link: Callable[[Order], str]
) -> None:
    order = buying.order_of(ada, bottle)
    link, path = review_link(order), path_of(order, f"/review/{bottle.slug}")
    browser = new_client()
    browser.get(link)
    answer = browser.post(path, data={"rating": "1", "author": "Not Ada"})
    assert answer.location == "/log-in"
    assert db.session.scalars(db.select(Review)).all() == []
    sign_in(browser, ada)
    assert "Write a review" in browser.get(path).text


def test_reviewing_requires_a_confirmed_email_address(
    client: FormClient, create_user: Callable[..., User], bottle: Product, review_link: Callable[[Order], str]
) -> None:
    dora = create_user("dora@example.com", verified=False)
    order = buying.order_of(None, bottle, email=dora.email)
    sign_in(client, dora)
    client.get(client.get(review_link(order)).location)
    assert "Confirm your email address first" in client.get(path_of(order)).text


def test_a_late_payment_for_sold_out_products_shows_a_message(
    guest: FormClient, guests_order: Order, bottle: Product, keys: Keys
) -> None:
    guests_order.expires_at, bottle.stock = utcnow() - timedelta(seconds=1), 0
    db.session.commit()
    order_jobs.expire_orders()
    bottle.stock = 0
    db.session.commit()
    payment = db.session.scalars(db.select(Payment)).one()
    settlement.settle(payment, Evidence(Outcome.PAID, payment.reference or "", payment.money), keys, utcnow())
    db.session.commit()
    assert "part of this order sold out" in words_of(guest.get(path_of(guests_order)).text)
    kinds = set(db.session.scalars(db.select(OutboxMessage.kind)))
    assert {"mail.order_paid", "mail.order_to_owner", "mail.payment_needs_care"} <= kinds
    assert forms_on(guest.get(path_of(guests_order)).text)


def test_only_the_buyer_sees_that_a_payment_failed(guest: FormClient, client: FormClient, guests_order: Order) -> None:
    payment = db.session.scalars(sa.select(Payment)).one()
    path, reference = f"/billing/back/{payment.public_id}", payment.reference
    db.session.commit()
    assert sandbox.change(SandboxCharge.reference == reference, sandbox.DECLINED)
    assert client.get(path).status_code == 302
    failed = "payment didn't go through"
    assert failed not in words_of(client.get("/find-order").text)
    assert client.get(path).status_code == 302
    assert failed not in words_of(client.get("/find-order").text)
    assert guest.get(path).status_code == 302
    assert failed in words_of(guest.get(path_of(guests_order)).text)


def test_the_order_history_can_expand_the_lines_of_each_order(guest: FormClient, guests_order: Order) -> None:
    page = guest.get("/orders").text
    details = re.search(r'<details class="tc-more">(.*?)</details>', page, re.DOTALL)
    assert details is not None
    summary, lines = details[1].split("</summary>")
    assert "<summary>" in summary
    assert guests_order.lines[0].title in words_of(lines)
