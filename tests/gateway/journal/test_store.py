from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from gateway.dispatch.order import CommandLog, Order, Written
from gateway.errors import JournalError
from gateway.events import (
    BusEvent,
    CallAnswered,
    CallReceived,
    CommandEnded,
    FunctionCall,
    MessageDropped,
    SessionChanged,
)
from gateway.journal import store
from gateway.journal.file import wal_of
from gateway.journal.ration import PER_MINUTE
from gateway.journal.store import Journal, JournalSettings
from gateway.outcome import Outcome, Status
from gateway.testing import ManualClock
from tests.gateway.journal.test_writer import full_disk

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]

CALL = FunctionCall("call-1", "turn_on", {"target": "Lamp"}, epoch=1)


def command(number: int = 1) -> Written:
    return Written(f"01C{number:05}", Order("lamp", "turn_on", {}, "call-1", epoch=1), "native")


@pytest.fixture(name="path")
def path_fixture(tmp_path: Path) -> Path:
    return tmp_path / "journal" / "journal.db"


def held_open(path: Path) -> set[str]:
    """Which files beside `path` this process has open; SQLite and others."""
    files = (fd.readlink() for fd in Path("/proc/self/fd").iterdir() if fd.exists())
    return {file.name for file in files if file.parent == path.parent}


@asynccontextmanager
async def journal(path: Path, **settings: Any) -> AsyncIterator[Journal]:
    clock = ManualClock(asyncio.get_running_loop())
    async with Journal(JournalSettings(path, **settings), clock) as opened:
        yield opened


def rows(path: Path, question: str) -> list[tuple[Any, ...]]:
    """What somebody else would find in the file now."""
    with closing(sqlite3.connect(path)) as db:
        return db.execute(question).fetchall()


def count(path: Path, table: str) -> int:
    return int(rows(path, f"SELECT count(*) FROM {table}")[0][0])


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == level]


async def test_a_command_is_in_the_file_when_ahead_returns(path: Path) -> None:
    async with journal(path) as book:
        log: CommandLog = book
        await log.ahead(command())
        assert rows(path, "SELECT id, device, state FROM commands") == [
            ("01C00001", "lamp", "sent")
        ]


async def test_a_call_is_in_the_file_one_turn_of_the_loop_later(path: Path) -> None:
    async with journal(path) as book:
        await book.opened()
        book.note(CallReceived(CALL))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert count(path, "calls") == 1


async def test_what_nothing_hangs_on_is_written_in_a_group(path: Path) -> None:
    async with journal(path) as book:
        await book.opened()
        for state in ("connecting", "opening", "live"):
            book.note(SessionChanged(state, 1))
        assert count(path, "events") == 0
        await asyncio.sleep(store.GROUP_EVERY_S * 2)
        assert rows(path, "SELECT state FROM events ORDER BY id") == [
            ("connecting",),
            ("opening",),
            ("live",),
        ]


async def test_at_the_end_all_of_it_is_there_and_the_run_has_ended_well(path: Path) -> None:
    async with journal(path, client_id="gateway-7") as book:
        book.note(CallReceived(CALL))
        book.note(CallAnswered(CALL, Outcome(Status.CONFIRMED, "Done."), 0.1))
        for _ in range(store.MAX_GROUP * 2):
            book.note(CommandEnded("01X", "lamp", "succeeded"))
        book.note(SessionChanged("stopped", 1))
    assert rows(path, "SELECT status FROM calls") == [("confirmed",)]
    assert rows(path, "SELECT state FROM events") == [("stopped",)]
    assert rows(path, "SELECT client_id, ended_at >= started_at FROM runs") == [("gateway-7", 1)]


async def test_with_before_send_a_command_waits_for_the_disk(path: Path) -> None:
    async with journal(path, before_send=True) as book:
        await asyncio.gather(*(book.ahead(command(number)) for number in range(50)))
        assert count(path, "commands") == 50


