"""What was done, told from what is on record, and never more than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import JournalError
from gateway.journal.queries import Wanted
from gateway.journal.records import Action, Later, Sent
from gateway.outcome import Outcome, Status
from gateway.testing import ManualClock
from gateway.tools.base import Context, Plan
from gateway.tools.recent import MAX_COUNTED, RecentActions
from gateway.tools.target import House

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
ZONE = timezone(timedelta(hours=1))


class Record:
    """A journal that has these calls, newest first, and remembers what was asked of it."""

    def __init__(self, actions: Sequence[Action] = (), error: JournalError | None = None) -> None:
        self.actions = actions
        self.error = error
        self.wanted = Wanted()

    async def recent(self, wanted: Wanted, limit: int) -> Sequence[Action]:
        if self.error:
            raise self.error
        self.wanted = wanted
        return self.actions[:limit]


def action(
    tool: str = "unlock",
    target: str = "Front door",
    status: str = "confirmed",
    *,
    ago: timedelta = timedelta(minutes=26),
    **arguments: Any,
) -> Action:
    at = (NOW - ago).timestamp()
    asked = {"target": target} | arguments
    return Action(1, 1, 1, "c", tool, asked, at, status, "It said so.", target, 2.0, None)


def tool(home: Any, record: Record) -> RecentActions:
    return RecentActions(House(home.directory), record, ManualClock(wall=NOW), ZONE)


async def ask(home: Any, record: Record, **arguments: Any) -> Outcome:
    plan = tool(home, record).plan(arguments)
    assert isinstance(plan, Plan)
    assert plan.idempotent
    return await plan.run(Context("call-1", lambda _: None))


async def told(home: Any, *actions: Action, **arguments: Any) -> str:
    outcome = await ask(home, Record(actions), **arguments)
    assert outcome.status is Status.ANSWER
    return outcome.message


async def test_what_was_done_is_told_in_local_time(home: Any) -> None:
    outcome = await ask(home, Record([action()]))
    assert outcome.status is Status.ANSWER
    assert outcome.message == "In the last hour: at 21:04 I unlocked Front door (confirmed)."
    assert outcome.data == [
        {"at": "2026-11-24 21:04", "asked": "unlock Front door", "status": "confirmed"}
    ]


@pytest.mark.parametrize("status", [*Status, "unknown", ""])
async def test_only_evidence_is_told_as_done(home: Any, status: str) -> None:
    said = await told(home, action(status=status))
    done = status in {Status.CONFIRMED, Status.ANSWER}
    assert ("I unlocked" in said) is done
    assert ("I was asked to unlock Front door: " in said) is not done


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("timed_out", "whether it was done is not known"),
        ("pending", "whether it was done is not known"),
        ("", "no outcome is on record yet"),
        ("unknown", "whether it was done is not known"),
        ("offline", "it was offline"),
        ("partial", "only a part of it was done"),
        ("already", "it was so already"),
    ],
)
async def test_what_was_not_done_is_told_with_its_reason(
    home: Any, status: str, words: str
) -> None:
    assert (await told(home, action(status=status))).endswith(f"{words}.")


async def test_what_became_known_later_is_what_is_told(home: Any) -> None:
    late = replace(action(status="timed_out"), later=Later(1.0, "confirmed", "Unlocked."))
    assert "I unlocked Front door (confirmed)" in await told(home, late)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (action("turn_on", "Lamp", brightness=60), "I turned on Lamp with brightness 60 (conf"),
        (action("set_cover", "Blind", position=100), "I opened Blind (confirmed)"),
        (action("set_cover", "Blind", position=0), "I closed Blind (confirmed)"),
        (action("set_cover", "Blind", position=40), "I moved Blind with position 40 (conf"),
        (action("vacuum", "Robot", action="start"), "I did “start” with Robot (confirmed)"),
        (
            action("brew_coffee", "Coffee machine", cups=2),
            "I did “brew coffee” with Coffee machine",
        ),
        (action("bin_day", "", "answer", colour="blue"), "I used “bin day” with colour blue."),
        (action("alarm", "House", action="disarm", code="***"), "I did “disarm” with House (conf"),
        (action("set_cover", "Blind", position=[1]), "I moved Blind with position [1] (conf"),
    ],
)
async def test_each_verb_has_its_words(home: Any, asked: Action, words: str) -> None:
    assert words in await told(home, asked)


async def test_what_was_confirmed_is_told_as_what_it_was(home: Any) -> None:
    sent = Sent("i", "front-door", "native", "unlock", {}, False, 1.0, 1, "succeeded", 1.0)
    held = replace(action("confirm", confirmation="***"), commands=(sent,))
    assert "I unlocked Front door (confirmed)" in await told(home, held)
    offline = action("confirm", status="offline", confirmation="***")
    assert "asked to do what was held back for Front door: " in await told(home, offline)


async def test_what_was_held_back_and_denied_needs_no_name(home: Any) -> None:
    denied = action("confirm", "", status="denied", confirmation="***")
    assert "asked to do what was held back: that was not allowed" in await told(home, denied)


async def test_what_was_asked_again_at_once_is_not_told_as_done_again(home: Any) -> None:
    sent = Sent("i", "coffee-machine", "native", "brew_coffee", {}, False, 1.0, 1, "succeeded", 1)
    first = replace(action("brew_coffee", "Coffee machine", cups=2), commands=(sent,))
    again = replace(first, number=2, at=first.at + 9.0, commands=())
    outcome = await ask(home, Record([again, first]))
    assert outcome.message.count("I did “brew coffee”") == 1
    assert "it had been done a moment before, and was not done again" in outcome.message
    assert [row["status"] for row in outcome.data] == ["repeated", "confirmed"]


async def test_what_was_asked_for_later_or_otherwise_was_done_again(home: Any) -> None:
    first = action("brew_coffee", "Coffee machine", cups=2)
    later = replace(first, number=2, at=first.at + 10.0)
    other = replace(action("brew_coffee", "Coffee machine", cups=1), at=later.at)
    said = await told(home, other, later, first)
    assert said.count("I did “brew coffee”") == 3


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(hours=21), "yesterday at 00:30"),
        (timedelta(hours=22), "yesterday at 23:30"),
        (timedelta(days=2), "on Sunday at 21:30"),
        (timedelta(days=7), "a week ago at 21:30"),
    ],
)
async def test_other_days_are_named(home: Any, ago: timedelta, words: str) -> None:
    expected = words.replace("yesterday at 00:30", "at 00:30")
    said = await told(home, action(ago=ago), minutes=10_080)
    assert said.startswith(f"In the last 7 days: {expected} I unlocked")


@pytest.mark.parametrize(
    ("minutes", "period"),
    [(1, "minute"), (90, "90 minutes"), (60, "hour"), (120, "2 hours"), (1440, "day")],
)
async def test_nothing_is_an_answer_too(home: Any, minutes: int, period: str) -> None:
    outcome = await ask(home, Record(), minutes=minutes)
    assert outcome.message == f"I did nothing in the last {period}."
    assert outcome.data == []


async def test_it_asks_for_what_was_asked(home: Any) -> None:
    home.add("Front door", "Hall", "lock", device_id="door-1")
    home.add("Hall light", "Hall", "power", device_id="light-1")
    home.add("Oven", "Kitchen", "power", device_id="oven-1")
    record = Record()
    await ask(home, record)
    assert record.wanted.about == ()
    assert record.wanted.since == NOW.timestamp() - 3600
    assert {"get_state", "find_devices", "recent_actions"} == set(record.wanted.but_tools)
    await ask(home, record, target="the front door", minutes=5)
    assert set(record.wanted.about) == {"Front door", "door-1"}
    assert record.wanted.since == NOW.timestamp() - 300
    await ask(home, record, target="hall")
    assert set(record.wanted.about) == {"Hall", "Front door", "Hall light", "door-1", "light-1"}
    await ask(home, record, target="everything")
    assert record.wanted.about == ()


async def test_a_device_that_is_gone_is_still_on_record(home: Any) -> None:
    home.add("Front door", "Hall", "lock")
    record = Record([action("turn_off", "Old lamp")])
    assert "I turned off Old lamp" in (await ask(home, record, target="Old lamp")).message
    assert record.wanted.about == ("Old lamp",)
    unknown = await ask(home, Record(), target="fornt door")
    assert unknown.status is Status.UNKNOWN_TARGET
    assert "Front door" in unknown.message


async def test_many_are_counted_and_fit(home: Any) -> None:
    outcome = await ask(home, Record([action()] * 9))
    assert outcome.message.endswith(". And 5 more.")
    many = await ask(home, Record([action(target="ß" * 60, note="ä" * 900)] * 300))
    assert many.message.endswith("And many more.")
    assert "truncated" not in many.text()
    assert len(many.data) >= 3
    assert MAX_COUNTED < 300


async def test_a_journal_that_cannot_be_read_is_said(home: Any) -> None:
    outcome = await ask(home, Record(error=JournalError("it is gone")))
    assert (outcome.status, outcome.message) == (Status.ERROR, "I cannot read the journal now.")


TEXT = st.text(max_size=300)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT


@given(TEXT, TEXT, TEXT, st.dictionaries(TEXT, SCALAR | st.lists(SCALAR), max_size=5))
def test_whatever_is_on_record_makes_one_clean_line(
    tool: str, target: str, status: str, arguments: dict[str, Any]
) -> None:
    clock = ManualClock(wall=NOW)
    recent = RecentActions(House([]), Record(), clock, ZONE)
    odd = replace(action(status=status), tool=tool, target=target, arguments=arguments)
    outcome = recent._told("", 60, [odd] * 10)
    assert "\n" not in outcome.message
    assert len(outcome.text().encode()) <= 2000


async def test_what_has_no_outcome_is_told_by_what_was_asked(home: Any) -> None:
    running = replace(action("turn_on", status=""), target="", arguments={"target": "hall"})
    said = await told(home, running)
    assert said.endswith("I was asked to turn on hall: no outcome is on record yet.")
