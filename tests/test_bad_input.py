"""Invalid input in every form of every page: no server error, and nothing submitted is lost."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import (
    Card,
    CardStatus,
    CartLine,
    Design,
    DesignStatus,
    DisplayRate,
    LinkPurpose,
    LockedBecause,
    OptionKind,
    Order,
    ProductKind,
    ProductOption,
    Profile,
    ProfileLink,
    ShopPage,
    ThrottleCounter,
    User,
)
from tapcard.services.accounts import addresses, email_links
from tapcard.services.cart import carts, editing, wishlist
from tapcard.services.cart.editing import LineRequest
from tapcard.services.orders.replacement import reservations_for
from tapcard.tokens import new_token
from tapcard.web import bot_protection
from tests import purchases
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import PageForm, error_of, follow_links, forms_on

pytestmark = pytest.mark.fuzz
TEXTS = (
    "",
    "   ",
    "x" * 5000,
    "a\0b",
    "a\x07b",
    "on\r\nSet-Cookie: a=b",
    "<script>alert(1)</script>",
    '" autofocus onfocus="alert(1)',
    "javascript:alert(1)",
    "JaVaScRiPt&colon;alert(1)",
    "java\tscript:alert(1)",
    "ｊavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//evil.example/%2f..",
    "http://localhost@evil.example",
    "{{ 7 * 7 }} %(x)s %s",
    "'; DROP TABLE cards; --",
    "9" * 30,
    "-1",
    "🂡 Ünïcode \u202e",
)
CHOICES = ("", "-1", "999999", "9" * 30, "1.5", "text", "a\0b", "x" * 5000)

# each page with a form, who may open it, and valid values
PAGES: dict[str, tuple[str, dict[str, str]]] = {
    "/sign-up": ("nobody", {"first_name": "Dora", "last_name": "Lu", "email": "dora@example.com", "password": PASSWORD,
                            "terms": "y"}),
    "/log-in": ("nobody", {"email": "ada@example.com", "password": "not the password"}),
    "/forgot-password": ("nobody", {"email": "ada@example.com"}),
    "/set-password/{link}": ("nobody", {"password": "battery staple correct"}),
    "/find-card": ("nobody", {"token": "WAITING2"}),
    "/activate/WAITING2": ("ada", {"code": "WRONG234"}),
    "/cards/ADASCARD": ("ada", {"alias": "Everyday", "target": "url", "reroute_url": "https://example.com/"}),
    "/cards/{card}/release": ("ada", {}),
    "/cards/ADASCARD/transfer": ("ada", {"email": "cleo@example.com"}),
    "/cards/ADASCARD/replace": ("ada", {"replacement": "another", "token": "WAITING2", "code": "WRONG234"}),
    "/t/LOSTCARD/found": ("nobody", {"message": "It is here.", "answer_to": "gus@example.com"}),
    "/profiles/new": ("ada", {"name": "Ada Obi", "slug": "ada-obi"}),
    "/profiles/{profile}": ("ada", {"name": "Ada Obi", "slug": "ada"}),
    "/p/ada/share": ("nobody", {"name": "Gus Lind", "email": "gus@example.com", "consent": "y"}),
    "/profiles/{profile}/links": ("ada", {"title": "Work", "url": "https://example.com/work"}),
    "/profiles/{profile}/links/{extra}": ("ada", {"title": "Work", "url": "https://example.com/work"}),
    "/statistics": ("ada", {"period": "7", "card": "ADASCARD"}),
    "/cards/{card}/qr.svg": ("ada", {"logo": "y"}),
    "/profiles/{profile}/qr.svg": ("ada", {"logo": "y"}),
    "/account": ("ada", {"first_name": "Ada", "last_name": "Obi"}),
    "/account/password": ("ada", {"current": "not the password", "password": "battery staple correct"}),
    "/account/email": ("ada", {"email": "new@example.com", "current": "not the password"}),
    "/account/confirm-password": ("ada", {"current": "not the password"}),
    "/account/two-factor/set-up": ("ada", {"code": "000000"}),
    "/account/close": ("ada", {"current": "not the password", "sure": "y"}),
    "/account/mails": ("ada", {}),
    "/account/addresses/new": ("ada", {"name": "Ada Obi", "line1": "1 High Street", "city": "London",
                                       "postal_code": "N1 9GU", "country": "GB"}),
    "/account/addresses/{address}": ("ada", {"name": "Ada Obi", "line1": "1 High Street", "city": "London",
                                             "postal_code": "N1 9GU", "country": "GB"}),
    "/admin/cards/register": ("ben", {"token": "WAITING2", "design": "0", "policy": "code"}),
    "/admin/hosts": ("ben", {"host": "two words", "reason": "phishing"}),
    "/shop": ("nobody", {"min": "5"}),
    "/products/{bought}/review": ("ada", {"rating": "5", "author": "Ada"}),
    "/currency": ("nobody", {"currency": "EUR"}),
    "/cart/lines/{line}": ("ada", {"quantity": "3"}),
    "/cart/code": ("ada", {"code": "NOSUCH"}),
    "/cart/delivery": ("ada", {"delivery": "0"}),
    "/wishlist/move": ("ada", {"product": "0"}),
    "/cards/order": ("nobody", {"design": "own", "quantity": "1", "option-name": "Gus"}),
    "/checkout": ("ada", {"first_name": "Ada", "last_name": "Obi", "address": "new", "line1": "1 High Street",
                          "city": "London", "postal_code": "N1 9GU", "country": "GB"}),
    "/checkout/place": ("ada", {"terms": "y", "gateway": "offline"}),
    "/orders/{order}/pay": ("ada", {"gateway": "offline"}),
    "/find-order": ("nobody", {"number": "TC-2222-2222", "email": "gus@example.com"}),
    "/newsletter": ("nobody", {"email": "gus@example.com"}),
    "/newsletter/start": ("nobody", {"email": "gus@example.com"}),
    "/contact": ("nobody", {"name": "Gus Lind", "email": "gus@example.com", "message": "Do you ship to Lagos?"}),
    "/admin/pages/new": ("ben", {"title": "Opening hours", "body": "# Monday"}),
    "/admin/pages/{page}": ("ben", {"title": "About us", "slug": "about", "body": "# Who we are"}),
    "/admin/products/new": ("ben", {"name": "Cup", "unit_amount": "5"}),
    "/admin/products/{product}": ("ben", {"name": "Cup", "unit_amount": "5"}),
    "/admin/products/{product}/pictures": ("ben", {}),
    "/admin/products/{product}/pictures/{picture}": ("ben", {"alt": "A cup"}),
    "/admin/products/{product}/options/new": ("ben", {"label": "Name"}),
    "/admin/products/{product}/options/{option}": ("ben", {"label": "Name"}),
    "/admin/products/{product}/options/set": ("ben", {}),
    "/admin/shelves/categories/new": ("ben", {"name": "Desk"}),
    "/admin/shelves/categories/{category}": ("ben", {"name": "Desk"}),
    "/admin/shelves/collections/new": ("ben", {"name": "Travel", "kind": "theme"}),
    "/admin/shelves/collections/{collection}": ("ben", {"name": "Travel"}),
    "/admin/promotions/new": ("ben", {"code": "TEN", "percent": "10"}),
    "/admin/promotions/{promotion}": ("ben", {"code": "TEN"}),
    "/admin/delivery/new": ("ben", {"name": "Post", "amount": "3"}),
    "/admin/delivery/{method}": ("ben", {"name": "Post"}),
    "/admin/currencies": ("ben", {"currency": "EUR", "rate": "1.2"}),
    "/admin/designs/new": ("ben", {"name": "Sun"}),
    "/admin/designs/{design}": ("ben", {"name": "Sun"}),
    "/admin/designs/{artwork}/reject": ("ben", {"why": "Too small"}),
    "/admin/orders/{order}/payment": ("ben", {"amount": "5.00", "how": "cash"}),
    "/admin/orders/{order}/cancel": ("ben", {"why": "Asked for"}),
    "/admin/orders/{order}/extend": ("ben", {"days": "14"}),
    "/admin/orders/{order}/note": ("ben", {"note": "Call first"}),
    "/admin/orders/{paid}/ship": ("ben", {"carrier": "Post", "tracking_number": "X1"}),
    "/admin/orders/{care}": ("ben", {"why": "Given back"}),
    "/admin/orders/{made}/swap": ("ben", {"token": "NOSUCH22"}),
    "/admin/credit/{user}": ("ben", {"amount": "5.00", "why": "Sorry"}),
}  # fmt: skip
SHOWN_ON = {  # forms on a page with other forms
    "/account/mails": "/account",
    "/cart/lines/{line}": "/cart",
    "/cart/code": "/cart",
    "/cart/delivery": "/cart",
    "/wishlist/move": "/wishlist",
    "/newsletter/start": "/",
    "/cards/{card}/qr.svg": "/cards/{card}",
    "/profiles/{profile}/qr.svg": "/profiles/{profile}",
    "/currency": "/shop",
    "/checkout/place": "/checkout/review",
    "/orders/{order}/pay": "/orders/{order}",
    "/admin/products/{product}/pictures": "/admin/products/{product}",
    "/admin/products/{product}/options/set": "/admin/products/{product}",
    "/admin/designs/{artwork}/reject": "/admin/designs/{artwork}",
}
READ_ONLY = (
    "/find-card",
    "/statistics",
    "/cards/{card}/qr.svg",
    "/profiles/{profile}/qr.svg",
    "/newsletter/start",
    "/shop",
)
REFUSED = (422, 429)
DONE = (200, 301, 302)


@pytest.fixture
def open_form(
    new_client: Callable[[], FormClient], card: Card, profile: Profile, create_card: Callable[..., Card],
    ada: User, ben: User, cleo: User
) -> Callable[[str], tuple[FormClient, str, PageForm]]:  # fmt: skip
    """Open a page in a new browser; returns the browser, the path and the form with valid values."""
    create_card(token="WAITING2", code="CARD2345")
    people, address = {"ada": ada, "ben": ben}, seeds.create_address(ada)
    product = seeds.create_product()
    db.session.commit()
    written = seeds.create_page()
    create_card(cleo, token="LOSTCARD", status=CardStatus.LOCKED, locked_because=LockedBecause.LOST)

    opened: list[tuple[FormClient, str, str]] = []

    def form_of(client: FormClient, path: str, shown_on: str, valid: dict[str, str]) -> PageForm | None:
        answer = client.get(shown_on)
        if answer.status_code != 200:
            return None  # error pages have other forms
        forms = [form for form in forms_on(answer.text) if has_visible_fields(form)]
        matches = [form for form in forms if (form.action or shown_on).partition("?")[0] == path]
        if not matches and len(forms) == 1 and not forms[0].action.startswith("/newsletter"):  # in many footers
            matches = forms
        if len(matches) != 1:
            return None
        matches[0].values.update(valid)
        return matches[0]

    def open_page(page: str) -> tuple[FormClient, str, PageForm]:
        role, valid = PAGES[page]
        if opened:  # again, unless the submission made it disappear
            client, path, shown_on = opened[-1]
            form = form_of(client, path, shown_on, valid)
            if form is not None:
                return client, path, form
        client = new_client()
        if role in people:
            login(client, people[role])
        link = email_links.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, utcnow()) if "{link}" in page else ""
        card = create_card(ada) if "{card}" in page else None
        extra = extra_link(profile).id if "{extra}" in page else None
        bought = bought_product(ada) if "{bought}" in page or "shop" in SHOWN_ON.get(page, page) else None
        line = cart_line(ada) if page.startswith(("/cart/", "/wishlist", "/cards/order")) else None
        order = purchases.create_order(ada, product).number if "{order}" in page else None
        if page.startswith("/checkout"):
            purchases.create_cart(ada, product).checkout = {
                "first_name": "Ada",
                "last_name": "Obi",
                "address": purchases.ADDRESS,
            }
            db.session.commit()
        shop = catalogue_rows() if page.startswith("/admin/") and "{" in page else {}
        values = {**shop, "link": link, "profile": profile.id, "address": address.id, "extra": extra, "order": order}
        if page.startswith("/admin/"):
            values |= order_values(page, ada)
        else:
            values |= {"user": ada.id, "paid": "", "care": "", "made": ""}
        values |= {"bought": bought, "line": line, "page": written.id}
        path, shown_on = (
            pattern.format(card=card and card.token, **values) for pattern in (page, SHOWN_ON.get(page, page))
        )
        form = form_of(client, path, shown_on, valid)
        assert form is not None, shown_on
        opened.append((client, path, shown_on))
        return client, path, form

    return open_page


def bought_product(user: User) -> str:
    """Return the slug of a product that a user has bought and received; prices are shown in another currency, too."""
    product = seeds.create_product()
    db.session.merge(DisplayRate(currency="EUR", rate=Decimal("1.17")))
    db.session.commit()
    slug = product.slug
    purchases.pay_and_deliver(purchases.create_order(user, product))
    return slug


def cart_line(ada: User) -> int:
    """Return the id of a line of Ada's cart, beside a delivery method, a wishlist and a card product."""
    line_id = db.session.scalar(sa.select(CartLine.id))
    if line_id is not None:
        return line_id
    journal, name = seeds.create_product(), ProductOption(key="name", kind=OptionKind.TEXT, label="Name")
    seeds.create_product("NFC card", kind=ProductKind.CARD, options=[name])
    seeds.create_delivery_method("By van", locations=["Ikeja", "Lekki"])
    wishlist.add(ada, journal)
    line = editing.add(carts.get_or_create(ada), LineRequest(journal, 2), purchases.context(), reservations_for).line
    db.session.commit()
    return line.id