async def test_another_program_is_waited_for_without_holding_up_the_loop(path: Path) -> None:
    async with journal(path) as book:
        await book.opened()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = asyncio.create_task(book.ahead(command()))
            book.note(SessionChanged("live", 1))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            other.execute("COMMIT")
        await waiting
        await asyncio.sleep(0.1)
        assert (count(path, "commands"), count(path, "events")) == (1, 1)


async def test_another_program_that_does_not_end_is_an_outage(path: Path) -> None:
    async with journal(path) as book:
        await book.opened()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError):
                await book.ahead(command())
            other.execute("COMMIT")


async def test_a_full_disk_refuses_commands_says_so_once_and_says_when_it_is_over(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with journal(path) as book:
        await book.opened()
        with full_disk(path):
            for number in range(20):
                book.note(CallReceived(CALL))
                with pytest.raises(JournalError):
                    await book.ahead(command(number))
                await asyncio.sleep(1)
        await book.ahead(command(99))
        assert rows(path, "SELECT id FROM commands") == [("01C00099",)]
        await asyncio.sleep(3)
        # What happened meanwhile was kept in memory.
        assert count(path, "calls") == 1
    (error,) = messages(caplog, logging.ERROR)
    assert "journal.required: false" in error
    assert len([m for m in messages(caplog, logging.INFO) if "again" in m]) == 1


async def test_where_it_is_not_required_a_full_disk_stops_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with journal(path, required=False) as book:
        await book.opened()
        with full_disk(path):
            for number in range(5):
                await book.ahead(command(number))
                await asyncio.sleep(1)
            assert count(path, "commands") == 0
        await asyncio.sleep(3)
        assert count(path, "commands") == 5
    assert len(messages(caplog, logging.WARNING)) == 1
    assert messages(caplog, logging.ERROR) == []


@pytest.mark.parametrize("required", [True, False])
async def test_a_place_that_cannot_be_written_is_tried_again_until_it_can(
    path: Path, caplog: pytest.LogCaptureFixture, required: bool
) -> None:
    path.parent.write_text("a file is in the way")
    async with journal(path, required=required) as book:
        for _ in range(10):
            if required:
                with pytest.raises(JournalError):
                    await book.ahead(command())
            else:
                await book.ahead(command())
            await asyncio.sleep(0.3)
        path.parent.unlink()
        await asyncio.sleep(store.RETRY_EVERY_S * 2)
        await book.ahead(command(2))
    kept = {row[0] for row in rows(path, "SELECT id FROM commands")}
    assert kept == ({"01C00002"} if required else {"01C00001", "01C00002"})
    problems = logging.ERROR if required else logging.WARNING
    assert len(messages(caplog, problems)) == 1


async def test_a_journal_that_never_opens_does_not_hold_up_the_end(path: Path) -> None:
    path.parent.write_text("a file is in the way")
    async with journal(path) as book:
        book.note(CallReceived(CALL))
        with pytest.raises(JournalError):
            await book.opened()


async def test_a_file_that_is_damaged_while_we_write_is_replaced(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with journal(path) as book:
        await book.ahead(command(1))
        for part in path.parent.iterdir():
            with part.open("r+b") as file:
                file.write(b"\xff" * 6000)
        outcomes = await asyncio.gather(
            *(book.ahead(command(n)) for n in range(2, 5)), return_exceptions=True
        )
        assert all(o is None or isinstance(o, JournalError) for o in outcomes)
        await asyncio.sleep(store.RETRY_EVERY_S + 1)
        await book.ahead(command(9))
        assert ("01C00009",) in rows(path, "SELECT id FROM commands")


async def test_after_a_damage_it_is_the_new_file_that_is_brought_to_the_disk(path: Path) -> None:
    async with journal(path, before_send=True) as book:
        await book.ahead(command(1))
        for part in path.parent.iterdir():
            with part.open("r+b") as file:
                file.write(b"\xff" * 6000)
        with suppress(JournalError):
            await book.ahead(command(2))
        await asyncio.sleep(store.RETRY_EVERY_S + 1)
        await book.ahead(command(3))
        assert held_open(path) == {path.name, wal_of(path).name, f"{path.name}-shm"}


async def test_a_disk_that_is_full_at_the_end_is_told_like_any_other_outage(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ExitStack() as until_later:
        async with journal(path) as book:
            await book.opened()
            await asyncio.sleep(1)
            until_later.enter_context(full_disk(path))
    assert len(messages(caplog, logging.ERROR)) == 1
    (run,) = rows(path, "SELECT ended_at FROM runs")
    assert run == (None,)


@pytest.mark.parametrize("required", [True, False])
async def test_a_file_that_is_removed_or_replaced_is_begun_anew_and_said(
    path: Path, caplog: pytest.LogCaptureFixture, required: bool
) -> None:
    async with journal(path, required=required) as book:
        await book.ahead(command(1))
        shutil.rmtree(path.parent)
        await book.ahead(command(2))
        assert rows(path, "SELECT id FROM commands") == [("01C00002",)]
        shutil.move(path, f"{path}.moved")
        await book.ahead(command(3))
        await asyncio.sleep(1.0)
        assert rows(path, "SELECT id FROM commands") == [("01C00003",)]
    assert [text.partition(".db ")[2] for text in messages(caplog, logging.ERROR)] == [
        "was removed or replaced while in use: a new one begins",
        "was removed or replaced while in use: a new one begins",
    ]


async def test_a_long_outage_costs_bounded_memory_and_the_gap_is_on_record(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MAX_WAITING", 50)
    async with journal(path) as book:
        await book.opened()
        with full_disk(path):
            for number in range(80):
                book.note(CommandEnded(f"01X{number}", "lamp", "failed"))
        assert book.dropped == 30
        await asyncio.sleep(5)
        (gap,) = rows(path, "SELECT reason FROM events WHERE state = 'gap'")
        assert gap == ("30 entries were lost and 0 repetitions left out",)


async def test_a_device_in_a_loop_does_not_fill_the_journal(path: Path) -> None:
    async with journal(path) as book:
        await book.opened()
        for _ in range(5000):
            book.note(MessageDropped("home/x/ack", "it is no JSON"))
        await asyncio.sleep(70)
        book.note(SessionChanged("live", 1))
        await asyncio.sleep(1)
        kinds = dict(rows(path, "SELECT kind, count(*) FROM events GROUP BY kind"))
        assert kinds == {"dropped": PER_MINUTE, "gateway": 1, "session": 1}


async def test_what_a_crash_left_open_is_found_and_can_be_settled(
    path: Path, tmp_path: Path
) -> None:
    crashed = tmp_path / "crashed.db"
    async with journal(path) as book:
        book.note(CallReceived(CALL))
        await book.ahead(command())
        await asyncio.sleep(0.1)
        # What a process leaves that is killed now.
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{crashed}{end}")
    with closing(sqlite3.connect(crashed)) as db:
        db.execute("UPDATE runs SET process = 'other:1:1'")
        db.commit()
    async with journal(crashed) as book:
        (left,) = await book.unfinished()
        assert [sent.id for sent in left.commands] == ["01C00001"]
        book.resolved("01C00001", "unknown")
        book.became(
            left.run, (left.epoch, left.call_id), Outcome(Status.TIMED_OUT, "Nobody knows.")
        )
    assert rows(crashed, "SELECT state FROM commands") == [("unknown",)]
    assert rows(crashed, "SELECT later_status FROM calls") == [("timed_out",)]
    async with journal(crashed) as book:
        assert await book.unfinished() == []


_NOTED: list[Callable[[], BusEvent]] = [
    lambda: CallReceived(CALL),
    lambda: SessionChanged("live", 1),
]


@pytest.mark.parametrize("event", _NOTED)
async def test_noting_something_never_raises_even_before_it_opens(
    path: Path, event: Callable[[], BusEvent]
) -> None:
    async with journal(path) as book:
        book.note(event())
    assert count(path, "calls") + count(path, "events") == 1
