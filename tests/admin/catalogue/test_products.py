"""Products in the back office: creating, changing, stock, copies, pictures and options."""

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
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, forms_on, words_of
from tests.purchases import create_order

NEW = "/admin/products/new"
PIXELS = {"red": (200, 30, 40), "blue": (20, 40, 200)}


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


def product_url(product: Product) -> str:
    return f"/admin/products/{product.id}"


def form_values(client: FormClient, path: str, **changes: Any) -> dict[str, Any]:
    """Return the values of the product form on a page, with some changes."""
    form = next(form for form in forms_on(client.get(path).text) if "unit_amount" in form.values)
    return {**form.values, **changes}


def submit(client: FormClient, path: str, **changes: Any) -> TestResponse:
    return client.post(path, data=form_values(client, path, **changes), csrf=False)


def get_only_product() -> Product:
    return db.session.scalars(sa.select(Product)).one()


def audit_tags() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEntry.tag).order_by(AuditEntry.id)))


def png_file(color: str = "red", size: tuple[int, int] = (300, 200)) -> io.BytesIO:
    data = io.BytesIO()
    Image.new("RGB", size, PIXELS[color]).save(data, "PNG")
    data.seek(0)
    return data


# --- creation ---------------------------------------------------------------------------------------------------------


def test_a_product_is_created_from_a_name_and_a_price(ben_client: FormClient, ben: User) -> None:
    response = submit(ben_client, NEW, name="Étui “Ọba’s”", unit_amount="24.5")
    product = get_only_product()
    assert response.location == f"/admin/products/{product.id}#pictures"
    assert (product.name, product.slug, product.sku, product.unit_amount) == (
        "Étui “Ọba’s”",
        "etui-obas",
        "ETUI-OBAS",
        2450,
    )
    assert (product.kind, product.stock, product.is_active, product.tax_rate) == (ProductKind.GOODS, None, True, 0)
    [entry] = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "product.made"))
    assert (entry.actor_id, entry.subject_type, entry.subject_id) == (ben.id, "products", product.id)


def test_all_product_fields_are_stored_and_shown_in_the_form(
    ben_client: FormClient, create_category: Callable[..., Category], create_collection: Callable[..., Collection]
) -> None:
    shelf, brand, theme = create_category(), create_collection("Lagos"), create_collection("Rain")
    values = {
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
    assert submit(ben_client, NEW, **values).status_code == 302
    product = get_only_product()
    assert (product.slug, product.sku, product.price_amount, product.tax_rate, product.stock) == (
        "big-umbrella",
        "UMB-1",
        1700,
        1750,
        12,
    )
    assert (product.availability, str(product.available_on)) == (Availability.PRE_ORDER, "2027-01-31")
    assert {collection.name for collection in product.collections} == {"Lagos", "Rain"}
    assert product.category is shelf
    shown = form_values(ben_client, product_url(product))
    expected = {**values, "unit_amount": "20.00", "slug": "big-umbrella", "collections": str(theme.id)}
    assert {name: shown.get(name) for name in expected} == expected
    page = words_of(ben_client.get(product_url(product)).text)
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
def test_an_invalid_product_is_refused_and_the_form_keeps_the_values(
    ben_client: FormClient, field: str, bad: str, says: str
) -> None:
    values = {"name": "<b>Mug</b>", "unit_amount": "5", "details": "As\ntyped", field: bad}
    response = submit(ben_client, NEW, **values)
    assert response.status_code == 422
    assert says in error_of(response.text, field)
    again = next(form for form in forms_on(response.text) if "unit_amount" in form.values)
    assert {name: again.values[name] for name in values if name != "category"} == {
        name: value for name, value in values.items() if name != "category"
    }
    assert "<b>Mug</b>" not in response.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Product)) == 0


def test_prices_are_read_in_the_currency_of_the_shop(
    ben_client: FormClient, set_setting: Callable[[str, Any], None]
) -> None:
    set_setting("currency", "JPY")
    assert error_of(submit(ben_client, NEW, name="Cup", unit_amount="12.50").text, "unit_amount")
    assert submit(ben_client, NEW, name="Cup", unit_amount="1250").status_code == 302
    assert get_only_product().unit_amount == 1250


def test_a_pre_order_requires_a_shipping_date(ben_client: FormClient) -> None:
    response = submit(ben_client, NEW, name="Cup", unit_amount="5", availability="pre_order")
    assert error_of(response.text, "available_on") == "Enter the date it ships from."


