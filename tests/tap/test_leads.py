"""A holder's leads: the page, the files, the mail, and that nobody else sees any of it."""

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
from tests.watching import words_of


@pytest.fixture
def gus(profile: Profile) -> Lead:
    """What Gus left on Ada's page."""
    lead = seeds.create_lead(profile, "Gus Lind", email="gus@example.com", phone="+447700900123", note="At the fair")
    db.session.commit()
    return lead


@pytest.fixture
def adas(client: FormClient, ada: User) -> FormClient:
    """Ada's browser."""
    login(client, ada)
    return client


# --- whose they are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/leads/{id}.vcf", "/leads/{id}/delete"])
def test_a_lead_is_its_holders_alone(
    new_client: Callable[[], FormClient], adas: FormClient, gus: Lead, cleo: User, ben: User, olu: User, path: str
) -> None:
    path = path.format(id=gus.id)
    assert adas.get(path).status_code == 200
    for user in (cleo, ben, olu):
        client = new_client()
        login(client, user)
        answer = client.get(path)
        assert answer.status_code == 404
        assert "Gus" not in answer.text
        assert client.post(f"/leads/{gus.id}/delete").status_code == 404
        for listed in ("/leads", "/leads.csv", "/leads.vcf", "/dashboard", f"/leads?profile={gus.profile_id}"):
            assert "Gus" not in client.get(listed).text
    assert new_client().get(path).location == f"/log-in?next={path}"
    assert db.session.get(Lead, gus.id) is not None


def test_nothing_shows_before_the_address_is_verified(adas: FormClient, gus: Lead, ada: User) -> None:
    ada.verified_at = None
    db.session.commit()
    page = adas.get("/leads")
    assert page.status_code == 200
    assert "Confirm your email first" in page.text
    for path in ("/leads", "/leads.csv", "/leads.vcf", "/dashboard", "/leads?search=gus"):
        assert "Gus" not in adas.get(path).text
    assert adas.get(f"/leads/{gus.id}.vcf").status_code == 404
    assert adas.post(f"/leads/{gus.id}/delete").status_code == 404


# --- the page ---------------------------------------------------------------------------------------------------------


def test_a_holder_reads_what_was_left(adas: FormClient, gus: Lead) -> None:
    page = adas.get("/leads").text
    for text in ("Gus Lind", "gus@example.com", "+44 7700 900123", "At the fair", gus.consent_text):
        assert text in words_of(page)
    assert 'href="mailto:gus@example.com"' in page
    assert 'href="tel:+447700900123"' in page
    assert "Gus Lind" in adas.get("/dashboard").text


def test_the_card_that_led_to_a_lead_is_named_unless_it_is_another_holders(
    adas: FormClient, gus: Lead, card: Card, cleo: User, create_card: Callable[..., Card]
) -> None:
    gus.card_id = card.id
    db.session.commit()
    assert "after tapping Everyday" in words_of(adas.get("/leads").text)
    gus.card_id = create_card(cleo, alias="Secret").id
    db.session.commit()
    assert "Secret" not in adas.get("/leads").text


def test_without_any_the_page_says_what_to_do(adas: FormClient, ada: User, create_profile: Any) -> None:
    assert "Create profile" in adas.get("/leads").text
    create_profile(ada, "ada")
    assert "View profile" in adas.get("/leads").text


def test_what_visitors_type_stays_text(adas: FormClient, profile: Profile) -> None:
    evil = "\"'><script>alert(1)</script>"
    seeds.create_lead(profile, evil, email="gus@example.com", note=f"{evil}\n{{{{ 7*7 }}}}", consent_text=evil)
    db.session.commit()
    for path in ("/leads", "/dashboard", f"/leads?search={evil}"):
        assert "<script>alert" not in adas.get(path).text


def test_searching_filtering_and_paging(
    adas: FormClient, gus: Lead, ada: User, create_profile: Callable[..., Profile]
) -> None:
    other = create_profile(ada, "private")
    for number in range(60):
        seeds.create_lead(other, f"Visitor {number:02}")
    db.session.commit()
    assert "Page 1 of 3" in adas.get("/leads").text
    assert "Page 3 of 3" in adas.get("/leads?page=99").text
    assert "Gus Lind" in adas.get("/leads?page=3").text
    page = adas.get(f"/leads?profile={other.id}&page=2").text
    assert f"/leads?profile={other.id}&amp;page=3" in page
    assert "Gus Lind" not in page
    assert "Gus Lind" in adas.get("/leads?search=FAIR").text
    assert "No leads found" in adas.get("/leads?search=nobody").text
    for odd in ("0", "-1", "x", "9" * 40, "1.5", "%00"):
        assert adas.get(f"/leads?page={odd}&profile={odd}&search={odd}").status_code == 200


def test_the_page_counts_what_visitors_did(adas: FormClient, profile: Profile, gus: Lead) -> None:
    for number, kind in enumerate([ProfileActionKind.CONTACT_SAVED] * 3 + [ProfileActionKind.LINK_OPENED] * 2):
        db.session.add(ProfileAction(profile_id=profile.id, kind=kind, happened_at=gus.created_at, visitor=str(number)))
    db.session.commit()
    assert "Contacts saved 3 Links opened 2 Leads received 0" in words_of(adas.get("/leads").text)


