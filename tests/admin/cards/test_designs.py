"""Designs in the back office: creating and changing them, approving and rejecting artwork of buyers."""

import io
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image

from tapcard.db import db
from tapcard.models import AuditEntry, Design, DesignStatus, OrderLine, Product, ProductKind, User
from tapcard.services.cards import designs
from tests.concurrency import run_concurrently
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of
from tests.purchases import create_cart, create_order, fill, place

NEW = "/admin/designs/new"


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


@pytest.fixture
def artwork(create_design: Callable[..., Design]) -> Design:
    """Return the artwork of a guest, awaiting approval."""
    return create_design("Own artwork", is_public=False, status=DesignStatus.REQUESTED)


def png_upload(size: tuple[int, int] = (300, 300)) -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG")
    data.seek(0)
    return data, "a.png"


def test_staff_create_a_design_and_the_shop_shows_it(ben_client: FormClient, client: FormClient) -> None:
    values = {
        "name": "Sun & moon",
        "front": png_upload(),
        "card_amount": "19.90",
        "activation_amount": "",
        "is_public": "y",
    }
    assert ben_client.post(NEW, data=values).location == "/admin/designs"
    design = db.session.scalars(sa.select(Design)).one()
    assert (design.card_amount, design.activation_amount, design.status) == (1990, None, DesignStatus.APPROVED)
    with Image.open(io.BytesIO(ben_client.get(f"/uploads/{design.front_picture}").data)) as drawn:
        assert abs(drawn.width / drawn.height - 85.6 / 54) < 0.01
    assert "Sun &amp; moon" in client.get("/designs").text


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "Enter a name."),
        ({"card_amount": "-1"}, "card_amount", "Enter an amount"),
        ({"front": (io.BytesIO(b"no picture"), "a.png")}, "front", "We can't read this file."),
        ({"name": "", "rear": (io.BytesIO(b"any"), "a.png")}, "rear", "Choose the image again"),
    ],
)
def test_an_invalid_design_is_refused_with_an_error_at_its_field(
    ben_client: FormClient, changes: dict[str, Any], field: str, says: str
) -> None:
    response = ben_client.post(NEW, data={"name": "Sun", "card_amount": "1", **changes})
    assert response.status_code == 422
    assert says in error_of(response.text, field)
    assert db.session.scalars(sa.select(Design)).all() == []


def test_an_outdated_design_form_is_refused_and_saving_without_an_upload_keeps_the_picture(
    ben_client: FormClient, design: Design
) -> None:
    path = f"/admin/designs/{design.id}"
    slow = form_to(ben_client.get(path).text, "").values | {"name": "Slow"}
    quick = form_to(ben_client.get(path).text, "").values | {"front": png_upload(), "name": "Quick"}
    assert ben_client.post(path, data=quick, csrf=False).status_code == 302
    front = design.front_picture
    assert front is not None
    assert ben_client.post(path, data=slow, csrf=False).status_code == 422
    assert design.name == "Quick"
    ben_client.post(path, data=form_to(ben_client.get(path).text, "").values | {"card_amount": "5"}, csrf=False)
    assert (design.front_picture, design.card_amount) == (front, 500)


def test_designs_awaiting_approval_are_listed_first_and_counted_on_the_dashboard(
    ben_client: FormClient, artwork: Design, create_design: Callable[..., Design], bottle: Product
) -> None:
    create_design("Later")
    bottle.stock = 5
    page = ben_client.get("/admin/designs").text
    assert page.index("Own artwork") < page.index("Later")
    assert "Later" not in ben_client.get("/admin/designs?state=waiting").text
    start = words_of(ben_client.get("/admin/").text)
    assert "1 Low-stock products 1 Designs awaiting approval 0 Reviews awaiting approval" in start


def test_search_ignores_case_accents_and_plurals(ben_client: FormClient, create_design: Callable[..., Design]) -> None:
    create_design("Cafés 100%")
    for search, is_found in {"CAFE": True, "cafés": True, "100%": True, "c_f": False, "c%s": False}.items():
        page = ben_client.get("/admin/designs", query_string={"search": search}).text
        assert ("Cafés 100%" in page.partition("<tbody>")[2]) is is_found, search


