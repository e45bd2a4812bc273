"""Uploaded files: named after what is in them, written whole or not at all, opened by one function."""

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
    """Where an installation keeps its uploads."""
    return Path(instance) / FOLDER


def store(data: bytes, folder: Path, suffix: str = "webp") -> str:
    """Keep some bytes and return their name; the same bytes get the same name."""
    name = f"{hashlib.sha256(data).hexdigest()[:32]}.{suffix}"
    if not NAME.fullmatch(name):
        raise ValueError(f"{suffix!r} is not a kind of upload")
    with _locked(folder):
        if (folder / name).exists():
            os.utime(folder / name)  # wanted again: the sweeper has to wait another day
        else:
            _write(data, folder / name)
    return name


def open_upload(name: str, folder: Path) -> BinaryIO:
    """Open an upload for reading; raise `NotFound` for whatever is not the name of one."""
    if not NAME.fullmatch(name):
        raise NotFound(_("File not found."))
    try:
        return (folder / name).open("rb")
    except FileNotFoundError as error:
        raise NotFound(_("File not found.")) from error


def exists(name: str, folder: Path) -> bool:
    """Whether there is an upload of that name."""
    return bool(NAME.fullmatch(name)) and (folder / name).is_file()


def delete(name: str, folder: Path) -> None:
    """Delete an upload at once, because whom it shows is erased."""
    if NAME.fullmatch(name):
        with _locked(folder):
            (folder / name).unlink(missing_ok=True)


def delete_old(name: str, folder: Path, older_than: timedelta) -> datetime | None:
    """Delete an upload that nobody stored of late; gives the instant from which it may go, None once it is gone."""
    if not exists(name, folder):
        return None
    with _locked(folder):
        return _delete_old(folder / name, older_than)


def sweep(folder: Path, used: Collection[str], older_than: timedelta) -> int:
    """Delete uploads that nothing refers to and nobody stored again of late; return how many."""
    swept = 0
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        if path.name in used or not (NAME.fullmatch(path.name) or path.suffix == ".tmp"):
            continue
        with _locked(folder):
            swept += path.exists() and _delete_old(path, older_than) is None
    return swept


def _delete_old(path: Path, older_than: timedelta) -> datetime | None:
    may_go_at = datetime.fromtimestamp(path.stat().st_mtime, UTC) + older_than if path.exists() else None
    if may_go_at is not None and may_go_at < utcnow():
        path.unlink()
        return None
    return may_go_at


def _write(data: bytes, path: Path) -> None:
    """Never leave half a file under its name, not after a power cut either."""
    draft = path.with_name(f"{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep the sweeper from deleting what somebody is just storing again."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
