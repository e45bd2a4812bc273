"""Every form of every page, with everything that does not belong there: never a fault, never a lost form."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import Card, CardStatus, LinkPurpose, LockedBecause, Profile, ProfileLink, ThrottleCounter, User
from tapcard.services import accounts, addresses
from tests import buying
from tests.conftest import PASSWORD, FormClient, login
from tests.watching import PageForm, forms_on, walk

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
    "/admin/orders/{order}/payment": ("ben", {"amount": "5.00", "how": "cash"}),
    "/admin/orders/{order}/cancel": ("ben", {"why": "Asked for"}),
    "/admin/orders/{order}/extend": ("ben", {"days": "14"}),
    "/admin/orders/{order}/note": ("ben", {"note": "Call first"}),
    "/admin/orders/{paid}/ship": ("ben", {"carrier": "Post", "tracking_number": "X1"}),
    "/admin/orders/{care}": ("ben", {"why": "Given back"}),
    "/admin/credit/{user}": ("ben", {"amount": "5.00", "why": "Sorry"}),
}  # fmt: skip
SHOWN_ON = {  # forms that stand on another page, beside its own
    "/account/mails": "/account",
    "/cards/{card}/qr.svg": "/cards/{card}",
    "/profiles/{profile}/qr.svg": "/profiles/{profile}",
}
ONLY_LOOKED_AT = ("/find-card", "/statistics", "/cards/{card}/qr.svg", "/profiles/{profile}/qr.svg")
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
    create_card(cleo, token="LOSTCARD", status=CardStatus.LOCKED, locked_because=LockedBecause.LOST)

    def open_page(page: str) -> tuple[FormClient, str, PageForm]:
        who, good = PAGES[page]
        client = new_client()
        if who in people:
            login(client, people[who])
        link = accounts.issue_link(ada, LinkPurpose.SET_PASSWORD, ada.email, utcnow()) if "{link}" in page else ""
        card = create_card(ada) if "{card}" in page else None
        extra = extra_link(profile).id if "{extra}" in page else None
        values = {"link": link, "profile": profile.id, "address": address.id, "extra": extra}
        values |= ordered(page, ada)
        path, shown_on = (each.format(card=card and card.token, **values) for each in (page, SHOWN_ON.get(page, page)))
        forms = [form for form in forms_on(client.get(shown_on).text) if is_of_the_page(form)]
        [form] = [each for each in forms if (each.action or shown_on) == path or len(forms) == 1]
        form.values.update(good)
        return client, path, form

    return open_page


def ordered(page: str, ada: User) -> dict[str, Any]:
    """The parts of an address that are about an order: one that waits, one that is paid, one whose payment is odd."""
    values: dict[str, Any] = {"order": "", "paid": "", "care": "", "user": ada.id}
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


def is_kept(answer: TestResponse, form: PageForm, sent: dict[str, str]) -> None:
    """The form is there again, with every text as it was typed; passwords are not shown."""
    again = next(
        each for each in forms_on(answer.text) if is_of_the_page(each) and each.kinds.keys() >= {*form.typed()}
    )
    for name in form.typed():
        assert again.values[name].replace("\r\n", "\n") == sent[name].strip().replace("\r\n", "\n"), name
    for name, kind in form.kinds.items():
        if kind == "password":
            assert again.values[name] == ""


@pytest.mark.parametrize("page", PAGES)
def test_text_that_does_not_belong_there_is_refused_and_kept(
    opened: Callable[[str], tuple[FormClient, str, PageForm]], page: str
) -> None:
    client, path, form = opened(page)
    names = [name for name, kind in form.kinds.items() if kind == "password" or name in form.typed()]
    for place, name in enumerate(names):
        for text in TEXTS if len(names) < 8 else TEXTS[place % 4 :: 4]:
            answer = send(client, path, form, **{name: text})
            assert answer.status_code in (*REFUSED, *DONE), f"{name}: {text[:50]!r} got {answer.status_code}"
            assert "<script>alert" not in answer.text
            assert 'href="javascript' not in answer.text.lower()
            assert "Set-Cookie: a=b" not in str(answer.headers)
            if answer.status_code in REFUSED:
                is_kept(answer, form, {**form.values, name: text})
            else:
                client, path, form = opened(page)


@pytest.mark.parametrize("page", PAGES)
def test_a_choice_that_is_none_breaks_nothing(
    opened: Callable[[str], tuple[FormClient, str, PageForm]], page: str
) -> None:
    client, path, form = opened(page)
    choosing = [name for name, kind in form.kinds.items() if kind in ("select", "radio", "checkbox", "hidden", "file")]
    for name in choosing:
        if name == "csrf_token":
            continue
        for choice in CHOICES:
            answer = send(client, path, form, **{name: choice})
            if (page, name, answer.status_code) == ("/statistics", "card", 404):
                continue  # somebody else's card and one that does not exist are the same
            assert answer.status_code in (*REFUSED, *DONE), f"{name}: {choice[:50]!r} got {answer.status_code}"
            if answer.status_code in REFUSED:
                is_kept(answer, form, form.values)
            else:
                client, path, form = opened(page)


@pytest.mark.parametrize("page", PAGES)
def test_fields_that_come_twice_not_at_all_or_under_another_name_break_nothing(
    opened: Callable[[str], tuple[FormClient, str, PageForm]], page: str
) -> None:
    client, path, form = opened(page)
    for name in form.kinds:
        if name == "csrf_token":
            continue
        twice: dict[str, Any] = {name: [form.values.get(name, "one"), "two"]}
        otherwise = {f"{name}[]": "one", f"{name}[a][b]": "two", "": "three", name: []}
        for changes in (twice, otherwise):
            answer = send(client, path, form, **changes)
            assert answer.status_code in (*REFUSED, *DONE), name
            if answer.status_code in DONE:
                client, path, form = opened(page)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in ONLY_LOOKED_AT])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "application/x-www-form-urlencoded"),
        (b"\xff\xfe=\x00&%zz=%", "application/x-www-form-urlencoded"),
        (b"not multipart at all", "multipart/form-data; boundary=x"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--x--", "multipart/form-data; boundary=x"),
        (b"{", "application/json"),
        (b"<x/>", "text/xml"),
        (b"x", ""),
    ],
    ids=str,
)
def test_a_body_that_is_no_form_is_refused(
    opened: Callable[[str], tuple[FormClient, str, PageForm]], page: str, body: bytes, kind: str
) -> None:
    client, path, form = opened(page)
    answer = client.post(form.action or path, data=body, content_type=kind, csrf=False)
    assert answer.status_code in (400, 413, 415)


def test_every_form_of_every_page_is_tried(
    new_client: Callable[[], FormClient], opened: Callable[[str], Any], profile: Profile, ada: User, ben: User
) -> None:
    extra = extra_link(profile).id
    [address] = db.session.scalars(addresses.owned_by(ada))
    values = {"profile": profile.id, "card": "ADASCARD", "address": address.id, "extra": extra}
    values |= ordered("", ada)
    tried = {page.format(link="", **values) for page in PAGES}
    found = set()
    for user in (None, ada, ben):
        client = new_client()
        if user is not None:
            login(client, user)
        for path, form in walk(client, "/", "/dashboard", "/admin/", "/activate/WAITING2").forms:
            if is_of_the_page(form) and "search" not in form.kinds.values():
                found.add((form.action or path).partition("?")[0])
    assert found - tried == set()
