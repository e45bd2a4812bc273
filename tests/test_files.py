"""Uploads: names, atomic writes and deleting unused files."""

import hashlib
import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tapcard import files
from tapcard.errors import NotFound

DAY = timedelta(days=1)


def aged(path: Path, days: float) -> Path:
    then = time.time() - days * 86400
    os.utime(path, (then, then))
    return path


def test_a_file_is_named_after_its_content(tmp_path):
    name = files.store(b"picture", tmp_path)
    assert name == hashlib.sha256(b"picture").hexdigest()[:32] + ".webp"
    assert files.store(b"picture", tmp_path) == name
    assert files.store(b"another", tmp_path) != name
    with files.open_upload(name, tmp_path) as file:
        assert file.read() == b"picture"


def test_the_folder_is_created_when_needed(tmp_path):
    folder = files.folder(tmp_path / "instance")
    assert folder == tmp_path / "instance" / "uploads"
    assert files.exists(files.store(b"picture", folder), folder)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".lock", "../secret", "/etc/passwd", "a" * 32, "a" * 32 + ".svg", "A" * 32 + ".webp",
     "a" * 32 + ".webp\n", "a" * 31 + ".webp", "../" + "a" * 32 + ".webp", "a" * 32 + ".webp\x00", "a" * 32 + ".webp",
     "\u0430" * 32 + ".webp"],
)  # fmt: skip
def test_only_uploads_can_be_opened(tmp_path, name):
    files.store(b"picture", tmp_path)
    assert not files.exists(name, tmp_path)
    with pytest.raises(NotFound):
        files.open_upload(name, tmp_path)


def test_other_file_types_are_refused(tmp_path):
    with pytest.raises(ValueError, match="svg"):
        files.store(b"<svg/>", tmp_path, "svg")
    assert files.store(b"picture", tmp_path, "png").endswith(".png")


def test_a_failed_write_leaves_no_file(tmp_path, monkeypatch):
    def full(_number: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            files.store(b"picture", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert files.exists(files.store(b"picture", tmp_path), tmp_path)


def test_unused_files_are_deleted_after_a_day(tmp_path):
    old, used, young = (files.store(content, tmp_path) for content in (b"old", b"used", b"young"))
    aged(tmp_path / old, 2)
    aged(tmp_path / used, 2)
    (tmp_path / "0123456789abcdef.tmp").write_bytes(b"x")
    draft = aged(tmp_path / "0123456789abcdef.tmp", 2)
    (tmp_path / "young.tmp").write_bytes(b"x")
    (tmp_path / "README").write_text("somebody's own")
    aged(tmp_path / "README", 2)
    assert files.sweep(tmp_path, {used}, DAY) == 2
    assert not (tmp_path / old).exists()
    assert not draft.exists()
    assert {path.name for path in tmp_path.iterdir()} == {".lock", used, young, "young.tmp", "README"}


def test_sweeping_without_a_folder_deletes_nothing(tmp_path):
    assert files.sweep(tmp_path / "uploads", set(), DAY) == 0


def test_storing_a_file_again_postpones_its_deletion(tmp_path):
    name = files.store(b"picture", tmp_path)
    aged(tmp_path / name, 2)
    files.store(b"picture", tmp_path)
    assert files.sweep(tmp_path, set(), DAY) == 0
    assert files.exists(name, tmp_path)


def test_a_file_stored_again_is_never_swept_concurrently(tmp_path):
    """`store` and `sweep` lock each other out, so that a stored file stays for a day."""
    for number in range(60):
        content = str(number).encode()
        aged(tmp_path / files.store(content, tmp_path), 2)
        sweeper = threading.Thread(target=files.sweep, args=(tmp_path, set(), DAY))
        sweeper.start()
        name = files.store(content, tmp_path)
        sweeper.join()
        assert files.exists(name, tmp_path)
