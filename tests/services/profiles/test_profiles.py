"""Profiles: fields, slugs, changes, cards and the rows of the page."""

import dataclasses
import threading

import pytest
import sqlalchemy as sa

from tapcard import phones
from tapcard.db import db, transactions
from tapcard.errors import DomainError
from tapcard.models import SOCIALS, AuditEntry, Profile, User
from tapcard.services.profiles import contacts, fields, profiles, slugs
from tapcard.services.profiles.fields import InvalidField
from tapcard.services.profiles.profiles import Appearance, EditConflict, ProfileNotFound
from tapcard.services.profiles.slugs import SlugTaken


def create(owner: User, region: str = "GB", photo: str | None = None, **values: str) -> Profile:
    profile = profiles.create(owner, {"name": "Ada Obi", **values}, region=region, appearance=Appearance(photo=photo))
    db.session.commit()
    return profile


def update(profile: Profile, version: int | None = None, photo: str | None = None, **changes: str) -> None:
    changes = {**profiles.form_values(profile), **changes}
    appearance = profiles.appearance_of(profile)
    if photo:
        appearance = dataclasses.replace(appearance, photo=photo)
    profiles.update(
        profile, profile.owner, changes, region="GB", version=version or profile.version, appearance=appearance
    )
    db.session.commit()


# --- fields -----------------------------------------------------------------------------------------------------------

GOOD = [
    ("name", "  Ada   Obi ", "Ada Obi"),
    ("name", "a" * 60, "a" * 60),
    ("name", "<b>Ada</b> & 'Obi'", "<b>Ada</b> & 'Obi'"),
    ("headline", "", None),
    ("headline", "a" * 80, "a" * 80),
    ("company", "Obi & Daughters", "Obi & Daughters"),
    ("bio", "One\r\n\r\nTwo\tThree", "One\n\nTwo\tThree"),
    ("bio", "a\r\n" * 499 + "aa", "a\n" * 499 + "aa"),
    ("slug", "", None),
    ("slug", "Ada-Obi-2", "ada-obi-2"),
    ("slug", "007", "007"),
    ("slug", "a" * 25, "a" * 25),
    ("email", "Ada@Example.COM", "Ada@example.com"),
    ("email", "ada@bücher.example", "ada@bücher.example"),
    ("phone", "020 7946 0000", "+442079460000"),
    ("phone", "+234 (803) 555-0142", "+2348035550142"),
    ("phone", "00234 803 555 0142", "+2348035550142"),
    ("phone", "٠٢٠ ٧٩٤٦ ٠٠٠٠", "+442079460000"),
    ("whatsapp", "07700 900123", "+447700900123"),
    ("website", "Example.com/work", "https://example.com/work"),
    ("website", "http://bücher.example", "http://xn--bcher-kva.example"),
    ("instagram", "https://instagram.com/obi.builds", "obi.builds"),
]


@pytest.mark.parametrize(("field", "text", "stored"), GOOD)
def test_a_field_is_stored_in_its_normal_form(field, text, stored):
    assert fields.clean(field, text, "GB") == stored
    assert stored is None or fields.clean(field, stored, "GB") == stored


BAD = [
    ("name", ""),
    ("name", "   "),
    ("name", "\u200b\u200b"),
    ("name", "a" * 61),
    ("name", "Ada\nObi"),
    ("name", "Ada\x00"),
    ("name", "Ada\x1b[31m"),
    ("headline", "a" * 81),
    ("headline", "a\tb"),
    ("company", "a" * 81),
    ("bio", "a" * 1001),
    ("bio", "a\x00b"),
    ("bio", "a\ud800b"),
    ("slug", "ab"),
    ("slug", "a" * 26),
    ("slug", "-ada"),
    ("slug", "ada-"),
    ("slug", "ada--obi"),
    ("slug", "ada/obi"),
    ("slug", "ada obi"),
    ("slug", "ada.obi"),
    ("slug", "ada_obi"),
    ("slug", "adä"),
    ("slug", "аda"),  # a Cyrillic а
    ("slug", "\u212aada"),  # the Kelvin sign folds to k
    ("slug", "ada%2fobi"),
    ("slug", "../ada"),
    ("slug", "ada\nobi"),
    ("slug", "admin"),
    ("slug", "ADMIN"),
    ("slug", "profile"),
    ("slug", "log-in"),
    ("email", "ada"),
    ("email", "ada@"),
    ("email", "ada@example"),
    ("email", "ada@example.com, ben@example.com"),
    ("email", "ada@example.com?bcc=x@example.com"),
    ("email", "ada@example.com\nBcc: x@example.com"),
    ("email", "javascript:alert(1)"),
    ("email", "a" * 250 + "@example.com"),
    ("phone", "hello"),
    ("phone", "12"),
    ("phone", "999999999999999999999"),
    ("phone", "020 7946 0000 x12"),
    ("phone", "+999 123 456"),
    ("phone", "1" * 5000),
    ("phone", "javascript:alert(1)"),
    ("whatsapp", "not yet"),
    ("whatsapp", "+44"),
    ("whatsapp", "+1 555 0100"),  # without its area code
    ("website", "hello"),
    ("website", "javascript:alert(1)"),
    ("website", "java\tscript:alert(1)"),
    ("website", "mailto:ada@example.com"),
    ("website", "tel:+442079460000"),
    ("website", "https://user:pass@example.com"),
    ("website", "https://example.com/" + "a" * 2000),
    *[(key, "javascript:alert(1)") for key in SOCIALS],
    *[(key, "https://evil.example/ada") for key in SOCIALS],
    *[(key, "a" * 200) for key in SOCIALS],
]


