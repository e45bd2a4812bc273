"""The back office: who gets in, what staff do there, and that nothing is changed as a row."""

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
from tapcard.services.accounts import roles
from tapcard.services.cards import cards, claims, transitions
from tapcard.services.core import audit
from tests.conftest import FormClient, login
from tests.watching import error_of, form_to, words_of

CODE = "CARD2345"
REGISTER = "/admin/cards/register"
TABLES = ("cards", "outbox", "audit")


@pytest.fixture
def bens(client: FormClient, ben: User) -> FormClient:
    """Ben's browser."""
    login(client, ben)
    return client


@pytest.fixture
def stock(create_card: Callable[..., Card]) -> Card:
    """A card that waits, with a code."""
    return create_card(token="WAITING2", code=CODE)


@pytest.fixture
def with_role(create_user: Callable[..., User], new_client: Callable[[], FormClient]) -> Callable[[str], FormClient]:
    """The browser of somebody with a role; '' is signed out, 'holder' has none."""

    def browser(role: str) -> FormClient:
        client = new_client()
        if role:
            login(client, create_user(f"{role}@example.com", roles=[] if role == "holder" else [role]))
        return client

    return browser


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["", "holder", "teacher", "assistant"])
def test_nobody_else_changes_anything(
    app: Flask, with_role: Callable[[str], FormClient], stock: Card, card: Card, role: str
) -> None:
    client = with_role(role)
    fields = {"token": "BLANK222", "design": "0", "policy": "open", "host": "example.com", "id": str(card.id)}
    for rule in app.url_map.iter_rules():
        if str(rule).startswith("/admin") and "POST" in (rule.methods or ()):
            path = re.sub(r"<[^>]+>", str(card.id), str(rule))
            answer = client.post(path, data=fields)
            assert (answer.status_code, answer.location) == ((302, "/log-in") if role == "" else (404, None)), str(rule)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == 2
    assert db.session.scalar(sa.select(sa.func.count()).select_from(BlockedHost)) == 0


def test_who_may_look_may_not_register_too(with_role: Callable[[str], FormClient], stock: Card) -> None:
    db.session.add(Role(name="auditor", permissions=["backoffice.enter", "audit.view"]))
    db.session.commit()
    client = with_role("auditor")
    statuses = {path: client.get(path).status_code for path in (
        "/admin/", "/admin/tables/audit/", "/admin/tables/cards/", REGISTER, "/admin/hosts",
        "/admin/cards/WAITING2/code",
    )}  # fmt: skip
    assert statuses.pop("/admin/tables/audit/") == 200
    statuses.pop("/admin/")
    assert set(statuses.values()) == {404}
    db.session.execute(sa.delete(Role).where(Role.name == "auditor"))
    db.session.commit()


def test_rights_go_with_the_role_at_once(client: FormClient, ben: User) -> None:
    login(client, ben)
    assert client.get("/admin/").status_code == 200
    ben.roles = []
    assert client.get("/admin/").status_code == 404


# --- start ------------------------------------------------------------------------------------------------------------


def test_the_start_page_shows_what_needs_a_person(
    bens: FormClient, new_client: Callable[[], FormClient], stock: Card, card: Card, run_worker: Callable[[], None]
) -> None:
    for path in ("/t/NOSUCH22", "/t/NOSUCH22", "/t/ADASCARD"):
        new_client().get(path)
    db.session.add(OutboxMessage(kind="mail.x", payload={}, due_at=card.created_at, failed_at=card.created_at))
    run_worker()
    page = words_of(bens.get("/admin/").text)
    for number, label in (
        (1, "Active cards"),
        (1, "Unclaimed cards"),
        (0, "Locked cards"),
        (1, "Cards claimed, last 30 days"),
    ):
        assert re.search(rf"{label} {number}\b|\b{number} {label}", page), (label, page)
    assert "NOSUCH22 2" in page


def test_an_empty_installation_has_a_start_page(bens: FormClient) -> None:
    assert "All clear" in bens.get("/admin/").text


# --- registering a card -----------------------------------------------------------------------------------------------


