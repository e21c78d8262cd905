"""What a device writes down, and what the next process reads of it."""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Ack, AckError, AckStatus
from devices.contract.errors import MemoryFailedError
from devices.sdk.logbook import Entry, Logbook

pytestmark = pytest.mark.unit


def done(command_id: str) -> Ack:
    return Ack(command_id, AckStatus.SUCCEEDED, {"on": True, "note": "zwölf lines"})


def filled(folder: Path, *numbers: int) -> None:
    with Logbook(folder, "lamp") as book:
        for number in numbers:
            book.began(f"c{number}", f"print {number}")
            book.ended(done(f"c{number}"))


@contextmanager
def no_room() -> Iterator[None]:
    """Files cannot grow, as on a full disk."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def test_the_next_process_knows_what_was_answered(tmp_path: Path) -> None:
    filled(tmp_path / "new" / "folder", 1, 2)
    with Logbook(tmp_path / "new" / "folder", "lamp") as book:
        assert book.entries == {
            "c1": Entry("print 1", done("c1")),
            "c2": Entry("print 2", done("c2")),
        }
        assert book.interrupted == []
    with Logbook(tmp_path / "new" / "folder", "other-lamp") as book:
        assert book.entries == {}


def test_what_had_begun_and_not_ended_was_interrupted_for_good(tmp_path: Path) -> None:
    with Logbook(tmp_path, "lamp") as book:
        book.began("c1", "print")
    for told in (1, 0):
        with Logbook(tmp_path, "lamp") as book:
            assert len(book.interrupted) == told
            ack = book.entries["c1"].ack
            assert ack is not None
            assert ack.status is AckStatus.FAILED
            assert ack.error is not None
            assert ack.error.code == "interrupted"


def test_an_answer_to_what_could_not_be_read_is_kept(tmp_path: Path) -> None:
    refusal = Ack("c1", AckStatus.REJECTED, error=AckError("malformed", "No."))
    with Logbook(tmp_path, "lamp") as book:
        book.ended(refusal)
    with Logbook(tmp_path, "lamp") as book:
        assert book.entries == {"c1": Entry("", refusal)}


def test_the_file_is_for_its_owner_only_and_stays_small(tmp_path: Path) -> None:
    with Logbook(tmp_path / "memory", "lamp", size=8) as book:
        for number in range(500):
            book.began(f"c{number}", "print")
            book.ended(done(f"c{number}"))
        file = tmp_path / "memory" / "lamp.jsonl"
        assert len(file.read_bytes().splitlines()) <= 8 * 4
        assert file.stat().st_mode & 0o077 == 0
        assert file.parent.stat().st_mode & 0o077 == 0
    with Logbook(tmp_path / "memory", "lamp", size=8) as book:
        assert list(book.entries) == [f"c{number}" for number in range(492, 500)]


def test_what_still_runs_is_kept_however_long(tmp_path: Path) -> None:
    with Logbook(tmp_path, "lamp", size=4) as book:
        book.began("slow", "print")
        for number in range(50):
            book.began(f"c{number}", "print")
            book.ended(done(f"c{number}"))
    with Logbook(tmp_path, "lamp", size=4) as book:
        assert [ack.id for ack in book.interrupted] == ["slow"]


@pytest.mark.parametrize(
    "tail",
    [
        b'{"began": "c3", "conte',
        b'{"ended": {"id": "c2", "stat',
        b'{"ended": {"id": "c2", "status": "perhaps"}}\n',
        b"\xff\x00\n[]\n7\n",
        b"[" * 5000,
    ],
)
def test_a_damaged_tail_costs_only_itself(tmp_path: Path, tail: bytes) -> None:
    filled(tmp_path, 1, 2)
    with (tmp_path / "lamp.jsonl").open("ab") as file:
        file.write(tail)
    with Logbook(tmp_path, "lamp") as book:
        assert book.entries.keys() == {"c1", "c2"}
        book.began("c4", "print")
    with Logbook(tmp_path, "lamp") as book:
        assert book.entries.keys() == {"c1", "c2", "c4"}


@given(st.integers(0, 400))
def test_a_file_cut_anywhere_brings_no_command_back_as_new(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    filled(folder, 1, 2)
    file = folder / "lamp.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    with Logbook(folder, "lamp") as book:
        for command_id, entry in book.entries.items():
            begun = whole[:cut].split(b"\n")
            assert any(command_id.encode() in line for line in begun)
            assert entry.ack is not None


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with (
        pytest.raises(MemoryFailedError, match=r"file/lamp\.jsonl cannot be written: File exists"),
        Logbook(tmp_path / "file", "lamp"),
    ):
        pass


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        Logbook(tmp_path, "lamp"),
        Logbook(tmp_path, "other"),
        pytest.raises(MemoryFailedError, match="in use by another process"),
        Logbook(tmp_path, "lamp"),
    ):
        pass
    filled(tmp_path, 1)


def test_a_full_disk_refuses_once_loudly_and_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with Logbook(tmp_path, "lamp") as book:
        book.began("c1", "print 1")
        with no_room():
            book.ended(done("c1"))
            for command_id in ("c2", "c3"):
                with pytest.raises(MemoryFailedError, match="cannot be written"):
                    book.began(command_id, "print")
                book.ended(done(command_id))
        assert [r.levelno for r in caplog.records] == [logging.ERROR]
        book.began("c4", "print 4")
        assert "can be written again" in caplog.text
    with Logbook(tmp_path, "lamp") as book:
        assert book.entries["c1"] == Entry("print 1", done("c1"))
        assert book.entries.keys() == {"c1", "c2", "c3", "c4"}


def test_half_a_line_is_mended_by_the_next_one(tmp_path: Path) -> None:
    with Logbook(tmp_path, "lamp") as book:
        room_bytes = (tmp_path / "lamp.jsonl").stat().st_size + 5
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, old[1]))
        try:
            with pytest.raises(MemoryFailedError):
                book.began("c1", "print 1")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert (tmp_path / "lamp.jsonl").read_bytes() == b'{"beg'
        book.began("c2", "print 2")
    with Logbook(tmp_path, "lamp") as book:
        assert book.entries.keys() == {"c1", "c2"}
