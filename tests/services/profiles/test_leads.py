"""Leads: validation, spam, ownership and search."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import seeds
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import AuditEntry, Lead, Profile, User
from tapcard.services.profiles import leads
from tapcard.services.profiles.fields import InvalidField
from tests.concurrency import run_concurrently

GUS = {"name": "Gus Lind", "email": "gus@example.com", "phone": "", "note": "At the fair"}


def receive(profile: Profile, **values: Any) -> Lead | None:
    now = values.pop("now", None) or utcnow()
    submission = leads.Submission(**{**GUS, "region": "GB", **values})
    lead = leads.receive(profile, submission, consent_text="I agree.", now=now)
    db.session.commit()
    return lead


def count_stored_leads() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Lead)) or 0


def test_a_lead_is_stored_with_its_consent(profile: Profile, ada: User, outbox: Any) -> None:
    now = utcnow()
    lead = receive(profile, name="  Gus \t Lind ", email="Gus@Example.com", phone="020 7946 0000", now=now)
    assert lead is not None
    assert (lead.owner_id, lead.profile_id) == (ada.id, profile.id)
    assert (lead.name, lead.email, lead.phone) == ("Gus Lind", "Gus@example.com", "+442079460000")
    assert (lead.consent_text, lead.created_at, lead.note) == ("I agree.", now, "At the fair")
    assert outbox() == ["mail.lead_received"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " ... "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "See www.evil.example"}, "name"),
        ({"email": "", "phone": " "}, "email"),
        ({"email": "gus"}, "email"),
        ({"email": "gus@example.com\r\nBcc: all@example.com"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"note": "x" * 501}, "note"),
    ],
    ids=str,
)
def test_an_invalid_lead_is_refused_at_its_field(profile: Profile, values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        receive(profile, **values)
    assert refused.value.field == field
    assert count_stored_leads() == 0


def test_a_phone_number_is_enough(profile: Profile) -> None:
    lead = receive(profile, email="", phone="+2348035550177")
    assert lead is not None
    assert (lead.email, lead.phone) == (None, "+2348035550177")


@pytest.mark.parametrize(
    "note",
    [
        "<a href='x'>",
        "[url=x]win[/url]",
        "http://a.test http://b.test http://c.test",
        "buy.com now.ru win.top",
    ],
)
def test_spam_is_dropped_silently(profile: Profile, outbox: Any, note: str) -> None:
    assert receive(profile, note=note) is None
    assert count_stored_leads() == 0
    assert outbox() == []


@pytest.mark.parametrize(
    "note", ["My site is example.com", "Mail a@example.com, b@example.com, c@example.com", "5 > 3"]
)
def test_a_note_with_a_few_links_is_not_spam(profile: Profile, note: str) -> None:
    assert receive(profile, note=note) is not None


def test_a_repeated_lead_within_minutes_is_dropped(profile: Profile, outbox: Any) -> None:
    now = utcnow()
    assert receive(profile, now=now) is not None
    assert receive(profile, now=now + timedelta(minutes=5)) is None
    assert receive(profile, now=now + timedelta(minutes=5), note="Another word") is not None
    assert receive(profile, now=now + timedelta(minutes=16)) is not None
    assert count_stored_leads() == 3
    assert len(outbox()) == 3


def test_concurrent_equal_leads_are_stored_once(app: Flask, profile: Profile) -> None:
    profile_id, now = profile.id, utcnow()

    def send(_place: int) -> bool:
        shown = db.session.get_one(Profile, profile_id)
        submission = leads.Submission(**GUS, region="GB")
        return leads.receive(shown, submission, consent_text="I agree.", now=now) is not None

    assert sorted(map(bool, run_concurrently(app, 4, send))) == [False, False, False, True]
    assert count_stored_leads() == 1


@pytest.mark.parametrize("change", [{"wants_lead_mail": False}, {"verified_at": None}])
def test_a_lead_is_emailed_only_to_a_verified_holder_who_wants_it(
    profile: Profile, ada: User, outbox: Any, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(ada, name, value)
    db.session.commit()
    assert receive(profile) is not None
    assert outbox() == []


# --- ownership --------------------------------------------------------------------------------------------------------


def test_a_lead_is_found_only_by_its_holder(profile: Profile, ada: User, cleo: User, ben: User) -> None:
    lead = seeds.create_lead(profile)
    assert leads.own_lead(ada, lead.id) is lead
    for user in (cleo, ben):
        with pytest.raises(leads.LeadNotFound):
            leads.own_lead(user, lead.id)
        assert leads.latest(user, 3) == []


def test_an_unverified_holder_sees_no_leads(profile: Profile, ada: User) -> None:
    lead = seeds.create_lead(profile)
    ada.verified_at = None
    db.session.commit()
    assert leads.latest(ada, 3) == []
    assert db.session.scalars(leads.search_leads(ada)).all() == []
    with pytest.raises(leads.LeadNotFound):
        leads.own_lead(ada, lead.id)


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30])
def test_an_unknown_lead_id_is_not_found(ada: User, number: int) -> None:
    with pytest.raises(leads.LeadNotFound):
        leads.own_lead(ada, number)


@pytest.mark.parametrize(
    ("search", "names"),
    [
        ("", ["Ngozi", "Gus Lind"]),
        ("gus", ["Gus Lind"]),
        ("LIND@", ["Gus Lind"]),
        ("línds courtyárd", []),
        ("línds sure", ["Gus Lind"]),
        ("courtyard", ["Ngozi"]),
        ("0803 555", ["Ngozi"]),
        ("+234 (803)", ["Ngozi"]),
        ("100%", ["Gus Lind"]),
        ("%", ["Gus Lind"]),
        ("_", []),
        ("000", ["Ngozi"]),
        ("nobody", []),
    ],
)
def test_leads_are_searched_in_all_text_columns(profile: Profile, ada: User, search: str, names: list[str]) -> None:
    seeds.create_lead(profile, "Gus Lind", email="gus.lind@example.com", note="100% sure")
    seeds.create_lead(profile, "Ngozi", phone="+2348035550177", note="Courtyard", created_at=utcnow())
    db.session.commit()
    results = db.session.scalars(leads.search_leads(ada, search))
    assert [lead.name for lead in results] == names


def test_leads_are_filtered_by_profile(profile: Profile, ada: User, create_profile: Callable[..., Profile]) -> None:
    seeds.create_lead(profile, "Gus Lind")
    seeds.create_lead(create_profile(ada, "private"), "Ngozi")
    assert [lead.name for lead in db.session.scalars(leads.search_leads(ada, "", profile))] == ["Gus Lind"]


def test_leads_stay_when_their_profile_is_deleted(profile: Profile, ada: User) -> None:
    lead = seeds.create_lead(profile)
    db.session.commit()
    db.session.execute(sa.delete(Profile))
    db.session.commit()
    assert leads.own_lead(ada, lead.id).profile is None


def test_deleting_a_lead_is_audited(profile: Profile, ada: User) -> None:
    lead = seeds.create_lead(profile)
    leads.delete(lead, ada)
    db.session.commit()
    assert count_stored_leads() == 0
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.tag, entry.actor_id, entry.details) == ("lead.deleted", ada.id, {})


def test_the_search_text_is_cleaned_and_limited() -> None:
    assert leads.clean_search(" a\0b\ud800\n ") == "ab"
    assert len(leads.clean_search("x" * 5000)) == 100
