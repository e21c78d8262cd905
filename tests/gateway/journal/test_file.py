from __future__ import annotations

import logging
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal.file import open_file, wal_of

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 24, 3, 38, 20, tzinfo=UTC)
ASIDE = "journal.db.damaged-20261124T033820Z"


def runs(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM runs").fetchone()[0])


def test_a_new_journal_is_made_with_its_folder_and_for_us_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "journal.db"
    with closing(open_file(path, NOW)) as db:
        assert runs(db) == 0
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        for part in (path, wal_of(path)):
            assert part.stat().st_mode & 0o077 == 0


def test_what_was_written_is_still_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(open_file(path, NOW)) as db:
        db.execute("INSERT INTO runs VALUES (1, 'm', 'c', 'v', 1.0, NULL)")
    with closing(open_file(path, NOW)) as db:
        assert runs(db) == 1


@pytest.mark.parametrize("damage", ["garbage", "torn"])
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "journal.db"
    with closing(open_file(path, NOW)) as db:
        for number in range(500):
            db.execute("INSERT INTO runs VALUES (?, ?, 'c', 'v', 1.0, NULL)", (number, "m" * 99))
    whole = path.read_bytes()
    broken = b"not a journal " * 400 if damage == "garbage" else whole[:8192] + b"\xff" * 20_000
    path.write_bytes(broken)
    with closing(open_file(path, NOW)) as db:
        assert runs(db) == 0
    assert (tmp_path / ASIDE).read_bytes() == broken
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1
    assert ASIDE in errors[0]


def test_a_place_that_cannot_be_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file" / "journal.db", tmp_path):
        with pytest.raises(JournalError):
            open_file(path, NOW)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch(mode=0o400)
    with pytest.raises(JournalError, match="read"):
        open_file(path, NOW)


def test_the_file_of_a_newer_version_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="newer version"):
        open_file(path, NOW)
    assert not list(tmp_path.glob("*damaged*"))
