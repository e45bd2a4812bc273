"""Deletion of former uploads once nothing uses them."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from tapcard import files, seeds, worker
from tapcard.clock import utcnow
from tapcard.db import db
from tapcard.models import OutboxMessage, Profile, User
from tapcard.services.core import uploads
from tapcard.services.profiles import profiles

DAY = timedelta(days=1)


@pytest.fixture
def folder(app: Flask) -> Path:
    return files.folder(app.instance_path)


@pytest.fixture
def store_old(folder: Path) -> Callable[[bytes], str]:
    """Return a function that stores a picture as of two days ago."""

    def store(data: bytes) -> str:
        name = files.store(data, folder)
        old = time.time() - 2 * 86400
        os.utime(folder / name, (old, old))
        return name

    return store


@pytest.fixture
def profile_with_pictures(ada: User, store_old: Callable[[bytes], str]) -> Profile:
    """Return a profile of Ada's with photo and banner."""
    profile = seeds.create_profile(ada, "ada-obi", photo=store_old(b"photo"), banner=store_old(b"banner"))
    db.session.commit()
    return profile


def change_appearance(profile: Profile, ada: User, **look: str | None) -> None:
    chosen = replace(profiles.appearance_of(profile), **look)
    values = profiles.form_values(profile)
    profiles.update(profile, ada, values, region="GB", version=profile.version, appearance=chosen)


def queued_names() -> list[str]:
    waiting = sa.select(OutboxMessage).where(OutboxMessage.kind == uploads.DELETE_KIND, OutboxMessage.done_at.is_(None))
    return [message.payload["name"] for message in db.session.scalars(waiting)]


def test_a_replaced_picture_is_deleted_and_the_others_stay(
    profile_with_pictures: Profile, ada: User, folder: Path, store_old: Callable[[bytes], str]
) -> None:
    former, fresh = profile_with_pictures.photo, store_old(b"fresh")
    assert former
    change_appearance(profile_with_pictures, ada, photo=fresh)
    db.session.commit()
    assert worker.deliver_due() == 1
    assert [files.exists(str(name), folder) for name in (former, fresh, profile_with_pictures.banner)] == [
        False,
        True,
        True,
    ]


def test_removed_pictures_and_those_of_a_deleted_profile_are_deleted(
    profile_with_pictures: Profile, ada: User, folder: Path
) -> None:
    photo, banner = str(profile_with_pictures.photo), str(profile_with_pictures.banner)
    change_appearance(profile_with_pictures, ada, photo=None)
    db.session.commit()
    worker.deliver_due()
    assert [files.exists(name, folder) for name in (photo, banner)] == [False, True]
    profiles.delete(profile_with_pictures, ada)
    db.session.commit()
    worker.deliver_due()
    assert not files.exists(banner, folder)


def test_a_rolled_back_change_deletes_nothing(profile_with_pictures: Profile, ada: User, folder: Path) -> None:
    photo = str(profile_with_pictures.photo)
    change_appearance(profile_with_pictures, ada, photo=None)
    db.session.rollback()
    assert worker.deliver_due() == 0
    assert files.exists(photo, folder)


def test_a_change_without_pictures_schedules_no_deletion(profile_with_pictures: Profile, ada: User) -> None:
    values = {**profiles.form_values(profile_with_pictures), "headline": "Architect"}
    profiles.update(
        profile_with_pictures,
        ada,
        values,
        region="GB",
        version=profile_with_pictures.version,
        appearance=profiles.appearance_of(profile_with_pictures),
    )
    assert queued_names() == []


@pytest.mark.parametrize("column", ["photo", "banner", "front_picture", "rear_picture"])
def test_a_picture_used_elsewhere_is_kept(
    profile_with_pictures: Profile, ada: User, cleo: User, folder: Path, column: str
) -> None:
    photo = str(profile_with_pictures.photo)
    if column in ("photo", "banner"):
        seeds.create_profile(cleo, "cleo", **{column: photo})
    else:
        seeds.create_design("Shown", **{column: photo})
    change_appearance(profile_with_pictures, ada, photo=None)
    db.session.commit()
    assert worker.deliver_due() == 1
    assert files.exists(photo, folder)
    assert queued_names() == []


def test_a_recently_uploaded_picture_is_deleted_a_day_later(
    profile_with_pictures: Profile, ada: User, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise an upload that is sent again could be deleted before it is saved."""
    photo = str(profile_with_pictures.photo)
    files.store(b"photo", folder)
    change_appearance(profile_with_pictures, ada, photo=None)
    db.session.commit()
    assert worker.deliver_due() == 1
    assert files.exists(photo, folder)
    assert (queued_names(), uploads.scheduled_deletions_of(ada.id)) == ([photo], {photo})
    assert worker.deliver_due() == 0
    tomorrow = utcnow() + DAY
    for module in (worker, files):
        monkeypatch.setattr(module, "utcnow", lambda: tomorrow)
    assert worker.deliver_due() == 1
    assert not files.exists(photo, folder)
    assert uploads.scheduled_deletions_of(ada.id) == set()


def test_a_missing_file_completes_its_deletion(ada: User) -> None:
    uploads.schedule_deletion(["0" * 32 + ".webp", None], ada.id)
    db.session.commit()
    assert worker.deliver_due() == 1
    assert (queued_names(), worker.deliver_due()) == ([], 0)


def test_scheduled_deletions_are_listed_for_each_user(ada: User, cleo: User) -> None:
    uploads.schedule_deletion(["a.webp"], ada.id)
    uploads.schedule_deletion(["b.webp"], cleo.id)
    db.session.flush()
    assert (uploads.scheduled_deletions_of(ada.id), uploads.scheduled_deletions_of(cleo.id)) == ({"a.webp"}, {"b.webp"})
