from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outcome import MAX_OUTCOME_BYTES, Outcome, Status

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ok", "statuses"),
    [
        (True, {"confirmed", "already", "answer"}),
        (None, {"unconfirmed", "pending", "timed_out"}),
        (
            False,
            {"partial", "failed", "rejected", "superseded", "offline", "expired", "denied"}
            | {"needs_confirmation", "invalid", "unknown_tool", "unknown_target", "error"},
        ),
    ],
)
def test_ok_is_true_only_with_evidence(ok: bool | None, statuses: set[str]) -> None:
    assert {s.value for s in Status if s.ok is ok} == statuses


def test_the_body_has_only_keys_with_a_value() -> None:
    outcome = Outcome(Status.PENDING, "Wait.")
    assert outcome.body() == {"ok": None, "status": "pending", "message": "Wait."}


def test_the_text_is_one_json_object() -> None:
    outcome = Outcome(
        Status.NEEDS_CONFIRMATION,
        "Shall I?",
        target="Tür",
        state={"locked": True},
        confirmation="a",
    )
    assert json.loads(outcome.text()) == {
        "ok": False,
        "status": "needs_confirmation",
        "target": "Tür",
        "state": {"locked": True},
        "confirmation": "a",
        "message": "Shall I?",
    }


def test_what_is_too_long_is_cut_and_says_so() -> None:
    results = tuple(
        Outcome(Status.FAILED, f"Lamp {n} failed.", target=f"Lamp {n}", state={"on": False})
        for n in range(100)
    )
    body = json.loads(Outcome(Status.PARTIAL, "Some failed.", results=results).text())
    assert body["truncated"] is True
    assert body["status"] == "partial"
    assert 10 < len(body["results"]) < 100
    assert body["results"][0] == {
        "ok": False,
        "status": "failed",
        "target": "Lamp 0",
        "message": "Lamp 0 failed.",
    }


_TEXT = st.text(max_size=30).map(lambda t: t * 100) | st.text(max_size=40)
_DATA = st.none() | st.lists(_TEXT, max_size=5) | st.dictionaries(_TEXT, _TEXT, max_size=3) | _TEXT


@given(st.sampled_from(Status), _TEXT, _TEXT, _DATA)
def test_any_outcome_fits_and_keeps_its_status(
    status: Status, message: str, target: str, data: Any
) -> None:
    text = Outcome(status, message, target=target, data=data).text()
    assert len(text.encode()) <= MAX_OUTCOME_BYTES
    body = json.loads(text)
    assert (body["ok"], body["status"]) == (status.ok, status.value)


def test_half_a_character_does_not_break_the_wire() -> None:
    text = Outcome(Status.ANSWER, "Hm.", data="\ud800").text()
    assert json.loads(text)["data"] == "?"
