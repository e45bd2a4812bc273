"""The leads of a holder: page, exports, emails and ownership."""

import csv
import io
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest
import sqlalchemy as sa
import vobject

from tapcard import outbox, seeds
from tapcard.db import db
from tapcard.models import Card, Lead, Profile, ProfileAction, ProfileActionKind, User
from tapcard.web.csvs import escape_formula
from tests.conftest import FormClient, login
from tests.pages import words_of


@pytest.fixture
def gus_lead(profile: Profile) -> Lead:
    """Return a lead of Gus on Ada's profile."""
    lead = seeds.create_lead(profile, "Gus Lind", email="gus@example.com", phone="+447700900123", note="At the fair")
    db.session.commit()
    return lead


@pytest.fixture
def ada_client(client: FormClient, ada: User) -> FormClient:
    """Return the client of Ada."""
    login(client, ada)
    return client


# --- ownership --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/leads/{id}.vcf", "/leads/{id}/delete"])
def test_only_the_holder_can_view_and_delete_a_lead(
    new_client: Callable[[], FormClient],
    ada_client: FormClient,
    gus_lead: Lead,
    cleo: User,
    ben: User,
    olu: User,
    path: str,
) -> None:
    path = path.format(id=gus_lead.id)
    assert ada_client.get(path).status_code == 200
    for user in (cleo, ben, olu):
        client = new_client()
        login(client, user)
        response = client.get(path)
        assert response.status_code == 404
        assert "Gus" not in response.text
        assert client.post(f"/leads/{gus_lead.id}/delete").status_code == 404
        for listed in ("/leads", "/leads.csv", "/leads.vcf", "/dashboard", f"/leads?profile={gus_lead.profile_id}"):
            assert "Gus" not in client.get(listed).text
    assert new_client().get(path).location == f"/log-in?next={path}"
    assert db.session.get(Lead, gus_lead.id) is not None


def test_an_unverified_holder_sees_no_leads(ada_client: FormClient, gus_lead: Lead, ada: User) -> None:
    ada.verified_at = None
    db.session.commit()
    page = ada_client.get("/leads")
    assert page.status_code == 200
    assert "Confirm your email first" in page.text
    for path in ("/leads", "/leads.csv", "/leads.vcf", "/dashboard", "/leads?search=gus"):
        assert "Gus" not in ada_client.get(path).text
    assert ada_client.get(f"/leads/{gus_lead.id}.vcf").status_code == 404
    assert ada_client.post(f"/leads/{gus_lead.id}/delete").status_code == 404


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_shows_all_details_of_a_lead(ada_client: FormClient, gus_lead: Lead) -> None:
    page = ada_client.get("/leads").text
    for text in ("Gus Lind", "gus@example.com", "+44 7700 900123", "At the fair", gus_lead.consent_text):
        assert text in words_of(page)
    assert 'href="mailto:gus@example.com"' in page
    assert 'href="tel:+447700900123"' in page
    assert "Gus Lind" in ada_client.get("/dashboard").text


def test_a_lead_shows_the_tapped_card_unless_it_belongs_to_another_user(
    ada_client: FormClient, gus_lead: Lead, card: Card, cleo: User, create_card: Callable[..., Card]
) -> None:
    gus_lead.card_id = card.id
    db.session.commit()
    assert "after tapping Everyday" in words_of(ada_client.get("/leads").text)
    gus_lead.card_id = create_card(cleo, alias="Secret").id
    db.session.commit()
    assert "Secret" not in ada_client.get("/leads").text


def test_an_empty_page_links_to_the_profile(ada_client: FormClient, ada: User, create_profile: Any) -> None:
    assert "Create profile" in ada_client.get("/leads").text
    create_profile(ada, "ada")
    assert "View profile" in ada_client.get("/leads").text