def test_rejecting_artwork_of_a_guest_emails_the_reason(
    ben_client: FormClient, artwork: Design, bottle: Product, mailbox: Callable[[], list[EmailMessage]],
    run_worker: Callable[[], None],
) -> None:  # fmt: skip
    order = create_order(None, bottle)
    db.session.execute(sa.update(OrderLine).where(OrderLine.order_id == order.id).values(design_id=artwork.id))
    number = order.number
    path = f"/admin/designs/{artwork.id}"
    assert number in ben_client.get(path).text
    assert (
        error_of(ben_client.post(f"{path}/reject", data={"why": " "}).text, "why") == "Enter a reason for the customer."
    )
    assert artwork.status is DesignStatus.REQUESTED
    long = ben_client.post(f"{path}/reject", data={"why": "x" * 301})
    assert (long.status_code, "x" * 301 in long.text) == (422, True)
    response = ben_client.post(f"{path}/reject", data={"why": "Too <small>: 300 pixels."})
    assert response.location == "/admin/designs?state=waiting"
    assert (artwork.status, artwork.why_rejected) == (DesignStatus.REJECTED, "Too <small>: 300 pixels.")
    run_worker()
    [message] = [message for message in mailbox() if "artwork" in message["Subject"]]
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert message["To"] == "gus@example.com"
    assert "Too <small>: 300 pixels." in text.get_content()
    assert number in text.get_content()
    assert "Too &lt;small&gt;" in html.get_content()
    assert "Too &lt;small&gt;" in ben_client.get(path).text


def test_approving_artwork_emails_its_owner(
    ben_client: FormClient, artwork: Design, ada: User, mailbox: Callable[[], list[EmailMessage]],
    run_worker: Callable[[], None],
) -> None:  # fmt: skip
    artwork.owner = ada
    db.session.commit()
    ben_client.post(f"/admin/designs/{artwork.id}/approve")
    assert artwork.status is DesignStatus.APPROVED
    run_worker()
    [message] = mailbox()
    assert (message["To"], message["Subject"]) == ("ada@example.com", "Your artwork has been approved")
    assert ben_client.post(f"/admin/designs/{artwork.id}", data={"name": "Stolen"}).status_code == 404
    assert artwork.name == "Own artwork"


def test_concurrent_decisions_on_artwork_count_once(app: Flask, artwork: Design, ben: User, olu: User) -> None:
    number, people = artwork.id, (ben.id, olu.id)

    def decide(place: int) -> object:
        stored_design = designs.get_design(number)
        designs.decide(stored_design, approve=place == 0, why="No", by=db.session.get_one(User, people[place]))
        return place

    results = run_concurrently(app, 2, decide)
    assert results.count(designs.AlreadyDecided) == 1
    tags = db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.tag.startswith("design."))).all()
    assert list(tags) == [f"design.{artwork.status.value}"]


def test_artwork_of_a_guest_cannot_be_made_public(
    ben_client: FormClient, create_product: Callable[..., Product]
) -> None:
    create_product("Own card", kind=ProductKind.CARD)
    cart = create_cart(None)
    product = db.session.scalars(sa.select(Product)).one()
    fill(cart, product, front_picture=f"{7:032x}.webp")
    order = place(cart)
    db.session.commit()
    number = order.lines[0].design_id
    ben_client.post(f"/admin/designs/{number}/approve")
    design = db.session.get_one(Design, number)
    assert (design.status, design.owner_id) == (DesignStatus.APPROVED, order.user_id)
    design.owner_id = None  # as after erasing the buyer, or for a guest order
    db.session.commit()
    ben_client.post(f"/admin/designs/{number}", data={"name": "Mine now", "card_amount": "1", "is_public": "y"})
    assert not db.session.get_one(Design, number).is_public
