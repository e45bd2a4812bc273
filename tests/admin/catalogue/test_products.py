"""Products in the back office: made, changed, copied, hidden; nobody overwrites another, and no sale is undone."""

import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, stream_encode_multipart

from tapcard.db import db
from tapcard.models import (
    AuditEntry,
    Availability,
    Category,
    Collection,
    OptionKind,
    OutboxMessage,
    Product,
    ProductKind,
    ProductOption,
    User,
)
from tests.buying import order_of
from tests.conftest import FormClient, login
from tests.watching import error_of, form_to, forms_on, words_of

NEW = "/admin/products/new"
PIXELS = {"red": (200, 30, 40), "blue": (20, 40, 200)}


@pytest.fixture
def bens(client: FormClient, ben: User) -> FormClient:
    """Ben's browser."""
    login(client, ben)
    return client


def page_of(product: Product) -> str:
    return f"/admin/products/{product.id}"


def filled(client: FormClient, path: str, **changes: Any) -> dict[str, Any]:
    """The form of a product as it stands on its page, with some fields typed over."""
    form = next(each for each in forms_on(client.get(path).text) if "unit_amount" in each.values)
    return {**form.values, **changes}


def send(client: FormClient, path: str, **changes: Any) -> TestResponse:
    return client.post(path, data=filled(client, path, **changes), csrf=False)


def only() -> Product:
    return db.session.scalars(sa.select(Product)).one()


def tags() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.tag).order_by(AuditEntry.id)))


def picture(color: str = "red", size: tuple[int, int] = (300, 200)) -> io.BytesIO:
    data = io.BytesIO()
    Image.new("RGB", size, PIXELS[color]).save(data, "PNG")
    data.seek(0)
    return data


# --- making -----------------------------------------------------------------------------------------------------------


def test_a_name_and_a_price_make_a_product(bens: FormClient, ben: User) -> None:
    answer = send(bens, NEW, name="Étui “Ọba’s”", unit_amount="24.5")
    made = only()
    assert answer.location == f"/admin/products/{made.id}#pictures"
    assert (made.name, made.slug, made.sku, made.unit_amount) == ("Étui “Ọba’s”", "etui-obas", "ETUI-OBAS", 2450)
    assert (made.kind, made.stock, made.is_active, made.tax_rate) == (ProductKind.GOODS, None, True, 0)
    [entry] = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "product.made"))
    assert (entry.actor_id, entry.subject_type, entry.subject_id) == (ben.id, "products", made.id)


def test_everything_about_a_product_is_stored_and_shown_again(
    bens: FormClient, create_category: Callable[..., Category], create_collection: Callable[..., Collection]
) -> None:
    shelf, brand, theme = create_category(), create_collection("Lagos"), create_collection("Rain")
    typed = {
        "name": "Umbrella",
        "promo_text": "For rain",
        "details": "Line one\nline two",
        "kind": "gift_pack",
        "unit_amount": "20,00",
        "discount": "15",
        "tax_rate": "17.5",
        "stock": "12",
        "availability": "pre_order",
        "available_on": "2027-01-31",
        "category": str(shelf.id),
        "collections": [str(brand.id), str(theme.id)],
        "size": "90 cm",
        "material": "Silk",
        "color": "Red",
        "sku": "UMB-1",
        "slug": "Big Umbrella",
        "page_title": "Umbrellas",
        "page_description": "Buy one",
        "is_featured": "y",
    }
    assert send(bens, NEW, **typed).status_code == 302
    made = only()
    assert (made.slug, made.sku, made.price_amount, made.tax_rate, made.stock) == (
        "big-umbrella",
        "UMB-1",
        1700,
        1750,
        12,
    )
    assert (made.availability, str(made.available_on)) == (Availability.PRE_ORDER, "2027-01-31")
    assert {each.name for each in made.collections} == {"Lagos", "Rain"}
    assert made.category is shelf
    shown = filled(bens, page_of(made))
    kept = {**typed, "unit_amount": "20.00", "slug": "big-umbrella", "collections": str(theme.id)}
    assert {name: shown.get(name) for name in kept} == kept
    page = words_of(bens.get(page_of(made)).text)
    assert "Shop price: £17.00, 15% off £20.00" in page