def test_text_of_visitors_is_escaped(ada_client: FormClient, profile: Profile) -> None:
    markup = "\"'><script>alert(1)</script>"
    seeds.create_lead(profile, markup, email="gus@example.com", note=f"{markup}\n{{{{ 7*7 }}}}", consent_text=markup)
    db.session.commit()
    for path in ("/leads", "/dashboard", f"/leads?search={markup}"):
        assert "<script>alert" not in ada_client.get(path).text


def test_leads_are_searched_filtered_and_paged(
    ada_client: FormClient, gus_lead: Lead, ada: User, create_profile: Callable[..., Profile]
) -> None:
    other_profile = create_profile(ada, "private")
    for number in range(60):
        seeds.create_lead(other_profile, f"Visitor {number:02}")
    db.session.commit()
    assert "Page 1 of 3" in ada_client.get("/leads").text
    assert "Page 3 of 3" in ada_client.get("/leads?page=99").text
    assert "Gus Lind" in ada_client.get("/leads?page=3").text
    page = ada_client.get(f"/leads?profile={other_profile.id}&page=2").text
    assert f"/leads?profile={other_profile.id}&amp;page=3" in page
    assert "Gus Lind" not in page
    assert "Gus Lind" in ada_client.get("/leads?search=FAIR").text
    assert "No leads found" in ada_client.get("/leads?search=nobody").text
    for odd in ("0", "-1", "x", "9" * 40, "1.5", "%00"):
        assert ada_client.get(f"/leads?page={odd}&profile={odd}&search={odd}").status_code == 200


def test_the_page_counts_actions_of_visitors(ada_client: FormClient, profile: Profile, gus_lead: Lead) -> None:
    for number, kind in enumerate([ProfileActionKind.CONTACT_SAVED] * 3 + [ProfileActionKind.LINK_OPENED] * 2):
        db.session.add(
            ProfileAction(profile_id=profile.id, kind=kind, happened_at=gus_lead.created_at, visitor=str(number))
        )
    db.session.commit()
    assert "Contacts saved 3 Links opened 2 Leads received 0" in words_of(ada_client.get("/leads").text)


def test_deleting_a_lead_asks_for_confirmation(ada_client: FormClient, gus_lead: Lead) -> None:
    assert "Delete the lead Gus Lind?" in ada_client.get(f"/leads/{gus_lead.id}/delete").text
    assert db.session.get(Lead, gus_lead.id) is not None
    assert ada_client.post(f"/leads/{gus_lead.id}/delete", csrf=False).status_code == 400
    assert ada_client.post(f"/leads/{gus_lead.id}/delete").location == "/leads"
    assert db.session.scalar(sa.select(Lead)) is None


# --- files ------------------------------------------------------------------------------------------------------------


def csv_rows(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.get_data(as_text=True).removeprefix("\ufeff"))))


def test_leads_are_exported_as_csv(ada_client: FormClient, gus_lead: Lead, profile: Profile) -> None:
    seeds.create_lead(profile, "=HYPERLINK(1)", email="x@example.com", note="@SUM(A1)\nsecond")
    db.session.commit()
    response = ada_client.get("/leads.csv")
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    assert response.headers["Cache-Control"] == "no-store"
    header, formula, row = csv_rows(response)
    assert header == ["Name", "Email", "Phone", "Note", "Profile", "Received", "Consent"]
    assert row[:5] == ["Gus Lind", "gus@example.com", "'+447700900123", "At the fair", "Ada Obi"]
    assert row[6] == gus_lead.consent_text
    assert (formula[0], formula[3]) == ("'=HYPERLINK(1)", "'@SUM(A1)\nsecond")
    assert [row[0] for row in csv_rows(ada_client.get("/leads.csv?search=fair"))[1:]] == ["Gus Lind"]


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "\u00a0=1", "\ufeff@a"]
)
def test_a_cell_that_looks_like_a_formula_is_escaped(cell: str) -> None:
    assert escape_formula(cell).startswith("'")
    assert "\0" not in escape_formula(cell)


