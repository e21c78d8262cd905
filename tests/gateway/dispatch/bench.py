"""A dispatcher on a real link and directory, devices that behave as a test says, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from devices.contract import codec
from devices.contract.capability import Capability, Description, Kind, OwnCommand
from devices.contract.command import Ack, AckError, AckStatus, Command, Scalar
from devices.contract.errors import LinkFullError
from devices.contract.verbs import VERBS, expected_state
from devices.ecosystems.base import (
    Announced,
    Availability,
    Delivery,
    Ecosystem,
    Sighting,
    StateReport,
    TopicFilter,
    Traits,
)
from devices.ecosystems.native import Native
from devices.link.base import Message, Publish
from devices.link.memory import MemoryBroker, MemoryLink
from gateway.bus import Bus, Subscription
from gateway.directory import Directory
from gateway.dispatch.dispatcher import Dispatcher
from gateway.dispatch.flight import Flight
from gateway.dispatch.order import Order, Result
from gateway.dispatch.sending import Patience
from gateway.dispatch.wire import Wire
from gateway.testing import ManualClock

_E = TypeVar("_E")

STEADY = Patience(jitter_s=0.0)

BREW = OwnCommand("brew", "Brew a cup.", idempotent=False)
ALL = (Kind.BRIGHTNESS, Kind.COVER, Kind.NUMBER)


@dataclass(frozen=True)
class Heard:
    """One attempt as it reached a device, `at_s` after the bench was set up."""

    at_s: float
    device_id: str
    command: Command

    @property
    def until_s(self) -> float:
        """When its life ends."""
        return self.at_s + self.command.ttl_ms / 1000


class TightLink(MemoryLink):
    """A link whose outgoing queue can be `full`; `taken` gets what it published."""

    def __init__(self, broker: MemoryBroker, taken: Callable[[Publish], None]) -> None:
        super().__init__(broker, "gateway")
        self.full = False
        self._taken = taken

    def publish(self, message: Publish) -> None:
        if self.full:
            raise LinkFullError("the outgoing queue is full")
        super().publish(message)
        self._taken(message)


class Forgetful:
    """Devices without ids of commands that say nothing when nothing changes."""

    name = "forgetful"
    traits = Traits(keeps_ids=False, silent_on_repeat=True)

    def __init__(self) -> None:
        self._native = Native("old")

    def filters(self) -> Sequence[TopicFilter]:
        return self._native.filters()

    def decode(self, message: Message) -> Iterable[Sighting]:
        return self._native.decode(message)

    def greeting(self) -> Sequence[Publish]:
        return ()

    def encode(self, device_id: str, command: Command) -> Delivery:
        return self._native.encode(device_id, command)


class Bench:
    """The house under test. `behave` is what each device does with a command; it obeys else."""

    def __init__(self, patience: Patience = STEADY, ecosystems: Sequence[Ecosystem] = ()) -> None:
        self.clock = ManualClock(asyncio.get_running_loop())
        self.bus = Bus()
        self.broker = MemoryBroker()
        self.link = TightLink(self.broker, self._published)
        self.directory = Directory(self.clock, self.bus)
        self.ecosystems: list[Ecosystem] = [Native(), Forgetful(), *ecosystems]
        self.wire = Wire(self.link, self.ecosystems, self.directory, self.bus)
        self.dispatcher = Dispatcher(self.wire, self.directory, self.bus, self.clock, patience)
        self.heard: list[Heard] = []
        self.late: list[Result] = []
        self.behave: dict[str, Callable[[Command], None]] = {}
        self.events: Subscription
        self._roots: dict[str, str] = {}
        self._started_s = 0.0

    @property
    def now_s(self) -> float:
        """Seconds since the bench was set up."""
        return self.clock.monotonic() - self._started_s

    def add(self, device_id: str, *, forgetful: bool = False, own: OwnCommand = BREW) -> str:
        """Announce a device that can do everything, and say that it is online."""
        capabilities = tuple(Capability(kind) for kind in ALL)
        description = Description(
            device_id, device_id.title(), capabilities=capabilities, commands=(own,)
        )
        ecosystem = self.ecosystems[1 if forgetful else 0]
        self._roots[device_id] = "old" if forgetful else "home"
        self.directory.announced(Announced(description), ecosystem.name, ecosystem.traits)
        self.online(device_id, True)
        return device_id

    def online(self, device_id: str, online: bool) -> None:
        self.directory.availability(Availability(device_id, online))

    def reports(self, device_id: str, *, live: bool = True, **state: Scalar) -> None:
        self.directory.reported(StateReport(device_id, state, live))

    async def order(self, device_id: str, command: str = "turn_on", /, **args: Scalar) -> Result:
        """Carry out one order to its answer."""
        return await self.dispatcher.carry_out(
            Order(device_id, command, args, "call-1"), self.late.append
        )

    def begin(
        self, device_id: str, command: str = "turn_on", /, **args: Scalar
    ) -> asyncio.Task[Result]:
        """Start carrying out one order."""
        return asyncio.create_task(self.order(device_id, command, **args))

    def says(
        self,
        device_id: str,
        command_id: str,
        status: AckStatus = AckStatus.SUCCEEDED,
        *,
        state: dict[str, Scalar] | None = None,
        error: AckError | None = None,
    ) -> None:
        """A device acknowledges, now."""
        payload = codec.encode_ack(Ack(command_id, status, state or {}, error))
        self.publish(f"{self._roots.get(device_id, 'home')}/{device_id}/ack", payload)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Anything from the network."""
        self.broker.publish(Publish(topic, payload, retain=retain))

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        """Do something later."""
        asyncio.get_running_loop().call_later(delay_s, act)

    def obey(self, device_id: str, command: Command) -> None:
        """Do it at once and say so."""
        self.says(device_id, command.id, state=dict(expected_state(command.command, command.args)))

    def attempts(self, device_id: str) -> list[tuple[float, str, int]]:
        """When which command was tried for the how manieth time."""
        return [
            (round(h.at_s, 2), h.command.command, h.command.attempt)
            for h in self.heard
            if h.device_id == device_id
        ]

    def commands(self, device_id: str) -> list[str]:
        """The commands that reached a device, repeats too."""
        return [h.command.command for h in self.heard if h.device_id == device_id]

    def told(self, kind: type[_E]) -> list[_E]:
        """What the bus carried of one kind since it was last asked."""
        return [event for event in self.events.waiting() if isinstance(event, kind)]

    def mark(self) -> None:
        """The time of the bench begins now."""
        self._started_s = self.clock.monotonic()

    def _published(self, message: Publish) -> None:
        if not message.topic.endswith("/command"):
            return
        device_id = message.topic.split("/")[1]
        command = codec.decode_command(message.payload)
        self.heard.append(Heard(self.now_s, device_id, command))
        behave = self.behave.get(device_id)
        if behave is None:
            self.obey(device_id, command)
        else:
            behave(command)


@asynccontextmanager
async def bench(
    patience: Patience = STEADY, ecosystems: Sequence[Ecosystem] = ()
) -> AsyncIterator[Bench]:
    """A bench whose link is up and listens, with a `lamp` and a `blind`."""
    made = Bench(patience, ecosystems)
    async with made.link:
        await made.link.connected()
        with made.bus.subscribe() as made.events:
            await made.wire.listen()
            for device_id in ("lamp", "blind"):
                made.add(device_id)
            made.events.waiting()
            made.mark()
            yield made


def nothing(_command: Command) -> None:
    """A device that is silent."""


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


def flight(command: str, device_id: str = "lamp", /, **args: Scalar) -> Flight:
    """A command on its way that nobody sends; own commands are not idempotent."""
    idempotent = command in VERBS
    return Flight(
        Order(device_id, command, args, "call-1"),
        deliver_by=3.0,
        idempotent=idempotent,
        repeatable=True,
        late=_nobody,
    )


def _nobody(_result: Result) -> None:
    """Nobody waits."""
