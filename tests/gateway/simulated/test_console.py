"""The simulated service with somebody typing at it."""

from __future__ import annotations

import asyncio
import io
import json
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect

from gateway.simulated.console import serve_console, typed_lines

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