def test_product_urls_and_skus_are_unique(ben_client: FormClient, product: Product, bottle: Product) -> None:
    response = submit(ben_client, product_url(bottle), slug=product.slug)
    assert (response.status_code, error_of(response.text, "slug")) == (422, "Another product already uses this URL.")
    response = submit(ben_client, product_url(bottle), sku=product.sku)
    assert error_of(response.text, "sku") == "Another product already uses this SKU."
    assert submit(ben_client, NEW, name=product.name, unit_amount="1").status_code == 302
    newest = db.session.scalars(sa.select(Product).order_by(Product.id.desc())).first()
    assert newest is not None
    assert newest.slug.startswith(product.slug)
    assert newest.slug != product.slug


# --- changes ----------------------------------------------------------------------------------------------------------


def test_an_outdated_product_form_is_refused_and_keeps_its_values(ben_client: FormClient, bottle: Product) -> None:
    slow = form_values(ben_client, product_url(bottle), promo_text="Typed slowly", details="A long text")
    assert submit(ben_client, product_url(bottle), name="Glass bottle").status_code == 302
    response = ben_client.post(product_url(bottle), data=slow, csrf=False)
    assert response.status_code == 422
    assert "This was changed elsewhere" in response.text
    shown = next(form for form in forms_on(response.text) if "unit_amount" in form.values).values
    assert (shown["promo_text"], shown["details"]) == ("Typed slowly", "A long text")
    assert (bottle.name, bottle.promo_text) == ("Glass bottle", "")


def test_changing_only_collections_makes_other_open_forms_outdated(
    ben_client: FormClient, bottle: Product, create_collection: Callable[..., Collection]
) -> None:
    theme = create_collection()
    slow = form_values(ben_client, product_url(bottle))
    assert submit(ben_client, product_url(bottle), collections=str(theme.id)).status_code == 302
    assert bottle.collections == [theme]
    assert ben_client.post(product_url(bottle), data=slow, csrf=False).status_code == 422
    assert bottle.collections == [theme]


def test_saving_without_a_change_writes_no_audit_entry(ben_client: FormClient, bottle: Product) -> None:
    before = audit_tags()
    assert submit(ben_client, product_url(bottle)).status_code == 302
    assert audit_tags() == before


def test_changing_the_stock_keeps_sales_made_in_the_meantime(
    ben_client: FormClient, bottle: Product, cleo: User
) -> None:
    slow = form_values(ben_client, product_url(bottle), stock="15", name="Glass bottle")
    create_order(cleo, bottle, quantity=3)
    assert bottle.stock == 7
    assert ben_client.post(product_url(bottle), data=slow, csrf=False).status_code == 302
    assert (bottle.stock, bottle.name) == (12, "Glass bottle")
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "product.counted")).one()
    assert entry.details == {"before": 10, "after": 15}


def test_an_edit_without_a_stock_change_keeps_sales_made_in_the_meantime(
    ben_client: FormClient, bottle: Product, cleo: User
) -> None:
    slow = form_values(ben_client, product_url(bottle), promo_text="New")
    create_order(cleo, bottle, quantity=3)
    assert ben_client.post(product_url(bottle), data=slow, csrf=False).status_code == 302
    assert (bottle.stock, bottle.promo_text) == (7, "New")


def test_the_stock_cannot_be_reduced_below_zero(ben_client: FormClient, bottle: Product, cleo: User) -> None:
    slow = form_values(ben_client, product_url(bottle), stock="1", name="Another name")
    create_order(cleo, bottle, quantity=4)
    response = ben_client.post(product_url(bottle), data=slow, csrf=False)
    assert (response.status_code, error_of(response.text, "stock")) == (
        422,
        "Only 6 are left now. Reload the page and check the stock.",
    )
    assert (bottle.stock, bottle.name) == (6, "Steel bottle")


def test_stock_tracking_is_switched_on_and_off(ben_client: FormClient, product: Product) -> None:
    submit(ben_client, product_url(product), stock="4")
    assert product.stock == 4
    late = form_values(ben_client, product_url(product), stock="9", seen_stock="")
    assert ben_client.post(product_url(product), data=late, csrf=False).status_code == 422
    submit(ben_client, product_url(product), stock="")
    assert product.stock is None


def test_an_order_keeps_its_lines_after_the_product_changes(
    ben_client: FormClient, bottle: Product, cleo: User
) -> None:
    order = create_order(cleo, bottle)
    number = order.lines[0].id
    submit(ben_client, product_url(bottle), name="Glass bottle", unit_amount="99", sku="NEW-1")
    ben_client.post(f"{product_url(bottle)}/show", data={"shown": "no"})
    assert (bottle.price_amount, bottle.is_active) == (9900, False)
    line = db.session.get_one(type(order.lines[0]), number)
    assert (line.title, line.unit_amount, line.sku) == ("Steel bottle", 2400, "STEEL-BOTTLE")


