"""Blocking functions: each in a thread that holds up nothing."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gateway.errors import ToolError
from gateway.tools.threads import DaemonThreads

pytestmark = pytest.mark.unit


def test_the_result_or_the_error_comes_back() -> None:
    threads = DaemonThreads()
    assert threads.submit(lambda a, b: a + b, 2, b=3).result(5) == 5
    with pytest.raises(ZeroDivisionError):
        threads.submit(lambda: 1 // 0).result(5)


def test_it_runs_beside_the_loop_in_a_thread_that_ends_with_the_process() -> None:
    thread = DaemonThreads().submit(threading.current_thread).result(5)
    assert thread is not threading.current_thread()
    assert thread.daemon


def test_hung_functions_are_bounded_and_room_comes_back() -> None:
    threads, go_on = DaemonThreads(most=2), threading.Event()
    hung = [threads.submit(go_on.wait, 5) for _ in range(2)]
    with pytest.raises(ToolError, match="Too many"):
        threads.submit(print)
    go_on.set()
    assert all(future.result(5) for future in hung)
    # The room is given back just after the result.
    for thread in threading.enumerate():
        if thread.name == "tool":
            thread.join(5)
    assert threads.submit(lambda: "room").result(5) == "room"


def test_a_function_that_hangs_does_not_keep_the_loop_from_ending() -> None:
    go_on = threading.Event()
    threads = DaemonThreads()

    async def give_up() -> None:
        call = asyncio.get_running_loop().run_in_executor(threads, go_on.wait, 60)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call, 0)

    asyncio.run(give_up())
    still_there = [t for t in threading.enumerate() if t.name == "tool"]
    go_on.set()
    assert still_there