def test_staff_who_tap_an_unknown_card_register_it_with_its_token_filled_in(
    bens: FormClient, new_client: Callable[[], FormClient], design: Design, keys: Any, ada: User
) -> None:
    answer = bens.get("/t/blank222")
    assert answer.location == f"{REGISTER}?token=BLANK222"
    page = bens.get(answer.location).text
    form = next(each for each in [form_to(page, "")] if "token" in each.values)
    assert form.values["token"] == "BLANK222"
    done = bens.post(REGISTER, data={**form.values, "design": str(design.id), "policy": "code"}, csrf=False)
    assert done.status_code == 200
    code = re.search(r">\s*([2-9A-HJKMNP-TV-Z]{8})\s*<", done.text)
    assert code
    made = cards.get_by_token("BLANK222")
    assert made is not None
    assert (made.design, made.status, made.owner) == (design, CardStatus.UNCLAIMED, None)
    assert claims.read_claim_code(made, keys) == code[1]
    hers = new_client()
    login(hers, ada)
    assert hers.post("/activate/BLANK222", data={"code": code[1]}).location == "/cards/BLANK222"


def test_everybody_else_reads_that_there_is_no_such_card(client: FormClient, ada: User) -> None:
    assert client.get("/t/BLANK222").status_code == 404
    login(client, ada)
    assert client.get("/t/BLANK222").status_code == 404


@pytest.mark.parametrize("token", [" blank222 ", "\tBLANK222\n", "\u00a0blank222\u00a0"])
def test_blanks_around_a_token_are_trimmed(bens: FormClient, token: str) -> None:
    assert bens.post(REGISTER, data={"token": token, "design": "0", "policy": "open"}).status_code == 200
    made = cards.get_by_token("BLANK222")
    assert made is not None
    assert (made.claim_policy, made.design, made.claim_code) == (ClaimPolicy.OPEN, None, None)


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
@pytest.mark.usefixtures("stock")
def test_what_cannot_be_registered_is_said_so_and_kept(
    bens: FormClient, changes: dict[str, str], field: str, says: str
) -> None:
    typed = {"token": "BLANK222", "design": "0", "policy": "code", **changes}
    answer = bens.post(REGISTER, data=typed)
    assert answer.status_code == 422
    if field:
        assert says in error_of(answer.text, field)
    assert form_to(answer.text, "").values["token"] == typed["token"]
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == 1


def test_the_form_of_a_new_card_sets_no_owner(bens: FormClient, ada: User) -> None:
    fields = {"token": "BLANK222", "design": "0", "policy": "open", "owner": str(ada.id), "owner_id": str(ada.id)}
    assert bens.post(REGISTER, data={**fields, "status": "active"}).status_code == 200
    made = cards.get_by_token("BLANK222")
    assert made is not None
    assert (made.owner_id, made.status) == (None, CardStatus.UNCLAIMED)


def test_registering_is_written_down(bens: FormClient, ben: User) -> None:
    bens.post(REGISTER, data={"token": "BLANK222", "design": "0", "policy": "open"})
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "card.registered")).one()
    made = cards.get_by_token("BLANK222")
    assert made is not None
    assert (entry.actor, entry.subject_id) == (ben, made.id)


# --- claim codes ------------------------------------------------------------------------------------------------------


def test_whoever_packs_a_card_sees_its_code_until_it_is_used(
    bens: FormClient, stock: Card, ada: User, keys: Any
) -> None:
    assert CODE in bens.get("/admin/cards/WAITING2/code").text
    claims.claim(stock, ada, keys, code=CODE)
    assert bens.get("/admin/cards/WAITING2/code").status_code == 404
    for token in ("NOSUCH22", "%00", "x" * 50):
        assert bens.get(f"/admin/cards/{token}/code").status_code == 404


def test_tables_never_show_a_claim_code(bens: FormClient, stock: Card) -> None:
    pages = [
        bens.get(path).text
        for path in ("/admin/tables/cards/", f"/admin/tables/cards/details/?id={stock.id}", "/admin/tables/audit/",
                     f"/admin/tables/cards/?search={CODE}", f"/admin/tables/cards/?search={stock.claim_code_hash}")
    ]  # fmt: skip
    assert "WAITING2" in pages[0]
    assert "WAITING2" in pages[1]
    for page in pages[:3]:
        assert CODE not in page
        assert str(stock.claim_code) not in page
        assert str(stock.claim_code_hash) not in page
    assert "WAITING2" not in pages[3] + pages[4], "nor can one be searched for"


