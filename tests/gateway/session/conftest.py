"""A wire without a socket, for tests in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from gateway.providers.base import Endpoint
from gateway.session.connection import EndedError
from gateway.session.ending import Closed, Ending


class Wire:
    """One connection whose other end is the test. `refusal` is how opening it ends.

    `takes`: whether what is sent arrives.
    """

    def __init__(
        self,
        endpoint: Endpoint | None = None,
        refusal: Ending | None = None,
        opens_after_s: float = 0.0,
    ) -> None:
        self._opens_after_s = opens_after_s
        self.endpoint = endpoint
        self.refusal = refusal
        self.sent: list[dict[str, Any]] = []
        self.closed = False
        self.takes = True
        self.closes_after_s = 0.0
        self._incoming: asyncio.Queue[str | bytes | Ending] = asyncio.Queue()

    async def open(self) -> None:
        if self._opens_after_s:
            await asyncio.sleep(self._opens_after_s)
        if self.refusal is not None:
            raise EndedError(self.refusal)

    async def frames(self) -> AsyncIterator[str | bytes]:
        while True:
            item = await self._incoming.get()
            if not isinstance(item, str | bytes):
                self.closed = True
                raise EndedError(item)
            yield item

    async def send(self, frames: Sequence[str]) -> None:
        if self.closed:
            raise EndedError(Closed(None))
        self.sent.extend(json.loads(frame) for frame in frames)

    async def round_trip(self) -> None:
        while not self.takes and not self.closed:  # noqa: ASYNC110 -- flags of a test
            await asyncio.sleep(0.01)
        if self.closed:
            raise EndedError(Closed(None))

    async def close(self) -> None:
        if not self.closed:
            self.closed = True
            await asyncio.sleep(self.closes_after_s)
            self.end(Closed(1000, by_us=True))

    def end(self, ending: Ending) -> None:
        self._incoming.put_nowait(ending)

    def says(self, kind: str, **data: Any) -> None:
        self._incoming.put_nowait(json.dumps({"type": kind, "data": data}))

    def calls(self, call_id: str, name: str = "turn_on", arguments: object = None) -> None:
        kind = "realtime.response.function_call_arguments.done"
        self.says(kind, call_id=call_id, function_name=name, arguments=arguments or {})

    def kinds(self) -> list[str]:
        return [body["type"] for body in self.sent]

    def outcomes(self) -> dict[str, dict[str, Any]]:
        """The results by call id; a call with two of them fails the test."""
        found: dict[str, dict[str, Any]] = {}
        for body in self.sent:
            result = body.get("data") or body.get("item") or {}
            if "output" in result:
                assert result["call_id"] not in found
                found[result["call_id"]] = json.loads(result["output"])
        return found


class Wires:
    """Makes the wires of one session; `refusals` are spent first, one a connection."""

    def __init__(self) -> None:
        self.made: list[Wire] = []
        self.refusals: deque[Ending] = deque()
        self.opens_after_s = 0.0

    def __call__(self, endpoint: Endpoint) -> Wire:
        refusal = self.refusals.popleft() if self.refusals else None
        self.made.append(Wire(endpoint, refusal, self.opens_after_s))
        return self.made[-1]

    @property
    def last(self) -> Wire:
        return self.made[-1]


@pytest.fixture
def wires() -> Wires:
    return Wires()
