"""Designs in the back office: ours are made and changed, buyers' artwork is approved or rejected, once."""

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
from tests.buying import cart_of, fill, order_of, place
from tests.conftest import FormClient, login
from tests.watching import error_of, form_to, together, words_of

NEW = "/admin/designs/new"


@pytest.fixture
def bens(client: FormClient, ben: User) -> FormClient:
    """Ben's browser."""
    login(client, ben)
    return client


@pytest.fixture
def artwork(create_design: Callable[..., Design]) -> Design:
    """What a guest sent in."""
    return create_design("Own artwork", is_public=False, status=DesignStatus.REQUESTED)


def picture(size: tuple[int, int] = (300, 300)) -> tuple[io.BytesIO, str]:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG")
    data.seek(0)
    return data, "a.png"


def test_a_design_is_made_and_shown_in_the_shop_at_once(bens: FormClient, client: FormClient) -> None:
    typed = {
        "name": "Sun & moon",
        "front": picture(),
        "card_amount": "19.90",
        "activation_amount": "",
        "is_public": "y",
    }
    assert bens.post(NEW, data=typed).location == "/admin/designs"
    made = db.session.scalars(sa.select(Design)).one()
    assert (made.card_amount, made.activation_amount, made.status) == (1990, None, DesignStatus.APPROVED)
    with Image.open(io.BytesIO(bens.get(f"/uploads/{made.front_picture}").data)) as drawn:
        assert abs(drawn.width / drawn.height - 85.6 / 54) < 0.01
    assert "Sun &amp; moon" in client.get("/designs").text


@pytest.mark.parametrize(
    ("typed", "field", "says"),
    [
        ({"name": ""}, "name", "Enter a name."),
        ({"card_amount": "-1"}, "card_amount", "Enter an amount"),
        ({"front": (io.BytesIO(b"no picture"), "a.png")}, "front", "We can't read this file."),
        ({"name": "", "rear": (io.BytesIO(b"any"), "a.png")}, "rear", "Choose the image again"),
    ],
)
def test_what_cannot_be_a_design_is_refused(bens: FormClient, typed: dict[str, Any], field: str, says: str) -> None:
    answer = bens.post(NEW, data={"name": "Sun", "card_amount": "1", **typed})
    assert answer.status_code == 422
    assert says in error_of(answer.text, field)
    assert db.session.scalars(sa.select(Design)).all() == []


def test_the_second_of_two_is_told_and_pictures_stay_unless_replaced(bens: FormClient, design: Design) -> None:
    path = f"/admin/designs/{design.id}"
    slow = form_to(bens.get(path).text, "").values | {"name": "Slow"}
    quick = form_to(bens.get(path).text, "").values | {"front": picture(), "name": "Quick"}
    assert bens.post(path, data=quick, csrf=False).status_code == 302
    front = design.front_picture
    assert front is not None
    assert bens.post(path, data=slow, csrf=False).status_code == 422
    assert design.name == "Quick"
    bens.post(path, data=form_to(bens.get(path).text, "").values | {"card_amount": "5"}, csrf=False)
    assert (design.front_picture, design.card_amount) == (front, 500)


def test_artwork_that_waits_stands_first_and_on_the_start_page(
    bens: FormClient, artwork: Design, create_design: Callable[..., Design], bottle: Product
) -> None:
    create_design("Later")
    bottle.stock = 5
    page = bens.get("/admin/designs").text
    assert page.index("Own artwork") < page.index("Later")
    assert "Later" not in bens.get("/admin/designs?state=waiting").text
    start = words_of(bens.get("/admin/").text)
    assert "1 Low-stock products 1 Designs awaiting approval 0 Reviews awaiting approval" in start


