"""Ordering cards with a design or own artwork."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from tapcard import files
from tapcard.db import db
from tapcard.models import Design, DesignStatus, OptionKind, Product, ProductOption, User
from tapcard.models import ProductKind as Kind
from tests.conftest import FormClient, login
from tests.pages import PageForm, error_of, forms_on, words_of
from tests.shop.test_add_to_cart import lines, picture, sent
from tests.statements import queries, statements


@pytest.fixture
def cards(create_product: Callable[..., Product]) -> Product:
    return create_product("NFC card", kind=Kind.CARD, unit_amount=2600)


@pytest.fixture
def adas_own(create_design: Callable[..., Design], ada: User) -> Design:
    """Create a private design that awaits approval."""
    return create_design("Ada's dog", is_public=False, owner=ada, status=DesignStatus.REQUESTED)


def order(client: FormClient, **fields: Any) -> Any:
    data = {"quantity": "1", **{key.replace("option_", "option-"): value for key, value in fields.items()}}
    return client.post("/cards/order", data=data)


def form_of(page: str) -> PageForm:
    [form] = [each for each in forms_on(page) if "design" in each.kinds]
    return form


def test_a_design_can_be_ordered_repeatedly(client: FormClient, cards: Product, design: Design) -> None:
    page = client.get(f"/cards/order?design={design.id}").text
    assert form_of(page).values["design"] == str(design.id)
    assert order(client, design=str(design.id), quantity="500").location == "/cart"
    [line] = lines()
    assert (line.quantity, line.design_id, line.front_picture) == (500, design.id, None)
    said = words_of(client.get("/cart").text)
    assert "Design: Lake at dusk" in said
    assert "£13,000.00" in said


def test_artwork_is_cropped_to_the_proportions_of_a_card(client: FormClient, cards: Product, app: Flask) -> None:
    answer = order(client, design="own", front=sent(picture(1000, 1000)), rear=sent(picture(4000, 3000, "JPEG")))
    assert answer.location == "/cart"
    [line] = lines()
    assert line.pictures == [line.front_picture, line.rear_picture]
    for name, size in ((line.front_picture, (1000, 631)), (line.rear_picture, (2140, 1350))):
        with files.open_upload(name or "", files.folder(app.instance_path)) as file:
            kept = Image.open(file)
            assert (kept.format, kept.size) == ("WEBP", size)
    assert "Your own artwork" in client.get("/cart").text


def test_a_picture_without_a_chosen_design_is_used_as_artwork(client: FormClient, cards: Product) -> None:
    assert order(client, front=sent(picture())).location == "/cart"
    assert lines()[0].front_picture


def test_invalid_input_shows_an_error_next_to_its_field(
    client: FormClient, cards: Product, design: Design, adas_own: Design, create_design: Callable[..., Design]
) -> None:
    """H20"""
    rejected = create_design("Rejected", status=DesignStatus.REJECTED)
    good = str(design.id)
    bad: list[tuple[dict[str, Any], str, str]] = [
        ({}, "design", "Choose a design or upload an image for the front."),
        ({"design": "own"}, "front", "Choose an image for the front."),
        ({"design": "own", "rear": sent(picture())}, "front", "Choose an image for the front."),
        ({"design": good, "front": sent(picture())}, "design", "Choose either a design or your own images"),
        ({"design": "own", "front": sent(picture(900, 599))}, "front", "is 599 pixels and must be at least 600"),
        ({"design": "own", "front": sent(b"GIF89a")}, "front", "We can't read this file."),
        *(({"design": odd}, "design", "This design isn't available.")
          for odd in (str(adas_own.id), str(rejected.id), "999999", "-1", "NaN", "x" * 3000, "9" * 30, "٣")),
        *(({"design": good, "quantity": odd}, "quantity", "Enter a whole number from 1 to 500.")
          for odd in ("0", "-5", "501", "9" * 30, "1.5", "NaN", "many", "")),
    ]  # fmt: skip
    for fields, name, message in bad:
        answer = order(client, **fields)
        assert answer.status_code == 422, fields
        assert message in error_of(answer.text, name), fields
    assert lines() == []
    assert "dog" not in client.get(f"/cards/order?design={adas_own.id}").text


def test_a_private_design_can_be_ordered_only_by_its_owner(
    client: FormClient, new_client: Callable[[], FormClient], cards: Product, adas_own: Design, ada: User, cleo: User
) -> None:
    login(client, ada)
    assert "dog" in client.get("/cards/order").text
    assert order(client, design=str(adas_own.id)).location == "/cart"
    other = new_client()
    login(other, cleo)
    assert "dog" not in other.get("/cards/order").text
    assert order(other, design=str(adas_own.id)).status_code == 422
    assert len(lines()) == 1
    adas_own.status = DesignStatus.REJECTED
    db.session.commit()
    assert order(client, design=str(adas_own.id)).status_code == 422


def test_the_options_of_the_card_product_are_required_and_charged(
    client: FormClient, cards: Product, design: Design, create_option: Callable[..., object]
) -> None:
    create_option(cards, "name", OptionKind.TEXT, is_required=True, extra_amount=100)
    good = str(design.id)
    answer = order(client, design=good)
    assert (answer.status_code, error_of(answer.text, "option-name")) == (422, "Enter a value for “Name”.")
    assert form_of(answer.text).values["design"] == good
    assert order(client, design=good, option_nickname="A").status_code == 422
    assert order(client, design=good, option_name="Ada").location == "/cart"
    assert "£27.00" in client.get("/cart").text


def test_editing_a_cart_line_keeps_its_design_or_artwork(
    client: FormClient, cards: Product, design: Design, create_option: Callable[..., ProductOption]
) -> None:
    order(client, design=str(design.id), quantity="4")
    order(client, design="own", front=sent(picture()), quantity="2")
    artwork = lines()[1].front_picture
    create_option(cards, "name", OptionKind.TEXT, is_required=True)
    page = client.get("/cart").text
    assert words_of(page).count("“Name” is now required. Choose again : NFC card") == 2
    for place, chosen in ((0, str(design.id)), (0, "own")):
        line = lines()[place]
        [path] = [each for each in re.findall(r'href="(/cards/order[^"]+)"', page) if each.endswith(f"={line.id}")]
        form = form_of(client.get(path.replace("&amp;", "&")).text)
        assert (form.values["design"], form.values["quantity"]) == (chosen, str(line.quantity))
        answers = {name: value for name, value in form.values.items() if name not in ("front", "rear")}
        assert client.post(form.action, data=answers | {"option-name": "Ada"}).location == "/cart"
    assert [(each.design_id, each.quantity, each.front_picture) for each in lines()] == [
        (design.id, 4, None), (None, 2, artwork)
    ]  # fmt: skip


def test_artwork_survives_errors_and_sign_up_and_stays_private(
    client: FormClient, new_client: Callable[[], FormClient], cards: Product
) -> None:
    """H19"""
    page = order(client, design="own", quantity="0", front=sent(picture()), rear=sent(picture(color="red"))).text
    kept = {key: value for key, value in form_of(page).values.items() if key.startswith("kept-")}
    assert kept.keys() == {"kept-front", "kept-rear"}
    assert page.count('alt="Your image"') == 2
    assert order(new_client(), design="own", **kept).status_code == 422
    client.post("/sign-up", data={"first_name": "Dora", "last_name": "Lu", "email": "dora@example.com",
                                  "password": "correct horse battery", "terms": "y"})  # fmt: skip
    assert order(client, design="own", **kept).location == "/cart"
    [line] = lines()
    assert (line.front_picture is not None, line.rear_picture is not None) == (True, True)
    assert line.cart.user is not None
    assert order(client, design="own", **kept, **{"drop-rear": "y"}).location == "/cart"
    assert lines()[1].rear_picture is None
    client.post("/log-out")
    assert order(client, design="own", **kept).status_code == 422


def test_the_url_selects_another_card_product(
    client: FormClient, cards: Product, design: Design, create_product: Callable[..., Product]
) -> None:
    metal = create_product("Metal card", kind=Kind.CARD, stock=2)
    page = client.get(f"/cards/order?product={metal.slug}").text
    assert form_of(page).action.endswith(f"product={metal.slug}")
    answer = client.post(f"/cards/order?product={metal.slug}", data={"design": str(design.id), "quantity": "5"})
    assert answer.location == "/cart"
    assert (lines()[0].product_id, lines()[0].quantity) == (metal.id, 2)
    assert "only 2 left" in client.get("/cart").text
    assert client.get("/cards/order?product=no-such").status_code == 200


def test_pages_say_when_no_card_is_sold(client: FormClient, design: Design) -> None:
    assert "available right now" in client.get("/cards/order").text
    assert order(client, design=str(design.id)).status_code == 200
    for page in ("/", "/designs"):
        assert "/cards/order" not in client.get(page).text
    assert lines() == []


def test_designs_link_to_the_order_page(client: FormClient, cards: Product, design: Design) -> None:
    for page in ("/", "/designs"):
        text = client.get(page).text
        assert f'href="/cards/order?design={design.id}"' in text
        assert "can't be ordered online" not in text


def test_the_page_runs_a_fixed_number_of_statements(
    client: FormClient, cards: Product, create_design: Callable[..., Design], ada: User
) -> None:
    login(client, ada)
    numbers = []
    for more in (2, 60):
        for number in range(more):
            create_design(f"Design {more} {number}")
        last = create_design(f"Z {more}")
        client.get("/cards/order")
        with statements(all_of_them=True) as asked:
            page = client.get(f"/cards/order?design={last.id}").text
        assert form_of(page).values["design"] == str(last.id)
        numbers.append(len(queries(asked)))
    assert numbers[0] <= 12
    assert numbers[1] <= 12
