from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import process

pytestmark = pytest.mark.unit


def test_this_process_lives_on_this_boot() -> None:
    mark = process.own_mark()
    assert process.lives(mark)
    assert process.same_boot(mark)
    assert mark == process.own_mark()


def test_a_process_that_ended_does_not_live() -> None:
    print_mark = "from gateway.journal import process; print(process.own_mark())"
    ended = subprocess.run([sys.executable, "-c", print_mark], capture_output=True, check=True)
    mark = ended.stdout.decode().strip()
    assert not process.lives(mark)
    assert process.same_boot(mark)


def test_a_number_that_is_used_again_is_another_process() -> None:
    boot, pid, started = process.own_mark().split(":")
    assert pid == str(os.getpid())
    assert not process.lives(f"{boot}:{pid}:{int(started) - 1}")


def test_nothing_lives_after_the_machine_was_switched_off() -> None:
    _, pid, started = process.own_mark().split(":")
    mark = f"00000000-0000-0000-0000-000000000000:{pid}:{started}"
    assert not process.lives(mark)
    assert not process.same_boot(mark)


@given(st.text())
def test_a_mark_that_cannot_be_read_does_not_live(mark: str) -> None:
    assert not process.lives(mark)
