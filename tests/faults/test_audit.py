"""The judge must see each broken promise, and none where all is well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.audit import Evidence, Verdict, audit
from tests.faults.inventory import PLACES, Kind, Place
from tests.faults.journal import CallRow, CommandRow, JournalRows
from tests.faults.records import Actuation, Answer, Asked, Note
from tests.faults.schedule import Ask

pytestmark = pytest.mark.unit

LAMP = next(place for place in PLACES if place.kind is Kind.LAMP)
OTHER = Place(Kind.LAMP, 2)
ARGS = {"brightness": 40, "color": "#100001"}
SENTENCE = "Lamp 1 is on at 40 %."
TOLD = f"Before the gateway restarted, turn_on was called: {SENTENCE}"


def asked(status: str | None = "confirmed", place: Place = LAMP, number: int = 1) -> Asked:
    ask = Ask(number, place, "turn_on", ARGS)
    answers = [Answer(12.0, {"status": status})] if status else []
    return Asked(ask, f"call_{number}", 1, 10.0, answers)


def row(status: str | None = "confirmed", later: str | None = None) -> CallRow:
    return CallRow(1, 1, "call_1", "turn_on", status, later, [(SENTENCE, 12.0)] if status else [])


def command(state: str = "succeeded", name: str = "id-1") -> CommandRow:
    return CommandRow(name, 1, "call_1", LAMP.device_id, "turn_on", ARGS, state)


def act(name: str = "id-1", at: float = 11.0) -> Actuation:
    return Actuation(LAMP.device_id, name, "turn_on", ARGS, at)


GOOD = Evidence([asked()], [], [act()], JournalRows([row()], [command()]))
UNANSWERED = replace(GOOD, asked=[asked(None)], journal=JournalRows([row(None)], [command()]))


def figures(verdict: Verdict) -> dict[str, int]:
    """The figures that are not zero, without the number of calls."""
    names = (
        *("told_by_note", "never_read", "lost", "doubles", "false_confirmed"),
        *("false_refusals", "unknown", "unresolved"),
    )
    return {name: getattr(verdict, name) for name in names if getattr(verdict, name)}


def test_a_call_that_was_done_and_told_is_well() -> None:
    verdict = audit(GOOD)
    assert (verdict.calls, verdict.statuses, verdict.violations) == (1, {"confirmed": 1}, [])
    assert figures(verdict) == {}


def test_no_result_and_no_note_is_an_answer_lost() -> None:
    verdict = audit(UNANSWERED)
    assert verdict.lost == 1
    assert "call_1 (turn_on lamp-1)" in verdict.violations[0]


def test_a_note_in_a_later_session_is_an_answer() -> None:
    journal = JournalRows([row(None, "confirmed")], [command()])
    told = replace(UNANSWERED, journal=journal, notes=[Note(15.0, 2, TOLD)])
    assert figures(audit(told)) == {"told_by_note": 1}


@pytest.mark.parametrize(
    "note",
    [
        Note(9.0, 1, TOLD),
        Note(15.0, 2, TOLD.replace("turn_on", "turn_off")),
        Note(15.0, 2, TOLD.replace("Lamp 1", "Lamp 2")),
    ],
    ids=["told before it was asked", "of another tool", "of another device"],
)
def test_a_note_of_something_else_is_none(note: Note) -> None:
    assert audit(replace(UNANSWERED, notes=[note])).lost == 1


@pytest.mark.parametrize(
    ("at", "text", "lost"),
    [(15.0, TOLD, 0), (15.0, TOLD.replace("40 %", "50 %"), 1), (11.5, TOLD, 1)],
    ids=["its own", "of another call", "of an earlier call, told again"],
)
def test_a_note_has_the_words_that_are_on_record(at: float, text: str, lost: int) -> None:
    unheard = replace(GOOD, asked=[asked(None)], notes=[Note(at, 2, text)])
    assert audit(unheard).lost == lost


def test_a_call_of_which_only_the_command_is_on_record_can_be_told() -> None:
    killed = replace(UNANSWERED, journal=JournalRows([], [command()]))
    assert audit(killed).lost == 1
    assert audit(replace(killed, notes=[Note(15.0, 2, TOLD)])).lost == 0


def test_one_note_answers_one_call() -> None:
    rows = [row(None), replace(row(None), call_id="call_2")]
    both = replace(
        UNANSWERED,
        asked=[asked(None), asked(None, number=2)],
        journal=JournalRows(rows, [command()]),
        notes=[Note(15.0, 2, TOLD)],
    )
    assert audit(both).lost == 1


def test_a_call_that_left_no_trace_was_never_read() -> None:
    verdict = audit(Evidence([asked(None)], [], [], JournalRows([], [])))
    assert figures(verdict) == {"never_read": 1}
    assert not verdict.violations


def test_one_id_that_acts_twice_is_a_double_actuation() -> None:
    assert audit(replace(GOOD, actuations=[act(), act(at=11.5)])).doubles == 1


def test_two_ids_for_one_call_are_a_double_actuation() -> None:
    journal = JournalRows([row()], [command(), command(name="id-2")])
    assert audit(replace(GOOD, actuations=[act(), act("id-2")], journal=journal)).doubles == 1


def test_a_repeat_is_answered_with_what_was_done_and_does_nothing() -> None:
    again = replace(asked(number=2), repeats="call_1")
    rows = [row(), replace(row(), call_id="call_2")]
    told = replace(GOOD, asked=[asked(), again], journal=JournalRows(rows, [command()]))
    assert figures(audit(told)) == {}
    twice = replace(command(name="id-2"), call_id="call_2")
    told = replace(
        told, actuations=[act(), act("id-2")], journal=JournalRows(rows, [command(), twice])
    )
    assert audit(told).doubles == 1


@pytest.mark.parametrize(
    "actuations",
    [[], [act(at=13.0)], [replace(act(), args={"brightness": 4})]],
    ids=["not done", "done after it was told", "something else done"],
)
def test_confirmed_without_the_deed_is_false(actuations: list[Actuation]) -> None:
    assert audit(replace(GOOD, actuations=actuations)).false_confirmed == 1


def test_a_note_that_confirms_without_the_deed_is_false() -> None:
    journal = JournalRows([row("timed_out", "confirmed")], [command()])
    told = replace(GOOD, asked=[asked("timed_out")], actuations=[], journal=journal)
    assert audit(told).false_confirmed == 1


def test_told_not_done_although_it_was_done_is_false() -> None:
    journal = JournalRows([row("expired")], [command("failed")])
    told = replace(GOOD, asked=[asked("expired")], journal=journal)
    assert audit(told).false_refusals == 1


def test_unknown_is_counted_and_no_broken_promise() -> None:
    journal = JournalRows([row("timed_out")], [command("timed_out")])
    verdict = audit(replace(GOOD, asked=[asked("timed_out")], journal=journal))
    assert figures(verdict) == {"unknown": 1}
    assert not verdict.violations


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        (replace(GOOD, asked=[replace(asked(), answers=asked().answers * 2)]), "answered twice"),
        (replace(GOOD, actuations=[act(), act("nobody's")]), "not on record"),
        (replace(GOOD, journal=JournalRows([row()], [command("sent")], 2)), "unresolved"),
        (replace(GOOD, journal=JournalRows([row("failed")], [command()])), "journal differs"),
        (replace(GOOD, journal=JournalRows([row()], [command("expired")])), "journal wrong"),
        (replace(GOOD, strange=["a result for nobody"]), "strange"),
    ],
)
def test_other_lapses_are_found(evidence: Evidence, word: str) -> None:
    assert [text.partition(":")[0] for text in audit(evidence).violations] == [word]
