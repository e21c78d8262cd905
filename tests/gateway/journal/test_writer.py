from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal import process
from gateway.journal.file import wal_of
from gateway.journal.rows import Row
from gateway.journal.writer import BusyError, Writer

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def event(state: str) -> Row:
    statement = (
        "INSERT INTO events (run, at, kind, state, reason) VALUES (1, 1.0, 'gateway', ?, '')"
    )
    return statement, (state,)


def states(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [state for (state,) in db.execute("SELECT state FROM events ORDER BY id")]


@contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """No file of this process grows beyond what the journal's log has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal_of(path).stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture(name="writer")
def writer_fixture(path: Path) -> Iterator[Writer]:
    writer = Writer(path, "gateway-1")
    writer.open(NOW)
    yield writer
    writer.close(None)


def test_a_run_is_noted_with_its_process_and_its_end(path: Path, writer: Writer) -> None:
    with closing(sqlite3.connect(path)) as db:
        found = db.execute("SELECT process, client_id, started_at, ended_at FROM runs").fetchone()
        assert found == (process.own_mark(), "gateway-1", NOW.timestamp(), None)
        writer.close(NOW)
        assert db.execute("SELECT ended_at FROM runs").fetchone() == (NOW.timestamp(),)
    assert not writer.is_open


def test_rows_come_together_or_not_at_all(path: Path, writer: Writer) -> None:
    writer.write([event("one"), event("two")])
    with pytest.raises(JournalError):
        writer.write([event("three"), ("INSERT INTO nowhere VALUES (1)", ())])
    writer.write([event("four")])
    assert states(path) == ["one", "two", "four"]


@pytest.mark.parametrize("together", [1, 2])
def test_another_program_that_writes_is_not_waited_for(
    path: Path, writer: Writer, together: int
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BusyError):
            writer.write([event("mine")] * together)
        other.execute("COMMIT")
    writer.write([event("mine")] * together)
    assert states(path) == ["mine"] * together


@pytest.mark.parametrize("together", [1, 9])
def test_a_full_disk_is_said_and_nothing_is_written_by_half(
    path: Path, writer: Writer, together: int
) -> None:
    writer.write([event("before")])
    with full_disk(path):
        for _ in range(3):
            with pytest.raises(JournalError):
                writer.write([event("lost")] * together)
    writer.write([event("after")])
    assert states(path) == ["before", "after"]


def test_what_is_not_open_cannot_be_written(path: Path) -> None:
    with pytest.raises(JournalError):
        Writer(path, "gateway").write([event("x")])


def test_after_an_outage_a_process_is_still_the_same_run(path: Path, writer: Writer) -> None:
    run = writer.run
    writer.close(None)
    writer.open(NOW)
    assert writer.run == run
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)