@pytest.mark.parametrize(("field", "text"), BAD, ids=lambda value: ascii(value)[:40])
def test_an_invalid_field_is_refused(field, text):
    with pytest.raises(DomainError) as refusal:
        fields.clean(field, text, "GB")
    assert refusal.value.field == field
    assert str(refusal.value).endswith(".")


def test_a_phone_number_without_country_code_belongs_to_the_country_of_the_shop():
    assert fields.clean("phone", "0803 555 0142", "NG") == "+2348035550142"
    assert phones.display("+2348035550142") == "+234 803 555 0142"


# --- creating and finding ---------------------------------------------------------------------------------------------


def test_a_profile_is_created_from_its_fields(ada):
    profile = create(ada, slug="ada-obi", phone="020 7946 0000", github="@ada", bio="Hello\r\nthere", photo="x.webp")
    assert profile.owner is ada
    assert (profile.slug, profile.phone, profile.github) == ("ada-obi", "+442079460000", "ada")
    assert (profile.bio, profile.photo, profile.headline) == ("Hello\nthere", "x.webp", None)
    assert profile.is_public
    tags = db.session.scalars(sa.select(AuditEntry.tag).where(AuditEntry.subject_id == profile.id))
    assert list(tags) == ["profile.created"]


def test_other_columns_cannot_be_set(ada, cleo):
    extra = {"owner_id": str(cleo.id), "id": "77", "version": "9", "is_public": "", "photo": "x.webp"}
    extra |= {"banner": "y.webp", "theme": "night", "hidden_fields": "bio"}
    profile = profiles.create(ada, {"name": "Ada", **extra}, region="GB")
    db.session.commit()
    profiles.update(profile, ada, {"name": "Ada O.", **extra}, region="GB", version=1, appearance=Appearance())
    db.session.commit()
    assert profile.name == "Ada O."
    assert (profile.owner_id, profile.is_public, profile.photo, profile.banner) == (ada.id, True, None, None)
    assert profile.id != 77
    assert profile.hidden_fields == []


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Ada Obi", "ada-obi"),
        ("Zoë O'Brien-Smith", "zoe-obrien-smith"),
        ("Al", "al-card"),
        ("Admin", "admin-card"),
        ("王小明", "profile-card"),
        ("Wolfeschlegelsteinhausenbergerdorff", "wolfeschlegelsteinhausenb"),
        ("a" * 24 + " b", "a" * 24),
    ],
)
def test_an_empty_slug_is_derived_from_the_name(ada, name, slug):
    assert create(ada, name=name).slug == slug


def test_slugs_of_equal_names_are_numbered(ada, cleo):
    slugs = [create(owner).slug for owner in (ada, cleo, ada)]
    assert slugs == ["ada-obi", "ada-obi-2", "ada-obi-3"]
    for _number in range(12):
        slug = create(cleo).slug
        assert fields.clean("slug", slug, "GB") == slug


def test_a_slug_is_unique_in_any_case(ada, cleo):
    create(ada, slug="ada-obi")
    with pytest.raises(SlugTaken) as refusal:
        create(cleo, slug="ADA-Obi")
    assert refusal.value.field == "slug"


