"""What is read back is what was written, by every filter, and nothing is written by reading."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal.queries import PAGE, Past, Reader, Wanted
from gateway.journal.records import Later
from tests.gateway.journal.book import NOON, Book

pytestmark = pytest.mark.unit

ALL = Wanted()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "journal.db")
    yield book
    book.close()


@pytest.fixture
def reader(book: Book) -> Iterator[Reader]:
    with Reader(book.path) as reader:
        yield reader


def tools(reader: Reader, wanted: Wanted) -> list[str]:
    return [action.tool for action in reader.after(0, wanted)]


def test_a_call_comes_back_whole(book: Book, reader: Reader) -> None:
    book.call(
        "unlock", device="front-door-lock", status="pending", later="confirmed", target="Front door"
    )
    (action,) = reader.after(0, ALL)
    assert (action.tool, action.at, action.status) == ("unlock", NOON, "pending")
    assert (action.target, action.message, action.elapsed_ms) == ("Front door", "It is pending.", 2)
    assert action.later == Later(NOON + 30, "confirmed", "Now confirmed.")
    (command,) = action.commands
    assert (command.device, command.command, command.attempts) == ("front-door-lock", "unlock", 2)
    (heard,) = command.evidence
    assert (heard.status, heard.state) == ("succeeded", {"on": True})


def test_commands_belong_to_their_call(book: Book, reader: Reader) -> None:
    second = book.run()
    for number in range(3):
        book.call("turn_on", NOON + number / 1000, device=f"light-{number}")
        book.call("turn_off", NOON + number / 1000, device=f"fan-{number}", run=second)
    book.call("turn_on", NOON + 90_000, device="light-9")
    devices = [action.commands[0].device for action in reader.after(0, ALL)]
    assert devices == ["light-0", "fan-0", "light-1", "fan-1", "light-2", "fan-2", "light-9"]


def test_only_what_came_since(book: Book, reader: Reader) -> None:
    book.call("old", NOON - 3601)
    book.call("new", NOON - 3599)
    assert tools(reader, Wanted(since=NOON - 3600)) == ["new"]


@pytest.mark.parametrize("about", ["kitchen-light", "Kitchen light", "KITCHEN LIGHT"])
def test_a_device_is_found_by_its_id_and_by_its_name(
    book: Book, reader: Reader, about: str
) -> None:
    book.call("turn_on", device="kitchen-light", target="Kitchen light")
    book.call("turn_off", device="kitchen-light-2", target="Kitchen lights")
    assert tools(reader, Wanted(about=(about,))) == ["turn_on"]


def test_what_never_reached_a_device_is_found_by_its_name(book: Book, reader: Reader) -> None:
    book.call("turn_on", status="offline", target="Fan")
    parts = [{"target": "Lamp", "status": "confirmed"}, {"target": "Fan", "status": "offline"}]
    book.call("turn_off", status="partial", target="Bedroom", results=parts)
    book.call("bin_day", status="answer")
    assert tools(reader, Wanted(about=("fan",))) == ["turn_on", "turn_off"]


def test_filters_hold_together(book: Book, reader: Reader) -> None:
    book.call("turn_on", device="lamp")
    book.call("turn_on", device="lamp", status="timed_out")
    book.call("turn_off", device="lamp", status="timed_out")
    book.call("turn_on", device="fan", status="failed")
    found = reader.after(0, Wanted(about=("lamp",), tool="turn_on", failed=True))
    assert [(a.tool, a.status) for a in found] == [("turn_on", "timed_out")]
    left = Wanted(but_tools=("turn_off",), but_statuses=("failed", "confirmed"))
    assert [(a.tool, a.status) for a in reader.after(0, left)] == [("turn_on", "timed_out")]


def test_failed_is_all_that_is_not_known_to_be_done(book: Book, reader: Reader) -> None:
    for status in ("confirmed", "already", "answer", "pending", "failed", "denied", ""):
        book.call(f"tool_{status}", status=status)
    book.call("recovered", status="timed_out", later="confirmed")
    book.call("lost", status="", later="timed_out")
    names = tools(reader, Wanted(failed=True))
    assert names == ["tool_pending", "tool_failed", "tool_denied", "tool_", "lost"]


def test_pages_come_in_order_and_miss_nothing(book: Book, reader: Reader) -> None:
    book.db.execute("BEGIN")
    for number in range(PAGE + 5):
        book.call(f"tool_{number}")
    book.db.execute("COMMIT")
    first = reader.after(0, ALL)
    rest = reader.after(first[-1].number, ALL)
    assert [a.tool for a in [*first, *rest]] == [f"tool_{n}" for n in range(PAGE + 5)]
    assert list(reader.every(ALL)) == [*first, *rest]
    assert reader.after(rest[-1].number, ALL) == []
    assert [a.tool for a in reader.recent(ALL, 2)] == [f"tool_{PAGE + 4}", f"tool_{PAGE + 3}"]


async def test_the_past_is_read_beside_the_loop(book: Book) -> None:
    book.call("first")
    book.call("last")
    assert [a.tool for a in await Past(book.path).recent(ALL, 1)] == ["last"]