def catalogue_rows() -> dict[str, int]:
    """Create one row of each kind that back office pages of the catalogue edit, and return their ids."""
    product = seeds.create_product(pictures=[(f"{1:032x}.webp", "")])
    rows = {
        "product": product,
        "picture": product.pictures[0],
        "option": seeds.create_option(product),
        "category": seeds.create_category(),
        "collection": seeds.create_collection(),
        "promotion": seeds.create_promotion(new_token()),
        "method": seeds.create_delivery_method(),
        "design": seeds.create_design("Ours"),
        "artwork": seeds.create_design("Own artwork", is_public=False, status=DesignStatus.REQUESTED),
    }
    db.session.commit()
    return {name: row.id for name, row in rows.items()}


def order_values(page: str, ada: User) -> dict[str, Any]:
    """Create the orders that a path names (pending, paid, with a refund to decide on) and return their numbers."""
    values: dict[str, Any] = {"order": "", "paid": "", "care": "", "made": "", "user": ada.id}
    if "{made}" in page:
        sold = purchases.order_cards(ada, 1)
        values["made"] = f"{sold.number}/cards/{sold.lines[0].cards[0].token}"
    for name in [name for name in ("order", "paid", "care") if f"{{{name}}}" in page]:
        order = purchases.create_order(ada, seeds.create_product())
        values[name] = order.number
        if name != "order":
            payment = purchases.pay(order)
            payment.refund_proposed = name == "care"
        if name == "care":
            values[name] = f"{order.number}/payments/{payment.public_id}/seen"
        db.session.commit()
    return values


