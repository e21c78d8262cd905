"""Whatever file is in the way, reading changes nothing and says in one sentence what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal.migrations import VERSION
from gateway.journal.queries import Reader, Wanted
from gateway.journal.reading import opened
from tests.gateway.journal.book import Book, other_database

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "journal.db")
    yield book
    book.close()


def test_reading_writes_nothing(book: Book) -> None:
    with (
        closing(opened(book.path)) as db,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        db.execute("DELETE FROM calls")


def test_a_text_that_is_no_object_is_nothing(book: Book) -> None:
    book.call("turn_on", device="lamp")
    book.db.execute("UPDATE calls SET arguments = '[1'")
    book.db.execute("UPDATE commands SET args = '[1]'")
    with Reader(book.path) as reader:
        (action,) = reader.after(0, Wanted())
    assert action.arguments == {}
    # Nobody can ask a device about a command whose arguments are lost.
    assert [(sent.args, sent.masked) for sent in action.commands] == [({}, True)]


def test_what_cannot_be_read_is_one_sentence_with_a_cure(tmp_path: Path) -> None:
    text = tmp_path / "text.db"
    text.write_text("these are no pages " * 100, encoding="utf-8")
    newer = Book(tmp_path / "newer.db")
    newer.db.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    for path, cure in (
        (tmp_path / "none.db", "`gateway run` begins it"),
        (tmp_path, "`gateway run` begins it"),
        (text, "check journal.path"),
        (other_database(tmp_path / "songs.db"), "check journal.path"),
        (newer.path, "update the gateway"),
    ):
        with pytest.raises(JournalError, match=cure), Reader(path):
            pytest.fail("it was opened")
    assert not (tmp_path / "none.db").exists()


READ = """
import os, sys
from pathlib import Path
from gateway.journal.queries import Reader, Wanted
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with Reader(Path(sys.argv[1])) as reader:
    print(len(reader.after(0, Wanted())))
"""


def test_who_may_not_write_reads_a_journal_that_nobody_has_open() -> None:
    with tempfile.TemporaryDirectory() as name:
        book = Book(Path(name) / "journal.db")
        book.call("turn_on")
        book.close()
        book.path.chmod(0o444)
        book.path.parent.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", READ, str(book.path)],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        book.path.parent.chmod(0o700)
    assert (done.stdout, done.stderr) == ("1\n", "")
