"""The tap spool: lines, files of threads and processes, reading, removing and sweeping."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapcard import spool as module
from tapcard.spool import Spool, SpoolError, decode, encode

ROOT = Path(__file__).resolve().parents[1]
ALL = 1_000_000


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.rotate()


def first_fields(spool: Spool, name: str, offset: int = 0) -> list[Any]:
    return [fields[0] for _raw, fields in spool.read(name, offset, ALL).lines]


def all_first_fields(spool: Spool) -> list[Any]:
    return [text for name in spool.files() for text in first_fields(spool, name)]


def end_of(spool: Spool, name: str) -> int:
    return (spool.folder / name).stat().st_size


def in_thread(work: Callable[[], object]) -> None:
    """Run a function in a thread that ends."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


class SpoolProcess:
    """A separate Python process that runs a script with a spool."""

    def __init__(self, script: str, folder: Path) -> None:
        start = (
            f"import os, sys, pathlib\nfrom tapcard.spool import Spool\nspool = Spool(pathlib.Path({str(folder)!r}))\n"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", start + script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "SpoolProcess":
        return self

    def hear(self) -> str:
        """Read a line of output."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)

    def __exit__(self, *_error: object) -> None:
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


# --- lines ------------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(json_values))
@settings(derandomize=True, deadline=None)
def test_an_encoded_line_is_decoded_and_has_one_line_end(fields: list[Any]) -> None:
    line = encode(fields)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(line[:-1]) == fields


@given(st.binary())
@settings(derandomize=True, deadline=None)
def test_random_bytes_are_not_a_line(noise: bytes) -> None:
    assert decode(noise) is None


@given(st.lists(st.text('abc\n\\"é', max_size=8), min_size=1), st.data())
@settings(derandomize=True, deadline=None)
def test_a_line_with_a_changed_byte_is_refused(fields: list[str], data: st.DataObject) -> None:
    raw = bytearray(encode(fields)[:-1])
    place = data.draw(st.integers(9, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    assert decode(bytes(raw)) is None


@pytest.mark.parametrize(
    "body", [b"{}", b"1", b'"text"', b"[1", b'["\\ud800"]', b"[" * 100_000, b""], ids=lambda b: b[:9]
)
def test_a_valid_checksum_over_something_else_is_refused(body: bytes) -> None:
    assert decode(b"%08x %s" % (module.zlib.crc32(body), body)) is None


# --- writing ----------------------------------------------------------------------------------------------------------


def test_lines_of_a_thread_are_in_one_file_in_order(spool: Spool) -> None:
    for number in range(100):
        spool.append([number])
    assert len(spool.files()) == 1
    assert all_first_fields(spool) == list(range(100))


def test_a_file_is_opened_with_the_first_line(spool: Spool) -> None:
    assert spool.files() == []


def test_each_thread_has_its_own_file(spool: Spool) -> None:
    start = threading.Barrier(6)

    def write() -> None:
        for number in range(50):
            spool.append([threading.get_ident(), number])
        start.wait(30)  # keeps thread ids unique until all have written

    threads = [threading.Thread(target=write) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(spool.files()) == 6
    for name in spool.files():
        lines = [fields for _raw, fields in spool.read(name, 0, ALL).lines]
        assert [number for _thread, number in lines] == list(range(50))
        assert len({thread for thread, _number in lines}) == 1


def test_a_long_file_is_rotated(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROTATE_BYTES", 200)
    for number in range(60):
        spool.append([number, "x" * 20])
    assert len(spool.files()) > 5
    assert sorted(all_first_fields(spool)) == list(range(60))
    assert max(end_of(spool, name) for name in spool.files()) < 200 + 60


def test_a_rotated_file_is_closed_once(spool: Spool) -> None:
    spool.append([1])
    left = spool._local.writer
    number = left.fd
    spool.rotate()
    assert left.fd == -1
    with open(spool.folder / "other file", "wb") as other_file:
        assert other_file.fileno() == number, "the file descriptor is reused by the next open file"
        left.close()  # as when the thread ends
        other_file.write(b"still open")
    assert (spool.folder / "other file").read_bytes() == b"still open"


def test_file_names_are_never_reused(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "time_ns", lambda: 1_900_000_000_000_000_000)
    seen = set()
    for _number in range(100):
        spool.append([1])
        [name] = spool.files()
        assert name not in seen
        seen.add(name)
        spool.rotate()
        assert spool.remove(name, end_of(spool, name))


def test_files_are_readable_only_by_their_owner(spool: Spool) -> None:
    spool.append([1])
    [name] = spool.files()
    assert (spool.folder / name).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("sync", "times"), [(True, 3), (False, 0)])
def test_lines_are_synced_if_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sync: bool, times: int
) -> None:
    spool, synced = Spool(tmp_path, sync=sync), []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    for number in range(3):
        spool.append([number])
    assert len(synced) == times
    spool.rotate()


def test_reading_syncs_the_file(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    spool.append([1])
    all_first_fields(spool)
    assert len(synced) == 1


def test_an_unusable_spool_raises_an_error(spool: Spool) -> None:
    spool.folder.rmdir()
    spool.folder.write_text("a file where the folder was")
    with pytest.raises(SpoolError):
        spool.append([1])
    spool.folder.unlink()


# --- reading ----------------------------------------------------------------------------------------------------------


def test_reading_continues_at_its_offset(spool: Spool) -> None:
    for number in range(25):
        spool.append([number])
    [name] = spool.files()
    offset, numbers = 0, []
    while (chunk := spool.read(name, offset, 10)).end != offset:
        assert len(chunk.lines) <= 10
        numbers += [fields[0] for _raw, fields in chunk.lines]
        offset = chunk.end
    assert numbers == list(range(25))
    assert spool.is_read(name, offset)
    spool.append([25])
    assert not spool.is_read(name, offset)
    assert first_fields(spool, name, offset) == [25]


def test_a_large_file_is_read_in_chunks(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_BYTES", 100)
    for number in range(40):
        spool.append([number, "x" * (number % 30)])
    [name] = spool.files()
    offset, numbers = 0, []
    while (chunk := spool.read(name, offset, ALL)).end != offset:
        assert chunk.bad == []
        numbers += [fields[0] for _raw, fields in chunk.lines]
        offset = chunk.end
    assert numbers == list(range(40))


def write_partial_line(spool: Spool, text: bytes = b"0badf00d [half a li") -> str:
    """Write one whole line and one partial line."""
    spool.append(["whole"])
    [name] = spool.files()
    os.write(spool._local.writer.fd, text)
    return name


def test_a_partial_line_waits_while_its_writer_is_alive(spool: Spool) -> None:
    name = write_partial_line(spool)
    first = spool.read(name, 0, ALL)
    assert ([fields for _raw, fields in first.lines], first.bad) == ([["whole"]], [])
    again = spool.read(name, first.end, ALL)
    assert (again.lines, again.bad, again.end) == ([], [], first.end)
    assert not spool.remove(name, first.end)
    os.write(spool._local.writer.fd, b"ne]\n")
    assert spool.read(name, first.end, ALL).bad == [b"0badf00d [half a line]"]


def test_a_partial_line_is_bad_after_its_writer_ends(spool: Spool) -> None:
    name = write_partial_line(spool)
    spool.rotate()
    end = spool.read(name, 0, ALL).end
    torn = spool.read(name, end, ALL)
    assert (torn.lines, torn.bad) == ([], [b"0badf00d [half a li"])
    assert torn.end == end_of(spool, name)
    assert spool.remove(name, torn.end)


def test_a_damaged_line_is_bad_and_the_rest_is_read(spool: Spool) -> None:
    for number in range(5):
        spool.append([number])
    [name] = spool.files()
    path = spool.folder / name
    data = path.read_bytes().split(b"\n")
    data[2] = data[2].replace(b"[2]", b"[9]")
    path.write_bytes(b"\n".join(data))
    chunk = spool.read(name, 0, ALL)
    assert [fields[0] for _raw, fields in chunk.lines] == [0, 1, 3, 4]
    assert chunk.bad == [data[2]]
    assert chunk.end == end_of(spool, name)


def test_an_endless_line_does_not_stop_the_reader(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_BYTES", 1000)
    spool.append([1])
    [name] = spool.files()
    os.write(spool._local.writer.fd, b"\0" * 3500 + b"\n")
    spool.append([2])
    offset, numbers, steps = 0, [], 0
    while (chunk := spool.read(name, offset, ALL)).end != offset:
        numbers += [fields[0] for _raw, fields in chunk.lines]
        offset, steps = chunk.end, steps + 1
    assert numbers == [1, 2]
    assert steps < 10


def test_bad_lines_are_appended_to_a_file(spool: Spool) -> None:
    spool.store_bad_lines("1-2.spool", [b"one", b"two"])
    spool.store_bad_lines("1-2.spool", [b"three"])
    assert (spool.folder / "1-2.spool.bad").read_bytes() == b"one\ntwo\nthree\n"
    assert spool.files() == []


# --- deleting ---------------------------------------------------------------------------------------------------------


def test_the_file_of_an_active_writer_is_not_removed(spool: Spool) -> None:
    spool.append([1])
    [name] = spool.files()
    assert not spool.remove(name, end_of(spool, name))
    spool.append([2])
    assert all_first_fields(spool) == [1, 2]


def test_the_file_of_an_ended_thread_is_removed(spool: Spool) -> None:
    in_thread(lambda: spool.append([1]))
    [name] = spool.files()
    assert spool.remove(name, end_of(spool, name))
    assert spool.files() == []


def test_a_rotated_file_is_removed_while_its_writer_continues(spool: Spool) -> None:
    spool.append([1])
    [first] = spool.files()
    spool.rotate()
    spool.append([2])
    [second] = set(spool.files()) - {first}
    assert spool.remove(first, end_of(spool, first))
    assert not spool.remove(second, end_of(spool, second))
    assert all_first_fields(spool) == [2]


def test_a_file_with_unread_lines_is_not_removed(spool: Spool) -> None:
    spool.append([1])
    [name] = spool.files()
    spool.rotate()
    assert not spool.remove(name, end_of(spool, name) - 1)
    assert all_first_fields(spool) == [1]


def test_a_removed_file_counts_as_read(spool: Spool) -> None:
    in_thread(lambda: spool.append([1]))
    [name] = spool.files()
    end = end_of(spool, name)
    assert spool.remove(name, end)
    assert not spool.remove(name, end)
    assert spool.is_read(name, None)
    with pytest.raises(FileNotFoundError):
        spool.read(name, 0, ALL)


def test_the_file_of_another_process_is_removed_after_it_ends(spool: Spool) -> None:
    script = "spool.append([1]); print('written', flush=True); sys.stdin.readline()"
    with SpoolProcess(script, spool.folder) as process:
        assert process.hear() == "written"
        [name] = spool.files()
        assert all_first_fields(spool) == [1]
        assert not spool.remove(name, end_of(spool, name))
        process.kill()
        assert spool.remove(name, end_of(spool, name))


FORKING = """
spool.append(["parent"])
child = os.fork()
if child == 0:
    spool.append(["child"])
    os.write(1, b"child has written\\n")
    sys.stdin.readline()
    os._exit(0)
spool.append(["parent again"])
os.write(1, b"parent has written\\n")
sys.stdin.readline()
os._exit(0)
"""


def test_a_forked_process_writes_its_own_file_and_holds_no_lock_of_its_parent(spool: Spool) -> None:
    with SpoolProcess(FORKING, spool.folder) as parent:
        assert {parent.hear(), parent.hear()} == {"child has written", "parent has written"}
        written = {name: first_fields(spool, name) for name in spool.files()}
        assert sorted(written.values()) == [["child"], ["parent", "parent again"]]
        names = {line_texts[0]: name for name, line_texts in written.items()}
        for name in spool.files():
            assert not spool.remove(name, end_of(spool, name)), "both live"
        parent.process.kill()
        parent.process.wait(30)
        assert spool.remove(names["parent"], end_of(spool, names["parent"])), "the child does not hold the lock"
        assert not spool.remove(names["child"], end_of(spool, names["child"]))


def test_an_ended_child_process_keeps_the_lock_of_its_parent(spool: Spool) -> None:
    script = """
spool.append([1])
if os.fork() == 0:
    os._exit(0)
os.wait()
print("child is gone", flush=True)
sys.stdin.readline()
"""
    with SpoolProcess(script, spool.folder) as parent:
        assert parent.hear() == "child is gone"
        [name] = spool.files()
        assert not spool.remove(name, end_of(spool, name))


def test_a_file_is_locked_before_it_gets_its_name(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    free = []
    rename = os.rename

    def watch(old: Path, new: Path) -> None:
        rename(old, new)
        with open(new, "rb") as file:
            free.append(module._lock_exclusively(file.fileno()))

    monkeypatch.setattr(os, "rename", watch)
    spool.append([1])
    assert free == [False]


# --- sweeping ---------------------------------------------------------------------------------------------------------


def leftover(spool: Spool, text: bytes = b"", hours: float = 2) -> Path:
    """Create a spool file that has no final name yet."""
    path = spool.folder / ".1900000000000-0123456789abcdef.spool"
    path.write_bytes(text)
    then = time.time() - hours * 3600
    os.utime(path, (then, then))
    return path


def test_an_unnamed_file_of_a_dead_writer_is_swept(spool: Spool) -> None:
    path = leftover(spool)
    spool.sweep()
    assert not path.exists()


def test_other_files_are_not_swept(spool: Spool) -> None:
    paths = [leftover(spool, hours=0.5), spool.folder / "failures", spool.folder / ".keep", spool.folder / "x.bad"]
    for path in paths[1:]:
        path.write_bytes(b"")
    spool.append([1])
    spool.sweep()
    assert all(path.exists() for path in paths)
    assert all_first_fields(spool) == [1]
    for text, is_held in ((b"something", False), (b"", True)):
        path = leftover(spool, text)
        with open(path, "rb") as file:
            if is_held:
                fcntl.flock(file, fcntl.LOCK_SH)
            spool.sweep()
        assert path.exists()


def test_a_file_renamed_during_a_sweep_is_kept(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    path = leftover(spool)
    entries = list(os.scandir(spool.folder))
    path.rename(spool.folder / path.name[1:])
    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", lambda _folder: entries)
        spool.sweep()
    assert spool.files() == [path.name[1:]]


def test_only_spool_files_are_listed(spool: Spool) -> None:
    for name in ("failures", "drain.lock", "1900000000000-0123456789abcdef.spool.bad", "x.spool", "1-2.spool"):
        (spool.folder / name).write_bytes(b"")
    leftover(spool)
    assert spool.files() == []


def test_backups_and_drainers_exclude_each_other(spool: Spool) -> None:
    def is_free(kind: int) -> bool:
        with open(spool.folder / "drain.lock", "a") as file:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    with spool.draining():
        assert (is_free(fcntl.LOCK_SH), is_free(fcntl.LOCK_EX)) == (True, False)
    with spool.frozen():
        assert (is_free(fcntl.LOCK_SH), is_free(fcntl.LOCK_EX)) == (False, False)
        spool.append([1])
    assert is_free(fcntl.LOCK_EX)


def test_lost_taps_are_visible_to_other_processes(spool: Spool) -> None:
    assert spool.failure_count() == 0
    with SpoolProcess(
        "[spool.count_failure() for _ in range(3)]; print(spool.failure_count(), flush=True)", spool.folder
    ) as it:
        assert it.hear() == "3"
    spool.count_failure()
    assert spool.failure_count() == 4


def test_a_failed_lock_leaves_no_file_open(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise OSError("no locks available")

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(fcntl, "flock", refuse)
    for _number in range(5):
        with pytest.raises(SpoolError):
            spool.append([1])
    assert len(os.listdir("/proc/self/fd")) == before


def test_lines_contain_plain_json(spool: Spool) -> None:
    spool.append(["é", None, 1])
    [name] = spool.files()
    checksum, _blank, body = (spool.folder / name).read_bytes().partition(b" ")
    assert (len(checksum), json.loads(body)) == (8, ["é", None, 1])
