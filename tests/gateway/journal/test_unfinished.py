from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.errors import JournalError
from gateway.journal import process
from gateway.journal.file import open_file
from gateway.journal.unfinished import Left, left_by_others

pytestmark = pytest.mark.unit

BOOT, _, _ = process.own_mark().split(":")
KILLED = f"{BOOT}:1:0"
BEFORE_THE_POWER_CUT = "00000000-0000-0000-0000-000000000000:77:5"
MINE = 9


class File:
    """A journal that others wrote; run MINE is ours."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = open_file(path, datetime.now(UTC))
        self.run(MINE, process.own_mark())

    def run(self, number: int, mark: str = KILLED, ended_at: float | None = None) -> None:
        values = (number, mark, "gateway", "0", 1.0, ended_at)
        self.db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?)", values)

    def call(self, call_id: str, run: int = 1, status: str | None = None, at: float = 5.0) -> None:
        answered_at = at if status else None
        self.db.execute(
            "INSERT INTO calls (run, epoch, call_id, tool, arguments, at, answered_at, status)"
            " VALUES (?, 2, ?, 'turn_on', '{\"target\": \"Lamp\"}', ?, ?, ?)",
            (run, call_id, at, answered_at, status),
        )

    def command(self, command_id: str, call_id: str, state: str = "sent", run: int = 1) -> None:
        self.db.execute(
            "INSERT INTO commands (id, run, epoch, call_id, device, ecosystem, command, args, at,"
            " state) VALUES (?, ?, 2, ?, 'lamp', 'native', 'turn_on', ?, 6.0, ?)",
            (command_id, run, call_id, '{"brightness": 7}', state),
        )

    def heard(self, command_id: str, status: str, *, duplicate: bool = False) -> None:
        self.db.execute(
            "INSERT INTO evidence (command, device, at, status, state, duplicate)"
            " VALUES (?, 'lamp', 7.0, ?, '{\"on\": true}', ?)",
            (command_id, status, duplicate),
        )

    @property
    def left(self) -> list[Left]:
        return left_by_others(self.path, MINE)


@pytest.fixture(name="file")
def file_fixture(tmp_path: Path) -> Iterator[File]:
    made = File(tmp_path / "journal.db")
    with closing(made.db):
        yield made


def test_a_call_whose_command_is_open_is_left_with_all_of_its_commands(file: File) -> None:
    file.run(1)
    file.call("group")
    file.command("01A", "group", "sent")
    file.command("01B", "group", "succeeded")
    file.command("01Z", "another", "succeeded")
    file.heard("01B", "accepted")
    file.heard("01B", "succeeded")
    file.heard("01B", "accepted", duplicate=True)
    (left,) = file.left
    assert (left.run, left.epoch, left.call_id) == (1, 2, "group")
    assert (left.tool, left.target, left.at) == ("turn_on", "Lamp", 5.0)
    assert (left.status, left.is_told, left.same_boot) == ("", False, True)
    first, second = sorted(left.commands, key=lambda sent: sent.id)
    assert (first.id, first.state, first.evidence) == ("01A", "sent", ())
    assert (first.device, first.command, first.args) == ("lamp", "turn_on", {"brightness": 7})
    assert [(h.status, h.state) for h in second.evidence] == [("succeeded", {"on": True})]


def test_a_call_without_an_answer_is_left_even_without_commands(file: File) -> None:
    file.run(1)
    file.call("asked")
    file.call("answered", status="answer")
    assert [left.call_id for left in file.left] == ["asked"]
    assert file.left[0].commands == ()


def test_a_command_may_be_on_record_before_its_call(file: File) -> None:
    file.run(1)
    file.command("01A", "first")
    (left,) = file.left
    assert (left.tool, left.at, left.status) == ("turn_on", 6.0, "")


@pytest.mark.parametrize("state", ["sent", "accepted", "in_progress", "timed_out"])
def test_what_may_still_change_is_open(file: File, state: str) -> None:
    file.run(1)
    file.call("c", status="timed_out")
    file.command("01A", "c", state)
    assert [left.status for left in file.left] == ["timed_out"]


@pytest.mark.parametrize(
    "state",
    ["succeeded", "failed", "rejected", "expired", "superseded", "unconfirmed", "unknown"],
)
def test_what_is_final_or_given_up_is_not(file: File, state: str) -> None:
    file.run(1)
    file.call("c", status="confirmed")
    file.command("01A", "c", state)
    assert file.left == []


def test_what_still_runs_left_nothing_and_neither_did_we(file: File) -> None:
    file.run(1, process.own_mark())
    file.command("01A", "theirs", run=1)
    file.command("01B", "ours", run=MINE)
    assert file.left == []


def test_what_ended_well_may_have_left_something_too(file: File) -> None:
    file.run(1, process.own_mark(), ended_at=8.0)
    file.command("01A", "c")
    assert len(file.left) == 1


def test_a_power_cut_is_known(file: File) -> None:
    file.run(1, BEFORE_THE_POWER_CUT)
    file.command("01A", "c")
    assert file.left[0].same_boot is False


def test_what_was_told_later_is_not_told_again(file: File) -> None:
    file.run(1)
    file.call("c")
    file.db.execute("UPDATE calls SET later_at = 9.0")
    assert file.left == []
    file.command("01A", "c")
    assert file.left[0].is_told


def test_the_newest_come_first(file: File) -> None:
    file.run(1)
    for number in range(5):
        file.call(f"c{number}", at=float(number))
    assert [left.call_id for left in file.left] == ["c4", "c3", "c2", "c1", "c0"]


def test_a_command_whose_arguments_cannot_be_read_cannot_be_asked_about(file: File) -> None:
    file.run(1)
    file.call("c")
    file.command("01A", "c")
    file.db.execute("UPDATE commands SET args = 'no json'")
    file.db.execute("UPDATE calls SET arguments = '[1]'")
    (left,) = file.left
    assert (left.target, left.commands[0].masked) == ("", True)


def test_a_file_that_is_not_there_is_an_error_of_the_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        left_by_others(tmp_path / "nowhere.db", 1)
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_write(file: File) -> None:
    file.run(1)
    file.command("01A", "c")
    with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(file.left) == 1
