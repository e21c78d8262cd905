"""Old entries go and new ones stay, while somebody writes."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest

from gateway.config import JournalConfig
from gateway.errors import JournalError
from gateway.journal import retention
from gateway.journal.retention import BATCH_ROWS, DAY_S, Tidied, keep_tidy, tidy
from gateway.testing import ManualClock
from tests.gateway.journal.book import NOON, Book

pytestmark = pytest.mark.unit

TABLES = ("calls", "commands", "evidence", "events")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_S", 0.0)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "journal.db")
    yield book
    book.close()


def fill(book: Book, count: int, first: float, every_s: float = 1.0, size: int = 0) -> None:
    book.db.execute("BEGIN")
    for number in range(count):
        at = first + number * every_s
        book.call("turn_on", at, device="lamp", note="x" * size)
        book.event(at)
    book.db.execute("COMMIT")


def settings(book: Book, *, keep_days: int = 30, max_mb: int = 100) -> JournalConfig:
    return JournalConfig(path=book.path, keep_days=keep_days, max_mb=max_mb)


def test_what_is_too_old_goes_from_every_table(book: Book) -> None:
    fill(book, BATCH_ROWS * 2 + 5, NOON - 31 * DAY_S)
    fill(book, 3, NOON - 29 * DAY_S)
    tidied = tidy(book.path, settings(book), NOON)
    assert tidied.rows == 4 * (BATCH_ROWS * 2 + 5)
    assert [book.count(table) for table in TABLES] == [3, 3, 3, 3]
    assert tidy(book.path, settings(book), NOON) == Tidied(0, 0)


def test_the_oldest_go_when_the_file_is_too_large(book: Book) -> None:
    fill(book, 2500, NOON, size=1000)
    tidied = tidy(book.path, settings(book, max_mb=1), NOON + 9000)
    assert tidied.bytes > 1_000_000
    (pages,) = book.db.execute("PRAGMA page_count").fetchone()
    assert 500_000 < pages * 4096 <= 850_000
    ends = [book.db.execute(f"SELECT min(at), max(at) FROM {t}").fetchone() for t in TABLES]
    assert all(last >= NOON + 2499 for _, last in ends)
    firsts = [first for first, _ in ends]
    assert max(firsts) - min(firsts) <= 2 * BATCH_ROWS


def test_a_small_file_loses_nothing(book: Book) -> None:
    fill(book, 50, NOON)
    assert tidy(book.path, settings(book, max_mb=1), NOON) == Tidied(0, 0)


def test_a_flood_of_events_makes_room_by_itself(book: Book) -> None:
    fill(book, 20, NOON)
    book.db.execute("BEGIN")
    for number in range(40_000):
        book.event(NOON + 100 + number)
    book.db.execute("COMMIT")
    tidy(book.path, settings(book, max_mb=1), NOON)
    assert 0 < book.count("events") < 35_000


def test_ended_runs_without_entries_are_forgotten(book: Book) -> None:
    empty, used, running = book.run(NOON), book.run(NOON), book.run()
    book.call("turn_on", NOON, run=used)
    fill(book, 1, NOON - 40 * DAY_S)
    tidy(book.path, settings(book), NOON)
    left = {row[0] for row in book.db.execute("SELECT id FROM runs")}
    assert empty not in left
    assert {used, running} <= left


def test_a_writer_goes_on_meanwhile(book: Book) -> None:
    fill(book, 400, NOON - 40 * DAY_S)

    class Writes(Event):
        """At each pause somebody writes, without patience for a locked file."""

        def wait(self, timeout: float | None = None) -> bool:
            book.event(NOON)
            return False

    tidy(book.path, settings(book), NOON, Writes())
    assert book.count("calls") == 0
    assert book.count("events") > 4


def test_told_to_stop_it_stops_and_goes_on_the_next_time(book: Book) -> None:
    fill(book, 400, NOON - 40 * DAY_S)

    class Soon(Event):
        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return True

    assert 0 < tidy(book.path, settings(book), NOON, Soon()).rows <= 4 * BATCH_ROWS
    assert 0 < book.count("calls") < 400
    tidy(book.path, settings(book), NOON)
    assert book.count("calls") == 0


def test_it_never_begins_a_file(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    with pytest.raises(JournalError, match="old entries"):
        tidy(path, JournalConfig(path=path), NOON)
    assert not path.exists()


def test_a_locked_file_is_an_error_and_loses_nothing(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BUSY_S", 0.01)
    fill(book, 5, NOON - 40 * DAY_S)
    other = sqlite3.connect(book.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"):
        tidy(book.path, settings(book), NOON)
    other.close()
    assert book.count("calls") == 5


@pytest.mark.usefixtures("virtual_time")
async def test_it_is_done_now_and_every_day(book: Book) -> None:
    clock = ManualClock(asyncio.get_running_loop())
    now = clock.wall().timestamp()
    fill(book, 4, now - 31 * DAY_S)
    fill(book, 3, now - 29.5 * DAY_S)

    async def opened() -> None:
        return None

    task = asyncio.create_task(keep_tidy(book.path, settings(book), clock, opened))
    await asyncio.sleep(60)
    assert book.count("calls") == 3
    await asyncio.sleep(DAY_S)
    assert book.count("calls") == 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.usefixtures("virtual_time")
async def test_a_file_that_is_not_there_is_no_news_and_one_that_cannot_be_written_is(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "none.db"
    is_open = False

    async def opened() -> None:
        if not is_open:
            raise JournalError("it is not there")

    clock = ManualClock(asyncio.get_running_loop())
    task = asyncio.create_task(keep_tidy(path, JournalConfig(path=path), clock, opened))
    with caplog.at_level(logging.INFO):
        await asyncio.sleep(60)
        assert caplog.messages == []
        is_open = True
        await asyncio.sleep(DAY_S)
    (said,) = caplog.messages
    assert said.startswith(f"old entries of the journal at {path} stay: ")
    task.cancel()