# --- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.usefixtures("stock", "card")
def test_no_table_makes_changes_or_deletes_rows(bens: FormClient, table: str) -> None:
    page = bens.get(f"/admin/tables/{table}/").text
    for word in ("/new/", "/edit/", "/delete/", "/action/"):
        assert word not in page
    cards_before = db.session.scalar(sa.select(sa.func.count()).select_from(Card))
    for path in ("new/", "edit/?id=1", "delete/", "action/", "ajax/update/"):
        fields = {"id": "1", "rowid": "1", "action": "delete", "token": "HACKED", "list_form_pk": "1"}
        answer = bens.post(f"/admin/tables/{table}/{path}", data=fields)
        assert answer.status_code in (302, 400, 404, 405), path
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Card)) == cards_before
    assert cards.get_by_token("HACKED") is None


def tokens_on(page: str) -> list[str]:
    """Return the tokens in the first column of the list of cards."""
    return re.findall(r"details/\?id=\d+\">([^<]+)</a>", page)


def test_tables_continue_below_the_last_row_unless_sorted_otherwise(
    bens: FormClient, create_card: Callable[..., Card]
) -> None:
    tokens = [create_card(token=f"PAGED{number:03}").token for number in range(120)]
    path, pages = "/admin/tables/cards/?search=paged", []
    while path:
        page = bens.get(path).text
        pages.append(tokens_on(page))
        match = re.search(r'rel="next" href="([^"]+)"', page)
        path = match[1].replace("&amp;", "&") if match else ""
        assert not match or "before=" in path
    assert [len(page) for page in pages] == [50, 50, 20]
    assert [token for page in pages for token in page] == tokens[::-1]
    assert 'rel="prev" href="/admin/tables/cards/?search=paged"' in page
    assert tokens_on(bens.get("/admin/tables/cards/?search=paged&page=1").text) == pages[1], "as it was linked before"
    by_token = bens.get("/admin/tables/cards/?search=paged&sort=0&before=1").text
    assert tokens_on(by_token) == tokens[:50]
    assert "page=1" in by_token
    assert tokens_on(bens.get("/admin/tables/cards/?search=paged&before=x").text) == pages[0]


@pytest.mark.usefixtures("app")  # registers the kinds
def test_every_kind_of_email_has_a_label_of_its_own() -> None:
    labels = list(mail.LABELS.values())
    assert mail.LABELS.keys() == mail.KINDS.keys()
    assert len(set(labels)) == len(labels)
    assert not [label for label in labels if re.search(r"[_.]|[Tt]o owner", label) or not label[0].isupper()]


@pytest.mark.parametrize(
    ("search", "is_found"), [("", True), ("new ORDERS", True), ("order_to", True), ("shipping", False), ("%", False)]
)
def test_emails_are_listed_and_found_by_their_labels(bens: FormClient, search: str, is_found: bool) -> None:
    outbox.post("mail.order_to_owner", order_id=1)
    db.session.commit()
    rows = words_of(bens.get("/admin/tables/outbox/", query_string={"search": search}).text.partition("<tbody>")[2])
    assert ("New order (owner)" in rows) is is_found


@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize(
    ("words", "found"),
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
def test_cards_are_found_by_token_name_owner_and_design(bens: FormClient, card: Card, words: str, found: bool) -> None:
    page = bens.get("/admin/tables/cards/", query_string={"search": words}).text
    assert ("ADASCARD" in page.partition("<tbody>")[2]) is found


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "query",
    ["page=-1", "page=99999999999999999999999", "page=x", "sort=99", "sort=-1", "sort=x", "sort=0&desc=x", "search=%00",
     "search=" + "x" * 2000, "search='", "search=%25%25", "flt0_0=x", "flt1_999=1", "page_size=0",
     "page_size=999999999"],
)  # fmt: skip
@pytest.mark.usefixtures("stock")
def test_odd_questions_to_a_table_are_answered(bens: FormClient, table: str, query: str) -> None:
    assert bens.get(f"/admin/tables/{table}/?{query}").status_code in (200, 302)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("row", ["", "0", "-1", "x", "9" * 19, "9" * 5000, "%00", "1,2", "²", "1' OR '1'='1"])
