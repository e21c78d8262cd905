from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Ack, AckStatus, Command
from devices.sdk.dedupe import Dedupe
from devices.sdk.logbook import REMEMBERED_IDS, Logbook

pytestmark = pytest.mark.unit


def a_command(command_id: str, **args: int) -> Command:
    return Command(command_id, "turn_on", args, 3000)


def done(command_id: str) -> Ack:
    return Ack(command_id, AckStatus.SUCCEEDED, {"on": True})


def test_a_new_id_has_no_answer_yet() -> None:
    assert Dedupe().replay(a_command("c1")) is None


def test_a_repeat_gets_the_remembered_answer() -> None:
    memory = Dedupe()
    memory.begin(a_command("c1"))
    memory.remember(done("c1"))
    assert memory.replay(a_command("c1")) == done("c1")


def test_a_repeat_of_what_still_runs_hears_the_latest_word() -> None:
    memory = Dedupe()
    memory.begin(a_command("c1"))
    first = memory.replay(a_command("c1"))
    assert first is not None
    assert first.status is AckStatus.ACCEPTED
    half = Ack("c1", AckStatus.IN_PROGRESS, percent=50)
    memory.remember(half)
    assert memory.replay(a_command("c1")) == half


@pytest.mark.parametrize(
    "other", [a_command("c1", brightness=5), Command("c1", "turn_off", {}, 3000)]
)
def test_an_id_used_for_something_else_is_rejected_and_the_first_stays(other: Command) -> None:
    memory = Dedupe()
    memory.begin(a_command("c1"))
    memory.remember(done("c1"))
    answer = memory.replay(other)
    assert answer is not None
    assert answer.status is AckStatus.REJECTED
    assert answer.error is not None
    assert answer.error.code == "id_reused"
    assert memory.replay(a_command("c1")) == done("c1")


def test_an_unreadable_command_stays_refused_when_its_readable_twin_comes() -> None:
    memory = Dedupe()
    refusal = Ack("c1", AckStatus.REJECTED)
    memory.remember(refusal)
    assert memory.replay(a_command("c1")) == refusal


def test_the_last_256_ids_are_kept() -> None:
    memory = Dedupe()
    for number in range(REMEMBERED_IDS + 1):
        memory.begin(a_command(f"c{number}"))
        memory.remember(done(f"c{number}"))
    assert len(memory) == REMEMBERED_IDS == 256
    assert memory.replay(a_command("c0")) is None
    assert memory.replay(a_command("c1")) == done("c1")


def test_an_id_that_is_asked_for_again_stays_longer() -> None:
    memory = Dedupe(size=2)
    for command_id in ("c1", "c2"):
        memory.begin(a_command(command_id))
        memory.remember(done(command_id))
    memory.replay(a_command("c1"))
    memory.begin(a_command("c3"))
    assert "c1" in memory
    assert "c2" not in memory


def test_a_command_that_still_runs_is_never_forgotten() -> None:
    memory = Dedupe(size=2)
    memory.begin(a_command("running"))
    for number in range(10):
        memory.begin(a_command(f"c{number}"))
        memory.remember(done(f"c{number}"))
    assert "running" in memory
    assert len(memory) == 2


@given(st.lists(st.integers(0, 20), max_size=100))
def test_within_memory_each_id_is_new_once(numbers: list[int]) -> None:
    memory = Dedupe(size=32)
    new = []
    for number in numbers:
        if memory.replay(a_command(f"c{number}")) is None:
            memory.begin(a_command(f"c{number}"))
            memory.remember(done(f"c{number}"))
            new.append(number)
    assert len(new) == len(set(new)) == len(set(numbers))


def test_with_a_logbook_a_restart_forgets_nothing(tmp_path: Path) -> None:
    refusal = Ack("c3", AckStatus.REJECTED)
    with Logbook(tmp_path, "lamp") as book:
        memory = Dedupe(logbook=book)
        memory.begin(a_command("c1"))
        memory.remember(done("c1"))
        memory.begin(a_command("c2", code=4711))
        memory.remember(Ack("c2", AckStatus.IN_PROGRESS, percent=50))
        memory.remember(refusal)
    assert "4711" not in (tmp_path / "lamp.jsonl").read_text()
    with Logbook(tmp_path, "lamp") as book:
        memory = Dedupe(logbook=book)
        assert memory.replay(a_command("c1")) == done("c1")
        assert memory.replay(a_command("c3")) == refusal
        interrupted = memory.replay(a_command("c2", code=4711))
        reused = memory.replay(a_command("c2", code=4712))
    assert interrupted is not None
    assert interrupted.error is not None
    assert (interrupted.status, interrupted.error.code) == (AckStatus.FAILED, "interrupted")
    assert reused is not None
    assert reused.error is not None
    assert reused.error.code == "id_reused"
