from __future__ import annotations

import asyncio

import pytest

from gateway.tasks import TaskSet

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


async def test_a_task_has_a_name_and_is_forgotten_when_it_ends() -> None:
    tasks = TaskSet("session")
    task = tasks.start(asyncio.sleep(1, "done"), "greeting")
    assert (task.get_name(), len(tasks)) == ("session.greeting", 1)
    assert await task == "done"
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_failure_is_logged_with_its_name_and_its_trace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail() -> None:
        raise ValueError("broken here")

    tasks = TaskSet("session")
    tasks.start(fail(), "bad")
    assert await tasks.wait(1)
    assert "task session.bad failed" in caplog.text
    assert "broken here" in caplog.text


async def test_close_cancels_and_waits() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(2)
            ended.append("tidied up")

    tasks = TaskSet("session")
    tasks.start(work(), "work")
    await asyncio.sleep(1)
    await tasks.close()
    assert (ended, len(tasks)) == (["tidied up"], 0)


async def test_a_task_may_close_its_own_set() -> None:
    tasks = TaskSet("session")
    other = tasks.start(asyncio.sleep(3600), "other")
    await tasks.start(tasks.close(), "closing")
    assert other.cancelled()


async def test_waiting_has_an_end() -> None:
    tasks = TaskSet("session")
    tasks.start(asyncio.sleep(10), "long")
    assert not await tasks.wait(5)
    assert await tasks.wait(6)
    assert await tasks.wait(0)
