"""Faults at work: what a misbehaving device hears and says, and the link that makes it so.

`Mischief` decides about each message without sockets; `FaultyLink` stands between a device
and its link. The device itself stays honest.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command, Scalar
from devices.contract.errors import ContractError, LinkError
from devices.contract.topics import Leaf, Topics
from devices.contract.verbs import expected_state
from devices.link.base import Handler, Link, LinkChange, LinkState, Message, Publish, Unsubscribe
from devices.sdk import Device
from devices.simulated.faults import NO_FAULTS, Faults, Lie

log = logging.getLogger(__name__)

MAX_LATE = 10_000
GARBAGE = b'{"id": "01JD8Z\xff\xfe, "status": succ'


class Mischief:
    """The faults of one device, applied to each of its messages. `faults` can be set anew."""

    def __init__(self, device: Device, *, root: str = "home", faults: Faults = NO_FAULTS) -> None:
        self._device = device
        self._topics = Topics(root)
        self._rest = faults

    @property
    def faults(self) -> Faults:
        """What still goes wrong: counts go down as they are used up."""
        return self._rest

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._rest = faults

    def hear(self, message: Message) -> tuple[Message | None, Publish | None]:
        """What the device hears of a command, and the lie told in its place."""
        if self._rest.silent or self._rest.offline or self._use("drop"):
            return None, None
        if self._rest.lie is Lie.NONE:
            return message, None
        return None, self._lie(message)

    def say(self, publish: Publish) -> list[Publish]:
        """What goes out when the device says `publish`."""
        leaf = self._topics.read(publish.topic)[1]
        if self._rest.offline:
            return self._said_by_the_will(publish, leaf)
        if leaf not in (Leaf.ACK, Leaf.STATE):
            return [publish]
        if self._rest.silent:
            return []
        return self._acknowledge(publish) if leaf is Leaf.ACK else [publish]

    def delay_s(self, publish: Publish) -> float:
        """How late `publish` goes out."""
        late = self._topics.read(publish.topic)[1] in (Leaf.ACK, Leaf.STATE)
        return self._rest.delay_s if late else 0.0

    def _acknowledge(self, ack: Publish) -> list[Publish]:
        if self._use("lose_acks"):
            return []
        garbage = dataclasses.replace(ack, payload=GARBAGE)
        if self._use("garble"):
            return [garbage]
        before = [garbage] if self._use("noise") else []
        return before + [ack] * self._rest.repeat

    def _said_by_the_will(self, publish: Publish, leaf: Leaf) -> list[Publish]:
        """Of a device that is gone only the retained description and its will are heard."""
        if leaf is Leaf.DESCRIPTION:
            return [publish]
        offline = codec.encode_availability(online=False)
        return [dataclasses.replace(publish, payload=offline)] if leaf is Leaf.AVAILABILITY else []

    def _lie(self, message: Message) -> Publish | None:
        try:
            command = codec.decode_command(message.payload)
        except ContractError:
            return None
        state = {**self._device.snapshot(), **self._claimed(command)}
        ack = Ack(command.id, AckStatus.SUCCEEDED, state)
        return Publish(self._topics.of(self._device.id, Leaf.ACK), codec.encode_ack(ack))

    def _claimed(self, command: Command) -> Mapping[str, Scalar]:
        asked = expected_state(command.command, command.args)
        if self._rest.lie is Lie.CLAIM:
            return asked
        return {key: _other(value) for key, value in asked.items()}

    def _use(self, name: str) -> bool:
        """Whether the counted fault `name` strikes now; counts it down."""
        left: int = getattr(self._rest, name)
        if left > 0:
            self._rest = dataclasses.replace(self._rest, **{name: left - 1})  # type: ignore[arg-type]
        return left > 0


class FaultyLink:
    """A link as a misbehaving device uses it; `mischief` says how.

    At most 10,000 delayed messages wait; `dropped` counts those beyond.
    """

    def __init__(self, link: Link, mischief: Mischief) -> None:
        self._link = link
        self._mischief = mischief
        self._late: dict[int, asyncio.TimerHandle] = {}
        self._numbers = itertools.count()
        self.dropped = 0

    @property
    def state(self) -> LinkState:
        """As the link says."""
        return self._link.state

    async def __aenter__(self) -> Self:
        await self._link.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for timer in self._late.values():
            timer.cancel()
        self._late.clear()
        await self._link.__aexit__(kind, error, trace)

    async def connected(self, timeout_s: float | None = None) -> None:
        """As the link says."""
        await self._link.connected(timeout_s)

    def publish(self, message: Publish) -> None:
        """Send what the mischief leaves of `message`. Raises as the link does, unless late."""
        delay_s = self._mischief.delay_s(message)
        for said in self._mischief.say(message):
            if delay_s:
                self._publish_late(said, delay_s)
            else:
                self._link.publish(said)

    async def subscribe(self, topic_filter: str, handler: Handler, *, qos: int = 0) -> Unsubscribe:
        """As the link does; `handler` hears what the mischief lets through."""

        def hear(message: Message) -> None:
            heard, lie = self._mischief.hear(message)
            if lie is not None:
                self._publish_safely(lie)
            if heard is not None:
                handler(heard)

        return await self._link.subscribe(topic_filter, hear, qos=qos)

    def on_change(self, listener: Callable[[LinkChange], None]) -> Unsubscribe:
        """As the link does."""
        return self._link.on_change(listener)

    def _publish_late(self, message: Publish, delay_s: float) -> None:
        if len(self._late) >= MAX_LATE:
            self.dropped += 1
            return
        number = next(self._numbers)

        def send() -> None:
            del self._late[number]
            self._publish_safely(message, now=True)

        self._late[number] = asyncio.get_running_loop().call_later(delay_s, send)

    def _publish_safely(self, message: Publish, *, now: bool = False) -> None:
        try:
            self._link.publish(message) if now else self.publish(message)
        except LinkError as error:
            log.debug("lost a message to %s: %s", message.topic, error)


def _other(value: Scalar) -> Scalar:
    """A value that nobody could take for `value`."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1000
    return "something else"
