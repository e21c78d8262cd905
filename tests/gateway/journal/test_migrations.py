from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal.migrations import VERSION, migrate, version_of

pytestmark = pytest.mark.unit

TABLES = {"runs", "calls", "commands", "evidence", "events"}


@pytest.fixture(name="db")
def db_fixture(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as db:
        yield db


def tables(db: sqlite3.Connection) -> set[str]:
    return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_an_empty_file_gets_the_present_tables(db: sqlite3.Connection) -> None:
    assert version_of(db) == 0
    migrate(db)
    assert version_of(db) == VERSION
    assert tables(db) == TABLES


def test_a_file_of_today_is_left_alone(db: sqlite3.Connection) -> None:
    migrate(db)
    db.execute("INSERT INTO runs VALUES (1, 'm', 'c', 'v', 1.0, NULL)")
    migrate(db)
    assert db.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_a_file_of_a_newer_version_is_refused_and_not_touched(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE tomorrow (x)")
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(JournalError, match="newer version"):
        migrate(db)
    assert tables(db) == {"tomorrow"}
    assert not db.in_transaction


def test_a_step_that_fails_leaves_the_version_before(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE events (mine)")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(db)
    assert version_of(db) == 0
    assert tables(db) == {"events"}
