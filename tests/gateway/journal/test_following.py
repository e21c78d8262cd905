from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal.following import MAX_WATCHED, Follower
from gateway.journal.queries import PAGE, Reader, Wanted
from tests.gateway.journal.book import Book

pytestmark = pytest.mark.unit


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "journal.db")
    yield book
    book.close()


@pytest.fixture
def reader(book: Book) -> Iterator[Reader]:
    with Reader(book.path) as reader:
        yield reader


def told(follower: Follower) -> list[tuple[str, str]]:
    return [(action.tool, action.known) for action in follower.news()]


def test_each_call_is_told_once(book: Book, reader: Reader) -> None:
    follower = Follower(reader, Wanted())
    book.call("first")
    assert told(follower) == [("first", "confirmed")]
    assert told(follower) == []
    book.call("second")
    assert told(follower) == [("second", "confirmed")]


def test_a_call_is_told_when_its_answer_is_there(book: Book, reader: Reader) -> None:
    follower = Follower(reader, Wanted())
    number = book.call("slow", status="")
    book.call("quick")
    assert told(follower) == [("quick", "confirmed")]
    book.answer(number, "failed")
    assert told(follower) == [("slow", "failed")]
    assert told(follower) == []


def test_what_becomes_known_later_is_told_again(book: Book, reader: Reader) -> None:
    follower = Follower(reader, Wanted())
    number = book.call("set_cover", status="pending")
    assert told(follower) == [("set_cover", "pending")]
    assert told(follower) == []
    book.later(number, "confirmed")
    assert told(follower) == [("set_cover", "confirmed")]
    book.later(number, "failed")
    assert told(follower) == []


def test_a_filter_waits_for_what_the_answer_names(book: Book, reader: Reader) -> None:
    follower = Follower(reader, Wanted(failed=True))
    good, bad = book.call("good", status=""), book.call("bad", status="")
    assert told(follower) == []
    book.answer(good, "confirmed")
    book.answer(bad, "offline")
    assert told(follower) == [("bad", "offline")]


def test_many_at_once_come_in_pages(book: Book, reader: Reader) -> None:
    follower = Follower(reader, Wanted())
    book.db.execute("BEGIN")
    for _ in range(PAGE):
        book.call("open", status="")
    for number in range(PAGE + 1):
        book.call(f"tool_{number}")
    book.db.execute("COMMIT")
    every = [tool for _ in range(3) for tool, _ in told(follower)]
    assert every == [f"tool_{number}" for number in range(PAGE + 1)]


def test_only_so_many_are_watched(book: Book, reader: Reader) -> None:
    follower = Follower(reader, Wanted())
    numbers = [book.call("open", status="") for _ in range(MAX_WATCHED + 1)]
    assert told(follower) == []
    book.answer(numbers[0], "confirmed")
    book.answer(numbers[1], "confirmed")
    assert told(follower) == [("open", "confirmed")]
