from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.journal.records import Action, Heard, Later, Sent
from gateway.outcome import Status

pytestmark = pytest.mark.unit


def action(status: str = "confirmed", later: Later | None = None, **fields: Any) -> Action:
    known: dict[str, Any] = {
        "number": 7,
        "run": 1,
        "epoch": 2,
        "call_id": "c1",
        "tool": "turn_on",
        "arguments": {"target": "lamp"},
        "at": 1_700_000_000.5,
        "message": "Lamp is on.",
        "target": "Lamp",
        "elapsed_ms": 1.5,
    }
    return Action(status=status, later=later, **known | fields)


def test_what_came_later_counts() -> None:
    late = action("timed_out", Later(1.0, "confirmed", "Lamp is on."))
    assert (late.known, late.ok) == ("confirmed", True)
    assert (action("timed_out").known, action("timed_out").ok) == ("timed_out", None)


@pytest.mark.parametrize("status", [*Status])
def test_ok_is_that_of_the_outcome(status: Status) -> None:
    assert action(status.value).ok is status.ok


@pytest.mark.parametrize("status", ["", "unknown", "a word of tomorrow"])
def test_no_word_that_we_know_is_no_success_and_no_failure(status: str) -> None:
    assert action(status).ok is None


def test_the_line_for_scripts_is_json_with_times_that_sort() -> None:
    heard = Heard(1_700_000_000.7, "succeeded", {"on": True}, late=False, duplicate=True)
    sent = Sent("id", "lamp", "native", "turn_on", {}, False, 1_700_000_000.6, 1, "sent", None)
    commands = (sent, Sent(*_values(sent)[:-2], 1_700_000_001.0, (heard,)))
    body = action(commands=commands, later=Later(1_700_000_002.0, "failed", "No.")).body()
    assert json.loads(json.dumps(body)) == body
    assert body["at"] == "2023-11-14T22:13:20.500Z"
    assert body["ok"] is False
    assert body["later"] == {
        "at": "2023-11-14T22:13:22.000Z",
        "status": "failed",
        "message": "No.",
    }
    first, second = body["commands"]
    assert (first["ended_at"], first["evidence"]) == (None, [])
    assert second["ended_at"] == "2023-11-14T22:13:21.000Z"
    assert second["evidence"][0]["at"] == "2023-11-14T22:13:20.700Z"


def test_an_unanswered_call_has_no_status() -> None:
    body = action("", elapsed_ms=None).body()
    assert (body["status"], body["ok"], body["elapsed_ms"]) == (None, None, None)


def _values(sent: Sent) -> tuple[Any, ...]:
    return tuple(getattr(sent, name) for name in Sent.__slots__)