def test_a_profile_is_found_by_its_slug_in_any_case(ada):
    profile = create(ada, slug="ada-obi")
    assert profiles.find_by_slug("ada-obi").profile is profile
    assert profiles.find_by_slug("ADA-Obi").profile is profile
    profile.is_public = False
    assert profiles.find_by_slug("ada-obi").profile is profile
    ada.is_active = False
    with pytest.raises(ProfileNotFound):
        profiles.find_by_slug("ada-obi")


@pytest.mark.parametrize("slug", ["", "nobody", "ada\x00", "ada/obi", "a" * 5000, "ad\u212a", "'", "ada-obi\n", "%"])
def test_an_invalid_slug_is_not_found(app, slug):
    with pytest.raises(ProfileNotFound):
        profiles.find_by_slug(slug)


def test_a_profile_of_another_user_is_not_found(ada, cleo):
    profile = create(ada)
    assert profiles.own_profile(ada, profile.id) is profile
    for user, number in ((cleo, profile.id), (ada, 0), (ada, -1), (ada, profile.id + 1), (ada, 2**63), (ada, 10**30)):
        with pytest.raises(ProfileNotFound):
            profiles.own_profile(user, number)


# --- changes ----------------------------------------------------------------------------------------------------------


def test_a_change_is_stored_and_audited(ada):
    profile = create(ada, slug="ada-obi", headline="Architect")
    update(profile, name="Ada", headline="", slug="", whatsapp="07700 900123")
    assert (profile.name, profile.headline, profile.slug, profile.whatsapp) == ("Ada", None, "ada-obi", "+447700900123")
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "profile.changed")).one()
    assert (entry.actor, entry.details) == (ada, {"fields": ["headline", "name", "whatsapp"]})


def test_saving_without_a_change_keeps_the_version(ada):
    profile = create(ada, phone="020 7946 0000", bio="One\nTwo", website="example.com", facebook="ada.obi")
    update(profile)
    assert profile.version == 1


def test_the_slug_of_another_profile_cannot_be_taken(ada, cleo):
    create(ada, slug="ada-obi")
    profile = create(cleo, slug="cleo-nemo")
    with pytest.raises(SlugTaken):
        update(profile, slug="Ada-Obi", name="Cleo")
    db.session.rollback()
    assert (profile.slug, profile.name) == ("cleo-nemo", "Ada Obi")
    update(profile, slug="CLEO-Nemo")
    assert profile.slug == "cleo-nemo"


def test_an_outdated_change_is_refused(ada):
    profile = create(ada, headline="Architect")
    update(profile, headline="Builder")
    with pytest.raises(EditConflict):
        update(profile, version=1, headline="Gardener")
    db.session.rollback()
    assert profile.headline == "Builder"


def test_a_change_saved_during_another_is_refused(ada, monkeypatch):
    profile = create(ada, headline="Architect")
    clean_all = fields.clean_all

    def overtaken(*args: object) -> dict[str, str | None]:
        """Save the profile between reading its version and the update."""
        values = {"version": Profile.version + 1, "headline": "Builder"}
        db.session.execute(sa.update(Profile).values(values), execution_options={"synchronize_session": False})
        return clean_all(*args)

    monkeypatch.setattr(fields, "clean_all", overtaken)
    with pytest.raises(EditConflict):
        update(profile, headline="Gardener")


def test_a_slug_taken_after_the_check_is_refused(ada, cleo, monkeypatch):
    create(ada, slug="ada-obi")
    profile = create(cleo, slug="cleo-nemo")
    monkeypatch.setattr(slugs, "check_free", lambda slug: None)  # as if the other profile did not exist yet
    with pytest.raises(SlugTaken):
        create(cleo, slug="ada-obi")
    with pytest.raises(SlugTaken):
        update(profile, slug="ada-obi")
    db.session.commit()  # the transaction is still usable
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Profile)) == 2
    assert profile.slug == "cleo-nemo"


def test_a_suggested_slug_taken_meanwhile_is_replaced(ada, cleo, monkeypatch):
    create(ada, slug="ada-obi")
    suggestions = iter(["ada-obi", "ada-obi-2"])
    monkeypatch.setattr(slugs, "suggest_slug", lambda name: next(suggestions))
    monkeypatch.setattr(slugs, "check_free", lambda slug: None)
    assert create(cleo).slug == "ada-obi-2"


