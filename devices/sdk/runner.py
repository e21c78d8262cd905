"""Carries out a device's commands and says what became of each; sends through a callable.

The order is always: acknowledgement, then the retained state. It knows no socket; `serve`
gives it one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context, copy_context
from dataclasses import replace
from typing import Any

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command
from devices.contract.errors import CommandRefusedError, LinkError
from devices.contract.topics import Leaf, Topics
from devices.link.base import Message, Publish
from devices.sdk.device import Device, checked_state, running
from devices.sdk.intake import Answer, Ignore, Intake, Run, expired, refused
from devices.sdk.logbook import REMEMBERED_IDS, Logbook

log = logging.getLogger(__name__)

Send = Callable[[Publish], None]
"""Sends at once, or raises LinkError."""


def will(device: Device, root: str = "home") -> Publish:
    """What the broker says for `device` when its connection dies."""
    topic = Topics(root).of(device.id, Leaf.AVAILABILITY)
    return Publish(topic, codec.encode_availability(online=False), qos=1, retain=True)


class Runner:
    """One device's commands, between `start` and `close`.

    `send` publishes; `now_s` is a clock that never jumps. Acknowledgements that could not be
    sent (the last 256) are sent at the next `announce`. `logbook` (open) is what earlier
    processes of the device remember; what they left undone is told at the first `announce`.
    """

    def __init__(
        self,
        device: Device,
        *,
        send: Send,
        now_s: Callable[[], float],
        root: str = "home",
        logbook: Logbook | None = None,
    ) -> None:
        self._device = device
        self._topics = Topics(root)
        self._will = will(device, root)
        self._send = send
        self._now_s = now_s
        self._intake = Intake(device, logbook)
        self._running: dict[str, Run] = {}
        self._unsent = {ack.id: ack for ack in (logbook.interrupted if logbook else ())}
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue = asyncio.Lock()
        self._holding_state = False

    def start(self) -> None:
        """Let the device speak, and do what it does by itself."""
        self._device.attach(self)
        self._task(self._device.work(), "work", copy_context())

    async def close(self) -> None:
        """End what runs (answered `failed`, code interrupted) and let the device be silent."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._device.detach()

    def announce(self) -> None:
        """Say what the device is, that it is there, and its state: at each new connection."""
        description = codec.encode_description(self._device.description)
        self._publish(Leaf.DESCRIPTION, description, retain=True)
        self._publish(Leaf.AVAILABILITY, codec.encode_availability(online=True), retain=True)
        unsent, self._unsent = self._unsent, {}
        for ack in unsent.values():
            self._say(ack)
        self.changed()

    def leave(self) -> None:
        """Say that the device goes."""
        self._publish(Leaf.AVAILABILITY, self._will.payload, retain=True)

    def receive(self, message: Message) -> None:
        """Deal with a message on the command topic, at once where the method is a plain one."""
        match self._intake.decide(message, running=len(self._running)):
            case Ignore(reason):
                log.warning("%s ignores a message: %s", self._device.id, reason)
            case Answer(ack):
                self._say(ack)
            case Run() as run:
                self._begin(run)

    def progressed(self, command: Command, percent: float | None) -> None:
        """The device says how far it is; after the end of the command nobody wants to know."""
        if command.id in self._running:
            state = self._device.snapshot()
            self._acknowledge(Ack(command.id, AckStatus.IN_PROGRESS, state, percent=percent))
        self.changed()

    def changed(self) -> None:
        """The device's state is another one. A plain command's is told after its answer."""
        if not self._holding_state:
            self._publish(Leaf.STATE, codec.encode_state(self._device.snapshot()), retain=True)

    def _begin(self, run: Run) -> None:
        command, options = run.command, run.spec.options
        self._running[command.id] = run
        if options.slow or (options.queued and self._queue.locked()):
            self._acknowledge(Ack(command.id, AckStatus.ACCEPTED))
        context = copy_context()
        context.run(running.set, command)
        if run.spec.is_async:
            task = self._task(self._carry_out(run, self._now_s()), command.command, context)
            task.add_done_callback(lambda _: self._end_unanswered(run))
        else:
            context.run(self._carry_out_now, run)

    def _carry_out_now(self, run: Run) -> None:
        self._holding_state = True
        try:
            ack = self._success(run, self._device.method(run.spec.name)(**run.arguments))
        except Exception as error:  # noqa: BLE001 - device code: the root of this command
            ack = self._failure(run, error)
        finally:
            self._holding_state = False
        self._end(ack)

    async def _carry_out(self, run: Run, arrived_s: float) -> None:
        try:
            if run.spec.options.queued:
                ack = await self._call_in_turn(run, arrived_s)
            else:
                ack = await self._call(run)
        except Exception as error:  # noqa: BLE001 - device code: the root of this command's task
            ack = self._failure(run, error)
        self._end(ack)

    async def _call_in_turn(self, run: Run, arrived_s: float) -> Ack:
        async with self._queue:
            waited_ms = (self._now_s() - arrived_s) * 1000
            if waited_ms >= run.command.ttl_ms:
                return expired(run.command.id)
            return await self._call(run)

    async def _call(self, run: Run) -> Ack:
        return self._success(run, await self._device.method(run.spec.name)(**run.arguments))

    def _success(self, run: Run, result: object) -> Ack:
        if result is not None:
            if not isinstance(result, Mapping):
                raise TypeError(f"{run.spec.name} returned {type(result).__name__}, no mapping")
            self._device.state.update(checked_state(result))
        return Ack(run.command.id, AckStatus.SUCCEEDED, self._device.snapshot())

    def _failure(self, run: Run, error: Exception) -> Ack:
        if not isinstance(error, CommandRefusedError):
            log.error("%s failed at %s", self._device.id, run.spec.name, exc_info=error)
            error = CommandRefusedError("internal", f"{self._device.name} failed.", effect=True)
        ack = refused(run.command.id, error)
        return replace(ack, state=self._device.snapshot()) if error.effect else ack

    def _end(self, ack: Ack) -> None:
        del self._running[ack.id]
        self._acknowledge(ack)
        self.changed()

    def _end_unanswered(self, run: Run) -> None:
        """A task that was cancelled, perhaps before its first step, still owes an answer."""
        if run.command.id in self._running:
            message = f"{self._device.name} was interrupted before it was done."
            error = CommandRefusedError("interrupted", message, effect=True)
            self._end(self._failure(run, error))

    def _acknowledge(self, ack: Ack) -> None:
        self._intake.remember(ack)
        self._say(ack)

    def _say(self, ack: Ack) -> None:
        if not self._publish(Leaf.ACK, codec.encode_ack(ack), retain=False):
            self._unsent[ack.id] = ack
            if len(self._unsent) > REMEMBERED_IDS:
                del self._unsent[next(iter(self._unsent))]

    def _publish(self, leaf: Leaf, payload: bytes, *, retain: bool) -> bool:
        """Send what is kept at QoS 1 and the rest at 0; False when there is no connection."""
        topic = self._topics.of(self._device.id, leaf)
        try:
            self._send(Publish(topic, payload, qos=1 if retain else 0, retain=retain))
        except LinkError as error:
            log.debug("%s could not send to %s: %s", self._device.id, topic, error)
            return False
        return True

    def _task(
        self, work: Coroutine[Any, Any, None], name: str, context: Context
    ) -> asyncio.Task[None]:
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, name=f"{self._device.id}.{name}", context=context)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)