def test_search_ignores_case_accents_and_plurals(bens: FormClient, create_design: Callable[..., Design]) -> None:
    create_design("Cafés 100%")
    for search, is_found in {"CAFE": True, "cafés": True, "100%": True, "c_f": False, "c%s": False}.items():
        page = bens.get("/admin/designs", query_string={"search": search}).text
        assert ("Cafés 100%" in page.partition("<tbody>")[2]) is is_found, search


def test_a_guest_reads_why_their_artwork_is_rejected(
    bens: FormClient, artwork: Design, bottle: Product, mailbox: Callable[[], list[EmailMessage]],
    run_worker: Callable[[], None],
) -> None:  # fmt: skip
    order = order_of(None, bottle)
    db.session.execute(sa.update(OrderLine).where(OrderLine.order_id == order.id).values(design_id=artwork.id))
    number = order.number
    path = f"/admin/designs/{artwork.id}"
    assert number in bens.get(path).text
    assert error_of(bens.post(f"{path}/reject", data={"why": " "}).text, "why") == "Enter a reason for the customer."
    assert artwork.status is DesignStatus.REQUESTED
    long = bens.post(f"{path}/reject", data={"why": "x" * 301})
    assert (long.status_code, "x" * 301 in long.text) == (422, True)
    answer = bens.post(f"{path}/reject", data={"why": "Too <small>: 300 pixels."})
    assert answer.location == "/admin/designs?state=waiting"
    assert (artwork.status, artwork.why_rejected) == (DesignStatus.REJECTED, "Too <small>: 300 pixels.")
    run_worker()
    [message] = [each for each in mailbox() if "artwork" in each["Subject"]]
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert message["To"] == "gus@example.com"
    assert "Too <small>: 300 pixels." in text.get_content()
    assert number in text.get_content()
    assert "Too &lt;small&gt;" in html.get_content()
    assert "Too &lt;small&gt;" in bens.get(path).text


def test_a_holder_reads_that_their_artwork_is_approved(
    bens: FormClient, artwork: Design, ada: User, mailbox: Callable[[], list[EmailMessage]],
    run_worker: Callable[[], None],
) -> None:  # fmt: skip
    artwork.owner = ada
    db.session.commit()
    bens.post(f"/admin/designs/{artwork.id}/approve")
    assert artwork.status is DesignStatus.APPROVED
    run_worker()
    [message] = mailbox()
    assert (message["To"], message["Subject"]) == ("ada@example.com", "Your artwork has been approved")
    assert bens.post(f"/admin/designs/{artwork.id}", data={"name": "Stolen"}).status_code == 404
    assert artwork.name == "Own artwork"


def test_of_two_who_decide_one_does(app: Flask, artwork: Design, ben: User, olu: User) -> None:
    number, people = artwork.id, (ben.id, olu.id)

    def decide(place: int) -> object:
        found = designs.get_design(number)
        designs.decide(found, approve=place == 0, why="No", by=db.session.get_one(User, people[place]))
        return place

    results = together(app, 2, decide)
    assert results.count(designs.AlreadyDecided) == 1
    tags = db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.tag.startswith("design."))).all()
    assert list(tags) == [f"design.{artwork.status.value}"]


def test_what_a_guest_sent_in_never_becomes_everybodys(
    bens: FormClient, create_product: Callable[..., Product]
) -> None:
    create_product("Own card", kind=ProductKind.CARD)
    cart = cart_of(None)
    product = db.session.scalars(sa.select(Product)).one()
    fill(cart, product, front_picture=f"{7:032x}.webp")
    order = place(cart)
    db.session.commit()
    number = order.lines[0].design_id
    bens.post(f"/admin/designs/{number}/approve")
    design = db.session.get_one(Design, number)
    assert (design.status, design.owner_id) == (DesignStatus.APPROVED, order.user_id)
    design.owner_id = None  # as for a buyer whose account is erased, or an order that waits for its address
    db.session.commit()
    bens.post(f"/admin/designs/{number}", data={"name": "Mine now", "card_amount": "1", "is_public": "y"})
    assert not db.session.get_one(Design, number).is_public
