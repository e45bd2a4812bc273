"""Reviews of the products of an order."""

import re
from collections.abc import Callable
from email.message import EmailMessage

import pytest

from tapcard.db import db
from tapcard.models import (
    Order,
    Product,
    Review,
    User,
)
from tapcard.services.orders import queries
from tests import purchases
from tests.conftest import PASSWORD, FormClient
from tests.shop.conftest import (
    form_of,
    path_of,
    sign_in,
)


@pytest.fixture
def review_link(run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]) -> Callable[[Order], str]:
    """Pay and deliver an order; return the review link from the buyer's email."""

    def link(order: Order) -> str:
        purchases.pay_and_deliver(order)
        run_worker()
        body = mailbox()[-1].get_body(("plain",))
        assert body is not None
        [path] = re.findall(r"http://localhost(/orders/link/\S+/review/\S+)", body.get_content())
        return str(path)

    return link


def test_a_guest_reviews_by_the_emailed_link(
    new_client: Callable[[], FormClient], bottle: Product, product: Product, review_link: Callable[[Order], str]
) -> None:
    order = purchases.create_order(None, bottle)
    path, phone = path_of(order, f"/review/{bottle.slug}"), new_client()
    phone.get(f"/orders/link/{queries.link_token(order, purchases.keys())}")
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
    order = purchases.create_order(None, bottle, email="ada@example.com")
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
    order = purchases.create_order(ada, bottle)
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
    order = purchases.create_order(None, bottle, email=dora.email)
    sign_in(client, dora)
    client.get(client.get(review_link(order)).location)
    assert "Confirm your email address first" in client.get(path_of(order)).text
