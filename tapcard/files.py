"""Storage of uploaded files: named by content hash, written atomically, opened by one function."""

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from .clock import utcnow
from .errors import NotFound
from .errors import mark as _

FOLDER = "uploads"  # of the instance folder
KINDS = {"webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}
NAME = re.compile(rf"[0-9a-f]{{32}}\.(?:{'|'.join(KINDS)})")


def folder(instance: Path | str) -> Path:
    """Return the folder for uploads in an instance folder."""
    return Path(instance) / FOLDER


def store(data: bytes, folder: Path, suffix: str = "webp") -> str:
    """Store a file and return its name, which is derived from its content."""
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.{suffix}"
    if not NAME.fullmatch(name):
        raise ValueError(f"{suffix!r} is not a kind of upload")
    with _locked(folder):
        if (folder / name).exists():
            os.utime(folder / name)  # so that the sweeper does not delete it
        else:
            _write(data, folder / name)
    return name


def open_upload(name: str, folder: Path) -> BinaryIO:
    """Open an upload for reading; raise `NotFound` if there is none with this name."""
    if not NAME.fullmatch(name):
        raise NotFound(_("We couldn't find that file."))
    try:
        return (folder / name).open("rb")
    except FileNotFoundError as error:
        raise NotFound(_("We couldn't find that file.")) from error


def exists(name: str, folder: Path) -> bool:
    """Return whether there is an upload with this name."""
    return bool(NAME.fullmatch(name)) and (folder / name).is_file()


def delete(name: str, folder: Path) -> None:
    """Delete an upload at once, for the erasure of a person."""
    if NAME.fullmatch(name):
        with _locked(folder):
            (folder / name).unlink(missing_ok=True)


def delete_old(name: str, folder: Path, older_than: timedelta) -> datetime | None:
    """Delete an upload older than a period; return when it can be deleted, or None if it no longer exists."""
    if not exists(name, folder):
        return None
    with _locked(folder):
        return _delete_old(folder / name, older_than)


def sweep(folder: Path, used_names: Collection[str], older_than: timedelta) -> int:
    """Delete unused uploads older than a period, and return how many."""
    deleted_count = 0
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.name in used_names or not (NAME.fullmatch(path.name) or path.suffix == ".tmp"):
            continue
        with _locked(folder):
            deleted_count += path.exists() and _delete_old(path, older_than) is None
    return deleted_count


def _delete_old(path: Path, older_than: timedelta) -> datetime | None:
    deletable_at = datetime.fromtimestamp(path.stat().st_mtime, UTC) + older_than if path.exists() else None
    if deletable_at is not None and deletable_at < utcnow():
        path.unlink()
        return None
    return deletable_at


def _write(data: bytes, path: Path) -> None:
    """Write a file atomically, so that it is never incomplete even after a power failure."""
    temporary = path.with_name(f"{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock the folder, so that the sweeper does not delete a file that is being stored again."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