@pytest.mark.parametrize(("cell", "text"), [("Gus", "Gus"), (None, ""), (7, "7"), ("a=b", "a=b"), ("", "")])
def test_other_cells_stay_unchanged(cell: object, text: str) -> None:
    assert escape_formula(cell) == text


def test_leads_are_exported_as_vcards(ada_client: FormClient, gus_lead: Lead, profile: Profile) -> None:
    seeds.create_lead(profile, "Ngozi", phone="+2348035550177")
    db.session.commit()
    response = ada_client.get("/leads.vcf")
    assert response.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert [card.fn.value for card in vobject.readComponents(response.text)] == ["Ngozi", "Gus Lind"]
    single = ada_client.get(f"/leads/{gus_lead.id}.vcf")
    assert single.headers["Content-Disposition"] == f'attachment; filename="contact-{gus_lead.id}.vcf"'
    assert vobject.readOne(single.text).email.value == "gus@example.com"


# --- emails -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def send_lead_email(run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]) -> Callable[[Lead], Any]:
    """Return a function that queues the email about a lead, runs the worker and returns the email, or None."""

    def send(lead: Lead) -> EmailMessage | None:
        outbox.post("mail.lead_received", lead_id=lead.id)
        run_worker()
        return next(iter(mailbox()), None)

    return send


def test_the_holder_gets_an_email_and_can_reply_to_the_lead(
    send_lead_email: Callable[[Lead], Any], gus_lead: Lead
) -> None:
    message = send_lead_email(gus_lead)
    assert message["To"] == "ada@example.com"
    assert message["Reply-To"] == "gus@example.com"
    assert message["Subject"] == "Gus Lind shared their contact details with you"
    text = message.get_body(("plain",)).get_content()
    for words in ("Gus Lind", "gus@example.com", "+447700900123", "At the fair", "http://localhost/leads"):
        assert words in text
    assert "mailto:gus@example.com" in message.get_body(("html",)).get_content()


def test_replies_to_a_lead_without_an_email_address_go_to_the_shop(
    send_lead_email: Callable[[Lead], Any], profile: Profile, set_setting: Callable[[str, Any], None]
) -> None:
    set_setting("support_email", "help@example.com")
    assert (
        send_lead_email(seeds.create_lead(profile, "Ngozi", phone="+2348035550177"))["Reply-To"] == "help@example.com"
    )


def test_text_of_visitors_cannot_inject_headers(send_lead_email: Callable[[Lead], Any], profile: Profile) -> None:
    injection = "Gus\r\nBcc: all@example.com\r\n\r\nBuy"
    message = send_lead_email(
        seeds.create_lead(profile, injection, email="gus@example.com\r\nCc: all@example.com", note="<b>x</b>")
    )
    assert (message["Bcc"], message["Cc"], message["Reply-To"]) == (None, None, None)
    assert "\n" not in message["Subject"]
    assert "<b>x</b>" not in message.get_body(("html",)).get_content()


@pytest.mark.parametrize("change", [{"wants_lead_mail": False}, {"verified_at": None}, {"is_active": False}], ids=str)
def test_no_email_is_sent_to_an_inactive_unverified_or_unwilling_holder(
    send_lead_email: Callable[[Lead], Any], gus_lead: Lead, ada: User, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(ada, name, value)
    assert send_lead_email(gus_lead) is None


def test_a_deleted_lead_is_not_emailed(
    gus_lead: Lead, ada: User, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    outbox.post("mail.lead_received", lead_id=gus_lead.id)
    db.session.delete(gus_lead)
    run_worker()
    assert mailbox() == []


def test_the_page_says_whether_leads_are_emailed(ada_client: FormClient, ada: User) -> None:
    assert "We email you about each new lead." in ada_client.get("/leads").text
    ada_client.post("/account/mails", data={})
    assert not ada.wants_lead_mail
    assert "We don't email you about new leads." in ada_client.get("/leads").text