@pytest.mark.parametrize(
    ("field", "bad", "says"),
    [
        ("name", "", "Enter a name."),
        ("name", "x" * 256, "Enter 255 characters or fewer."),
        ("unit_amount", "", "Enter a price."),
        *((("unit_amount", bad, "Enter an amount such as 12.50, without a currency symbol."))
          for bad in ("1,000.5", "-1", "NaN", "12.345", "1e3", "£5", "١٢", "Infinity", ".5", "1 000")),
        ("unit_amount", "10000000.01", "Enter 10000000.00 or less."),
        ("discount", "101", "Enter a whole number from 0 to 100."),
        ("discount", "-1", "Enter a whole number from 0 to 100."),
        ("tax_rate", "101", "Enter a percentage from 0 to 100."),
        ("tax_rate", "17.555", "Enter a percentage such as 20 or 17.5."),
        ("stock", "1.5", "Enter a whole number from 0 to 1000000."),
        ("available_on", "2027-02-30", "Enter a date such as 2026-12-24."),
        ("slug", "???", "Use letters without accents, numbers and single hyphens."),
        ("category", "999999", "Not a valid choice"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_kept(bens: FormClient, field: str, bad: str, says: str) -> None:
    typed = {"name": "<b>Mug</b>", "unit_amount": "5", "details": "As\ntyped", field: bad}
    answer = send(bens, NEW, **typed)
    assert answer.status_code == 422
    assert says in error_of(answer.text, field)
    again = next(each for each in forms_on(answer.text) if "unit_amount" in each.values)
    assert {name: again.values[name] for name in typed if name != "category"} == {
        name: value for name, value in typed.items() if name != "category"
    }
    assert "<b>Mug</b>" not in answer.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Product)) == 0


def test_prices_go_by_the_shops_currency(bens: FormClient, set_setting: Callable[[str, Any], None]) -> None:
    set_setting("currency", "JPY")
    assert error_of(send(bens, NEW, name="Cup", unit_amount="12.50").text, "unit_amount")
    assert send(bens, NEW, name="Cup", unit_amount="1250").status_code == 302
    assert only().unit_amount == 1250


def test_a_pre_order_needs_its_day(bens: FormClient) -> None:
    answer = send(bens, NEW, name="Cup", unit_amount="5", availability="pre_order")
    assert error_of(answer.text, "available_on") == "Enter the date it ships from."


def test_addresses_and_numbers_are_each_products_own(bens: FormClient, product: Product, bottle: Product) -> None:
    answer = send(bens, page_of(bottle), slug=product.slug)
    assert (answer.status_code, error_of(answer.text, "slug")) == (422, "Another product already uses this URL.")
    answer = send(bens, page_of(bottle), sku=product.sku)
    assert error_of(answer.text, "sku") == "Another product already uses this SKU."
    assert send(bens, NEW, name=product.name, unit_amount="1").status_code == 302
    newest = db.session.scalars(sa.select(Product).order_by(Product.id.desc())).first()
    assert newest is not None
    assert newest.slug.startswith(product.slug)
    assert newest.slug != product.slug


# --- changing ---------------------------------------------------------------------------------------------------------


def test_the_second_of_two_is_told_and_nothing_is_overwritten(bens: FormClient, bottle: Product) -> None:
    slow = filled(bens, page_of(bottle), promo_text="Typed slowly", details="A long text")
    assert send(bens, page_of(bottle), name="Glass bottle").status_code == 302
    answer = bens.post(page_of(bottle), data=slow, csrf=False)
    assert answer.status_code == 422
    assert "This was changed elsewhere" in answer.text
    kept = next(each for each in forms_on(answer.text) if "unit_amount" in each.values).values
    assert (kept["promo_text"], kept["details"]) == ("Typed slowly", "A long text")
    assert (bottle.name, bottle.promo_text) == ("Glass bottle", "")


def test_only_collections_changed_count_as_a_change_too(
    bens: FormClient, bottle: Product, create_collection: Callable[..., Collection]
) -> None:
    theme = create_collection()
    slow = filled(bens, page_of(bottle))
    assert send(bens, page_of(bottle), collections=str(theme.id)).status_code == 302
    assert bottle.collections == [theme]
    assert bens.post(page_of(bottle), data=slow, csrf=False).status_code == 422
    assert bottle.collections == [theme]


def test_saving_without_a_change_leaves_no_entry(bens: FormClient, bottle: Product) -> None:
    before = tags()
    assert send(bens, page_of(bottle)).status_code == 302
    assert tags() == before


def test_a_sale_in_between_is_never_undone(bens: FormClient, bottle: Product, cleo: User) -> None:
    slow = filled(bens, page_of(bottle), stock="15", name="Glass bottle")
    order_of(cleo, bottle, quantity=3)
    assert bottle.stock == 7
    assert bens.post(page_of(bottle), data=slow, csrf=False).status_code == 302
    assert (bottle.stock, bottle.name) == (12, "Glass bottle")
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "product.counted")).one()
    assert entry.details == {"before": 10, "after": 15}


