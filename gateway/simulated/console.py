"""Typed sentences as what the user of the simulated service says."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial

from gateway.simulated.server import SimulatedNavTalk
from gateway.tasks import TaskSet

# A script that is piped in waits in its pipe, not in our memory.
MAX_LINES = 100
# A longer line is several sentences.
MAX_LINE_LENGTH = 4000


async def typed_lines() -> AsyncIterator[str]:
    """What is typed on standard input, line by line, until its end.

    A thread reads: a terminal has no other way. It reads at most MAX_LINES ahead and ends
    with the process.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(MAX_LINES)

    def read() -> None:
        # A loop that has ended takes nothing more: nobody listens.
        with suppress(RuntimeError):
            for line in iter(partial(sys.stdin.readline, MAX_LINE_LENGTH), ""):
                room.acquire()
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="console.stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        room.release()
        yield line.strip()


async def serve_console(
    port: int, accepted_license: str, stop: asyncio.Event, show: Callable[[str], None]
) -> None:
    """The service on `port` until `stop`; `show` prints each call, outcome and reply."""
    tasks = TaskSet("console")
    async with SimulatedNavTalk(port=port, license=accepted_license) as service:
        show(f"{service.url} (licence {service.license}); type what the user says")
        tasks.start(_say_typed(service, show), "typed")
        try:
            await stop.wait()
        finally:
            await tasks.close()


async def _say_typed(service: SimulatedNavTalk, show: Callable[[str], None]) -> None:
    async for sentence in typed_lines():
        if not sentence:
            continue
        try:
            exchange = await service.say(sentence)
        except (TimeoutError, ConnectionError):
            show("  nobody heard that: no client is connected")
            continue
        for call in exchange.calls:
            show(f"  call     {call.name} {dict(call.arguments)}")
        for outcome in exchange.outcomes:
            show(f"  outcome  {outcome}")
        show(f"  “{exchange.reply}”")
