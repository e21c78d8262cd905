"""SimulatedNavTalk: a real WebSocket server on loopback that behaves as the cloud service.

`say` plays the user; the simulated model calls what was registered and speaks the outcomes.
The hooks let a test misbehave on the wire. It never listens beyond this machine.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from gateway.simulated import navtalk
from gateway.simulated.navtalk import Variant
from gateway.simulated.script import Ask, Model
from gateway.tasks import TaskSet

HOST = "127.0.0.1"
MAX_FRAME_BYTES = 16 * 1024 * 1024
# What is kept of a client's frames, for whoever asks; older ones are forgotten.
MAX_RECEIVED = 10_000
# How long a sentence waits for somebody to hear it.
CLIENT_WITHIN_S = 10.0

# At DEBUG the library logs the request line, which holds the licence.
_wire_log = logging.getLogger("gateway.simulated.wire")
_wire_log.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One turn: what was said, what was called, what came back, what was answered.

    `outcomes` are the JSON texts of the results in the order of `calls`; a call that was not
    answered in time has none.
    """

    text: str
    calls: tuple[Ask, ...]
    outcomes: tuple[str, ...]
    reply: str


@dataclass(slots=True)
class Client:
    """What is known of one connected client."""

    socket: ServerConnection
    query: Mapping[str, str]
    model: Model = field(default_factory=Model)
    config: Mapping[str, Any] = field(default_factory=dict)
    tools: Sequence[Mapping[str, Any]] = ()
    tools_sent: int = 0
    notes: list[str] = field(default_factory=list)
    defined: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class _Turn:
    """A turn that waits for its results."""

    waiting: set[str]
    outputs: dict[str, str] = field(default_factory=dict)
    told: asyncio.Event = field(default_factory=asyncio.Event)
    """every result is there, and the model was asked to speak or does so by itself"""