def test_an_edit_that_leaves_the_stock_alone_leaves_a_sale_alone(bens: FormClient, bottle: Product, cleo: User) -> None:
    slow = filled(bens, page_of(bottle), promo_text="New")
    order_of(cleo, bottle, quantity=3)
    assert bens.post(page_of(bottle), data=slow, csrf=False).status_code == 302
    assert (bottle.stock, bottle.promo_text) == (7, "New")


def test_more_than_is_left_cannot_be_taken_away(bens: FormClient, bottle: Product, cleo: User) -> None:
    slow = filled(bens, page_of(bottle), stock="1", name="Another name")
    order_of(cleo, bottle, quantity=4)
    answer = bens.post(page_of(bottle), data=slow, csrf=False)
    assert (answer.status_code, error_of(answer.text, "stock")) == (
        422,
        "Only 6 are left now. Reload the page and check the stock.",
    )
    assert (bottle.stock, bottle.name) == (6, "Steel bottle")


def test_counting_begins_and_ends(bens: FormClient, product: Product) -> None:
    send(bens, page_of(product), stock="4")
    assert product.stock == 4
    late = filled(bens, page_of(product), stock="9", seen_stock="")
    assert bens.post(page_of(product), data=late, csrf=False).status_code == 422
    send(bens, page_of(product), stock="")
    assert product.stock is None


def test_an_order_keeps_what_was_sold(bens: FormClient, bottle: Product, cleo: User) -> None:
    order = order_of(cleo, bottle)
    number = order.lines[0].id
    send(bens, page_of(bottle), name="Glass bottle", unit_amount="99", sku="NEW-1")
    bens.post(f"{page_of(bottle)}/show", data={"shown": "no"})
    assert (bottle.price_amount, bottle.is_active) == (9900, False)
    line = db.session.get_one(type(order.lines[0]), number)
    assert (line.title, line.unit_amount, line.sku) == ("Steel bottle", 2400, "STEEL-BOTTLE")


def test_hiding_and_showing_change_nothing_else(bens: FormClient, bottle: Product) -> None:
    bens.post(f"{page_of(bottle)}/show", data={"shown": "no"})
    assert not bottle.is_active
    bens.post(f"{page_of(bottle)}/show", data={"shown": "no"})
    bens.post(f"{page_of(bottle)}/show", data={"shown": "yes"})
    assert bottle.is_active
    assert [tag for tag in tags() if tag.startswith("product.")] == ["product.hidden", "product.shown"]


def test_a_copy_has_everything_but_is_hidden_and_counts_from_none(
    bens: FormClient, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    create_option(bottle, "name", extra_amount=100)
    bens.post(f"{page_of(bottle)}/pictures", data={"pictures": (picture(), "a.png")})
    answer = bens.post(f"{page_of(bottle)}/duplicate")
    copy = db.session.scalars(sa.select(Product).where(Product.id != bottle.id)).one()
    assert answer.location == page_of(copy)
    assert (copy.name, copy.slug, copy.is_active, copy.stock) == ("Steel bottle (copy)", "steel-bottle-copy", False, 0)
    assert [each.name for each in copy.pictures] == [each.name for each in bottle.pictures]
    assert [(each.key, each.extra_amount) for each in copy.options] == [("name", 100)]
    bens.post(f"{page_of(bottle)}/duplicate")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Product)) == 3


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_is_searched_and_filtered(bens: FormClient, create_product: Callable[..., Product]) -> None:
    create_product("Red mug", material="Clay", stock=2)
    create_product("Blue mug", stock=100, kind=ProductKind.GIFT_PACK)
    create_product("Old mug", is_active=False, stock=1)
    create_product("Gone mug", stock=0)

    def names(**question: str) -> set[str]:
        page = words_of(bens.get("/admin/products", query_string=question).text)
        return {name for name in ("Red mug", "Blue mug", "Old mug", "Gone mug") if name in page}

    assert names() == {"Red mug", "Blue mug", "Old mug", "Gone mug"}
    assert names(search="CLAY red") == {"Red mug"}
    assert names(search="%") == set()
    assert names(state="active") == {"Red mug", "Blue mug", "Gone mug"}
    assert names(state="hidden") == {"Old mug"}
    assert names(state="low") == {"Red mug", "Gone mug"}
    assert names(state="sold_out") == {"Gone mug"}
    assert names(kind="gift_pack") == {"Blue mug"}
    assert names(kind="nonsense", state="nonsense", page="-1") == names()
    assert names(page="2") == set()


