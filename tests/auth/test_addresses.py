"""Pages for postal addresses."""

import sqlalchemy as sa

from tapcard import seeds
from tapcard.db import db
from tapcard.models import Address, User
from tests.conftest import FormClient, login
from tests.pages import error_of


def test_addresses_are_added_changed_made_default_and_deleted(client: FormClient, ada: User) -> None:
    login(client, ada)
    assert "No addresses yet" in client.get("/account/addresses").text
    values = {"name": "Ada Obi", "line1": "1 High Street", "city": "London", "postal_code": "n1 9gu", "country": "GB"}
    assert client.post("/account/addresses/new", data=values).location == "/account/addresses"
    other_address = seeds.create_address(ada, line1="2 Low Street")
    db.session.commit()
    path = f"/account/addresses/{other_address.id}"
    client.post(path, data={**values, "line1": "3 Middle Street"})
    client.post(f"{path}/default")
    assert (other_address.line1, other_address.is_default) == ("3 Middle Street", True)
    page = client.get("/account/addresses").text
    assert page.index("3 Middle Street") < page.index("1 High Street")
    assert "3 Middle Street" in client.get(f"{path}/delete").text
    client.post(f"{path}/delete")
    page = client.get("/account/addresses").text
    assert "3 Middle Street" not in page
    assert page.count("Default") == 1


def test_a_state_is_required_in_countries_whose_addresses_need_one(client: FormClient, ada: User) -> None:
    login(client, ada)
    values = {"name": "Ada Obi", "line1": "1 Main Street", "city": "Boston", "postal_code": "02101", "country": "US"}
    response = client.post("/account/addresses/new", data={**values, "line1": "", "region": " "})
    assert response.status_code == 422
    assert error_of(response.text, "region") == "Enter the state."
    assert error_of(response.text, "line1"), "all at once"
    assert 'value="Boston"' in response.text
    assert client.post("/account/addresses/new", data={**values, "region": "MA"}).status_code == 302
    address = db.session.scalars(sa.select(Address)).one()
    path = f"/account/addresses/{address.id}"
    assert '<label class="form-label" for="region">State</label>' in client.get(path).text
    assert client.post(path, data={**values, "region": ""}).status_code == 422
    db.session.refresh(address)
    assert address.region == "MA"


def test_an_invalid_address_keeps_the_submitted_values(client: FormClient, ada: User) -> None:
    login(client, ada)
    values = {"name": "Ada Obi", "line1": "1 High Street", "city": "London", "postal_code": "12345", "country": "GB"}
    response = client.post("/account/addresses/new", data=values)
    assert response.status_code == 422
    assert "That postcode isn&#39;t valid for the United Kingdom." in response.text
    assert 'value="1 High Street"' in response.text
    assert 'autocomplete="shipping postal-code"' in response.text
