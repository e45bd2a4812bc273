"""Store credit in the back office: finding the account, giving credit with a reason, spending it."""

from collections.abc import Callable

import pytest

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Product, User
from tapcard.services.cart import credit
from tests import purchases
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


def test_credit_is_given_with_a_reason_and_spent_on_an_order(
    ben_client: FormClient, ada: User, bottle: Product
) -> None:
    response = ben_client.get("/admin/credit?email=%20ADA@example.com")
    assert response.location == f"/admin/credit/{ada.id}"
    form = form_to(ben_client.get(response.location).text, "")
    sent = {**form.values, "amount": "10.50", "why": "Late parcel <b>"}
    assert ben_client.post(response.location, data=sent, csrf=False).status_code == 302
    assert credit.balance(ada.id) == 1050
    page = ben_client.get(response.location).text
    assert "Late parcel &lt;b&gt;" in page
    assert "£10.50 Late parcel <b> Ben" in words_of(page)
    assert "ada@example.com" in ben_client.get("/admin/credit").text
    again = ben_client.post(response.location, data=sent, csrf=False)
    assert (again.status_code, "The balance has just changed." in again.text) == (422, True)
    assert credit.balance(ada.id) == 1050
    cart = purchases.create_cart(ada, bottle)
    cart.uses_credit = True
    db.session.commit()
    order = purchases.place(cart)
    db.session.commit()
    assert (order.credit_amount, order.total_amount, credit.balance(ada.id)) == (1050, 1350, 0)
    assert order.number in ben_client.get(response.location).text


@pytest.mark.parametrize("text", ["", "0", "-1", "NaN", "1e9", "five", "1.005", "1000000.01", "9" * 30])
def test_an_invalid_credit_amount_is_refused(ben_client: FormClient, ada: User, text: str) -> None:
    path = f"/admin/credit/{ada.id}"
    response = ben_client.post(path, data={"amount": text, "why": "Sorry", "seen": "0"})
    assert response.status_code == 422
    assert error_of(response.text, "amount")
    assert ben_client.post(path, data={"amount": "5", "why": " ", "seen": "0"}).status_code == 422
    assert credit.balance(ada.id) == 0


def test_credit_cannot_be_given_to_an_unknown_or_erased_account(ben_client: FormClient, ada: User) -> None:
    response = ben_client.get("/admin/credit?email=nobody@example.com")
    assert (response.status_code, "No account uses that email address." in response.text) == (404, True)
    assert ben_client.get("/admin/credit/999999").status_code == 404
    ada.is_active, ada.erased_at = False, utcnow()
    db.session.commit()
    assert ben_client.get(f"/admin/credit/{ada.id}").status_code == 404


def test_customers_cannot_give_themselves_credit(new_client: Callable[[], FormClient], ada: User) -> None:
    hers = new_client()
    login(hers, ada)
    path = f"/admin/credit/{ada.id}"
    assert hers.get(path).status_code == 404
    assert hers.post(path, data={"amount": "5", "why": "Me", "seen": "0"}).status_code == 404
    assert credit.balance(ada.id) == 0
