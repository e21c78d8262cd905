from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract import codec
from devices.contract.command import AckStatus, Command
from devices.contract.errors import CommandRefusedError
from devices.link.base import Message
from devices.sdk.capabilities import brightness, cover, power
from devices.sdk.commands import command
from devices.sdk.device import Device
from devices.sdk.intake import (
    MAX_RUNNING,
    MAX_RUNNING_SAFE,
    Answer,
    Decision,
    Ignore,
    Intake,
    Run,
    refused,
)
from devices.sdk.logbook import Logbook

pytestmark = pytest.mark.unit


class Awning(Device):
    id = "awning"
    name = "Awning"
    capabilities = (power(), brightness(), cover())

    @command
    def turn_on(self, brightness: int = 100) -> None: ...

    @command
    def turn_off(self) -> None: ...

    @command(slow=True)
    async def set_cover(self, position: int) -> None: ...

    @command
    def stop(self) -> None: ...


@pytest.fixture
def intake() -> Intake:
    return Intake(Awning())


def decide(
    intake: Intake, body: bytes | dict[str, Any], *, retained: bool = False, running: int = 0
) -> Decision:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    return intake.decide(Message("home/awning/command", payload, retained), running=running)


def body(command_id: str = "c1", name: str = "turn_on", **changes: Any) -> dict[str, Any]:
    return {"id": command_id, "command": name, "args": {}, "ttl_ms": 3000, "attempt": 1, **changes}


def rejection(decision: Decision) -> str:
    assert isinstance(decision, Answer)
    assert decision.ack.status is AckStatus.REJECTED
    assert decision.ack.error is not None
    return decision.ack.error.code


def test_a_good_command_is_run_with_the_values_its_method_wants(intake: Intake) -> None:
    decision = decide(intake, body(args={"brightness": 60.0}))
    assert isinstance(decision, Run)
    assert decision.arguments == {"brightness": 60}
    assert type(decision.arguments["brightness"]) is int


def test_a_retained_command_is_never_obeyed(intake: Intake) -> None:
    assert isinstance(decide(intake, body(), retained=True), Ignore)
    assert isinstance(decide(intake, body()), Run)


def test_a_repeat_is_answered_and_not_run(intake: Intake) -> None:
    assert isinstance(decide(intake, body()), Run)
    repeat = decide(intake, body(ttl_ms=1000, attempt=2))
    assert isinstance(repeat, Answer)
    assert repeat.ack.status is AckStatus.ACCEPTED


def test_a_late_repeat_of_what_was_done_is_not_called_expired(intake: Intake) -> None:
    decide(intake, body())
    repeat = decide(intake, body(ttl_ms=0, attempt=2))
    assert isinstance(repeat, Answer)
    assert repeat.ack.status is AckStatus.ACCEPTED


@pytest.mark.parametrize("ttl_ms", [0, -1, -5000])
def test_a_command_whose_time_has_passed_is_expired_for_good(intake: Intake, ttl_ms: int) -> None:
    for attempt in (body(ttl_ms=ttl_ms), body(ttl_ms=3000)):
        decision = decide(intake, attempt)
        assert isinstance(decision, Answer)
        assert decision.ack.status is AckStatus.EXPIRED


def test_a_command_that_the_device_does_not_know(intake: Intake) -> None:
    assert rejection(decide(intake, body(name="dance"))) == "unknown_command"


@pytest.mark.parametrize("args", [{"brightness": 101}, {"brightness": "full"}, {"volume": 3}])
def test_wrong_arguments_are_rejected_for_good(intake: Intake, args: dict[str, Any]) -> None:
    assert rejection(decide(intake, body(args=args))) == "invalid_arguments"
    assert rejection(decide(intake, body(args=args, attempt=2))) == "invalid_arguments"


def test_an_id_that_means_something_else_now_is_rejected(intake: Intake) -> None:
    decide(intake, body())
    assert rejection(decide(intake, body(name="turn_off"))) == "id_reused"


def test_a_busy_device_rejects(intake: Intake) -> None:
    assert isinstance(decide(intake, body("c1"), running=MAX_RUNNING - 1), Run)
    assert rejection(decide(intake, body("c2"), running=MAX_RUNNING)) == "busy"


def test_stop_gets_through_to_a_busy_device(intake: Intake) -> None:
    assert isinstance(decide(intake, body("c1", "stop"), running=MAX_RUNNING), Run)
    assert rejection(decide(intake, body("c2", "stop"), running=MAX_RUNNING_SAFE)) == "busy"


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"id": 7}', b'{"id": "two words"}'])
def test_garbage_without_an_id_is_only_logged(intake: Intake, payload: bytes) -> None:
    decision = decide(intake, payload)
    assert isinstance(decision, Ignore)
    assert decision.reason


def test_garbage_with_an_id_is_rejected_and_so_is_what_follows(intake: Intake) -> None:
    assert rejection(decide(intake, {"id": "c1", "command": 7})) == "malformed"
    assert rejection(decide(intake, body())) == "malformed"


def test_garbage_with_the_id_of_a_good_command_says_nothing_about_that_one(
    intake: Intake,
) -> None:
    decide(intake, body())
    assert isinstance(decide(intake, {"id": "c1"}), Ignore)


def test_an_oversized_command_is_not_looked_into(intake: Intake) -> None:
    big = json.dumps(body(extra="x" * codec.MAX_COMMAND_BYTES)).encode()
    assert isinstance(decide(intake, big), Ignore)


def test_what_a_restart_would_forget_is_refused_but_for_what_makes_safe(tmp_path: Path) -> None:
    with Logbook(tmp_path, "awning") as book:
        intake = Intake(Awning(), book)
        old = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, old[1]))
        try:
            refused_one = decide(intake, body("c1"))
            safe = decide(intake, body("c2", "stop"))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)
        assert rejection(refused_one) == "cannot_remember"
        assert isinstance(safe, Run)
        assert rejection(decide(intake, body("c1", attempt=2))) == "cannot_remember"
        assert isinstance(decide(intake, body("c3")), Run)


@pytest.mark.parametrize(("effect", "status"), [(True, "failed"), (False, "rejected")])
def test_a_refusal_with_effect_is_a_failure(effect: bool, status: str) -> None:
    ack = refused("c1", CommandRefusedError("jammed", "It is stuck.", effect=effect))
    assert ack.status.value == status
    assert ack.error is not None
    assert (ack.error.code, ack.error.message) == ("jammed", "It is stuck.")


@given(st.binary(max_size=100))
def test_any_bytes_are_answered_or_ignored(payload: bytes) -> None:
    assert isinstance(decide(Intake(Awning()), payload), Answer | Ignore)


COMMANDS = st.builds(
    Command,
    id=st.sampled_from(["c1", "c2", "c3"]),
    command=st.sampled_from(["turn_on", "turn_off", "set_cover", "dance"]),
    args=st.dictionaries(st.sampled_from(["brightness", "position"]), st.integers(-1, 101)),
    ttl_ms=st.integers(-1, 2),
)


@given(st.lists(COMMANDS, max_size=30))
def test_no_id_is_run_twice_nor_after_a_final_answer(commands: list[Command]) -> None:
    intake, run, refused_ids = Intake(Awning()), [], set()
    for item in commands:
        decision = decide(intake, codec.encode_command(item))
        if isinstance(decision, Run):
            run.append(item.id)
            assert item.id not in refused_ids
        elif isinstance(decision, Answer) and decision.ack.status.final:
            refused_ids.add(item.id)
    assert len(run) == len(set(run))
