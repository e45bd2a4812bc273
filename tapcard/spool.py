"""Tap spool: append-only files with one line per tap, which the worker reads into the database exactly once.

Protocol. A file belongs to one thread of one process, which holds a shared `flock` on it for life, alone appends to it
and alone leaves it (rotation); its name is never used again. It is locked before it gets its final name, so a reader
never sees it unlocked while its writer lives. A reader may read any file at any time up to its last whole line, and
deletes it only with the exclusive lock in hand, after reading to the end once more.
"""

import fcntl
import os
import re
import secrets
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

ROTATE_BYTES = 4 * 1024 * 1024
LEFTOVER_SECONDS = 3600
READ_BYTES = 1024 * 1024
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Any])
NAME = re.compile(r"\d{13}-[0-9a-f]{16}\.spool")


class SpoolError(Exception):
    """A line could be written neither to the current file nor to a new one."""


@dataclass(frozen=True)
class Chunk:
    """Result of reading a file: valid lines with their fields, invalid lines, and the end offset."""

    lines: list[tuple[bytes, list[Any]]]
    bad: list[bytes]
    end: int


class _Writer:
    """One file of one thread; closing it, also at the end of the thread, lets a reader delete it."""

    fd = -1

    def __init__(self, folder: Path) -> None:
        self.size = 0
        name = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(8)}.spool"
        temporary = folder / f".{name}"
        self.fd = os.open(temporary, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(self.fd, fcntl.LOCK_SH)
            os.rename(temporary, folder / name)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def __del__(self) -> None:
        self.close()


class Spool:
    """The folder with the spool files of this installation."""

    def __init__(self, folder: Path, *, sync: bool = False) -> None:
        self.folder = folder
        self.sync = sync
        self._local = threading.local()
        self._uncounted_failures = 0
        self._failure_lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        os.register_at_fork(after_in_child=self._reset)

    # writing

    def append(self, fields: list[Any]) -> None:
        """Append one line, to a new file if the current one fails; raise `SpoolError` if that fails too."""
        line = encode(fields)
        for _attempt in range(2):
            try:
                writer = self._writer()
                byte_count = os.write(writer.fd, line)
                writer.size += byte_count
                if byte_count == len(line):
                    if self.sync:
                        os.fdatasync(writer.fd)
                    return
            except OSError:
                pass
            self.rotate()
        raise SpoolError("the tap spool cannot be written")

    def rotate(self) -> None:
        """Close the file of this thread; the next line opens a new one."""
        writer: _Writer | None = getattr(self._local, "writer", None)
        if writer is not None:
            self._local.writer = None
            writer.close()

    def _reset(self) -> None:
        """Start new files in a forked child; the parent keeps its lock, which the inherited descriptor shares."""
        self._local = threading.local()
        self._uncounted_failures, self._failure_lock = 0, threading.Lock()

    def _writer(self) -> _Writer:
        writer: _Writer | None = getattr(self._local, "writer", None)
        if writer is None or writer.size >= ROTATE_BYTES:
            self.rotate()
            writer = self._local.writer = _Writer(self.folder)
        return writer

    # reading

    def files(self) -> list[str]:
        """Return the names of all spool files, oldest first."""
        return sorted(entry.name for entry in os.scandir(self.folder) if NAME.fullmatch(entry.name))

    def read(self, name: str, offset: int, limit: int) -> Chunk:
        """Read up to `limit` complete lines from a byte offset, after syncing them to disk.

        An incomplete last line is invalid if the writer died, and is left for later while the writer lives.
        Raises `FileNotFoundError` if another reader has finished the file.
        """
        with open(self.folder / name, "rb") as file:
            is_abandoned = _lock_exclusively(file.fileno())
            os.fdatasync(file.fileno())
            file.seek(offset)
            data = file.read(READ_BYTES)
        lines: list[tuple[bytes, list[Any]]] = []
        bad: list[bytes] = []
        position = 0
        while len(lines) + len(bad) < limit and (stop := data.find(b"\n", position)) >= 0:
            raw, position = data[position:stop], stop + 1
            fields = decode(raw)
            if fields is None:
                bad.append(raw)
            else:
                lines.append((raw, fields))
        is_torn = position == 0 and bool(data) and (is_abandoned or len(data) == READ_BYTES)
        if is_torn:
            bad, position = [data], len(data)
        return Chunk(lines, bad, offset + position)

    def is_read(self, name: str, offset: int | None) -> bool:
        """Return whether a file ends at an offset or does not exist."""
        try:
            return os.stat(self.folder / name).st_size == offset
        except FileNotFoundError:
            return True

    def store_bad_lines(self, name: str, lines: list[bytes]) -> None:
        """Append invalid lines to a `.bad` file for manual inspection."""
        with open(self.folder / f"{name}.bad", "ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))

    def remove(self, name: str, offset: int) -> bool:
        """Delete a completely read file whose writer is gone, and return whether it was deleted."""
        path = self.folder / name
        try:
            with open(path, "rb") as file:
                if not _lock_exclusively(file.fileno()) or os.fstat(file.fileno()).st_size > offset:
                    return False
                os.unlink(path)
        except FileNotFoundError:
            return False
        return True

    def sweep(self) -> None:
        """Delete empty files of writers that died before the rename to the final name."""
        for entry in os.scandir(self.folder):
            if entry.name.startswith(".") and NAME.fullmatch(entry.name[1:]):
                try:
                    self._sweep_one(entry.path)
                except FileNotFoundError:
                    continue  # renamed meanwhile

    def _sweep_one(self, path: str) -> None:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            is_old = time.time() - status.st_mtime > LEFTOVER_SECONDS
            if is_old and status.st_size == 0 and _lock_exclusively(file.fileno()):
                os.unlink(path)

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """Block backups while files are read and deleted; yield False while a backup is running."""
        with open(self.folder / "drain.lock", "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Block all drainers of this host; writers continue."""
        with open(self.folder / "drain.lock", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # failures

    def count_failure(self) -> None:
        """Count a tap that could not be recorded, as one byte in a file shared by all processes of this host."""
        with self._failure_lock:
            self._uncounted_failures += 1
            try:
                with open(self.folder / "failures", "ab", buffering=0) as file:
                    self._uncounted_failures -= file.write(b"." * self._uncounted_failures) or 0
            except OSError:
                return  # the count stays in memory until the next failure

    def failure_count(self) -> int:
        """Return the number of taps that were answered but not recorded."""
        path = self.folder / "failures"
        return self._uncounted_failures + (path.stat().st_size if path.exists() else 0)


def encode(fields: list[Any]) -> bytes:
    """Return a line: checksum, space, JSON, line feed."""
    body = _encoder.encode(fields)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode(raw: bytes) -> list[Any] | None:
    """Return the fields of a line without its line feed, or None if it is damaged."""
    checksum, _blank, body = raw.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(body):
            return None
        return _decoder.decode(body)
    except (ValueError, RecursionError):
        return None


def _lock_exclusively(fd: int) -> bool:
    """Try to take the exclusive lock of an open file, and return whether it was free."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