class SimulatedNavTalk:
    """The service. `async with` starts and stops it; `url` and `license` are for its client.

    `accepts`: the result form that it understands; the other one is silently ignored, as an
    unknown message would be. `variant`: how it writes calls. A later connection takes the
    place of an earlier one. `faults` lists what the client did wrong, `received` its frames.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        license: str = "demo-license",  # noqa: A002 - the provider's own word
        accepts: Literal["both", "v2", "item"] = "both",
        variant: Variant = "object",
        answer_timeout_s: float = 30.0,
    ) -> None:
        self.license = license
        self.accepts = accepts
        self.variant: Variant = variant
        self.received: deque[str] = deque(maxlen=MAX_RECEIVED)
        self.results: list[navtalk.Returned] = []
        self.faults: list[str] = []
        self.connections = 0
        self.refuse_with: tuple[str, str] | None = None
        self._port = port
        self._answer_timeout_s = answer_timeout_s
        self._client: Client | None = None
        self._arrived = asyncio.Condition()
        self._turn: _Turn | None = None
        self._turns = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._tasks = TaskSet("simulated.navtalk")
        self._running = AsyncExitStack()

    @property
    def url(self) -> str:
        """Where to connect, without the licence."""
        return f"ws://{HOST}:{self._port}/wss/v2/realtime-chat"

    @property
    def client(self) -> Client:
        """The connected client. Raises ConnectionError when there is none."""
        if self._client is None:
            raise ConnectionError("no client is connected to the simulated service")
        return self._client

    async def __aenter__(self) -> Self:
        """Listen on loopback; `url` is valid from here on."""
        server = await self._running.enter_async_context(
            serve(
                self._serve,
                HOST,
                self._port,
                compression=None,
                max_size=MAX_FRAME_BYTES,
                # The licence and the instructions may travel in the request line.
                logger=_wire_log,
                close_timeout=0.3,
            )
        )
        self._port = server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Drop the client and stop listening."""
        await self._tasks.close()
        if self._client is not None:
            await self._client.socket.close(1001)
        await self._running.aclose()

    async def wait_for_client(self, timeout_s: float = CLIENT_WITHIN_S) -> Client:
        """The client, once it is connected and has defined its tools. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            async with self._arrived:
                await self._arrived.wait_for(lambda: self._client is not None)
            client = self.client
            await client.defined.wait()
            return client

    async def say(self, text: str) -> Exchange:
        """Speak as the user, and wait until the avatar has answered. One turn at a time.

        A result that does not come within `answer_timeout_s` is missing in the exchange.
        Raises TimeoutError when no client comes, ConnectionError when it leaves meanwhile.
        """
        async with self._turns:
            client = await self.wait_for_client(CLIENT_WITHIN_S)
            try:
                await self._send(client, navtalk.heard(text))
                return await self._take_turn(client, text)
            except ConnectionClosed:
                raise ConnectionError("the client left in the middle of the sentence") from None

    # --- hooks for whoever wants to misbehave ------------------------------------------------

    async def send(self, frame: str | bytes) -> None:
        """Send anything."""
        await self.client.socket.send(frame)

    async def call(self, call_id: str, ask: Ask) -> None:
        """Call a function without a turn around it."""
        await self._send(self.client, navtalk.called(call_id, ask, self.variant))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the client's connection with a code and a reason."""
        await self.client.socket.close(code, reason)

    def drop(self) -> None:
        """Break the client's connection without a word."""
        self.client.socket.transport.abort()

    # --- one connection ----------------------------------------------------------------------

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        query = dict(parse_qsl(urlsplit(socket.request.path if socket.request else "").query))
        refusal = self.refuse_with
        if query.get("license") != self.license:
            refusal = ("fail", "Invalid license")
        if refusal is not None:
            await socket.send(navtalk.refused(*refusal))
            return
        client = Client(socket, query)
        try:
            await self._send(client, navtalk.welcome(f"session-{self.connections}"))
            await self._take_in(client)
            async for frame in socket:
                await self._read(client, frame)
        except ConnectionClosed:
            return
        finally:
            if self._client is client:
                self._client = None

    async def _take_in(self, client: Client) -> None:
        async with self._arrived:
            self._client = client
            self._arrived.notify_all()

    async def _read(self, client: Client, frame: str | bytes) -> None:
        self.received.append(frame if isinstance(frame, str) else repr(frame))
        match navtalk.understand(frame):
            case navtalk.Configured(config):
                client.config = config
                await self._send(client, [navtalk.updated()])
            case navtalk.Defined(tools):
                client.tools = tools
                client.tools_sent += 1
                client.model.define(tools)
                client.defined.set()
            case navtalk.Returned() as result:
                await self._returned(client, result)
            case navtalk.AskedToSpeak():
                await self._asked_to_speak(client)
            case navtalk.Told(text=text):
                client.notes.append(text)
            case navtalk.Typed(text):
                self._tasks.start(self._typed(client, text), "typed")
            case navtalk.Fault(reason):
                self.faults.append(reason)

    async def _typed(self, client: Client, text: str) -> None:
        try:
            async with self._turns:
                await self._take_turn(client, text)
        except ConnectionClosed:
            return

    # --- one turn ----------------------------------------------------------------------------

    async def _take_turn(self, client: Client, text: str) -> Exchange:
        turn = client.model.turn(text)
        if not turn.calls:
            await self._speak(client, turn.words)
            return Exchange(text, (), (), turn.words)
        asked = {f"call_{next(self._numbers)}": ask for ask in turn.calls}
        waiting = self._turn = _Turn(set(asked))
        try:
            for call_id, ask in asked.items():
                await self._send(client, navtalk.called(call_id, ask, self.variant))
            outputs = await self._outputs(waiting)
        finally:
            self._turn = None
        known = tuple(outputs[call_id] for call_id in asked if call_id in outputs)
        reply = client.model.speak(known) if known else "I got no answer."
        await self._speak(client, reply)
        return Exchange(text, turn.calls, known, reply)

    async def _outputs(self, turn: _Turn) -> Mapping[str, str]:
        with suppress(TimeoutError):
            await asyncio.wait_for(turn.told.wait(), self._answer_timeout_s)
        return dict(turn.outputs)

    async def _returned(self, client: Client, result: navtalk.Returned) -> None:
        self.results.append(result)
        if self.accepts not in ("both", result.form):
            return
        turn = self._turn
        if turn is None or result.call_id not in turn.waiting:
            # A call that a test made by hand: the model has something to say all the same.
            if result.speaks:
                await self._speak(client, client.model.speak([result.output]))
            return
        turn.outputs[result.call_id] = result.output
        if result.speaks and turn.waiting == turn.outputs.keys():
            turn.told.set()

    async def _asked_to_speak(self, client: Client) -> None:
        turn = self._turn
        if turn is None:
            await self._speak(client, "Yes?")
        elif turn.waiting == turn.outputs.keys():
            turn.told.set()

    async def _speak(self, client: Client, text: str) -> None:
        await self._send(client, navtalk.spoken(f"resp_{next(self._numbers)}", text))

    async def _send(self, client: Client, frames: Sequence[str]) -> None:
        for frame in frames:
            await client.socket.send(frame)