def test_hiding_and_showing_a_product_are_recorded_once_each(ben_client: FormClient, bottle: Product) -> None:
    ben_client.post(f"{product_url(bottle)}/show", data={"shown": "no"})
    assert not bottle.is_active
    ben_client.post(f"{product_url(bottle)}/show", data={"shown": "no"})
    ben_client.post(f"{product_url(bottle)}/show", data={"shown": "yes"})
    assert bottle.is_active
    assert [tag for tag in audit_tags() if tag.startswith("product.")] == ["product.hidden", "product.shown"]


def test_a_copied_product_is_hidden_with_no_stock(
    ben_client: FormClient, bottle: Product, create_option: Callable[..., ProductOption]
) -> None:
    create_option(bottle, "name", extra_amount=100)
    ben_client.post(f"{product_url(bottle)}/pictures", data={"pictures": (png_file(), "a.png")})
    response = ben_client.post(f"{product_url(bottle)}/duplicate")
    copy = db.session.scalars(sa.select(Product).where(Product.id != bottle.id)).one()
    assert response.location == product_url(copy)
    assert (copy.name, copy.slug, copy.is_active, copy.stock) == ("Steel bottle (copy)", "steel-bottle-copy", False, 0)
    assert [picture.name for picture in copy.pictures] == [picture.name for picture in bottle.pictures]
    assert [(option.key, option.extra_amount) for option in copy.options] == [("name", 100)]
    ben_client.post(f"{product_url(bottle)}/duplicate")
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Product)) == 3


# --- the list ---------------------------------------------------------------------------------------------------------


def test_the_product_list_is_searched_and_filtered(
    ben_client: FormClient, create_product: Callable[..., Product]
) -> None:
    create_product("Red mug", material="Clay", stock=2)
    create_product("Blue mug", stock=100, kind=ProductKind.GIFT_PACK)
    create_product("Old mug", is_active=False, stock=1)
    create_product("Gone mug", stock=0)

    def names(**question: str) -> set[str]:
        page = words_of(ben_client.get("/admin/products", query_string=question).text)
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


def test_a_long_product_list_is_paged(ben_client: FormClient, create_product: Callable[..., Product]) -> None:
    for number in range(51):
        create_product(f"Thing {number:02}")
    first, second = (words_of(ben_client.get(f"/admin/products?page={page}&search=thing").text) for page in (1, 2))
    assert "Thing 50" in first
    assert "Thing 00" not in first
    assert "Thing 00" in second


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_pictures_are_added_described_reordered_and_removed(ben_client: FormClient, bottle: Product) -> None:
    path = f"{product_url(bottle)}/pictures"
    data = {"pictures": [(png_file("red", (4000, 200)), "a.png"), (png_file("blue"), "b.png")]}
    assert ben_client.post(path, data=data).location == f"{product_url(bottle)}#pictures"
    red, blue = bottle.pictures
    with Image.open(io.BytesIO(ben_client.get(f"/uploads/{red.name}").data)) as drawn:
        assert (drawn.format, drawn.size) == ("WEBP", (1600, 80))
    assert ben_client.post(f"{path}/{red.id}", data={"alt": "A <red> bottle"}).status_code == 302
    assert "A &lt;red&gt; bottle" in ben_client.get(product_url(bottle)).text
    ben_client.post(f"{path}/{red.id}/move", data={"to": "down"})
    assert [picture.id for picture in bottle.pictures] == [blue.id, red.id]
    ben_client.post(f"{path}/{red.id}/move", data={"to": "down"})
    ben_client.post(f"{path}/{red.id}/move", data={"to": "sideways"})
    assert [picture.id for picture in bottle.pictures] == [blue.id, red.id]
    removed = blue.name
    ben_client.post(f"{path}/{blue.id}/remove")
    assert [picture.alt for picture in bottle.pictures] == ["A <red> bottle"]
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
def test_a_file_that_is_not_an_image_is_refused(
    ben_client: FormClient, bottle: Product, data: bytes | None, says: str
) -> None:
    sent = {"pictures": (io.BytesIO(data), "a.png")} if data is not None else {"pictures": ""}
    response = ben_client.post(f"{product_url(bottle)}/pictures", data=sent)
    assert response.status_code == 422
    assert says in error_of(response.text, "pictures")
    assert bottle.pictures == []