def test_one_is_deleted_after_asking(adas: FormClient, gus: Lead) -> None:
    assert "Delete the lead Gus Lind?" in adas.get(f"/leads/{gus.id}/delete").text
    assert db.session.get(Lead, gus.id) is not None
    assert adas.post(f"/leads/{gus.id}/delete", csrf=False).status_code == 400
    assert adas.post(f"/leads/{gus.id}/delete").location == "/leads"
    assert db.session.scalar(sa.select(Lead)) is None


# --- files ------------------------------------------------------------------------------------------------------------


def rows_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def test_leads_for_a_spreadsheet(adas: FormClient, gus: Lead, profile: Profile) -> None:
    seeds.create_lead(profile, "=HYPERLINK(1)", email="x@example.com", note="@SUM(A1)\nsecond")
    db.session.commit()
    answer = adas.get("/leads.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="contacts.csv"'
    assert answer.headers["Cache-Control"] == "no-store"
    header, evil, row = rows_of(answer)
    assert header == ["Name", "Email", "Phone", "Note", "Profile", "Received", "Consent"]
    assert row[:5] == ["Gus Lind", "gus@example.com", "'+447700900123", "At the fair", "Ada Obi"]
    assert row[6] == gus.consent_text
    assert (evil[0], evil[3]) == ("'=HYPERLINK(1)", "'@SUM(A1)\nsecond")
    assert [row[0] for row in rows_of(adas.get("/leads.csv?search=fair"))[1:]] == ["Gus Lind"]


@pytest.mark.parametrize(
    "cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "\u00a0=1", "\ufeff@a"]
)
def test_a_cell_that_looks_like_a_formula_is_none(cell: str) -> None:
    assert escape_formula(cell).startswith("'")
    assert "\0" not in escape_formula(cell)


@pytest.mark.parametrize(("cell", "text"), [("Gus", "Gus"), (None, ""), (7, "7"), ("a=b", "a=b"), ("", "")])
def test_another_cell_stays_what_it_is(cell: object, text: str) -> None:
    assert escape_formula(cell) == text


def test_leads_for_an_address_book(adas: FormClient, gus: Lead, profile: Profile) -> None:
    seeds.create_lead(profile, "Ngozi", phone="+2348035550177")
    db.session.commit()
    answer = adas.get("/leads.vcf")
    assert answer.headers["Content-Type"] == "text/vcard; charset=utf-8"
    assert [card.fn.value for card in vobject.readComponents(answer.text)] == ["Ngozi", "Gus Lind"]
    one = adas.get(f"/leads/{gus.id}.vcf")
    assert one.headers["Content-Disposition"] == f'attachment; filename="contact-{gus.id}.vcf"'
    assert vobject.readOne(one.text).email.value == "gus@example.com"


# --- mails ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sent(run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]) -> Callable[[Lead], Any]:
    """Promise the mail about a lead, let the worker send it, read it; None when there is none."""

    def send(lead: Lead) -> EmailMessage | None:
        outbox.post("mail.lead_received", lead_id=lead.id)
        run_worker()
        return next(iter(mailbox()), None)

    return send


def test_the_holder_gets_a_mail_to_answer(sent: Callable[[Lead], Any], gus: Lead) -> None:
    message = sent(gus)
    assert message["To"] == "ada@example.com"
    assert message["Reply-To"] == "gus@example.com"
    assert message["Subject"] == "Gus Lind shared their contact details with you"
    text = message.get_body(("plain",)).get_content()
    for words in ("Gus Lind", "gus@example.com", "+447700900123", "At the fair", "http://localhost/leads"):
        assert words in text
    assert "mailto:gus@example.com" in message.get_body(("html",)).get_content()


def test_without_an_e_mail_answers_go_to_the_shop(
    sent: Callable[[Lead], Any], profile: Profile, set_setting: Callable[[str, Any], None]
) -> None:
    set_setting("support_email", "help@example.com")
    assert sent(seeds.create_lead(profile, "Ngozi", phone="+2348035550177"))["Reply-To"] == "help@example.com"


def test_nothing_that_visitors_type_becomes_a_header(sent: Callable[[Lead], Any], profile: Profile) -> None:
    evil = "Gus\r\nBcc: all@example.com\r\n\r\nBuy"
    message = sent(seeds.create_lead(profile, evil, email="gus@example.com\r\nCc: all@example.com", note="<b>x</b>"))
    assert (message["Bcc"], message["Cc"], message["Reply-To"]) == (None, None, None)
    assert "\n" not in message["Subject"]
    assert "<b>x</b>" not in message.get_body(("html",)).get_content()


@pytest.mark.parametrize("change", [{"wants_lead_mail": False}, {"verified_at": None}, {"is_active": False}], ids=str)
def test_who_does_not_want_it_or_must_not_get_it_gets_none(
    sent: Callable[[Lead], Any], gus: Lead, ada: User, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(ada, name, value)
    assert sent(gus) is None


def test_a_lead_deleted_meanwhile_is_not_mailed(
    gus: Lead, ada: User, run_worker: Callable[[], None], mailbox: Callable[[], list[EmailMessage]]
) -> None:
    outbox.post("mail.lead_received", lead_id=gus.id)
    db.session.delete(gus)
    run_worker()
    assert mailbox() == []


def test_the_page_says_whether_mails_come(adas: FormClient, ada: User) -> None:
    assert "We email you about each new lead." in adas.get("/leads").text
    adas.post("/account/mails", data={})
    assert not ada.wants_lead_mail
    assert "We don't email you about new leads." in adas.get("/leads").text
