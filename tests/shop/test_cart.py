"""Cart page: changing and removing lines, and its number of statements."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tapcard.db import db
from tapcard.models import (
    CartLine,
    Category,
    DeliveryMethod,
    OptionKind,
    Product,
    ProductOption,
    Promotion,
    User,
)
from tapcard.services.cart import credit
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of
from tests.shop.carts import add, badge, line_ids, lines, said
from tests.shop.test_add_to_cart import picture, sent
from tests.statements import queries, statements

# --- lines ------------------------------------------------------------------------------------------------------------


def test_the_cart_badge_is_correct_after_every_step(
    client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    assert badge(client) == "hidden"
    add(client, bottle, 2)
    assert badge(client) == "2"
    add(client, product)
    assert (badge(client), badge(client, "/designs"), badge(client, "/no/such/page")) == ("3", "3", "3")
    first, second = line_ids()
    client.post(f"/cart/lines/{first}", data={"quantity": "5"})
    assert (badge(client), badge(client, "/cart")) == ("6", "6")
    client.post(f"/cart/lines/{second}/remove")
    assert badge(client) == "5"
    assert badge(client, f"/cart/lines/{first}") == "5"
    login(client, ada)
    assert (badge(client), badge(client, "/dashboard")) == ("5", "5")
    client.post(f"/cart/lines/{line_ids()[0]}", data={"quantity": "0"})
    assert badge(client) == "5"
    client.post("/cart/clear")
    assert (badge(client), badge(client, "/cart"), lines()) == ("hidden", "hidden", [])


@pytest.mark.parametrize("typed", ["0", "-1", "100", "1.5", "NaN", "ten", "", "9" * 30, "٣", "1e1"])
def test_an_invalid_quantity_shows_an_error_next_to_its_line(client: FormClient, bottle: Product, typed: str) -> None:
    """H20, H28"""
    add(client, bottle, 2)
    [line_id] = line_ids()
    answer = client.post(f"/cart/lines/{line_id}", data={"quantity": typed})
    assert answer.status_code == 422
    assert "Enter a whole number from 1 to 99." in error_of(answer.text, f"quantity-{line_id}")
    assert form_to(answer.text, f"/cart/lines/{line_id}").values["quantity"] == typed
    assert client.post(f"/cart/lines/{line_id}").status_code == 422
    assert lines() == [(bottle.id, 2)]


def test_a_quantity_above_the_stock_is_capped_with_a_message(client: FormClient, bottle: Product) -> None:
    add(client, bottle, 2)
    assert client.post(f"/cart/lines/{line_ids()[0]}", data={"quantity": "50"}).location == "/cart"
    assert "Steel bottle: only 10 left" in said(client)
    assert lines() == [(bottle.id, 10)]


def test_unknown_lines_and_lines_of_other_visitors_are_not_found(
    client: FormClient, new_client: Callable[[], FormClient], bottle: Product, product: Product
) -> None:
    add(client, bottle, 2)
    [theirs] = line_ids()
    other = new_client()
    for _time in ("without a cart", "with one"):
        for line_id in (theirs, theirs + 1000):
            assert other.post(f"/cart/lines/{line_id}", data={"quantity": "1"}).status_code == 404
            assert other.post(f"/cart/lines/{line_id}/remove").status_code == 404
        add(other, product)
    for odd in ("0", "-1", "x", "1.5", "9" * 30):
        assert other.post(f"/cart/lines/{odd}", data={"quantity": "1"}).status_code == 404
    assert lines() == [(bottle.id, 2), (product.id, 2)]
    client.post(f"/cart/lines/{theirs}/remove")
    assert client.post(f"/cart/lines/{theirs}/remove").status_code == 404


def test_clearing_the_cart_asks_for_confirmation(client: FormClient, bottle: Product) -> None:
    assert client.get("/cart/clear").location == "/cart"
    add(client, bottle, 2)
    page = client.get("/cart/clear").text
    assert "This removes all 2 items" in page
    assert lines() == [(bottle.id, 2)]
    assert client.post("/cart/clear").location == "/cart"
    assert "Your cart is empty" in client.get("/cart").text


def test_the_sticky_summary_holds_only_total_and_checkout_button(
    client: FormClient, bottle: Product, create_delivery_method: Callable[..., DeliveryMethod]
) -> None:
    create_delivery_method("Post")
    add(client, bottle)
    before, _opening, beside = client.get("/cart").text.partition('<section class="tc-panel tc-summary beside"')
    beside = beside.partition("</section>")[0]
    assert "beside" not in before.partition('class="tc-columns')[2], "nothing else is sticky"
    for each in ("Total", 'href="/checkout"'):
        assert each in beside
    for each in ('name="delivery"', 'name="code"'):
        assert (each in before, each in beside) == (True, False)


def test_changed_lines_are_shown_before_payment(
    client: FormClient, bottle: Product, product: Product, create_product: Callable[..., Product]
) -> None:
    gone = create_product("Former")
    for thing, quantity in ((bottle, 3), (product, 1), (gone, 1)):
        add(client, thing, quantity)
    bottle.stock, product.unit_amount, gone.is_active = 1, 1250, False
    db.session.commit()
    words = said(client)
    for sentence in ("Only 1 left. You asked for 3.", "The price has changed from £10.00 to £12.50.",
                     "No longer available. It isn't included in the total.", "Accept changes",
                     "Total £36.50"):  # fmt: skip
        assert sentence in words, sentence
    assert "Check out" not in words
    assert lines() == [(bottle.id, 3), (product.id, 1), (gone.id, 1)], "a look changes nothing"
    assert client.post("/cart/accept").location == "/cart"
    words = said(client)
    assert "Changes accepted. Your cart is up to date." in words
    assert "Accept changes" not in words
    assert lines() == [(bottle.id, 1), (product.id, 1)]
    assert client.post("/cart/accept").location == "/cart"


def test_options_of_an_invalid_line_can_be_chosen_again(
    client: FormClient, engraved: Product, create_option: Callable[..., ProductOption]
) -> None:
    create_option(engraved, "name", OptionKind.TEXT)
    color = create_option(engraved, "color", OptionKind.COLOR, choices=["night", "sand"], is_required=True)
    add(client, engraved, 3, **{"option-color": "night", "option-name": "Ada", "option-logo": sent(picture())})
    [line_id] = line_ids()
    color.choices = ["sand", "sea"]
    db.session.commit()
    page = client.get("/cart").text
    words = words_of(page)
    for sentence in ("Color: “night” is no longer available. Choose again", "Update or remove the highlighted items"):
        assert sentence in words
    for button in ("Check out", "Accept changes"):
        assert button not in words
    client.post("/cart/accept")
    assert "up to date" not in said(client)
    path = f"/products/{engraved.slug}?instead={line_id}"
    assert f'href="{path}"' in page
    page = client.get(path).text
    form = form_to(page, f"/cart/add/{engraved.slug}")
    assert "Save changes" in page
    kept = {name: form.values[name] for name in ("option-name", "quantity", "instead")}
    assert kept == {"option-name": "Ada", "quantity": "3", "instead": str(line_id)}
    answers = {name: value for name, value in form.values.items() if name != "option-logo"}
    assert client.post(form.action, data=answers).status_code == 422, "the colour is missing"
    assert line_ids() == [line_id]
    assert client.post(form.action, data=answers | {"option-color": "sea"}).location == "/cart"
    [line] = db.session.scalars(select(CartLine)).all()
    assert (line.quantity, line.options["color"], line.options["name"]) == (3, "sea", "Ada")
    assert line.options["logo"] in line.pictures, "the picture goes along"
    words = said(client)
    assert "Steel bottle updated." in words
    assert "Check out" in words


@pytest.mark.parametrize("odd", ["x", "-1", "9" * 30, "٣", "999999", ""])
def test_an_unknown_line_cannot_be_chosen_again(
    client: FormClient, new_client: Callable[[], FormClient], bottle: Product, product: Product, odd: str
) -> None:
    other = new_client()
    add(other, bottle)
    [foreign] = line_ids()
    add(client, product)
    for instead in (odd, str(foreign), str(line_ids()[1])):
        assert client.get(f"/products/{bottle.slug}?instead={instead}").status_code == 200
        add(client, bottle, instead=instead)
    assert lines() == [(bottle.id, 1), (product.id, 1), (bottle.id, 3)]


def test_get_requests_change_nothing(client: FormClient, bottle: Product) -> None:
    """H24"""
    add(client, bottle, 2)
    [line_id] = line_ids()
    for path in (f"/cart/lines/{line_id}", f"/cart/lines/{line_id}/remove", "/cart/code", "/cart/code/drop",
                 "/cart/delivery", "/cart/credit", "/cart/accept"):  # fmt: skip
        assert client.get(path).status_code == 405, path
    for path in ("/cart", "/cart/clear", "/cart?clear=1&remove=1&quantity=5"):
        assert client.get(path).status_code == 200
    assert lines() == [(bottle.id, 2)]


def test_posts_require_a_csrf_token(client: FormClient, bottle: Product) -> None:
    add(client, bottle)
    for path in (f"/cart/lines/{line_ids()[0]}/remove", "/cart/clear", f"/cart/add/{bottle.slug}"):
        assert client.post(path, data={"quantity": "1"}, csrf=False).status_code == 400
    assert lines() == [(bottle.id, 1)]


# --- number of statements ---------------------------------------------------------------------------------------------


def note() -> ProductOption:
    return ProductOption(key="note", kind=OptionKind.TEXT, label="Note")


@pytest.mark.parametrize("who", ["guest", "ada"])
def test_the_page_runs_a_fixed_number_of_statements(
    client: FormClient, bottle: Product, ada: User, methods: list[DeliveryMethod],
    create_product: Callable[..., Product], create_promotion: Callable[..., Promotion],
    create_category: Callable[..., Category], who: str,
) -> None:  # fmt: skip
    if who == "ada":
        credit.give(ada, 500, "a present")
        db.session.commit()
        login(client, ada)
    shelf = create_category("Desk")
    bottle.category = shelf
    create_promotion("SHELF", category=shelf, most_uses_each=3)
    add(client, bottle)
    client.post("/cart/credit", data={"use": "y"})
    client.post("/cart/code", data={"code": "SHELF"})
    numbers = []
    for more in (1, 20):
        for _number in range(more):
            add(client, create_product(stock=3, category=shelf, options=[note()]))
        client.get("/cart")
        with statements(all_of_them=True) as asked:
            client.get("/cart")
        numbers.append(len(queries(asked)))
    assert numbers[0] == numbers[1]
    assert numbers[0] <= 12, "\n".join(queries(asked))


def test_the_cart_badge_adds_no_statement(client: FormClient, bottle: Product, ada: User) -> None:
    login(client, ada)
    add(client, bottle)
    client.get("/account")
    with statements() as asked:
        assert badge(client, "/account") == "1"
    assert [each for each in queries(asked) if "cart_lines" in each and "FROM users" not in each] == []
