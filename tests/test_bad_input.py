"""Every form of every page, with everything that does not belong there: never a fault, never a lost form."""

import re
from collections.abc import Callable
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
from tests import purchases as buying
from tests.conftest import PASSWORD, FormClient, login
from tests.pages import PageForm, forms_on, walk

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

# each page with a form, who may see it, and what a good answer would be
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
    "/cart/lines/{line}": ("ada", {"quantity": "0"}),
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
SHOWN_ON = {  # forms that stand on another page, beside its own
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
ONLY_LOOKED_AT = (
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
def opened(
    new_client: Callable[[], FormClient], card: Card, profile: Profile, create_card: Callable[..., Card],
    ada: User, ben: User, cleo: User
) -> Callable[[str], tuple[FormClient, str, PageForm]]:  # fmt: skip
    """Open a page in a new browser; gives the browser, the path and the form, filled in well."""
    create_card(token="WAITING2", code="CARD2345")
    people, address = {"ada": ada, "ben": ben}, seeds.create_address(ada)
    product = seeds.create_product()
    db.session.commit()
    written = seeds.create_page()
    create_card(cleo, token="LOSTCARD", status=CardStatus.LOCKED, locked_because=LockedBecause.LOST)

    open_before: list[tuple[FormClient, str, str]] = []

    def form_of(client: FormClient, path: str, shown_on: str, good: dict[str, str]) -> PageForm | None:
        answer = client.get(shown_on)
        if answer.status_code != 200:
            return None  # the forms of an error page are others
        forms = [form for form in forms_on(answer.text) if is_of_the_page(form)]
        found = [each for each in forms if (each.action or shown_on).partition("?")[0] == path]
        if not found and len(forms) == 1 and not forms[0].action.startswith("/newsletter"):  # at the foot of many pages
            found = forms
        if len(found) != 1:
            return None
        found[0].values.update(good)
        return found[0]

    def open_page(page: str) -> tuple[FormClient, str, PageForm]:
        who, good = PAGES[page]
        if page == "/profiles/{profile}/links":  # a profile takes so many, and no more
            db.session.execute(sa.delete(ProfileLink))
            db.session.commit()
        if open_before:  # once more, unless what was sent has ended it
            client, path, shown_on = open_before[-1]
            form = form_of(client, path, shown_on, good)
            if form is not None:
                return client, path, form
        client = new_client()
        if who in people:
            login(client, people[who])
        link = email_links.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, utcnow()) if "{link}" in page else ""
        card = create_card(ada) if "{card}" in page else None
        extra = extra_link(profile).id if "{extra}" in page else None
        bought = got(ada) if "{bought}" in page or "shop" in SHOWN_ON.get(page, page) else None
        line = adas_line(ada) if page.startswith(("/cart/", "/wishlist", "/cards/order")) else None
        order = buying.order_of(ada, product).number if "{order}" in page else None
        if page.startswith("/checkout"):
            buying.cart_of(ada, product).checkout = {"first_name": "Ada", "last_name": "Obi", "address": buying.ADDRESS}
            db.session.commit()
        shop = things_of_the_shop() if page.startswith("/admin/") and "{" in page else {}
        values = {**shop, "link": link, "profile": profile.id, "address": address.id, "extra": extra, "order": order}
        values |= (
            ordered(page, ada) if page.startswith("/admin/") else {"user": ada.id, "paid": "", "care": "", "made": ""}
        )
        values |= {"bought": bought, "line": line, "page": written.id}
        path, shown_on = (each.format(card=card and card.token, **values) for each in (page, SHOWN_ON.get(page, page)))
        form = form_of(client, path, shown_on, good)
        assert form is not None, shown_on
        open_before.append((client, path, shown_on))
        return client, path, form

    return open_page


def got(user: User) -> str:
    """The slug of something that somebody has just bought and got, where prices show in another currency, too."""
    product = seeds.create_product()
    db.session.merge(DisplayRate(currency="EUR", rate=Decimal("1.17")))
    db.session.commit()
    slug = product.slug
    buying.deliver(buying.order_of(user, product))
    return slug


def adas_line(ada: User) -> int:
    """A line of Ada's cart, by its id; there is a way of delivery, a wish of hers, and a card to order."""
    found = db.session.scalar(sa.select(CartLine.id))
    if found is not None:
        return found
    journal, name = seeds.create_product(), ProductOption(key="name", kind=OptionKind.TEXT, label="Name")
    seeds.create_product("NFC card", kind=ProductKind.CARD, options=[name])
    seeds.create_delivery_method("By van", locations=["Ikeja", "Lekki"])
    wishlist.add(ada, journal)
    line = editing.add(carts.get_or_create(ada), LineRequest(journal, 2), buying.context(), reservations_for).line
    db.session.commit()
    return line.id


def things_of_the_shop() -> dict[str, int]:
    """One more of each thing that the catalogue's pages in the back office are about."""
    product = seeds.create_product(pictures=[(f"{1:032x}.webp", "")])
    made = {
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
    return {name: row.id for name, row in made.items()}


def ordered(page: str, ada: User) -> dict[str, Any]:
    """The parts of an address that are about an order: one that waits, one that is paid, one whose payment is odd."""
    values: dict[str, Any] = {"order": "", "paid": "", "care": "", "made": "", "user": ada.id}
    if "{made}" in page:
        sold = buying.cards_of(ada, 1)
        values["made"] = f"{sold.number}/cards/{sold.lines[0].cards[0].token}"
    for name in [name for name in ("order", "paid", "care") if f"{{{name}}}" in page]:
        order = buying.order_of(ada, seeds.create_product())
        values[name] = order.number
        if name != "order":
            payment = buying.pay(order)
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


def is_of_the_page(form: PageForm) -> bool:
    """Whether a form asks for anything; those in the menu and the one-button ones do not."""
    return any(kind != "hidden" for kind in form.kinds.values())


def send(client: FormClient, path: str, form: PageForm, **changes: Any) -> TestResponse:
    db.session.execute(sa.delete(ThrottleCounter))  # throttles have tests of their own
    data = {**form.values, **changes}
    if form.method == "get":
        return client.get(form.action or path, query_string=data)
    is_multipart = "file" in form.kinds.values()
    kind = "multipart/form-data" if is_multipart else "application/x-www-form-urlencoded"
    return client.post(form.action or path, data=data, content_type=kind, csrf=False)


def not_kept(answer: TestResponse, form: PageForm, sent: dict[str, str]) -> list[str]:
    """Return the fields that a refused form lost: every text is there again as it was typed, passwords are not."""
    again = next(
        (each for each in forms_on(answer.text) if is_of_the_page(each) and each.kinds.keys() >= {*form.typed()}), None
    )
    if again is None:
        return ["the form is gone"]
    lost = [
        f"{name} is not kept"
        for name in form.typed()
        if again.values[name].replace("\r\n", "\n") != sent[name].strip().replace("\r\n", "\n")
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
Opener = Callable[[str], tuple[FormClient, str, PageForm]]


class Trial:
    """Sends one form what does not belong there, and notes what went wrong."""

    def __init__(self, opened: Opener, page: str) -> None:
        self.opened, self.page = opened, page
        self.wrong: list[str] = []
        self.client, self.path, self.form = opened(page)

    def send(self, what: str, changes: dict[str, Any], *, allowed: tuple[int, ...] = ()) -> TestResponse | None:
        """Send the form with some changes; gives the answer if it is one that may be given."""
        try:
            answer = send(self.client, self.path, self.form, **changes)
        except Exception as error:
            db.session.rollback()
            self.wrong.append(f"{what}: {error!r}")
            return None
        if answer.status_code in (*REFUSED, *DONE, *allowed):
            return answer
        self.wrong.append(f"{what} got {answer.status_code}")
        return None

    def go_on(self, what: str, answer: TestResponse, sent: dict[str, str] | None) -> None:
        """After a refusal the form must still hold what was sent; after anything else it is opened again."""
        if answer.status_code not in REFUSED:
            self.client, self.path, self.form = self.opened(self.page)
        elif sent is not None:
            self.wrong += [f"{what}: {each}" for each in not_kept(answer, self.form, sent)]

    def texts(self) -> None:
        """Text that does not belong there is refused and kept."""
        names = [name for name, kind in self.form.kinds.items() if kind == "password" or name in self.form.typed()]
        for place, name in enumerate(names):
            for text in TEXTS if len(names) < 8 else TEXTS[place % 4 :: 4]:
                what = f"{name} = {text[:50]!r}"
                answer = self.send(what, {name: text})
                if answer is None:
                    continue
                if "<script>alert" in answer.text or 'href="javascript' in answer.text.lower():
                    self.wrong.append(f"{what} comes back as markup")
                if "Set-Cookie: a=b" in str(answer.headers):
                    self.wrong.append(f"{what} comes back as a header")
                self.go_on(what, answer, {**self.form.values, name: text})

    def choices(self) -> None:
        """A choice that is none breaks nothing."""
        for name in self.names("select", "radio", "checkbox", "hidden", "file"):
            for choice in CHOICES:
                what = f"{name} chosen as {choice[:50]!r}"
                # somebody else's card and one that does not exist are the same
                allowed = (404,) if (self.page, name) == ("/statistics", "card") else ()
                answer = self.send(what, {name: choice}, allowed=allowed)
                if answer is not None and answer.status_code not in allowed:
                    self.go_on(what, answer, self.form.values)

    def repeated_and_missing(self) -> None:
        """Fields that come twice, not at all or under another name break nothing."""
        for name in self.names():
            twice: dict[str, Any] = {name: [self.form.values.get(name, "one"), "two"]}
            otherwise = {f"{name}[]": "one", f"{name}[a][b]": "two", "": "three", name: []}
            for how, changes in (("twice", twice), ("under another name", otherwise)):
                what = f"{name} {how}"
                answer = self.send(what, changes)
                if answer is not None:
                    self.go_on(what, answer, None)

    def bodies(self) -> None:
        """A body that is no form is refused."""
        for body, kind in BODIES:
            answer = self.client.post(self.form.action or self.path, data=body, content_type=kind, csrf=False)
            if answer.status_code not in (400, 413, 415):
                self.wrong.append(f"{body!r} as {kind!r} got {answer.status_code}")

    def names(self, *kinds: str) -> list[str]:
        """The fields of some kinds, or all; the token of the form has tests of its own."""
        return [name for name, kind in self.form.kinds.items() if name != "csrf_token" and (not kinds or kind in kinds)]


@pytest.mark.parametrize("page", PAGES)
def test_input_that_does_not_belong_there_breaks_no_form(opened: Opener, page: str) -> None:
    trial = Trial(opened, page)
    trial.texts()
    trial.choices()
    trial.repeated_and_missing()
    if page not in ONLY_LOOKED_AT:
        trial.bodies()
    assert not trial.wrong, f"{page}:\n" + "\n".join(trial.wrong)


def shape(path: str) -> str:
    """An address without what names a row: one product's forms are like another's."""
    names = r"(?<=/)(?:\d+|TC-[0-9A-Z-]+)(?=/|$)|(?<=/products/)[^/]+|(?<=/cart/add/)[^/]+|(?<=/review/)[^/]+"
    return re.sub(names, "*", path)


def test_every_form_of_every_page_is_tried(
    new_client: Callable[[], FormClient], opened: Callable[[str], Any], profile: Profile, ada: User, ben: User
) -> None:
    extra = extra_link(profile).id
    [address] = db.session.scalars(addresses.owned_by(ada))
    bought, line = got(ada), adas_line(ada)
    values = {"profile": profile.id, "card": "ADASCARD", "address": address.id, "extra": extra}
    values |= {"bought": bought, "line": line, **things_of_the_shop()}
    values["page"] = db.session.scalars(sa.select(ShopPage.id)).one()
    values["order"] = values["paid"] = db.session.scalars(sa.select(Order.number)).one()
    values |= {"care": "", "made": "", "user": ada.id}
    tried = {page.format(link="", **values) for page in PAGES}
    tried |= {f"/admin/designs/{number}" for number in db.session.scalars(sa.select(Design.id))}  # of the cast's cards
    found = set()
    for user in (None, ada, ben):
        client = new_client()
        if user is not None:
            login(client, user)
        for path, form in walk(client, "/", "/dashboard", "/admin/", "/activate/WAITING2").forms:
            if is_of_the_page(form) and "search" not in form.kinds.values():
                found.add((form.action or path).partition("?")[0])
    tried.add("/cart/add/*")  # tests/shop/test_add_to_cart.py tries what a product asks
    tried.add("/orders/*/review/*")  # the form of a product's review, under the address of an order
    assert {shape(path) for path in found} - {shape(path) for path in tried} == set()