def extra_link(profile: Profile) -> ProfileLink:
    link = ProfileLink(profile_id=profile.id, position=0, title="Work", url="https://example.com/work")
    db.session.add(link)
    db.session.commit()
    return link


def has_visible_fields(form: PageForm) -> bool:
    """Return whether a form has visible fields, unlike those in the menu and those with a single button."""
    return any(kind != "hidden" for kind in form.kinds.values())


def send(client: FormClient, path: str, form: PageForm, **changes: Any) -> TestResponse:
    db.session.execute(sa.delete(ThrottleCounter))  # rate limits have tests of their own
    data = {**form.values, **changes}
    if form.method == "get":
        return client.get(form.action or path, query_string=data)
    is_multipart = "file" in form.kinds.values()
    kind = "multipart/form-data" if is_multipart else "application/x-www-form-urlencoded"
    return client.post(form.action or path, data=data, content_type=kind, csrf=False)


def not_kept(response: TestResponse, form: PageForm, sent: dict[str, str]) -> list[str]:
    """Return the fields whose values a refused form lost; passwords must not come back."""
    names = {*form.typed()}
    forms = (candidate for candidate in forms_on(response.text) if has_visible_fields(candidate))
    again = next((candidate for candidate in forms if candidate.kinds.keys() >= names), None)
    if again is None:
        return ["the form is gone"]
    lost = [
        f"{name} is not kept"
        for name in form.typed()
        if again.values[name].strip().replace("\r\n", "\n") != sent[name].strip().replace("\r\n", "\n")
    ]
    return lost + [
        f"the password in {name} is shown"
        for name, kind in form.kinds.items()
        if kind == "password" and again.values[name]
    ]


