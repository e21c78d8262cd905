from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from gateway.journal.lines import lines
from gateway.journal.records import Action, Later, Sent

pytestmark = pytest.mark.unit

ZONE = timezone(timedelta(hours=2))


def action(**fields: object) -> Action:
    known: dict[str, object] = {
        "number": 1,
        "run": 1,
        "epoch": 1,
        "call_id": "c",
        "tool": "turn_on",
        "arguments": {"target": "kitchen light", "brightness": 60},
        "at": 1_700_000_000.0,
        "status": "confirmed",
        "message": "Kitchen light is on at 60 %.",
        "target": "Kitchen light",
        "elapsed_ms": 1.44,
        "later": None,
    }
    return Action(**known | fields)  # type: ignore[arg-type]


def sent(state: str, *, attempts: int = 1, ended_at: float | None = 1_700_000_000.5) -> Sent:
    args = {"brightness": 60}
    at = 1_700_000_000.0
    return Sent("id", "lamp", "native", "turn_on", args, False, at, attempts, state, ended_at)


def test_a_call_is_told_with_what_was_sent_and_said() -> None:
    assert list(lines(action(commands=(sent("succeeded", attempts=3),)), ZONE)) == [
        '2023-11-15 00:13:20  turn_on target="kitchen light" brightness=60  confirmed in 1.4 ms',
        "    lamp turn_on brightness=60  succeeded in 500.0 ms (3 attempts)",
        "    “Kitchen light is on at 60 %.”",
    ]


def test_what_is_open_says_no_time() -> None:
    first, second = lines(
        action(status="", message="", elapsed_ms=None, commands=(sent("sent", ended_at=None),)),
        ZONE,
    )
    assert first.endswith("  not answered")
    assert second.endswith("  sent")


def test_what_became_known_later_stands_below() -> None:
    later = Later(1_700_000_060.0, "confirmed", "Kitchen light is on.")
    told = list(lines(action(status="timed_out", later=later), ZONE))
    assert told[-1] == "    later, 2023-11-15 00:14:20  confirmed: Kitchen light is on."


def test_no_text_steers_the_terminal_or_begins_a_line() -> None:
    evil = "a\x1b[2J\u202eb\n2023-11-15 lie"
    for line in lines(action(arguments={evil: evil}, message=evil, tool=evil), ZONE):
        assert line.isprintable()
        assert "\u202e" not in line
    assert len(list(lines(action(message=evil), ZONE))) == 2
