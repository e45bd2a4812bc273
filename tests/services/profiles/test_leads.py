"""Leads: what may be left, what is dropped, whose it is."""

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
from tests.watching import together

GUS = {"name": "Gus Lind", "email": "gus@example.com", "phone": "", "note": "At the fair"}


def receive(profile: Profile, **values: Any) -> Lead | None:
    now = values.pop("now", None) or utcnow()
    submission = leads.Submission(**{**GUS, "region": "GB", **values})
    lead = leads.receive(profile, submission, consent_text="I agree.", now=now)
    db.session.commit()
    return lead


def number() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Lead)) or 0


def test_a_lead_is_the_holders_with_what_was_agreed_to(profile: Profile, ada: User, outbox: Any) -> None:
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
def test_what_cannot_be_a_contact_is_refused_at_its_field(profile: Profile, values: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        receive(profile, **values)
    assert refused.value.field == field
    assert number() == 0


def test_a_phone_number_alone_will_do(profile: Profile) -> None:
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
def test_spam_is_dropped_without_a_word(profile: Profile, outbox: Any, note: str) -> None:
    assert receive(profile, note=note) is None
    assert number() == 0
    assert outbox() == []


@pytest.mark.parametrize(
    "note", ["My site is example.com", "Mail a@example.com, b@example.com, c@example.com", "5 > 3"]
)
def test_a_link_or_two_is_no_spam(profile: Profile, note: str) -> None:
    assert receive(profile, note=note) is not None


def test_the_same_twice_within_minutes_is_one(profile: Profile, outbox: Any) -> None:
    now = utcnow()
    assert receive(profile, now=now) is not None
    assert receive(profile, now=now + timedelta(minutes=5)) is None
    assert receive(profile, now=now + timedelta(minutes=5), note="Another word") is not None
    assert receive(profile, now=now + timedelta(minutes=16)) is not None
    assert number() == 3
    assert len(outbox()) == 3


def test_the_same_at_one_instant_is_one(app: Flask, profile: Profile) -> None:
    profile_id, now = profile.id, utcnow()

    def send(_place: int) -> bool:
        shown = db.session.get_one(Profile, profile_id)
        submission = leads.Submission(**GUS, region="GB")
        return leads.receive(shown, submission, consent_text="I agree.", now=now) is not None

    assert sorted(map(bool, together(app, 4, send))) == [False, False, False, True]
    assert number() == 1


@pytest.mark.parametrize("change", [{"wants_lead_mail": False}, {"verified_at": None}])
def test_a_mail_only_for_who_wants_it_at_an_address_that_is_theirs(
    profile: Profile, ada: User, outbox: Any, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(ada, name, value)
    db.session.commit()
    assert receive(profile) is not None
    assert outbox() == []


# --- whose they are ---------------------------------------------------------------------------------------------------


def test_a_lead_is_found_by_its_holder_alone(profile: Profile, ada: User, cleo: User, ben: User) -> None:
    lead = seeds.create_lead(profile)
    assert leads.own_lead(ada, lead.id) is lead
    for other in (cleo, ben):
        with pytest.raises(leads.LeadNotFound):
            leads.own_lead(other, lead.id)
        assert leads.latest(other, 3) == []


def test_nothing_shows_before_the_address_is_verified(profile: Profile, ada: User) -> None:
    lead = seeds.create_lead(profile)
    ada.verified_at = None
    db.session.commit()
    assert leads.latest(ada, 3) == []
    assert db.session.scalars(leads.search_leads(ada)).all() == []
    with pytest.raises(leads.LeadNotFound):
        leads.own_lead(ada, lead.id)


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**30])
def test_a_number_that_names_nothing_is_not_found(ada: User, number: int) -> None:
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
def test_leads_are_found_by_what_stands_in_them(profile: Profile, ada: User, search: str, names: list[str]) -> None:
    seeds.create_lead(profile, "Gus Lind", email="gus.lind@example.com", note="100% sure")
    seeds.create_lead(profile, "Ngozi", phone="+2348035550177", note="Courtyard", created_at=utcnow())
    db.session.commit()
    found = db.session.scalars(leads.search_leads(ada, search))
    assert [lead.name for lead in found] == names


def test_leads_of_one_profile(profile: Profile, ada: User, create_profile: Callable[..., Profile]) -> None:
    seeds.create_lead(profile, "Gus Lind")
    seeds.create_lead(create_profile(ada, "private"), "Ngozi")
    assert [lead.name for lead in db.session.scalars(leads.search_leads(ada, "", profile))] == ["Gus Lind"]


def test_a_deleted_profile_leaves_its_leads(profile: Profile, ada: User) -> None:
    lead = seeds.create_lead(profile)
    db.session.commit()
    db.session.execute(sa.delete(Profile))
    db.session.commit()
    assert leads.own_lead(ada, lead.id).profile is None


def test_deleting_is_for_good_and_noted(profile: Profile, ada: User) -> None:
    lead = seeds.create_lead(profile)
    leads.delete(lead, ada)
    db.session.commit()
    assert number() == 0
    entry = db.session.scalars(sa.select(AuditEntry)).one()
    assert (entry.tag, entry.actor_id, entry.details) == ("lead.deleted", ada.id, {})


def test_what_is_searched_for_is_clean() -> None:
    assert leads.clean_search(" a\0b\ud800\n ") == "ab"
    assert len(leads.clean_search("x" * 5000)) == 100
