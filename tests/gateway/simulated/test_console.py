"""The simulated service with somebody typing at it."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from gateway.simulated.console import MAX_LINE_LENGTH, MAX_LINES, serve_console, typed_lines

DEFINITION = {
    "type": "function",
    "name": "turn_on",
    "description": "Switch on.",
    "parameters": {
        "type": "object",
        "properties": {"target": {"type": "string", "enum": ["Lamp"]}},
        "required": ["target"],
    },
}


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


@pytest.mark.unit
async def test_lines_come_stripped_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "  turn on the lamp \n\nlast words")
    assert [line async for line in typed_lines()] == ["turn on the lamp", "", "last words"]


@pytest.mark.unit
async def test_a_long_script_comes_whole_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    script = [f"turn on lamp {n}" for n in range(3 * MAX_LINES)]
    type_in(monkeypatch, "\n".join(script))
    assert [line async for line in typed_lines()] == script


@pytest.mark.unit
async def test_a_line_without_end_comes_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    type_in(monkeypatch, "x" * (MAX_LINE_LENGTH + 1))
    assert [len(line) async for line in typed_lines()] == [MAX_LINE_LENGTH, 1]


@pytest.mark.unit
def test_who_stops_listening_leaves_no_error_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, gone = threading.Event(), threading.Event()

    class Typist:
        def readline(self, size: int) -> str:
            reading.set()
            gone.wait(5)
            return "too late\n"

    async def listen_a_moment() -> None:
        lines = typed_lines()
        next_line = asyncio.ensure_future(anext(lines))
        await asyncio.to_thread(reading.wait, 5)
        next_line.cancel()

    monkeypatch.setattr("sys.stdin", Typist())
    asyncio.run(listen_a_moment())
    gone.set()
    for thread in threading.enumerate():
        if thread.name == "console.stdin":
            thread.join(5)
            assert not thread.is_alive()


@pytest.mark.flow
async def test_what_is_typed_before_a_client_comes_is_said_to_be_unheard_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gateway.simulated.server.CLIENT_WITHIN_S", 0.05)
    type_in(monkeypatch, "turn on the lamp\nturn it off\n")
    shown: asyncio.Queue[str] = asyncio.Queue()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve_console(0, "sk-1", stop, shown.put_nowait))
    try:
        told = [await asyncio.wait_for(shown.get(), 5) for _ in range(3)]
        assert [line.strip() for line in told[1:]] == [
            "nobody heard that: no client is connected"
        ] * 2
    finally:
        stop.set()
        await serving


@pytest.mark.flow
async def test_what_is_typed_becomes_calls_and_what_comes_back_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    type_in(monkeypatch, "turn on the lamp\n")
    shown: asyncio.Queue[str] = asyncio.Queue()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve_console(0, "sk-1", stop, shown.put_nowait))
    try:
        welcome = await asyncio.wait_for(shown.get(), 5)
        url = welcome.split()[0]
        assert urlsplit(url).hostname == "127.0.0.1"
        async with connect(f"{url}?license=sk-1&name=navtalk.Leo") as client:
            await client.send(
                json.dumps(
                    {
                        "type": "realtime.input_function_call",
                        "data": {"content": json.dumps([DEFINITION])},
                    }
                )
            )
            async for text in client:
                event = json.loads(text)
                if event["type"].endswith("function_call_arguments.done"):
                    break
            output = json.dumps({"ok": True, "message": "Lamp is on."})
            data = {"call_id": event["data"]["call_id"], "output": output, "reply": 1}
            await client.send(json.dumps({"type": "realtime.function_call_output", "data": data}))
            told = [await asyncio.wait_for(shown.get(), 5) for _ in range(3)]
        assert told[0].split() == ["call", "turn_on", "{'target':", "'Lamp'}"]
        assert "Lamp is on." in told[1]
        assert told[2].strip() == "“Lamp is on.”"
    finally:
        stop.set()
        await serving