BODIES = (
    (b"", "application/x-www-form-urlencoded"),
    (b"\xff\xfe=\x00&%zz=%", "application/x-www-form-urlencoded"),
    (b"not multipart at all", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--", "multipart/form-data; boundary=x"),
    (b"{", "application/json"),
    (b"<x/>", "text/xml"),
    (b"x", ""),
)
FormOpener = Callable[[str], tuple[FormClient, str, PageForm]]


class FormFuzzer:
    """Submits one form with invalid input and collects what went wrong.

    Each value is first submitted in all fields at once. Fields are validated one by one, so a value that a field
    refuses there is refused alone, too; a value that it accepts is submitted once more with all other fields valid.
    """

    def __init__(self, open_form: FormOpener, page: str) -> None:
        self.open_form, self.page = open_form, page
        self.problems: list[str] = []
        self.must_reopen: bool | None = None  # whether the form changes once it is accepted; unknown until then
        self.client, self.path, self.form = open_form(page)

    def submit(self, name: str, changes: dict[str, Any], *, allowed: tuple[int, ...] = ()) -> TestResponse | None:
        """Submit the form with some changes; return the response, or nothing after noting that it is a wrong one."""
        if self.page == "/profiles/{profile}/links":  # a profile has a limited number of them
            db.session.execute(sa.delete(ProfileLink))
        try:
            response = send(self.client, self.path, self.form, **changes)
        except Exception as error:
            db.session.rollback()
            self.problems.append(f"{name}: {error!r}")
            return None
        if response.status_code not in (*REFUSED, *DONE, *allowed):
            self.problems.append(f"{name} got {response.status_code}")
            return None
        if "<script>alert" in response.text or 'href="javascript' in response.text.lower():
            self.problems.append(f"{name} comes back as markup")
        if "Set-Cookie: a=b" in str(response.headers):
            self.problems.append(f"{name} comes back as a header")
        return response

    def follow_up(self, name: str, response: TestResponse, submitted: dict[str, str] | None) -> None:
        """Check that a refused form kept its values; open an accepted one again if it has changed."""
        if response.status_code in REFUSED:
            if submitted is not None:
                self.problems += [f"{name}: {problem}" for problem in not_kept(response, self.form, submitted)]
        elif self.must_reopen is not False or response.headers.get("Location", "").startswith("/log-in"):
            self.reopen()

    def reopen(self) -> None:
        """Open the form again and note whether an accepted one differs from the one before."""
        before = (self.client, self.path, self.hidden_values())
        self.client, self.path, self.form = self.open_form(self.page)
        self.must_reopen = bool(self.must_reopen) or before != (self.client, self.path, self.hidden_values())

    def hidden_values(self) -> dict[str, str]:
        kinds = self.form.kinds
        return {
            name: value
            for name, value in self.form.values.items()
            if kinds.get(name) in ("hidden", "readonly") and name != "csrf_token"
        }

    def texts(self) -> None:
        """Invalid text is refused and kept."""
        names = [name for name, kind in self.form.kinds.items() if kind == "password" or name in self.form.typed()]
        for start in range(len(TEXTS)):
            texts = {name: TEXTS[(start + place) % len(TEXTS)] for place, name in enumerate(names)}
            if not texts:
                break
            response = self.submit_text(f"texts from {TEXTS[start][:50]!r}", texts)
            if response is None or len(names) == 1:
                continue
            is_refused = response.status_code in REFUSED
            accepted = [name for name in names if not is_refused or not error_of(response.text, name)]
            for name in accepted:
                if len(names) < 8 or (start + names.index(name)) % 4 == names.index(name) % 4:
                    self.submit_text(f"{name} = {texts[name][:50]!r}", {name: texts[name]})

    def submit_text(self, name: str, texts: dict[str, str]) -> TestResponse | None:
        response = self.submit(name, dict(texts))
        if response is not None:
            self.follow_up(name, response, {**self.form.values, **texts})
        return response

    def choices(self) -> None:
        """A value that is not among the choices breaks nothing."""
        names = self.names("select", "radio", "checkbox", "hidden", "file")
        for choice in CHOICES if names else ():
            response = self.submit_choice(f"all chosen as {choice[:50]!r}", dict.fromkeys(names, choice))
            if response is None or len(names) == 1:
                continue
            for name in names:
                if response.status_code not in REFUSED or not error_of(response.text, name):
                    self.submit_choice(f"{name} chosen as {choice[:50]!r}", {name: choice})

    def submit_choice(self, name: str, choices: dict[str, str]) -> TestResponse | None:
        # another holder's card and one that does not exist are the same
        allowed = (404,) if self.page == "/statistics" and "card" in choices else ()
        response = self.submit(name, dict(choices), allowed=allowed)
        if response is not None and response.status_code not in allowed:
            self.follow_up(name, response, self.form.values)
        return response

    def repeated_and_missing(self) -> None:
        """Fields that come twice, not at all or under another name break nothing."""
        for name in self.names():
            twice: dict[str, Any] = {name: [self.form.values.get(name, "one"), "two"]}
            renamed: dict[str, Any] = {f"{name}[]": "one", f"{name}[a][b]": "two", "": "three", name: []}
            for label, changes in (("twice", twice), ("renamed", renamed)):
                response = self.submit(f"{name} {label}", changes)
                if response is not None:
                    self.follow_up(f"{name} {label}", response, None)

    def bodies(self) -> None:
        """A body that is not a form is refused."""
        for body, kind in BODIES:
            response = self.client.post(self.form.action or self.path, data=body, content_type=kind, csrf=False)
            if response.status_code not in (400, 413, 415):
                self.problems.append(f"{body!r} as {kind!r} got {response.status_code}")

    def names(self, *kinds: str) -> list[str]:
        """Return the fields of some kinds, or all; the form's token has tests of its own."""
        return [name for name, kind in self.form.kinds.items() if name != "csrf_token" and (not kinds or kind in kinds)]


@pytest.fixture
def fast_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let forms with bot protection accept what is submitted at once."""
    monkeypatch.setattr(bot_protection, "MIN_FILL_TIME", timedelta(0))


@pytest.mark.usefixtures("fast_typing")
@pytest.mark.parametrize("page", PAGES)
def test_invalid_input_never_breaks_a_form(open_form: FormOpener, page: str) -> None:
    fuzzer = FormFuzzer(open_form, page)
    fuzzer.texts()
    fuzzer.choices()
    fuzzer.repeated_and_missing()
    fuzzer.reopen()  # the form is still available
    if page not in READ_ONLY:
        fuzzer.bodies()
    assert not fuzzer.problems, f"{page}:\n" + "\n".join(fuzzer.problems)


def shape(path: str) -> str:
    """Return a path without the parts that name a row, as all products have the same forms."""
    names = r"(?<=/)(?:\d+|TC-[0-9A-Z-]+)(?=/|$)|(?<=/products/)[^/]+|(?<=/cart/add/)[^/]+|(?<=/review/)[^/]+"
    return re.sub(names, "*", path)


def test_every_form_of_every_page_is_fuzzed(
    new_client: Callable[[], FormClient], open_form: Callable[[str], Any], profile: Profile, ada: User, ben: User
) -> None:
    extra = extra_link(profile).id
    [address] = db.session.scalars(addresses.owned_by(ada))
    bought, line = bought_product(ada), cart_line(ada)
    values = {"profile": profile.id, "card": "ADASCARD", "address": address.id, "extra": extra}
    values |= {"bought": bought, "line": line, **catalogue_rows()}
    values["page"] = db.session.scalars(sa.select(ShopPage.id)).one()
    values["order"] = values["paid"] = db.session.scalars(sa.select(Order.number)).one()
    values |= {"care": "", "made": "", "user": ada.id}
    fuzzed = {page.format(link="", **values) for page in PAGES}
    fuzzed |= {f"/admin/designs/{number}" for number in db.session.scalars(sa.select(Design.id))}  # fixtures' cards
    paths = set()
    for user in (None, ada, ben):
        client = new_client()
        if user is not None:
            login(client, user)
        for path, form in follow_links(client, "/", "/dashboard", "/admin/", "/activate/WAITING2").forms:
            if has_visible_fields(form) and "search" not in form.kinds.values():
                paths.add((form.action or path).partition("?")[0])
    fuzzed.add("/cart/add/*")  # tests/shop/test_add_to_cart.py tests its options
    fuzzed.add("/orders/*/review/*")  # the form of /products/…/review with the path of an order
    assert {shape(path) for path in paths} - {shape(path) for path in fuzzed} == set()