def test_an_image_above_the_size_limit_is_refused(ben_client: FormClient, bottle: Product) -> None:
    sent = {"csrf_token": ben_client.csrf_token(), "pictures": FileStorage(io.BytesIO(b"x" * 9_000_000), "a.png")}
    body, length, boundary = stream_encode_multipart(MultiDict(sent), use_tempfile=False)
    kind = f"multipart/form-data; boundary={boundary}"
    path = f"{product_url(bottle)}/pictures"
    response = ben_client.post(path, input_stream=body, content_length=length, content_type=kind, csrf=False)
    assert response.status_code == 422
    assert "This image is larger than 8 MB." in error_of(response.text, "pictures")


def test_an_image_with_too_many_pixels_is_refused_by_its_header(ben_client: FormClient, bottle: Product) -> None:
    bomb = io.BytesIO()
    Image.new("1", (9000, 9000)).save(bomb, "PNG")
    bomb.seek(0)
    response = ben_client.post(
        f"{product_url(bottle)}/pictures", data={"pictures": [(bomb, "big.png"), (png_file(), "a.png")]}
    )
    assert "big.png: This image has more than 25 megapixels." in error_of(response.text, "pictures")
    assert bottle.pictures == []


def test_a_product_has_at_most_twenty_pictures(ben_client: FormClient, create_product: Callable[..., Product]) -> None:
    full = create_product(pictures=[(f"{number:032x}.webp", "") for number in range(20)])
    response = ben_client.post(f"{product_url(full)}/pictures", data={"pictures": (png_file(), "a.png")})
    assert error_of(response.text, "pictures") == "A product can have up to 20 images."


# --- options ----------------------------------------------------------------------------------------------------------


def test_options_are_added_reordered_changed_and_removed(ben_client: FormClient, bottle: Product) -> None:
    path = f"{product_url(bottle)}/options"
    values = {
        "label": "Name to engrave",
        "kind": "text",
        "max_length": "12",
        "extra_amount": "2.50",
        "is_required": "y",
    }
    assert ben_client.post(f"{path}/new", data=values).location == f"{product_url(bottle)}#options"
    assert (
        ben_client.post(f"{path}/new", data={**values, "kind": "choice", "choices": "Ẹ 1\n\n Ẹ  1 \nTwo"}).status_code
        == 302
    )
    first, second = bottle.options
    assert (first.key, first.kind, first.max_length, first.extra_amount, first.is_required) == (
        "name_to_engrave", OptionKind.TEXT, 12, 250, True,
    )  # fmt: skip
    assert (second.key, second.choices, second.max_length) == ("name_to_engrave_a", ["Ẹ 1", "Two"], None)
    ben_client.post(f"{path}/{second.id}/move", data={"to": "up"})
    assert [option.id for option in bottle.options] == [second.id, first.id]
    page = f"{path}/{first.id}"
    slow = form_to(ben_client.get(page).text, "").values | {"label": "Typed slowly"}
    quick = form_to(ben_client.get(page).text, "").values | {"label": "Engraving"}
    assert ben_client.post(page, data=quick, csrf=False).status_code == 302
    response = ben_client.post(page, data=slow, csrf=False)
    assert response.status_code == 422
    assert "Typed slowly" in response.text
    assert (first.label, first.key) == ("Engraving", "name_to_engrave")
    ben_client.post(f"{path}/{first.id}/remove")
    assert [option.id for option in bottle.options] == [second.id]
    ben_client.post(f"{path}/set", data={"option_set": "engraved_goods"})
    assert [option.key for option in bottle.options][1:] == ["name", "color", "inscription", "phone", "location"]
    ben_client.post(f"{path}/set", data={"option_set": "engraved_goods"})
    assert len(bottle.options) == 6
    assert {tag for tag in audit_tags() if ".option" in tag} == {
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
def test_an_invalid_option_is_refused(
    ben_client: FormClient, bottle: Product, changes: dict[str, str], field: str, says: str
) -> None:
    values = {"label": "Name", "kind": "text", "choices": "", "extra_amount": "0", **changes}
    response = ben_client.post(f"{product_url(bottle)}/options/new", data=values)
    assert response.status_code == 422
    assert says in error_of(response.text, field)
    assert bottle.options == []


def test_options_and_pictures_of_another_product_are_not_found(
    ben_client: FormClient, bottle: Product, product: Product, create_option: Callable[..., ProductOption]
) -> None:
    option = create_option(product)
    ben_client.post(f"{product_url(product)}/pictures", data={"pictures": (png_file(), "a.png")})
    [shown] = product.pictures
    assert ben_client.get(f"{product_url(bottle)}/options/{option.id}").status_code == 404
    for path in (f"options/{option.id}/remove", f"options/{option.id}/move", f"pictures/{shown.id}/remove"):
        assert ben_client.post(f"{product_url(bottle)}/{path}").status_code == 404
    assert len(product.options) == len(product.pictures) == 1
