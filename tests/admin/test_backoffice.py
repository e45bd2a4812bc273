"""The back office: permissions, dashboard, registering cards, read-only tables and blocked domains."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import mail, outbox
from tapcard.db import db
from tapcard.models import (
    AuditEntry,
    BlockedHost,
    Card,
    CardStatus,
    ClaimPolicy,
    Design,
    LockedBecause,
    OutboxMessage,
    Role,
    User,
)
from tapcard.services.cards import cards, claims, transitions
from tapcard.services.core import audit
from tapcard.web import filters
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of

CODE = "CARD2345"
REGISTER = "/admin/cards/register"
TABLES = ("cards", "outbox", "audit")


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


@pytest.fixture
def unclaimed_card(create_card: Callable[..., Card]) -> Card:
    """Return an unclaimed card with a claim code."""
    return create_card(token="WAITING2", code=CODE)


@pytest.fixture
def client_with_role(
    create_user: Callable[..., User], new_client: Callable[[], FormClient]
) -> Callable[[str], FormClient]:
    """Return a function that logs in a user with a role; '' is logged out, 'holder' has no role."""

    def browser(role: str) -> FormClient:
        client = new_client()
        if role:
            login(client, create_user(f"{role}@example.com", roles=[] if role == "holder" else [role]))
        return client

    return browser


# --- permissions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["", "holder", "teacher", "assistant"])
def test_other_users_cannot_change_anything(
    app: Flask, client_with_role: Callable[[str], FormClient], unclaimed_card: Card, card: Card, role: str
) -> None:
    client = client_with_role(role)
    fields = {"token": "BLANK222", "design": "0", "policy": "open", "host": "example.com", "id": str(card.id)}
    for rule in app.url_map.iter_rules():
        if str(rule).startswith("/admin") and "POST" in (rule.methods or ()):
            path = re.sub(r"<[^>]+>", str(card.id), str(rule))
            response = client.post(path, data=fields)
            assert (response.status_code, response.location) == ((302, "/log-in") if role == "" else (404, None)), str(
                rule
            )
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BlockedHost)) == 0


def test_permission_to_view_does_not_allow_registering(
    client_with_role: Callable[[str], FormClient], unclaimed_card: Card
) -> None:
    db.session.add(Role(name="auditor", permissions=["backoffice.enter", "audit.view"]))
    db.session.commit()
    client = client_with_role("auditor")
    statuses = {path: client.get(path).status_code for path in (
        "/admin/", "/admin/tables/audit/", "/admin/tables/cards/", REGISTER, "/admin/hosts",
        "/admin/cards/WAITING2/code",
    )}  # fmt: skip
    assert statuses.pop("/admin/tables/audit/") == 200
    statuses.pop("/admin/")
    assert set(statuses.values()) == {404}
    db.session.execute(sa.delete(Role).where(Role.name == "auditor"))
    db.session.commit()


def test_losing_a_role_removes_its_permissions_at_once(client: FormClient, ben: User) -> None:
    login(client, ben)
    assert client.get("/admin/").status_code == 200
    ben.roles = []
    assert client.get("/admin/").status_code == 404


# --- dashboard --------------------------------------------------------------------------------------------------------


def test_the_dashboard_shows_open_tasks_and_figures(
    ben_client: FormClient,
    new_client: Callable[[], FormClient],
    unclaimed_card: Card,
    card: Card,
    run_worker: Callable[[], None],
) -> None:
    for path in ("/t/NOSUCH22", "/t/NOSUCH22", "/t/ADASCARD"):
        new_client().get(path)
    db.session.add(OutboxMessage(kind="mail.x", payload={}, due_at=card.created_at, failed_at=card.created_at))
    run_worker()
    page = words_of(ben_client.get("/admin/").text)
    for number, label in (
        (1, "Active cards"),
        (1, "Unclaimed cards"),
        (0, "Locked cards"),
        (1, "Cards claimed, last 30 days"),
    ):
        assert re.search(rf"{label} {number}\b|\b{number} {label}", page), (label, page)
    assert "NOSUCH22 2" in page


def test_the_dashboard_works_in_an_empty_installation(ben_client: FormClient) -> None:
    assert "All clear" in ben_client.get("/admin/").text


# --- registering a card -----------------------------------------------------------------------------------------------


def test_a_tap_by_staff_on_an_unknown_card_opens_the_registration_form(
    ben_client: FormClient, new_client: Callable[[], FormClient], design: Design, keys: Any, ada: User
) -> None:
    response = ben_client.get("/t/blank222")
    assert response.location == f"{REGISTER}?token=BLANK222"
    page = ben_client.get(response.location).text
    form = next(form for form in [form_to(page, "")] if "token" in form.values)
    assert form.values["token"] == "BLANK222"
    done = ben_client.post(REGISTER, data={**form.values, "design": str(design.id), "policy": "code"}, csrf=False)
    assert done.status_code == 200
    code = re.search(r">\s*([2-9A-HJKMNP-TV-Z]{8})\s*<", done.text)
    assert code
    card = cards.get_by_token("BLANK222")
    assert card is not None
    assert (card.design, card.status, card.owner) == (design, CardStatus.UNCLAIMED, None)
    assert claims.read_claim_code(card, keys) == code[1]
    hers = new_client()
    login(hers, ada)
    assert hers.post("/activate/BLANK222", data={"code": code[1]}).location == "/cards/BLANK222"


def test_an_unknown_card_is_not_found_for_everyone_else(client: FormClient, ada: User) -> None:
    assert client.get("/t/BLANK222").status_code == 404
    login(client, ada)
    assert client.get("/t/BLANK222").status_code == 404


@pytest.mark.parametrize("token", [" blank222 ", "\tBLANK222\n", "\u00a0blank222\u00a0"])
def test_surrounding_whitespace_of_a_token_is_stripped(ben_client: FormClient, token: str) -> None:
    assert ben_client.post(REGISTER, data={"token": token, "design": "0", "policy": "open"}).status_code == 200
    card = cards.get_by_token("BLANK222")
    assert card is not None
    assert (card.claim_policy, card.design, card.claim_code) == (ClaimPolicy.OPEN, None, None)


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"token": "waiting2"}, "token", "A card with this token already exists."),
        ({"token": ""}, "token", "Enter the card's token."),
        ({"token": "TWO WORDS"}, "token", "Use letters and numbers only."),
        ({"token": "BLANK-22"}, "token", "Use letters and numbers only."),
        ({"token": "ÄÖÜ"}, "token", "Use letters and numbers only."),
        ({"token": "٣٤٥"}, "token", "Use letters and numbers only."),
        ({"token": "x" * 21}, "token", "Enter 20 characters or fewer."),
        ({"token": "A\0B"}, "token", "Use letters and numbers only."),
        ({"design": "999999"}, "design", ""),
        ({"design": "x"}, "design", ""),
        ({"design": "9" * 30}, "design", ""),
        ({"policy": ""}, "", ""),
        ({"policy": "steal"}, "", ""),
    ],
)
@pytest.mark.usefixtures("unclaimed_card")
def test_an_invalid_registration_is_refused_and_the_form_keeps_the_token(
    ben_client: FormClient, changes: dict[str, str], field: str, says: str
) -> None:
    values = {"token": "BLANK222", "design": "0", "policy": "code", **changes}
    response = ben_client.post(REGISTER, data=values)
    assert response.status_code == 422
    if field:
        assert says in error_of(response.text, field)
    assert form_to(response.text, "").values["token"] == values["token"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == 1


def test_the_registration_form_cannot_set_owner_or_status(ben_client: FormClient, ada: User) -> None:
    fields = {"token": "BLANK222", "design": "0", "policy": "open", "owner": str(ada.id), "owner_id": str(ada.id)}
    assert ben_client.post(REGISTER, data={**fields, "status": "active"}).status_code == 200
    card = cards.get_by_token("BLANK222")
    assert card is not None
    assert (card.owner_id, card.status) == (None, CardStatus.UNCLAIMED)


def test_registering_a_card_is_recorded(ben_client: FormClient, ben: User) -> None:
    ben_client.post(REGISTER, data={"token": "BLANK222", "design": "0", "policy": "open"})
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "card.registered")).one()
    card = cards.get_by_token("BLANK222")
    assert card is not None
    assert (entry.actor, entry.subject_id) == (ben, card.id)


# --- claim codes ------------------------------------------------------------------------------------------------------


def test_the_claim_code_of_a_card_is_shown_until_it_is_claimed(
    ben_client: FormClient, unclaimed_card: Card, ada: User, keys: Any
) -> None:
    assert CODE in ben_client.get("/admin/cards/WAITING2/code").text
    claims.claim(unclaimed_card, ada, keys, code=CODE)
    assert ben_client.get("/admin/cards/WAITING2/code").status_code == 404
    for token in ("NOSUCH22", "%00", "x" * 50):
        assert ben_client.get(f"/admin/cards/{token}/code").status_code == 404


def test_tables_never_show_or_find_a_claim_code(ben_client: FormClient, unclaimed_card: Card) -> None:
    pages = [
        ben_client.get(path).text
        for path in (
            "/admin/tables/cards/",
            f"/admin/tables/cards/details/?id={unclaimed_card.id}",
            "/admin/tables/audit/",
            f"/admin/tables/cards/?search={CODE}",
            f"/admin/tables/cards/?search={unclaimed_card.claim_code_hash}",
        )
    ]
    assert "WAITING2" in pages[0]
    assert "WAITING2" in pages[1]
    for page in pages[:3]:
        assert CODE not in page
        assert str(unclaimed_card.claim_code) not in page
        assert str(unclaimed_card.claim_code_hash) not in page
    assert "WAITING2" not in pages[3] + pages[4], "claim codes are not searchable"


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("unclaimed_card", "card")
def test_tables_cannot_create_change_or_delete_rows(ben_client: FormClient, table: str) -> None:
    page = ben_client.get(f"/admin/tables/{table}/").text
    for word in ("/new/", "/edit/", "/delete/", "/action/"):
        assert word not in page
    cards_before = db.session.scalar(sa.select(sa.func.count()).select_from(Card))
    for path in ("new/", "edit/?id=1", "delete/", "action/", "ajax/update/"):
        fields = {"id": "1", "rowid": "1", "action": "delete", "token": "HACKED", "list_form_pk": "1"}
        response = ben_client.post(f"/admin/tables/{table}/{path}", data=fields)
        assert response.status_code in (302, 400, 404, 405), path
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == cards_before
    assert cards.get_by_token("HACKED") is None


def tokens_on(page: str) -> list[str]:
    """Return the tokens in the first column of the list of cards."""
    return re.findall(r"details/\?id=\d+\">([^<]+)</a>", page)


def test_tables_continue_below_the_last_row_unless_sorted_otherwise(
    ben_client: FormClient, create_card: Callable[..., Card]
) -> None:
    tokens = [create_card(token=f"PAGED{number:03}").token for number in range(120)]
    path, pages = "/admin/tables/cards/?search=paged", []
    while path:
        page = ben_client.get(path).text
        pages.append(tokens_on(page))
        match = re.search(r'rel="next" href="([^"]+)"', page)
        path = match[1].replace("&amp;", "&") if match else ""
        assert not match or "before=" in path
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [token for page in pages for token in page] == tokens[::-1]
    assert 'rel="prev" href="/admin/tables/cards/?search=paged"' in page
    assert tokens_on(ben_client.get("/admin/tables/cards/?search=paged&page=1").text) == pages[1], (
        "as it was linked before"
    )
    by_token = ben_client.get("/admin/tables/cards/?search=paged&sort=0&before=1").text
    assert tokens_on(by_token) == tokens[:50]
    assert "page=1" in by_token
    assert tokens_on(ben_client.get("/admin/tables/cards/?search=paged&before=x").text) == pages[0]


@pytest.mark.usefixtures("app")  # registers the kinds
def test_every_kind_of_email_has_a_label_of_its_own() -> None:
    labels = list(mail.LABELS.values())
    assert mail.LABELS.keys() == mail.KINDS.keys()
    assert len(set(labels)) == len(labels)
    assert not [label for label in labels if re.search(r"[_.]|[Tt]o owner", label) or not label[0].isupper()]


@pytest.mark.parametrize(
    ("search", "is_found"), [("", True), ("new ORDERS", True), ("order_to", True), ("shipping", False), ("%", False)]
)
def test_emails_are_listed_and_found_by_their_labels(ben_client: FormClient, search: str, is_found: bool) -> None:
    outbox.post("mail.order_to_owner", order_id=1)
    db.session.commit()
    rows = words_of(
        ben_client.get("/admin/tables/outbox/", query_string={"search": search}).text.partition("<tbody>")[2]
    )
    assert ("New order (owner)" in rows) is is_found


@pytest.mark.usefixtures("unclaimed_card")
@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("adascard", True),
        ("everyday", True),
        ("ada@example.com", True),
        ("dusk", True),
        ("DÚSK Everydays", True),
        ("a%card", False),
        ("adas_ard", False),
        ("WAITING2", False),
        ("NOSUCH", False),
    ],
)
def test_cards_are_found_by_token_name_owner_and_design(
    ben_client: FormClient, card: Card, words: str, is_found: bool
) -> None:
    page = ben_client.get("/admin/tables/cards/", query_string={"search": words}).text
    assert ("ADASCARD" in page.partition("<tbody>")[2]) is is_found


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "query",
    ["page=-1", "page=99999999999999999999999", "page=x", "sort=99", "sort=-1", "sort=x", "sort=0&desc=x", "search=%00",
     "search=" + "x" * 2000, "search='", "search=%25%25", "flt0_0=x", "flt1_999=1", "page_size=0",
     "page_size=999999999"],
)  # fmt: skip
@pytest.mark.usefixtures("unclaimed_card")
def test_invalid_table_parameters_do_not_break_the_page(ben_client: FormClient, table: str, query: str) -> None:
    assert ben_client.get(f"/admin/tables/{table}/?{query}").status_code in (200, 302)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("row", ["", "0", "-1", "x", "9" * 19, "9" * 5000, "%00", "1,2", "²", "1' OR '1'='1"])
def test_an_unknown_row_redirects_to_its_table(ben_client: FormClient, table: str, row: str) -> None:
    response = ben_client.get(f"/admin/tables/{table}/details/?id={row}")
    assert (response.status_code, response.location) in ((302, f"/admin/tables/{table}/"), (404, None))


def test_the_page_of_a_card_shows_zero_and_dashes_for_missing_values(ben_client: FormClient, card: Card) -> None:
    page = words_of(ben_client.get(f"/admin/tables/cards/details/?id={card.id}").text)
    assert "Imported taps 0 " in page
    assert "Chip UID – " in page


def test_the_page_of_an_email_is_named_after_its_kind(ben_client: FormClient) -> None:
    outbox.post("mail.weekly", user_id=1)
    db.session.commit()
    message_id = db.session.scalar(sa.select(sa.func.max(OutboxMessage.id)))
    html = ben_client.get(f"/admin/tables/outbox/details/?id={message_id}").text
    assert re.findall(r"<h1[^>]*>(.*?)</h1>", html) == [str(filters.email_kind("mail.weekly"))]


def test_an_audit_entry_shows_action_and_actor(ben_client: FormClient, card: Card, ada: User) -> None:
    transitions.lock(card, LockedBecause.LOST, ada)
    page = words_of(ben_client.get("/admin/tables/audit/").text)
    assert "Card deactivated" in page
    assert "ada@example.com" in page


def test_the_details_of_an_audit_entry_have_no_python_values(ben_client: FormClient, ada: User) -> None:
    audit.record("user.verified", subject=ada, actor=ada, is_shut_out=False, fields=["first_name", "born_on"])
    db.session.commit()
    entry = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    html = ben_client.get(f"/admin/tables/audit/details/?id={entry.id}").text
    page = words_of(html)
    [heading] = re.findall(r"<h1[^>]*>(.*?)</h1>", html)
    assert heading == str(filters.audit_action("user.verified"))
    assert "Is shut out: No; Fields: first_name, born_on" in page


def test_the_audit_log_is_searched_by_the_names_it_shows(ben_client: FormClient, card: Card, ada: User) -> None:
    transitions.lock(card, LockedBecause.LOST, ada)
    assert "ada@example.com" in words_of(ben_client.get("/admin/tables/audit/?search=card+deactivated").text)
    assert "No results" in words_of(ben_client.get("/admin/tables/audit/?search=card+claimed").text)


# --- blocked hosts ----------------------------------------------------------------------------------------------------


def test_blocking_a_domain_deactivates_its_cards_until_it_is_unblocked(
    ben_client: FormClient, new_client: Callable[[], FormClient], card: Card
) -> None:
    response = ben_client.post("/admin/hosts", data={"host": "https://Example.com/login", "reason": "phishing"})
    assert response.location == "/admin/hosts"
    page = ben_client.get("/admin/hosts").text
    assert "Domain blocked. Cards affected: 1." in page
    assert "phishing" in page
    assert "deactivated" in new_client().get("/t/ADASCARD").text
    form = form_to(page, "/admin/hosts/unblock")
    assert form.values["host"] == "example.com"
    assert ben_client.post("/admin/hosts/unblock", data=form.values, csrf=False).location == "/admin/hosts"
    assert new_client().get("/t/ADASCARD").status_code == 302
    assert "No blocked domains" in ben_client.get("/admin/hosts").text


@pytest.mark.parametrize(
    "host", ["", " ", "com", "two words", "mailto:a@b.example", "x" * 300, "a\0b.example", "http://"]
)
def test_an_invalid_domain_is_refused_and_the_form_keeps_the_values(ben_client: FormClient, host: str) -> None:
    response = ben_client.post("/admin/hosts", data={"host": host, "reason": "because"})
    assert response.status_code == 422
    assert error_of(response.text, "host")
    form = form_to(response.text, "")
    assert (form.values["host"], form.values["reason"]) == (host.strip(), "because")


@pytest.mark.parametrize(
    ("host", "status"), [("good.example", 404), ("", 400), ("\0", 400), ("no host", 422), ("x" * 300, 400)]
)
def test_a_domain_that_is_not_blocked_cannot_be_unblocked(ben_client: FormClient, host: str, status: int) -> None:
    assert ben_client.post("/admin/hosts/unblock", data={"host": host}).status_code == status


def test_the_back_office_has_no_form_for_roles(ben_client: FormClient, ada: User, ben: User) -> None:
    for path in ("/admin/", "/admin/hosts", REGISTER):
        assert not re.search(r'name="role', ben_client.get(path).text)
        ben_client.post(path, data={"role": "owner", "roles": "owner", "user_id": str(ada.id), "owner_id": str(ada.id)})
    assert (ada.roles, [role.name for role in ben.roles]) == ([], ["staff"])
