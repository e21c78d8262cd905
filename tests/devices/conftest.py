"""What tests of devices share: a device on a recorded wire, and time that a test moves."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from devices.contract import codec
from devices.contract.command import Ack, Command, Scalar
from devices.contract.errors import LinkDownError
from devices.link.base import Message, Publish
from devices.sdk import Device, Runner

State = dict[str, Scalar]


class Pace:
    """A `sleep` that ends when the test says so."""

    def __init__(self) -> None:
        self.asked_s: list[float] = []
        self._sleepers: list[asyncio.Future[None]] = []

    async def sleep(self, seconds_s: float) -> None:
        self.asked_s.append(seconds_s)
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        await sleeper

    async def step(self, times: int = 1) -> None:
        for _ in range(times):
            sleepers, self._sleepers = self._sleepers, []
            for sleeper in sleepers:
                if not sleeper.done():
                    sleeper.set_result(None)
            await settle()


class Wire:
    """A device's runner, what it sent, and a clock; `up` False breaks the connection."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.now_s = 0.0
        self.up = True
        self.sent: list[Publish] = []
        self.runner = Runner(device, send=self._send, now_s=lambda: self.now_s)
        self._ids = itertools.count(1)

    async def command(self, name: str, /, **args: Scalar) -> list[Ack]:
        """Give a command that has a fresh id; what the device then says of it."""
        command_id = f"c{next(self._ids)}"
        await self.give(Command(command_id, name, args, 3000))
        return self.acks_of(command_id)

    async def give(self, command: Command) -> None:
        self.receive(codec.encode_command(command))
        await settle()

    def receive(self, payload: bytes, *, retained: bool = False) -> None:
        topic = f"home/{self.device.id}/command"
        self.runner.receive(Message(topic, payload, retained))

    @property
    def acks(self) -> list[Ack]:
        return [codec.decode_ack(p.payload) for p in self.sent if p.topic.endswith("/ack")]

    @property
    def states(self) -> list[State]:
        return [codec.decode_state(p.payload) for p in self.sent if p.topic.endswith("/state")]

    @property
    def leaves(self) -> list[str]:
        """The last level of each topic, in the order of sending."""
        return [p.topic.rpartition("/")[2] for p in self.sent]

    def acks_of(self, command_id: str) -> list[Ack]:
        return [ack for ack in self.acks if ack.id == command_id]

    def _send(self, message: Publish) -> None:
        if not self.up:
            raise LinkDownError("no connection")
        self.sent.append(message)


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def pace() -> Pace:
    return Pace()


@pytest.fixture(name="settle")
def settle_fixture() -> Callable[[], Awaitable[None]]:
    return settle


@pytest.fixture
async def wired() -> AsyncIterator[Callable[[Device], Wire]]:
    """Puts a device on a recorded wire, until the test ends."""
    async with AsyncExitStack() as stack:

        def wire(device: Device) -> Wire:
            made = Wire(device)
            made.runner.start()
            stack.push_async_callback(made.runner.close)
            return made

        yield wire
