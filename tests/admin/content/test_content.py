"""Content in the back office: pages, newsletter subscribers and messages of customers."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tapcard import seeds
from tapcard.admin.content import newsletter as newsletter_pages
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import AuditEntry, Role, ShopPage, SubscriberStatus, User
from tests.conftest import FormClient, login
from tests.pages import error_of, form_to, words_of
from tests.statements import queries, statements

EVIL = "=cmd|' /C calc'!A0"


@pytest.fixture
def ben_client(client: FormClient, ben: User) -> FormClient:
    """Return the client of Ben, who is staff."""
    login(client, ben)
    return client


def csv_rows(client: FormClient, path: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(client.get(path).get_data(as_text=True).removeprefix("\ufeff"))))


# --- pages ------------------------------------------------------------------------------------------------------------


def test_a_page_is_previewed_saved_published_and_unpublished(
    ben_client: FormClient, new_client: Callable[[], FormClient]
) -> None:
    visitor = new_client()
    draft = {"title": "Opening hours", "body": "# Monday\n\n<b>closed</b>", "menu": "footer", "position": "3"}
    seen = ben_client.post("/admin/pages/new", data={**draft, "preview": "y"})
    assert "<h2>Monday</h2>" in seen.text
    assert "&lt;b&gt;closed" in seen.text
    assert db.session.scalar(sa.select(ShopPage.id)) is None, "a preview saves nothing"
    saved = ben_client.post("/admin/pages/new", data=draft)
    assert saved.status_code == 302
    path = saved.location
    assert visitor.get("/pages/opening-hours").status_code == 404
    form = form_to(ben_client.get(path).text, "")
    form.values.pop("preview", None)
    ben_client.post(path, data={**form.values, "is_published": "y"}, csrf=False)
    assert "Monday" in visitor.get("/pages/opening-hours").text
    assert "Opening hours" in visitor.get("/").text
    assert "Opening hours" in ben_client.get("/admin/pages").text
    form = form_to(ben_client.get(path).text, "")
    values = {name: value for name, value in form.values.items() if name not in ("is_published", "preview")}
    assert ben_client.post(path, data=values, csrf=False).status_code == 302
    assert visitor.get("/pages/opening-hours").status_code == 404
    assert "Opening hours" in ben_client.get("/admin/pages").text, "the page is kept"
    tags = db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.tag.startswith("page.")).order_by("id")).all()
    assert tags == ["page.made", "page.changed", "page.changed"]


def test_an_outdated_page_form_keeps_its_values_and_can_be_saved_again(ben_client: FormClient) -> None:
    page = seeds.create_page("about", body="Old")
    db.session.commit()
    path = f"/admin/pages/{page.id}"
    one, two = (form_to(ben_client.get(path).text, "").values for _time in range(2))
    for values in (one, two):
        values.pop("preview", None)
    assert ben_client.post(path, data={**one, "body": "First"}, csrf=False).status_code == 302
    conflict = ben_client.post(path, data={**two, "body": "Second"}, csrf=False)
    assert conflict.status_code == 422
    assert "Someone else has saved this page" in words_of(conflict.text)
    assert page.body == "First"
    again = form_to(conflict.text, "").values
    again.pop("preview", None)
    assert again["body"].strip() == "Second"
    assert ben_client.post(path, data=again, csrf=False).status_code == 302
    assert page.body == "Second"


def test_a_used_page_url_shows_an_error_at_its_field(ben_client: FormClient) -> None:
    seeds.create_page("about")
    response = ben_client.post(
        "/admin/pages/new", data={"title": "x", "slug": "about", "menu": "none", "position": "0"}
    )
    assert response.status_code == 422
    assert "Another page already uses this address" in error_of(response.text, "slug")


def test_each_section_requires_its_own_permission(ben_client: FormClient) -> None:
    paths = {
        "pages.edit": "/admin/pages",
        "newsletter.view": "/admin/subscribers.csv",
        "enquiries.answer": "/admin/enquiries.csv",
    }
    role = db.session.scalars(sa.select(Role).where(Role.name == "staff")).one()
    usual = list(role.permissions)
    try:
        for permission, path in paths.items():
            role.permissions = [name for name in usual if name != permission]
            db.session.commit()
            assert {path: ben_client.get(path).status_code for path in paths.values()} == {
                other_path: 404 if other_path == path else 200 for other_path in paths.values()
            }
    finally:
        role.permissions = usual
        db.session.commit()


# --- subscribers ------------------------------------------------------------------------------------------------------


def test_subscribers_are_filtered_by_email_and_status_and_paged(
    ben_client: FormClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsletter_pages, "SUBSCRIBERS_PER_PAGE", 2)
    for number in range(5):
        status = SubscriberStatus.SUBSCRIBED if number == 2 else SubscriberStatus.PENDING
        seeds.create_subscriber(f"reader-{number}@example.com", status=status)
    seeds.create_subscriber("under_score@example.com")
    db.session.commit()
    page, seen = ben_client.get("/admin/subscribers").text, []
    while True:
        seen += [part.partition("<")[0] for part in page.split("<tr><td>")[1:]]
        if "before=" not in page:
            break
        page = ben_client.get("/admin/subscribers?before=" + page.partition("before=")[2].partition('"')[0]).text
    assert seen == ["under_score@example.com", *(f"reader-{number}@example.com" for number in (4, 3, 2, 1, 0))]
    subscribed = ben_client.get("/admin/subscribers?status=subscribed").text
    assert "reader-2@" in subscribed
    assert "reader-3@" not in subscribed
    assert [row[0] for row in csv_rows(ben_client, "/admin/subscribers.csv?search=R_SC")[1:]] == [
        "under_score@example.com"
    ]
    assert len(csv_rows(ben_client, "/admin/subscribers.csv")) == 7


def test_lists_run_a_fixed_number_of_queries(ben_client: FormClient) -> None:
    def asked(path: str) -> int:
        ben_client.get(path)
        db.session.commit()
        with statements(all_of_them=True) as recorded:
            ben_client.get(path)
        assert not any("count(" in statement.lower() for statement in recorded), "lists must not count rows"
        return len(queries(recorded))

    paths = ("/admin/pages", "/admin/subscribers", "/admin/enquiries", "/contact", "/newsletter")

    def grow(number: int) -> dict[str, int]:
        for place in range(number):
            seeds.create_page(f"page-{number}-{place}")
            seeds.create_subscriber(f"reader-{number}-{place}@example.com")
            seeds.create_enquiry()
        db.session.commit()
        return {path: asked(path) for path in paths}

    few = grow(2)
    assert grow(60) == few
    assert max(few.values()) <= 12


# --- messages ---------------------------------------------------------------------------------------------------------


def test_open_messages_come_first_and_answering_is_recorded(ben_client: FormClient, ben: User) -> None:
    waiting = seeds.create_enquiry("Gus Lind")
    seeds.create_enquiry("Cleo Nemo", answered_at=utcnow())
    db.session.commit()
    page = words_of(ben_client.get("/admin/enquiries").text)
    assert page.index("Gus Lind") < page.index("Cleo Nemo")
    path = f"/admin/enquiries/{waiting.id}"
    assert "Do you ship to Lagos?" in ben_client.get(path).text
    for _time in range(2):
        ben_client.post(f"{path}/answered")
    assert waiting.answered_at is not None
    ben_client.post(f"{path}/open")
    assert waiting.answered_at is None
    deeds = db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.actor_id == ben.id).order_by("id"))
    assert [tag for tag in deeds if tag.startswith("enquiry.")] == ["enquiry.answered", "enquiry.reopened"]


def test_messages_are_paged(ben_client: FormClient) -> None:
    for number in range(26):
        seeds.create_enquiry(f"Writer {number:02}", created_at=utcnow() - timedelta(hours=number))
    db.session.commit()
    assert "Writer 00" not in ben_client.get("/admin/enquiries").text
    assert "Writer 00" in ben_client.get("/admin/enquiries?page=2").text


def test_text_of_customers_is_escaped_in_pages_and_csv(ben_client: FormClient) -> None:
    enquiry = seeds.create_enquiry("<script>alert(1)</script>", message=EVIL, order_number="+1")
    seeds.create_subscriber("=1+1@example.com", consent_text=EVIL)
    db.session.commit()
    [_header, message] = csv_rows(ben_client, "/admin/enquiries.csv")
    assert message[3:5] == ["'+1", f"'{EVIL}"]
    [_header, reader] = csv_rows(ben_client, "/admin/subscribers.csv")
    assert (reader[0], reader[2]) == ("'=1+1@example.com", f"'{EVIL}")
    for path in ("/admin/enquiries", f"/admin/enquiries/{enquiry.id}", "/admin/subscribers"):
        assert "<script>alert" not in ben_client.get(path).text