def test_a_long_list_has_pages(bens: FormClient, create_product: Callable[..., Product]) -> None:
    for number in range(51):
        create_product(f"Thing {number:02}")
    first, second = (words_of(bens.get(f"/admin/products?page={page}&search=thing").text) for page in (1, 2))
    assert "Thing 50" in first
    assert "Thing 00" not in first
    assert "Thing 00" in second


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_added_described_arranged_and_removed(bens: FormClient, bottle: Product) -> None:
    path = f"{page_of(bottle)}/pictures"
    data = {"pictures": [(picture("red", (4000, 200)), "a.png"), (picture("blue"), "b.png")]}
    assert bens.post(path, data=data).location == f"{page_of(bottle)}#pictures"
    red, blue = bottle.pictures
    with Image.open(io.BytesIO(bens.get(f"/uploads/{red.name}").data)) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (1600, 80))
    assert bens.post(f"{path}/{red.id}", data={"alt": "A <red> bottle"}).status_code == 302
    assert "A &lt;red&gt; bottle" in bens.get(page_of(bottle)).text
    bens.post(f"{path}/{red.id}/move", data={"to": "down"})
    assert [each.id for each in bottle.pictures] == [blue.id, red.id]
    bens.post(f"{path}/{red.id}/move", data={"to": "down"})
    bens.post(f"{path}/{red.id}/move", data={"to": "sideways"})
    assert [each.id for each in bottle.pictures] == [blue.id, red.id]
    removed = blue.name
    bens.post(f"{path}/{blue.id}/remove")
    assert [each.alt for each in bottle.pictures] == ["A <red> bottle"]
    left = db.session.scalars(sa.select(OutboxMessage.payload).where(OutboxMessage.kind == "file.delete_unused"))
    assert removed in {payload["name"] for payload in left}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"GIF89a no picture", "We can't read this file."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "We can't read this file."),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image"),
        (None, "Choose at least one image."),
    ],
)
def test_what_is_no_picture_is_refused(bens: FormClient, bottle: Product, data: bytes | None, says: str) -> None:
    sent = {"pictures": (io.BytesIO(data), "a.png")} if data is not None else {"pictures": ""}
    answer = bens.post(f"{page_of(bottle)}/pictures", data=sent)
    assert answer.status_code == 422
    assert says in error_of(answer.text, "pictures")
    assert bottle.pictures == []


def test_a_picture_that_is_too_heavy_is_refused(bens: FormClient, bottle: Product) -> None:
    sent = {"csrf_token": bens.csrf_token(), "pictures": FileStorage(io.BytesIO(b"x" * 9_000_000), "a.png")}
    body, length, boundary = stream_encode_multipart(MultiDict(sent), use_tempfile=False)
    kind = f"multipart/form-data; boundary={boundary}"
    path = f"{page_of(bottle)}/pictures"
    answer = bens.post(path, input_stream=body, content_length=length, content_type=kind, csrf=False)
    assert answer.status_code == 422
    assert "This image is larger than 8 MB." in error_of(answer.text, "pictures")


def test_a_picture_bomb_is_refused_by_its_header(bens: FormClient, bottle: Product) -> None:
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    bomb.seek(0)
    answer = bens.post(f"{page_of(bottle)}/pictures", data={"pictures": [(bomb, "big.png"), (picture(), "a.png")]})
    assert "big.png: This image has more than 25 megapixels." in error_of(answer.text, "pictures")
    assert bottle.pictures == []


