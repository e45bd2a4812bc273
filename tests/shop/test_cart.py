"""Cart page: changing lines, codes, delivery and credit, and merging carts at login."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pyotp
import pytest
import sqlalchemy as sa
from sqlalchemy import select

from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Cart,
    CartLine,
    Category,
    DeliveryKind,
    DeliveryMethod,
    OptionKind,
    Product,
    ProductOption,
    Promotion,
    ThrottleCounter,
    TwoFactor,
    User,
)
from tapcard.services.cart import credit, editing, merging
from tapcard.services.core.rate_limits import LIMITS, Limit, Limits
from tests import purchases as buying
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import error_of, form_to, words_of
from tests.shop.test_add_to_cart import picture, sent
from tests.statements import queries, statements


def add(client: FormClient, product: Product, quantity: int = 1, **fields: Any) -> None:
    answer = client.post(f"/cart/add/{product.slug}", data={"quantity": str(quantity), **fields})
    assert answer.location == "/cart"


def lines() -> list[tuple[int | None, int]]:
    return [(line.product_id, line.quantity) for line in db.session.scalars(select(CartLine).order_by(CartLine.id))]


def line_ids() -> list[int]:
    return list(db.session.scalars(select(CartLine.id).order_by(CartLine.id)))


def the_cart() -> Cart:
    return db.session.scalars(select(Cart)).one()


def badge(client: FormClient, path: str = "/") -> str:
    return client.get(path).text.partition("data-cart-count")[2].partition("</span>")[0].strip(" >")


def said(client: FormClient) -> str:
    return words_of(client.get("/cart").text)


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


# --- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_lowers_the_total_until_it_is_removed(
    client: FormClient, bottle: Product, create_promotion: Callable[..., Promotion]
) -> None:
    create_promotion("WELCOME10")
    add(client, bottle)
    assert client.post("/cart/code", data={"code": " welcome10 "}).location == "/cart"
    words = said(client)
    assert "Discount (WELCOME10) −£2.40" in words
    assert "Total £21.60" in words
    client.post("/cart/code/drop")
    assert "Total £24.00" in said(client)
    assert db.session.scalars(select(Promotion)).one().use_count == 0, "typing a code uses nothing up"


def test_each_refusal_of_a_code_has_its_own_error_message(
    client: FormClient, bottle: Product, ada: User, create_promotion: Callable[..., Promotion],
    create_product: Callable[..., Product],
) -> None:  # fmt: skip
    """H30"""
    day, now = timedelta(days=1), utcnow()
    for code, values in {
        "SOON": {"starts_at": now + day}, "LATE": {"ends_at": now - day}, "BIG": {"minimum_amount": 5000},
        "OTHER": {"product": create_product("Other")}, "MEMBERS": {"needs_account": True}, "OFF": {"is_active": False},
        "GONE": {"most_uses": 1, "use_count": 1},
    }.items():  # fmt: skip
        create_promotion(code, **values)
    add(client, bottle)
    for code, sentence in {
        "": "Enter a code.", "NOPE": "That code isn't valid.", "OFF": "That code isn't valid.",
        "currency": "That code isn't valid.", "shop_name": "That code isn't valid.",
        "x" * 5000: "That code isn't valid.",
        "SOON": "isn't active yet", "LATE": "has expired", "BIG": "Spend at least £50.00",
        "OTHER": "doesn't apply to anything in your cart", "MEMBERS": "customers with an account",
        "GONE": "usage limit", "<b>": "That code isn't valid",
    }.items():  # fmt: skip
        db.session.execute(sa.delete(ThrottleCounter))  # these have their own test
        answer = client.post("/cart/code", data={"code": code})
        assert answer.status_code == 422, code
        assert sentence in error_of(answer.text, "code"), code
        assert "Steel bottle" in answer.text
    assert the_cart().promotion is None


def test_entering_codes_is_throttled(
    client: FormClient, bottle: Product, create_promotion: Callable[..., Promotion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "promotion_code", Limits(account=Limit(2, 60), address=Limit(9, 60)))
    create_promotion("WELCOME10")
    add(client, bottle)
    answers = [client.post("/cart/code", data={"code": code}) for code in ("A", "B", "WELCOME10")]
    assert [answer.status_code for answer in answers] == [422, 422, 429]
    assert "Too many attempts" in answers[-1].text
    assert the_cart().promotion is None


def test_a_code_that_no_longer_applies_is_left_out_with_its_reason(
    client: FormClient, bottle: Product, create_promotion: Callable[..., Promotion]
) -> None:
    promotion = create_promotion("WELCOME10")
    add(client, bottle)
    client.post("/cart/code", data={"code": "WELCOME10"})
    promotion.ends_at = utcnow() - timedelta(days=1)
    db.session.commit()
    words = said(client)
    assert "Code not applied: This code has expired." in words
    assert "Total £24.00" in words


# --- delivery, credit -------------------------------------------------------------------------------------------------


@pytest.fixture
def methods(create_delivery_method: Callable[..., DeliveryMethod]) -> list[DeliveryMethod]:
    return [
        create_delivery_method("Parcel", DeliveryKind.PERCENT, percent=1000, free_from_amount=5000, position=1),
        create_delivery_method("By van", locations=["Ikeja", "Lekki"], position=2),
        create_delivery_method("Collect it", DeliveryKind.PICKUP, position=3),
        create_delivery_method("Former", is_active=False, position=0),
    ]


def test_the_first_delivery_method_is_used_until_another_is_chosen(
    client: FormClient, bottle: Product, methods: list[DeliveryMethod]
) -> None:
    add(client, bottle)
    words = said(client)
    assert "Spend £26.00 more for free delivery" in words
    assert "Parcel £2.40" in words
    assert "Total £26.40" in words
    assert the_cart().checkout == {}
    van = methods[1].id
    data = {"delivery": str(van), f"location-{van}": "Lekki"}
    assert client.post("/cart/delivery", data=data).location == "/cart"
    assert the_cart().checkout == {"delivery_method_id": van, "delivery_location": "Lekki"}
    assert "Total £27.50" in said(client)
    values = form_to(client.get("/cart").text, "/cart/delivery").values
    assert values.pop("csrf_token")
    assert values == data
    client.post("/cart/delivery", data={"delivery": str(methods[2].id)})
    assert the_cart().checkout["delivery_location"] == ""
    assert "Total £24.00" in said(client)


def test_a_delivery_method_that_is_not_offered_is_refused(
    client: FormClient, bottle: Product, methods: list[DeliveryMethod]
) -> None:
    add(client, bottle)
    for odd in ("", str(methods[3].id), "0", "-1", "x", "9" * 30, "1.5"):
        answer = client.post("/cart/delivery", data={"delivery": odd})
        assert (answer.status_code, error_of(answer.text, "delivery")) == (422, "Choose a delivery method."), odd
    van = methods[1].id
    for place in ("", "Paris", "ikeja"):
        answer = client.post("/cart/delivery", data={"delivery": str(van), f"location-{van}": place})
        assert (answer.status_code, error_of(answer.text, f"location-{van}")) == (422, "Choose a delivery location."), (
            place
        )
    assert the_cart().checkout == {}


def test_only_users_with_credit_can_spend_it(
    client: FormClient, bottle: Product, ada: User, cleo: User, new_client: Callable[[], FormClient]
) -> None:
    credit.give(ada, 500, "a present")
    db.session.commit()
    login(client, ada)
    add(client, bottle)
    assert "Use my credit (£5.00)" in said(client)
    client.post("/cart/credit", data={"use": "y"})
    words = said(client)
    assert "Store credit −£5.00" in words
    assert "Total £19.00" in words
    client.post("/cart/credit")
    assert "Total £24.00" in said(client)
    other = new_client()
    add(other, bottle)
    other.post("/cart/credit", data={"use": "y"})
    assert "credit" not in said(other)
    assert "Total £24.00" in said(other)


# --- merging ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def engraved(bottle: Product, create_option: Callable[..., object]) -> Product:
    create_option(bottle, "logo", OptionKind.PICTURE)
    return bottle


def test_a_guest_cart_is_merged_once_at_login(
    client: FormClient, engraved: Product, product: Product, ada: User
) -> None:
    """H19"""
    buying.cart_of(ada, product, quantity=2)
    add(client, engraved, 2, **{"option-logo": sent(picture())})
    add(client, product, 3)
    picture_names = db.session.scalars(select(CartLine.pictures).where(CartLine.product_id == engraved.id)).one()
    login(client, ada)
    assert sorted(lines()) == sorted([(product.id, 5), (engraved.id, 2)])
    assert f"/uploads/{picture_names[0]}" in client.get("/cart").text
    assert badge(client) == "7"
    client.post("/log-out")
    assert badge(client) == "hidden"
    assert "Your cart is empty" in client.get("/cart").text
    add(client, product)
    assert badge(client) == "1"
    login(client, ada)
    assert badge(client) == "8"


def test_a_guest_cart_is_kept_at_sign_up(client: FormClient, engraved: Product) -> None:
    """H19"""
    add(client, engraved, 2, **{"option-logo": sent(picture())})
    client.post("/sign-up", data={"first_name": "Dora", "last_name": "Lu", "email": "dora@example.com",
                                  "password": PASSWORD, "terms": "y"})  # fmt: skip
    assert badge(client) == "2"
    cart = the_cart()
    assert cart.user is not None
    assert len(cart.lines[0].pictures) == 1


def test_login_with_a_full_cart_lists_the_lines_left_out(
    monkeypatch: pytest.MonkeyPatch, client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    buying.cart_of(ada, product)
    add(client, bottle)
    monkeypatch.setattr(editing, "MAX_LINES", 1)
    assert login(client, ada).location == "/dashboard"
    assert f"{bottle.name} wasn&#39;t added because your cart is full." in client.get("/dashboard").text
    assert lines() == [(product.id, 1)]


def test_quantities_capped_at_login_show_a_message(
    client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    buying.cart_of(ada, bottle, product, quantity=6)
    add(client, bottle, 6)
    add(client, product, 99)
    login(client, ada)
    words = said(client)
    assert "Steel bottle: only 10 left. All of them are in your cart." in words
    assert f"{product.name}: you can order up to 99 at a time." in words


def test_a_guest_cart_survives_a_database_failure_at_login(
    monkeypatch: pytest.MonkeyPatch, client: FormClient, bottle: Product, ada: User
) -> None:
    add(client, bottle)
    with monkeypatch.context() as patch:
        patch.setattr(
            merging, "merge_guest_cart", Mock(side_effect=sa.exc.OperationalError("", {}, Exception("locked")))
        )
        assert login(client, ada).status_code == 503
    client.post("/account/confirm-password", data={"current": PASSWORD})
    assert badge(client) == "1"


def test_a_guest_cart_is_merged_after_the_second_factor(
    client: FormClient, bottle: Product, product: Product, ada: User
) -> None:
    secret, now = pyotp.random_base32(), utcnow()
    buying.cart_of(ada, product)
    sealed = buying.keys().encrypt(secret)
    db.session.add(TwoFactor(user_id=ada.id, secret=sealed, created_at=now, confirmed_at=now, last_step=0))
    db.session.commit()
    add(client, bottle, 2)
    assert login(client, ada).location == "/log-in/code"
    assert badge(client) == "2", "nobody is signed in yet"
    client.post("/log-in/code", data={"code": pyotp.TOTP(secret).now()})
    assert badge(client) == "3"


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