def test_a_row_that_does_not_exist_leads_back_to_the_table(bens: FormClient, table: str, row: str) -> None:
    answer = bens.get(f"/admin/tables/{table}/details/?id={row}")
    assert (answer.status_code, answer.location) in ((302, f"/admin/tables/{table}/"), (404, None))


def test_an_audit_entry_tells_who_did_what(bens: FormClient, card: Card, ada: User) -> None:
    transitions.lock(card, LockedBecause.LOST, ada)
    page = words_of(bens.get("/admin/tables/audit/").text)
    assert "Card deactivated" in page
    assert "ada@example.com" in page


def test_the_details_of_an_audit_entry_have_no_python_values(bens: FormClient, ada: User) -> None:
    audit.record("user.verified", subject=ada, actor=ada, is_shut_out=False, fields=["first_name", "born_on"])
    db.session.commit()
    entry = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    page = words_of(bens.get(f"/admin/tables/audit/details/?id={entry.id}").text)
    assert "Is shut out: No; Fields: first_name, born_on" in page


def test_the_audit_log_is_searched_by_the_names_it_shows(bens: FormClient, card: Card, ada: User) -> None:
    transitions.lock(card, LockedBecause.LOST, ada)
    assert "ada@example.com" in words_of(bens.get("/admin/tables/audit/?search=card+deactivated").text)
    assert "No results" in words_of(bens.get("/admin/tables/audit/?search=card+claimed").text)


# --- blocked hosts ----------------------------------------------------------------------------------------------------


def test_a_blocked_host_switches_its_cards_off_and_allowing_it_on_again(
    bens: FormClient, new_client: Callable[[], FormClient], card: Card
) -> None:
    answer = bens.post("/admin/hosts", data={"host": "https://Example.com/login", "reason": "phishing"})
    assert answer.location == "/admin/hosts"
    page = bens.get("/admin/hosts").text
    assert "Domain blocked. Cards affected: 1." in page
    assert "phishing" in page
    assert "deactivated" in new_client().get("/t/ADASCARD").text
    form = form_to(page, "/admin/hosts/unblock")
    assert form.values["host"] == "example.com"
    assert bens.post("/admin/hosts/unblock", data=form.values, csrf=False).location == "/admin/hosts"
    assert new_client().get("/t/ADASCARD").status_code == 302
    assert "No blocked domains" in bens.get("/admin/hosts").text


@pytest.mark.parametrize(
    "host", ["", " ", "com", "two words", "mailto:a@b.example", "x" * 300, "a\0b.example", "http://"]
)
def test_what_is_no_host_is_said_so_and_kept(bens: FormClient, host: str) -> None:
    answer = bens.post("/admin/hosts", data={"host": host, "reason": "because"})
    assert answer.status_code == 422
    assert error_of(answer.text, "host")
    form = form_to(answer.text, "")
    assert (form.values["host"], form.values["reason"]) == (host.strip(), "because")


@pytest.mark.parametrize(
    ("host", "status"), [("good.example", 404), ("", 400), ("\0", 400), ("no host", 422), ("x" * 300, 400)]
)
def test_what_is_not_blocked_cannot_be_allowed(bens: FormClient, host: str, status: int) -> None:
    assert bens.post("/admin/hosts/unblock", data={"host": host}).status_code == status


def test_nobody_is_made_staff_by_the_back_office(bens: FormClient, ada: User) -> None:
    for path in ("/admin/", "/admin/hosts", REGISTER):
        assert "role" not in {field for form in [bens.get(path).text] for field in re.findall(r'name="(\w+)"', form)}
    assert set(roles.fixed_roles()) == {"owner", "staff", "teacher", "assistant"}
    assert ada.roles == []