def test_a_product_has_so_many_pictures_and_no_more(bens: FormClient, create_product: Callable[..., Product]) -> None:
    full = create_product(pictures=[(f"{number:032x}.webp", "") for number in range(20)])
    answer = bens.post(f"{page_of(full)}/pictures", data={"pictures": (picture(), "a.png")})
    assert error_of(answer.text, "pictures") == "A product can have up to 20 images."


# --- options ----------------------------------------------------------------------------------------------------------


def test_buyers_are_asked_what_staff_want_to_know(bens: FormClient, bottle: Product) -> None:
    path = f"{page_of(bottle)}/options"
    typed = {"label": "Name to engrave", "kind": "text", "max_length": "12", "extra_amount": "2.50", "is_required": "y"}
    assert bens.post(f"{path}/new", data=typed).location == f"{page_of(bottle)}#options"
    assert (
        bens.post(f"{path}/new", data={**typed, "kind": "choice", "choices": "Ẹ 1\n\n Ẹ  1 \nTwo"}).status_code == 302
    )
    first, second = bottle.options
    assert (first.key, first.kind, first.max_length, first.extra_amount, first.is_required) == (
        "name_to_engrave", OptionKind.TEXT, 12, 250, True,
    )  # fmt: skip
    assert (second.key, second.choices, second.max_length) == ("name_to_engrave_a", ["Ẹ 1", "Two"], None)
    bens.post(f"{path}/{second.id}/move", data={"to": "up"})
    assert [each.id for each in bottle.options] == [second.id, first.id]
    page = f"{path}/{first.id}"
    slow = form_to(bens.get(page).text, "").values | {"label": "Typed slowly"}
    quick = form_to(bens.get(page).text, "").values | {"label": "Engraving"}
    assert bens.post(page, data=quick, csrf=False).status_code == 302
    answer = bens.post(page, data=slow, csrf=False)
    assert answer.status_code == 422
    assert "Typed slowly" in answer.text
    assert (first.label, first.key) == ("Engraving", "name_to_engrave")
    bens.post(f"{path}/{first.id}/remove")
    assert [each.id for each in bottle.options] == [second.id]
    bens.post(f"{path}/set", data={"option_set": "engraved_goods"})
    assert [each.key for each in bottle.options][1:] == ["name", "color", "inscription", "phone", "location"]
    bens.post(f"{path}/set", data={"option_set": "engraved_goods"})
    assert len(bottle.options) == 6
    assert {tag for tag in tags() if ".option" in tag} == {
        "product.option_added", "product.options_arranged", "product.option_changed", "product.option_removed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"label": ""}, "label", "Enter a label."),
        ({"kind": "choice", "choices": "One"}, "choices", "Enter at least two choices, one per line."),
        ({"choices": "\n".join(map(str, range(41)))}, "choices", "Enter 40 lines or fewer."),
        ({"extra_amount": "-1"}, "extra_amount", "Enter an amount such as 12.50"),
        ({"max_length": "0"}, "max_length", "Enter a whole number from 1 to 2000."),
        ({"max_length": "2000"}, "max_length", "Enter a limit of 200 characters or fewer."),
        ({"kind": "spell"}, "kind", "Not a valid choice"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    bens: FormClient, bottle: Product, changes: dict[str, str], field: str, says: str
) -> None:
    typed = {"label": "Name", "kind": "text", "choices": "", "extra_amount": "0", **changes}
    answer = bens.post(f"{page_of(bottle)}/options/new", data=typed)
    assert answer.status_code == 422
    assert says in error_of(answer.text, field)
    assert bottle.options == []


def test_parts_of_another_product_are_not_this_ones(
    bens: FormClient, bottle: Product, product: Product, create_option: Callable[..., ProductOption]
) -> None:
    option = create_option(product)
    bens.post(f"{page_of(product)}/pictures", data={"pictures": (picture(), "a.png")})
    [shown] = product.pictures
    assert bens.get(f"{page_of(bottle)}/options/{option.id}").status_code == 404
    for path in (f"options/{option.id}/remove", f"options/{option.id}/move", f"pictures/{shown.id}/remove"):
        assert bens.post(f"{page_of(bottle)}/{path}").status_code == 404
    assert len(product.options) == len(product.pictures) == 1
