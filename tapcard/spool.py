"""The tap spool: one line appended per tap, read into the database by the worker, never lost and never read twice.

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
    """A line could not be written, neither to the present file nor to a new one."""


@dataclass(frozen=True)
class Chunk:
    """What was read of a file: its good lines with their fields, the bad ones, and where to go on."""

    lines: list[tuple[bytes, list[Any]]]
    bad: list[bytes]
    end: int


class _Writer:
    """One file, open for one thread; closing it (also by the thread's end) gives it up to the reader."""

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
    """Where taps are written down before anything else is done with them."""

    def __init__(self, folder: Path, *, sync: bool = False) -> None:
        self.folder = folder
        self.sync = sync
        self._local = threading.local()
        self._uncounted = 0
        self._counting = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)
        os.register_at_fork(after_in_child=self._forget)

    # writing

    def append(self, fields: list[Any]) -> None:
        """Write one line; a file that refuses is left for a new one; raise `SpoolError` when that fails too."""
        line = encode(fields)
        for _attempt in range(2):
            try:
                writer = self._writer()
                written = os.write(writer.fd, line)
                writer.size += written
                if written == len(line):
                    if self.sync:
                        os.fdatasync(writer.fd)
                    return
            except OSError:
                pass
            self.rotate()
        raise SpoolError("the tap spool cannot be written")

    def rotate(self) -> None:
        """Leave this thread's file; the next line opens a new one."""
        writer: _Writer | None = getattr(self._local, "writer", None)
        if writer is not None:
            self._local.writer = None
            writer.close()

    def _forget(self) -> None:
        """A forked child starts files of its own; the parent keeps its lock, which the copied file number shares."""
        self._local = threading.local()
        self._uncounted, self._counting = 0, threading.Lock()

    def _writer(self) -> _Writer:
        writer: _Writer | None = getattr(self._local, "writer", None)
        if writer is None or writer.size >= ROTATE_BYTES:
            self.rotate()
            writer = self._local.writer = _Writer(self.folder)
        return writer

    # reading

    def files(self) -> list[str]:
        """The names of all files, oldest first."""
        return sorted(entry.name for entry in os.scandir(self.folder) if NAME.fullmatch(entry.name))

    def read(self, name: str, offset: int, most: int) -> Chunk:
        """Read up to `most` whole lines from a byte offset, after making sure that they are on disk.

        The end of a file whose writer died in the middle of a line counts as bad; while the writer lives it waits.
        Raises `FileNotFoundError` when another reader has finished with the file.
        """
        with open(self.folder / name, "rb") as file:
            is_left = _lock_alone(file.fileno())
            os.fdatasync(file.fileno())
            file.seek(offset)
            data = file.read(READ_BYTES)
        lines: list[tuple[bytes, list[Any]]] = []
        bad: list[bytes] = []
        position = 0
        while len(lines) + len(bad) < most and (stop := data.find(b"\n", position)) >= 0:
            raw, position = data[position:stop], stop + 1
            fields = decode(raw)
            if fields is None:
                bad.append(raw)
            else:
                lines.append((raw, fields))
        is_torn = position == 0 and bool(data) and (is_left or len(data) == READ_BYTES)
        if is_torn:
            bad, position = [data], len(data)
        return Chunk(lines, bad, offset + position)

    def is_read(self, name: str, offset: int | None) -> bool:
        """Whether a file has nothing beyond an offset, or is gone."""
        try:
            return os.stat(self.folder / name).st_size == offset
        except FileNotFoundError:
            return True

    def keep_bad(self, name: str, lines: list[bytes]) -> None:
        """Put unreadable lines aside, for a person to look at."""
        with open(self.folder / f"{name}.bad", "ab") as file:
            file.write(b"".join(line + b"\n" for line in lines))

    def remove(self, name: str, offset: int) -> bool:
        """Delete a file that is read to the end and whose writer is gone; tells whether it did."""
        path = self.folder / name
        try:
            with open(path, "rb") as file:
                if not _lock_alone(file.fileno()) or os.fstat(file.fileno()).st_size > offset:
                    return False
                os.unlink(path)
        except FileNotFoundError:
            return False
        return True

    def sweep(self) -> None:
        """Delete what a writer left that died between making a file and naming it: nothing was written there."""
        for entry in os.scandir(self.folder):
            if entry.name.startswith(".") and NAME.fullmatch(entry.name[1:]):
                try:
                    self._sweep_one(entry.path)
                except FileNotFoundError:
                    continue  # it has its name by now

    def _sweep_one(self, path: str) -> None:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            is_old = time.time() - found.st_mtime > LEFTOVER_SECONDS
            if is_old and found.st_size == 0 and _lock_alone(file.fileno()):
                os.unlink(path)

    @contextmanager
    def draining(self) -> Iterator[bool]:
        """Hold off a backup while a pass reads and deletes; False, and nothing may be read, while one is made."""
        with open(self.folder / "drain.lock", "a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Hold off every drainer of this host; writers go on."""
        with open(self.folder / "drain.lock", "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # what could not be recorded

    def count_failure(self) -> None:
        """Count a tap that could not be recorded anywhere: one byte a tap, shared by all processes of this host."""
        with self._counting:
            self._uncounted += 1
            try:
                with open(self.folder / "failures", "ab", buffering=0) as file:
                    self._uncounted -= file.write(b"." * self._uncounted) or 0
            except OSError:
                return  # still in memory; the next failure tries again

    def failure_count(self) -> int:
        """How many taps were answered and could not be recorded."""
        path = self.folder / "failures"
        return self._uncounted + (path.stat().st_size if path.exists() else 0)


def encode(fields: list[Any]) -> bytes:
    """A line: checksum, blank, JSON, line feed."""
    body = _encoder.encode(fields)
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode(raw: bytes) -> list[Any] | None:
    """The fields of a line without its line feed; None when it is damaged."""
    checksum, _blank, body = raw.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(body):
            return None
        return _decoder.decode(body)
    except (ValueError, RecursionError):
        return None


def _lock_alone(fd: int) -> bool:
    """Take the exclusive lock if nobody holds the file; it goes with the file number."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
