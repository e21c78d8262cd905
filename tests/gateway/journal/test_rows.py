from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.dispatch.order import Order, Written
from gateway.events import (
    BrokerChanged,
    BusEvent,
    CallAnswered,
    CallReceived,
    CommandEnded,
    CommandSent,
    DeviceSeen,
    EvidenceReceived,
    FunctionCall,
    LateOutcome,
    MessageDropped,
    SessionChanged,
    Spoken,
)
from gateway.journal import rows
from gateway.journal.file import open_file
from gateway.journal.masking import MASK
from gateway.outcome import Outcome, Status

pytestmark = pytest.mark.unit

CALL = FunctionCall("call-1", "turn_on", {"target": "Kitchen light"}, epoch=2)
ORDER = Order("kitchen-light", "turn_on", {"brightness": 60}, "call-1", epoch=2)
RUN = 3


class Desk:
    """A journal in the hands of a test."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def write(self, *made: rows.Row) -> None:
        for statement, values in made:
            self.db.execute(statement, values)

    def happened(self, event: BusEvent, at: float = 20.0) -> None:
        self.write(*rows.of(RUN, at, event))

    def sent(self, order: Order = ORDER, command_id: str = "01C") -> None:
        self.write(rows.command(RUN, 10.0, Written(command_id, order, "native")))

    def one(self, table: str) -> dict[str, Any]:
        (row,) = self.db.execute(f"SELECT * FROM {table}")
        return dict(row)


@pytest.fixture(name="desk")
def desk_fixture(tmp_path: Path) -> Iterator[Desk]:
    with closing(open_file(tmp_path / "journal.db", datetime.now(UTC))) as db:
        db.row_factory = sqlite3.Row
        yield Desk(db)


def test_a_call_from_its_question_to_what_became_known_later(desk: Desk) -> None:
    desk.happened(CallReceived(CALL), at=10.0)
    asked = desk.one("calls")
    assert (asked["run"], asked["epoch"], asked["call_id"]) == (RUN, 2, "call-1")
    assert (asked["tool"], json.loads(asked["arguments"])) == ("turn_on", CALL.arguments)
    assert (asked["at"], asked["answered_at"], asked["status"]) == (10.0, None, None)

    outcome = Outcome(Status.PENDING, "It is still moving.", target="Blind")
    desk.happened(CallAnswered(CALL, outcome, 0.25), at=10.25)
    answered = desk.one("calls")
    assert (answered["answered_at"], answered["elapsed_ms"]) == (10.25, 250.0)
    assert (answered["status"], answered["message"]) == ("pending", "It is still moving.")
    assert json.loads(answered["outcome"]) == outcome.body()
    assert answered["later_at"] is None

    desk.happened(LateOutcome("call-1", Outcome(Status.CONFIRMED, "It is closed."), 2), at=30.0)
    later = desk.one("calls")
    assert (later["later_at"], later["later_status"]) == (30.0, "confirmed")
    assert (later["status"], later["later_message"]) == ("pending", "It is closed.")


def test_a_call_id_that_comes_again_changes_nothing(desk: Desk) -> None:
    desk.happened(CallReceived(CALL), at=10.0)
    desk.happened(CallReceived(CALL), at=99.0)
    assert desk.one("calls")["at"] == 10.0


def test_a_command_from_before_it_is_sent_to_its_end(desk: Desk) -> None:
    desk.sent()
    row = desk.one("commands")
    assert (row["id"], row["device"], row["ecosystem"]) == ("01C", "kitchen-light", "native")
    assert (row["command"], json.loads(row["args"])) == ("turn_on", {"brightness": 60})
    assert (row["state"], row["attempts"], row["masked"], row["at"]) == ("sent", 0, 0, 10.0)

    for attempt in (1, 2):
        desk.happened(CommandSent("call-1", "01C", "kitchen-light", "turn_on", {}, attempt))
    desk.happened(EvidenceReceived("01C", "kitchen-light", "accepted", {}))
    assert (desk.one("commands")["state"], desk.one("commands")["attempts"]) == ("accepted", 2)

    desk.happened(CommandEnded("01C", "kitchen-light", "succeeded"), at=21.0)
    row = desk.one("commands")
    assert (row["state"], row["ended_at"]) == ("succeeded", 21.0)


def test_only_what_is_open_can_still_end(desk: Desk) -> None:
    desk.sent()
    for state, kept in [
        ("timed_out", "timed_out"),
        ("succeeded", "succeeded"),
        ("failed", "succeeded"),
    ]:
        desk.happened(CommandEnded("01C", "kitchen-light", state))
        assert desk.one("commands")["state"] == kept
    desk.happened(EvidenceReceived("01C", "kitchen-light", "in_progress", {}))
    assert desk.one("commands")["state"] == "succeeded"


def test_who_settles_an_old_command_has_the_last_word(desk: Desk) -> None:
    desk.sent()
    desk.happened(CommandEnded("01C", "kitchen-light", "expired"))
    desk.write(*rows.resolved(50.0, "01C", "unknown"))
    assert (desk.one("commands")["state"], desk.one("commands")["ended_at"]) == ("unknown", 50.0)
    desk.happened(CommandEnded("01C", "kitchen-light", "succeeded"))
    assert desk.one("commands")["state"] == "succeeded"


def test_a_call_that_a_crash_took_away_is_made_up_from_its_command(desk: Desk) -> None:
    desk.sent()
    desk.write(*rows.resolved(50.0, "01C", "succeeded"))
    desk.write(rows.later(RUN, 51.0, (2, "call-1"), Outcome(Status.CONFIRMED, "It is on.")))
    row = desk.one("calls")
    assert (row["run"], row["epoch"], row["call_id"], row["at"]) == (RUN, 2, "call-1", 10.0)
    assert (row["tool"], row["later_status"]) == ("turn_on", "confirmed")
    assert json.loads(row["arguments"]) == {"brightness": 60, "target": "kitchen-light"}


def test_a_call_that_is_on_record_stays_as_it_is(desk: Desk) -> None:
    desk.happened(CallReceived(CALL))
    desk.sent()
    before = desk.one("calls")
    desk.write(*rows.resolved(50.0, "01C", "unknown"))
    assert desk.one("calls") == before


def test_a_command_that_nobody_can_read_still_gets_its_end(desk: Desk) -> None:
    desk.sent()
    desk.db.execute("UPDATE commands SET args = '{broken'")
    desk.write(*rows.resolved(50.0, "01C", "unknown"))
    assert (desk.one("commands")["state"], desk.one("calls")["arguments"]) == ("unknown", "{}")


def test_what_a_device_said_is_kept_with_its_state(desk: Desk) -> None:
    desk.happened(EvidenceReceived("01C", "kitchen-light", "failed", {"on": False}, late=True))
    row = desk.one("evidence")
    assert (row["command"], row["device"], row["at"]) == ("01C", "kitchen-light", 20.0)
    assert (row["status"], json.loads(row["state"])) == ("failed", {"on": False})
    assert (row["late"], row["duplicate"]) == (1, 0)


@pytest.mark.parametrize(
    ("event", "kept"),
    [
        (SessionChanged("live", 1), ("session", "live", "")),
        (BrokerChanged("down", "gone"), ("broker", "down", "gone")),
        (DeviceSeen("lamp", "offline"), ("device", "offline", "lamp")),
        (MessageDropped("home/x/ack", "it is no JSON"), ("dropped", "home/x/ack", "it is no JSON")),
    ],
)
def test_what_happens_around_calls(desk: Desk, event: BusEvent, kept: tuple[str, ...]) -> None:
    desk.happened(event)
    row = desk.one("events")
    assert (row["kind"], row["state"], row["reason"], row["run"]) == (*kept, RUN)


@pytest.mark.parametrize("event", [Spoken("user", "hello"), DeviceSeen("lamp", "announced")])
def test_words_and_announcements_are_not_kept(event: BusEvent) -> None:
    assert rows.of(RUN, 20.0, event) == ()


def test_secrets_stay_out_and_such_a_command_cannot_be_asked_about(desk: Desk) -> None:
    secret = "4711-open-sesame"
    order = Order("door", "unlock", {"code": secret}, "call-1", epoch=2)
    desk.sent(order)
    desk.happened(CallReceived(FunctionCall("call-1", "unlock", {"code": secret}, epoch=2)))
    held = Outcome(Status.NEEDS_CONFIRMATION, "Shall I?", confirmation=secret)
    desk.happened(CallAnswered(FunctionCall("call-1", "unlock", {}, epoch=2), held, 0.1))
    assert secret not in "".join(desk.db.iterdump())
    assert desk.one("commands")["masked"] == 1
    assert json.loads(desk.one("calls")["outcome"])["confirmation"] == MASK


def test_arguments_without_end_are_shortened_and_such_a_command_cannot_be_asked_about(
    desk: Desk,
) -> None:
    desk.sent(Order("sign", "set_text", {"text": "x" * 100_000}, "call-1"))
    row = desk.one("commands")
    assert len(row["args"]) <= rows.MAX_JSON_CHARS
    assert json.loads(row["args"]).keys() == {"shortened"}
    assert row["masked"] == 1


_TEXT = st.text(st.characters(), max_size=40)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_TEXT, st.dictionaries(_TEXT, _TEXT | st.integers() | st.floats() | st.none(), max_size=4))
def test_whatever_comes_can_be_written(desk: Desk, text: str, values: dict[str, Any]) -> None:
    call = FunctionCall(text, text, values, epoch=1)
    desk.happened(CallReceived(call))
    desk.happened(CallAnswered(call, Outcome(Status.ANSWER, text, data=values), 0.1))
    desk.happened(MessageDropped(text, text))
    desk.happened(SessionChanged("live", 1, text))
    desk.sent(Order("lamp", "turn_on", values, text), command_id="01W")
    for (written,) in desk.db.execute("SELECT arguments FROM calls"):
        assert isinstance(json.loads(written), dict)
