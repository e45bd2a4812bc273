"""Former slugs of profiles: redirects and who may take them."""

from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard.db import db
from tapcard.models import FormerSlug, Profile, User
from tapcard.services.profiles import profiles, slugs
from tapcard.services.profiles.profiles import ProfileNotFound
from tapcard.services.profiles.slugs import SlugTaken
from tests.concurrency import run_concurrently


def create(owner: User, slug: str) -> Profile:
    profile = profiles.create(owner, {"name": owner.full_name, "slug": slug}, region="GB")
    db.session.commit()
    return profile


def change_slug(profile: Profile, slug: str) -> None:
    values = {**profiles.form_values(profile), "slug": slug}
    appearance = profiles.appearance_of(profile)
    profiles.update(profile, profile.owner, values, region="GB", version=profile.version, appearance=appearance)
    db.session.commit()


def find(slug: str) -> tuple[str, bool]:
    match = profiles.find_by_slug(slug)
    return match.profile.slug, match.is_moved


def test_a_former_slug_redirects_to_the_current_one(ada: User) -> None:
    profile = create(ada, "ada-one")
    change_slug(profile, "ada-two")
    change_slug(profile, "ada-three")
    assert find("ada-three") == ("ada-three", False)
    assert find("ada-one") == find("ADA-One") == find("ada-two") == ("ada-three", True)
    assert slugs.former_slugs(profile) == ["ada-two", "ada-one"]


def test_a_former_slug_belongs_to_the_profile_that_takes_it(ada: User, cleo: User) -> None:
    profile = create(ada, "ada-one")
    change_slug(profile, "ada-two")
    create(cleo, "ada-one")
    assert find("ada-one") == ("ada-one", False)
    assert slugs.former_slugs(profile) == []
    others = create(cleo, "cleo-one")
    change_slug(profile, "ada-three")
    change_slug(others, "ada-two")
    assert find("ada-two") == ("ada-two", False)
    assert slugs.former_slugs(others) == ["cleo-one"]


def test_a_slug_left_by_two_profiles_redirects_to_the_last_one(ada: User, cleo: User) -> None:
    first, second = create(ada, "shared"), create(cleo, "cleo-one")
    change_slug(first, "ada-two")
    change_slug(second, "shared")
    change_slug(second, "cleo-two")
    assert find("shared") == ("cleo-two", True)
    assert slugs.former_slugs(first) == []


def test_a_profile_can_take_back_its_former_slug(ada: User) -> None:
    profile = create(ada, "ada-one")
    change_slug(profile, "ada-two")
    change_slug(profile, "ada-one")
    assert find("ada-one") == ("ada-one", False)
    assert find("ada-two") == ("ada-one", True)
    assert slugs.former_slugs(profile) == ["ada-two"]


def test_saving_other_fields_creates_no_former_slug(ada: User) -> None:
    profile = create(ada, "ada-one")
    values = {**profiles.form_values(profile), "headline": "Architect"}
    profiles.update(profile, ada, values, region="GB", version=1, appearance=profiles.appearance_of(profile))
    db.session.commit()
    assert slugs.former_slugs(profile) == []


def test_a_suggested_slug_is_never_a_former_one(ada: User, cleo: User) -> None:
    change_slug(create(ada, "cleo-nemo"), "ada-two")
    assert slugs.suggest_slug("Cleo Nemo") == "cleo-nemo-2"


def test_former_slugs_of_a_closed_account_are_not_found(ada: User) -> None:
    change_slug(create(ada, "ada-one"), "ada-two")
    ada.is_active = False
    db.session.commit()
    with pytest.raises(ProfileNotFound):
        profiles.find_by_slug("ada-one")


def test_former_slugs_are_deleted_with_their_profile(ada: User) -> None:
    profile = create(ada, "ada-one")
    change_slug(profile, "ada-two")
    profiles.delete(profile, ada)
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count()).select_from(FormerSlug)) == 0


@pytest.mark.parametrize("number", [2, 8])
def test_concurrent_changes_to_one_slug_succeed_once(
    app: Flask, ada: User, cleo: User, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All requests check that the slug is free before any of them takes it."""
    change_slug(create(cleo, "wanted"), "cleo-two")
    ids = [create(ada, f"ada-{place}").id for place in range(number)]
    start, look = Barrier(number, timeout=30), slugs.check_free

    def held(slug: str) -> None:
        look(slug)
        db.session.commit()  # releases the write lock of SQLite for the other threads
        start.wait()

    monkeypatch.setattr(slugs, "check_free", held)

    def take(place: int) -> int:
        profile = db.session.get_one(Profile, ids[place])
        values = {**profiles.form_values(profile), "slug": "wanted"}
        seen = profiles.appearance_of(profile)
        profiles.update(profile, profile.owner, values, region="GB", version=profile.version, appearance=seen)
        return ids[place]

    results = run_concurrently(app, number, take)
    assert results.count(SlugTaken) == number - 1
    match = profiles.find_by_slug("wanted")
    assert (match.profile.id in results, match.is_moved) == (True, False)
    assert db.session.scalar(sa.select(FormerSlug.id).where(FormerSlug.slug == "wanted")) is None
    left = set(db.session.scalars(sa.select(FormerSlug.slug)))
    assert left == {f"ada-{ids.index(match.profile.id)}"}


def test_a_slug_taken_while_it_is_left_has_one_profile(app: Flask, ada: User, cleo: User) -> None:
    for number in range(6):
        slug = f"left-{number}"
        first, second = create(ada, slug).id, create(cleo, f"cleo-{number}").id

        def change(place: int, number: int = number, slug: str = slug, ids: tuple[int, int] = (first, second)) -> str:
            profile = db.session.get_one(Profile, ids[place])
            values = {**profiles.form_values(profile), "slug": (f"ada-{number}", slug)[place]}
            seen = profiles.appearance_of(profile)
            profiles.update(profile, profile.owner, values, region="GB", version=profile.version, appearance=seen)
            return "changed"

        results = run_concurrently(app, 2, change)
        assert results[0] == "changed"
        assert results[1] in ("changed", SlugTaken)
        assert find(slug) == ((slug, False) if results[1] == "changed" else (f"ada-{number}", True))
        for owner in (ada, cleo):
            for profile in db.session.scalars(profiles.owned_by(owner)):
                profiles.delete(profile, owner)
        db.session.commit()