def test_concurrent_profiles_with_one_slug_are_created_once(app, ada):
    owner_id, results = ada.id, []
    db.session.commit()
    start = threading.Barrier(8)

    def want() -> None:
        with app.app_context(), transactions(writing=True):
            owner = db.session.get_one(User, owner_id)
            db.session.rollback()
            start.wait()
            try:
                profiles.create(owner, {"name": "Ada", "slug": "ada-obi"}, region="GB")
                db.session.commit()
                results.append("made")
            except SlugTaken:
                db.session.rollback()
                results.append("taken")

    threads = [threading.Thread(target=want) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["made"] + ["taken"] * 7


# --- cards ------------------------------------------------------------------------------------------------------------


def test_cards_are_counted_for_the_profile_they_open(ada, cleo, create_card):
    first, second, others = create(ada), create(ada), create(cleo)
    create_card(ada, profile=first)
    create_card(ada, profile=first)
    create_card(ada, profile=second)
    create_card(ada, url="https://example.com/", profile_id=second.id)
    create_card(cleo, profile=others)
    assert profiles.card_counts(ada) == {first.id: 2, second.id: 1}


def test_deleting_a_profile_leaves_its_cards_without_a_target(ada, create_card):
    profile = create(ada, slug="ada-obi")
    card = create_card(ada, profile=profile)
    assert card.is_set_up
    profile_id = profile.id
    profiles.delete(profile, ada)
    db.session.commit()
    db.session.expire_all()
    assert db.session.get(Profile, profile_id) is None
    assert (card.profile_id, card.is_set_up) == (None, False)
    entry = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.tag == "profile.deleted")).one()
    assert (entry.subject_id, entry.details) == (profile_id, {"slug": "ada-obi"})


def test_only_the_owner_can_delete_a_profile(ada, cleo):
    profile = create(ada)
    profiles.delete(profile, cleo)
    db.session.commit()
    assert db.session.get(Profile, profile.id) is profile


# --- rows of the page -------------------------------------------------------------------------------------------------


def test_every_contact_has_a_row(ada):
    handles = {key: "ada-obi" if key in ("linkedin", "github") else "ada.obi" for key in SOCIALS} | {"x": "ada_obi"}
    profile = create(
        ada,
        phone="020 7946 0000",
        whatsapp="07700 900123",
        email="ada@example.com",
        website="www.example.com/a",
        **handles,
    )
    rows = {row.kind: row for row in contacts.contact_rows(profile)}
    assert list(rows) == ["phone", "email", "whatsapp", "website", *SOCIALS]
    assert (rows["phone"].href, rows["phone"].text) == ("tel:+442079460000", "+44 20 7946 0000")
    assert (rows["email"].href, rows["email"].text) == ("mailto:ada@example.com", "ada@example.com")
    assert (rows["whatsapp"].href, rows["whatsapp"].text) == ("https://wa.me/447700900123", "+44 7700 900123")
    assert (rows["website"].href, rows["website"].text) == ("https://www.example.com/a", "example.com")
    assert (rows["linkedin"].href, rows["linkedin"].text) == ("https://www.linkedin.com/in/ada-obi", "in/ada-obi")
    assert [row.kind for row in rows.values() if not row.is_external] == ["phone", "email"]


def test_the_email_row_uses_the_address_of_the_profile(ada):
    assert ada.email == "ada@example.com"
    profile = create(ada, email="work+cards@example.com")
    assert [row.href for row in contacts.contact_rows(profile)] == ["mailto:work+cards@example.com"]
    assert contacts.contact_rows(create(ada)) == []


def test_special_characters_in_an_email_link_are_encoded():
    assert contacts.mail_link("a&b?c%d@example.com") == "mailto:a%26b%3Fc%25d@example.com"


def test_a_hidden_field_is_not_shown(ada):
    profile = create(ada, phone="020 7946 0000", email="ada@example.com")
    profile.hidden_fields = ["phone"]
    assert [row.kind for row in contacts.contact_rows(profile)] == ["email"]


def test_an_unreadable_phone_number_is_shown_unchanged():
    assert phones.display("hello") == "hello"


def test_values_shown_in_the_form_can_be_saved_again(ada):
    profile = create(ada, phone="+2348035550142", bio="One\nTwo", instagram="ada.obi")
    values = profiles.form_values(profile)
    assert values["phone"] == "+234 803 555 0142"
    assert values["headline"] == ""
    assert fields.clean_all(values, "GB") == {field: getattr(profile, field) for field in fields.TEXT_FIELDS}


def test_control_characters_are_refused_with_a_message():
    with pytest.raises(InvalidField, match="characters that aren't allowed"):
        fields.clean("name", "Ada\x00", "GB")
