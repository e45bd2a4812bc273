"""Adding products to the cart: options, limits and uploaded pictures."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import stream_encode_multipart

from tapcard import files, images
from tapcard.db import db
from tapcard.models import Availability, CartLine, OptionKind, Product, User
from tapcard.models import ProductKind as Kind
from tapcard.services.core.rate_limits import LIMITS, Limit, Limits
from tests.conftest import FormClient, login
from tests.pages import error_of, forms_on, words_of


def picture(width: int = 900, height: int = 700, kind: str = "PNG", color: str = "#0091ca") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, kind)
    return out.getvalue()


def sent(data: bytes, name: str = "logo.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def lines() -> list[CartLine]:
    return list(db.session.scalars(select(CartLine).order_by(CartLine.id)))


@pytest.fixture
def engraved(bottle: Product, create_option: Callable[..., object]) -> Product:
    """Create a bottle with options of all kinds."""
    create_option(bottle, "name", OptionKind.TEXT, max_length=20, extra_amount=300)
    create_option(bottle, "color", OptionKind.COLOR, choices=["night", "sand"], is_required=True)
    create_option(bottle, "words", OptionKind.LONG_TEXT, max_length=50)
    create_option(bottle, "phone", OptionKind.PHONE)
    create_option(bottle, "place", OptionKind.LOCATION)
    create_option(bottle, "recipient", OptionKind.CHOICE, choices=["Female", "Male"])
    create_option(bottle, "logo", OptionKind.PICTURE)
    return bottle


def add(client: FormClient, product: Product, **fields: Any) -> Any:
    data = {"quantity": "1", **{name.replace("option_", "option-"): value for name, value in fields.items()}}
    return client.post(f"/cart/add/{product.slug}", data=data)


def test_a_guest_fills_a_cart_and_sees_its_contents(client: FormClient, engraved: Product) -> None:
    answer = add(client, engraved, quantity="2", option_color="night", option_words="For Mum\nwith love",
                 option_phone="020 7946 0018", option_name="Ada", option_logo=sent(picture()))  # fmt: skip
    assert (answer.status_code, answer.location) == (302, "/cart")
    page = client.get("/cart").text
    said = words_of(page)
    assert "Steel bottle added to your cart." in said
    for words in ("night", "For Mum with love", "+442079460018", "£27.00 each", "£54.00"):
        assert words in said, words
    [line] = lines()
    assert (line.quantity, line.options["logo"]) == (2, line.pictures[0])
    assert f"/uploads/{line.pictures[0]}" in page
    assert "data-cart-count>2<" in page


BAD: tuple[tuple[dict[str, Any], str, str], ...] = (
    *(({"quantity": text}, "quantity", "Enter a whole number from 1 to 99.")
      for text in ("0", "-1", "100", "9" * 30, "1.5", "1e2", "NaN", "two", "", "٣", "1 2")),
    ({"option-color": ""}, "option-color", "Choose an option for “Color”."),
    ({"option-color": "red"}, "option-color", "Choose one of the options."),
    ({"option-recipient": "Other"}, "option-recipient", "Choose one of the options."),
    ({"option-name": "x" * 21}, "option-name", "Enter 20 characters or fewer."),
    ({"option-words": "x" * 51}, "option-words", "Enter 50 characters or fewer."),
    ({"option-phone": "call me"}, "option-phone", ""),
    ({"option-name": "a\0b"}, "option-name", "This contains characters that aren't allowed here."),
    ({"option-logo": (io.BytesIO(b"%PDF-1.4"), "logo.pdf")}, "option-logo",
     "We can't read this file. Choose a JPEG, PNG or WebP image."),
    ({"option-logo": (io.BytesIO(picture()[:300]), "logo.png")}, "option-logo",
     "This image is damaged. Save it again or choose another one."),
)  # fmt: skip


def test_invalid_values_show_errors_and_stay_in_their_fields(client: FormClient, engraved: Product) -> None:
    """H20, H28"""
    for wrong, field, message in BAD:
        good = {"quantity": "3", "option-color": "sand", "option-place": "Hull"}
        answer = client.post(f"/cart/add/{engraved.slug}", data={**good, **wrong})
        assert answer.status_code == 422, wrong
        assert message in (error_of(answer.text, field) or "nothing"), wrong
        [form] = [each for each in forms_on(answer.text) if "quantity" in each.kinds]
        assert form.values["option-place"] == "Hull"
        assert form.values["quantity"] == wrong.get("quantity", "3").strip()
    assert lines() == []


def test_all_errors_show_at_once(client: FormClient, engraved: Product) -> None:
    page = add(client, engraved, quantity="0", option_name="x" * 30, option_logo=sent(b"no picture")).text
    assert all(error_of(page, name) for name in ("quantity", "option-name", "option-color", "option-logo"))


@pytest.mark.parametrize("strange", [{"option-engraving": "free"}, {"option-logo2": sent(picture())}, {"option-": "x"}])
def test_an_option_that_the_product_lacks_is_refused(
    client: FormClient, engraved: Product, strange: dict[str, Any]
) -> None:
    answer = client.post(f"/cart/add/{engraved.slug}", data={"quantity": "1", "option-color": "sand", **strange})
    assert answer.status_code == 422
    assert "options have changed" in answer.text
    assert lines() == []


def test_a_picture_survives_errors_in_other_fields(client: FormClient, engraved: Product, app: Flask) -> None:
    page = add(client, engraved, option_logo=sent(picture())).text
    [form] = [each for each in forms_on(page) if "quantity" in each.kinds]
    kept = form.values["kept-option-logo"]
    assert "Your image" in page
    answer = client.post(f"/cart/add/{engraved.slug}",
                         data={"quantity": "1", "option-color": "sand", "kept-option-logo": kept})  # fmt: skip
    assert answer.status_code == 302
    [line] = lines()
    assert files.exists(line.options["logo"], files.folder(app.instance_path))
    answer = client.post(f"/cart/add/{engraved.slug}", data={
        "quantity": "1", "option-color": "sand", "kept-option-logo": kept, "drop-option-logo": "y"})  # fmt: skip
    assert lines()[1].options == {"color": "sand"}


def test_a_picture_of_another_visitor_is_refused(
    client: FormClient, new_client: Callable[[], FormClient], engraved: Product
) -> None:
    page = add(client, engraved, option_logo=sent(picture())).text
    [form] = [each for each in forms_on(page) if "quantity" in each.kinds]
    kept = form.values["kept-option-logo"]
    other = new_client()
    add(other, engraved, option_logo=sent(picture(color="red")))
    name = page.partition("/uploads/")[2].partition('"')[0]
    for token in (kept, name, "", kept[:-1], f'[null,"{name}"]', "x" * 5000):
        data = {"quantity": "1", "option-color": "sand", "kept-option-logo": token, "option-logo": name}
        assert other.post(f"/cart/add/{engraved.slug}", data=data).status_code == 302
        assert [line.pictures for line in lines()] == [[]], token


def test_a_picture_is_resized_and_loses_its_metadata(client: FormClient, engraved: Product, app: Flask) -> None:
    out, big = io.BytesIO(), Image.new("RGB", (3000, 1500), "red")
    exif = big.getexif()
    exif[0x0112], exif[0x010F] = 6, "A secret camera"
    big.save(out, "JPEG", exif=exif)
    add(client, engraved, option_color="sand", option_logo=sent(out.getvalue(), "a.jpg"))
    with files.open_upload(lines()[0].options["logo"], files.folder(app.instance_path)) as file:
        kept = Image.open(file)
        assert (kept.format, kept.size, dict(kept.getexif())) == ("WEBP", (1000, 2000), {})


def test_a_too_large_picture_shows_an_error_next_to_its_field(client: FormClient, engraved: Product) -> None:
    heavy = FileStorage(io.BytesIO(picture() + b"\0" * images.MAX_BYTES), "logo.png", name="option-logo")
    fields = MultiDict({"quantity": "1", "option-color": "sand", "option-logo": heavy})
    fields["csrf_token"] = client.csrf_token()
    body, length, boundary = stream_encode_multipart(fields, use_tempfile=False)
    kind = f'multipart/form-data; boundary="{boundary}"'
    answer = client.post(
        f"/cart/add/{engraved.slug}", input_stream=body, content_length=length, content_type=kind, csrf=False
    )
    assert answer.status_code == 422
    assert "larger than 8 MB" in error_of(answer.text, "option-logo")


def test_picture_uploads_are_throttled(client: FormClient, engraved: Product, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setitem(LIMITS, "cart_picture", Limits(account=Limit(1, 60), address=Limit(1, 60)))
    assert add(client, engraved, option_color="sand", option_logo=sent(picture())).status_code == 302
    answer = add(client, engraved, option_color="sand", option_logo=sent(picture(color="red")))
    assert answer.status_code == 429
    assert "Too many attempts" in error_of(answer.text, "option-logo")
    assert len(lines()) == 1


def test_a_quantity_above_the_stock_is_capped_with_a_message(client: FormClient, bottle: Product) -> None:
    add(client, bottle, quantity="40")
    assert "Steel bottle: only 10 left" in client.get("/cart").text
    assert [line.quantity for line in lines()] == [10]
    add(client, bottle, quantity="1")
    assert "only 10 left" in client.get("/cart").text
    assert [line.quantity for line in lines()] == [10]


def test_a_quantity_above_the_maximum_shows_a_message(client: FormClient, product: Product) -> None:
    add(client, product, quantity="60")
    add(client, product, quantity="60")
    assert "you can order up to 99 at a time" in client.get("/cart").text
    assert [line.quantity for line in lines()] == [99]


def test_an_unavailable_product_is_refused(client: FormClient, create_product: Callable[..., Product]) -> None:
    gone = create_product("Former", is_active=False)
    out = create_product("Out", availability=Availability.OUT_OF_STOCK)
    none = create_product("None", stock=0)
    card = create_product("NFC card", kind=Kind.CARD)
    assert add(client, gone).status_code == 404
    assert client.post("/cart/add/no-such-thing").status_code == 404
    assert client.post("/cart/add/" + "x" * 3000).status_code == 404
    for product, words in (
        (out, "isn&#39;t available at the moment"),
        (none, "is sold out"),
        (card, "Choose a design"),
    ):
        answer = add(client, product)
        assert (answer.status_code, words in answer.text) == (422, True), words
    assert lines() == []
    assert "data-cart-count hidden" in client.get("/cart").text


def test_viewing_pages_adds_nothing_to_the_cart(client: FormClient, product: Product) -> None:
    """H24"""
    assert client.get(f"/cart/add/{product.slug}").status_code == 405
    assert lines() == []


def test_a_pre_order_shows_its_date_and_ends_at_its_limit(
    client: FormClient, create_product: Callable[..., Product], ada: User
) -> None:

    early = create_product("Calendar", availability=Availability.PRE_ORDER, available_on=date(2027, 1, 5), stock=3)
    login(client, ada)
    page = add(client, early, quantity="0").text
    assert "Pre-order, ships from 5 Jan 2027 3 left" in words_of(page)
    add(client, early, quantity="5")
    assert "only 3 left" in client.get("/cart").text
