from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal.file import open_file, wal_of
from gateway.journal.safety import CHECKPOINT_AFTER_WRITES, Safety, copy_log

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


class Disk(Safety):
    """Counts how often the disk is really asked."""

    asked = 0

    def _sync(self, copy: bool) -> None:
        self.asked += 1
        super()._sync(copy)


@pytest.fixture(name="worker")
def worker_fixture() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as worker:
        yield worker


@pytest.fixture(name="db")
def db_fixture(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_file(tmp_path / "journal.db", datetime.now(UTC))) as db:
        yield db


def insert(db: sqlite3.Connection, number: int) -> None:
    db.execute("INSERT INTO runs VALUES (?, 'm', 'c', 'v', 1.0, NULL)", (number,))


async def test_who_needs_it_waits_for_the_disk_and_all_share_one_write(
    db: sqlite3.Connection, worker: ThreadPoolExecutor, tmp_path: Path
) -> None:
    safety = Disk(tmp_path / "journal.db", worker)
    insert(db, 1)
    safety.wrote()
    await asyncio.gather(*(safety.safe() for _ in range(20)))
    assert safety.asked == 1
    await safety.safe()
    assert safety.asked == 1
    await safety.close()


async def test_otherwise_it_is_safe_a_tenth_of_a_second_later(
    db: sqlite3.Connection, worker: ThreadPoolExecutor, tmp_path: Path
) -> None:
    safety = Disk(tmp_path / "journal.db", worker)
    for number in range(10):
        insert(db, number)
        safety.wrote()
    await asyncio.sleep(0.09)
    assert safety.asked == 0
    await asyncio.sleep(0.05)
    assert safety.asked == 1
    await asyncio.sleep(3600)
    assert safety.asked == 1
    await safety.close()


async def test_what_is_written_while_the_disk_works_needs_another_write(
    db: sqlite3.Connection, worker: ThreadPoolExecutor, tmp_path: Path
) -> None:
    safety = Disk(tmp_path / "journal.db", worker)
    safety.wrote()
    first = asyncio.create_task(safety.safe())
    await asyncio.sleep(0)
    safety.wrote()
    await safety.safe()
    await first
    assert safety.asked == 2
    await safety.close()


async def test_a_disk_that_refuses_is_told_to_who_waits_and_logged_once(
    worker: ThreadPoolExecutor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    safety = Safety(tmp_path / "gone" / "journal.db", worker)
    for _ in range(3):
        safety.wrote()
        with pytest.raises(JournalError):
            await safety.safe()
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    with pytest.raises(JournalError):
        await safety.close()


async def test_one_who_gives_up_waiting_takes_nothing_from_the_others(
    db: sqlite3.Connection, worker: ThreadPoolExecutor, tmp_path: Path
) -> None:
    safety = Disk(tmp_path / "journal.db", worker)
    safety.wrote()
    tasks = [asyncio.create_task(safety.safe()) for _ in range(2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await tasks[1]
    assert safety.asked == 1
    await safety.close()


async def test_the_log_is_folded_in_and_begun_anew(
    db: sqlite3.Connection, worker: ThreadPoolExecutor, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    safety = Safety(path, worker)
    sizes = []
    for number in range(CHECKPOINT_AFTER_WRITES * 4):
        insert(db, number)
        safety.wrote()
        if number % CHECKPOINT_AFTER_WRITES == CHECKPOINT_AFTER_WRITES - 1:
            await safety.safe()
            sizes.append(wal_of(path).stat().st_size)
    assert len(set(sizes)) <= 2
    await safety.close()


def test_folding_in_keeps_every_row_and_does_not_mind_a_busy_file(
    db: sqlite3.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    insert(db, 1)
    db.execute("BEGIN IMMEDIATE")
    copy_log(path)
    insert(db, 2)
    db.execute("COMMIT")
    copy_log(path)
    aside = tmp_path / "alone.db"
    aside.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(aside)) as copied:
        assert copied.execute("SELECT count(*) FROM runs").fetchone() == (2,)


async def test_the_file_is_let_go_of_at_the_end(
    db: sqlite3.Connection, worker: ThreadPoolExecutor, tmp_path: Path
) -> None:
    safety = Safety(tmp_path / "journal.db", worker)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 -- numbers, not paths
    safety.wrote()
    await safety.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 -- as above
