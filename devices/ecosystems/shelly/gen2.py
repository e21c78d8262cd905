"""Second and later generations: who is there, what they are made of, report and answer.

They describe themselves only when asked: who it is, then its configuration, then its status.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from devices.contract.command import Ack, AckError, AckStatus, Command, Evidence
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems import payload
from devices.ecosystems.base import (
    Acknowledged,
    Availability,
    Delivery,
    Malformed,
    Proof,
    Removed,
    Say,
    Sighting,
    StateReport,
    Trouble,
)
from devices.ecosystems.shelly import command as commands
from devices.ecosystems.shelly import state as states
from devices.ecosystems.shelly.box import Box, by_id
from devices.ecosystems.shelly.parts import (
    Config,
    Part,
    PartKind,
    read_config,
    read_parts,
)
from devices.ecosystems.shelly.rpc import (
    MAX_FRAME_BYTES,
    About,
    Answer,
    Exchange,
    Question,
    read_answer,
    told_error,
)
from devices.link.base import Message

MAX_BOXES = 2_000
_NEXT: Mapping[About, str] = {
    About.INFO: "Shelly.GetDeviceInfo",
    About.CONFIG: "Shelly.GetConfig",
    About.STATUS: "Shelly.GetStatus",
}


class Gen2:
    """The devices that speak RPC."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._boxes: dict[str, Box] = {}
        self._by_mac: dict[str, str] = {}
        self._by_device: dict[str, str] = {}

    # --- what comes ----------------------------------------------------------------------

    def answered(self, message: Message) -> Iterator[Sighting]:
        """A message on our own topic."""
        if message.retained:
            return  # an answer to somebody who is not here any more
        answer = read_answer(message.payload)
        question = self._exchange.peek(answer)
        if question is None:
            return
        box = self._boxes.get(question.prefix)
        if box is not None and box.source != answer.source and question.about is not About.INFO:
            yield Malformed(message.topic, "another device than the one asked has answered")
            return
        self._exchange.close(answer)
        if question.about is About.INFO:
            yield from self._introduced(question.prefix, answer)
        elif box is not None:
            yield from self._present(box)
            yield from self._told(box, question, answer)

    def noticed(self, prefix: str, message: Message) -> Iterator[Sighting]:
        """Something at `prefix` showed that it is there: ask what is not known of it."""
        box = self._boxes.get(prefix)
        if box is not None and not message.retained:
            yield from self._present(box)
        yield self._ask_on(prefix, refresh=True)

    def went(self, prefix: str) -> Iterator[Sighting]:
        """Its will. One that sleeps goes all the time."""
        box = self._boxes.get(prefix)
        if box is not None and not box.sleepy:
            yield from self._presence(box, online=False)

    def notified(self, prefix: str, message: Message) -> Iterator[Sighting]:
        """A message on its topic of events."""
        frame = payload.read_object(message.payload, MAX_FRAME_BYTES)
        params = frame.get("params")
        box = self._boxes.get(prefix)
        if box is None or box.source != frame.get("src"):
            yield self._ask(prefix, About.INFO)
            return
        if not message.retained:
            yield from self._present(box)
        if not box.parts and frame.get("method") != "NotifyFullStatus":
            yield self._ask_on(prefix)
        elif isinstance(params, dict):
            yield from self._news(box, str(frame.get("method")), params, message)

    def encode(self, device_id: str, command: Command) -> Delivery:
        """One attempt of `command`. Raises CommandRefusedError."""
        box = self._boxes.get(self._by_device.get(device_id, ""))
        part = box.parts.get(device_id) if box else None
        if box is None or part is None:
            raise CommandRefusedError("unknown_device", "That device is not there any more.")
        call = commands.call(part, command)
        question = Question(About.ORDER, box.prefix, device_id, command.id, call.state)
        messages = self._exchange.order(
            question,
            commands.NAMESPACES[part.kind],
            (call.method, call.params),
            max(1, -(-command.ttl_ms // 1000)),
        )
        needs = Evidence.SETTLED if part.kind is PartKind.COVER else Evidence.REPORTED
        asking = [box.reading[device_id].message]
        return Delivery(messages, Proof(needs, call.state, asking, sleepy=box.sleepy))

    def is_at(self, prefix: str) -> bool:
        """Whether one of these has its topics there."""
        return prefix in self._boxes

    def knows(self, device_id: str) -> bool:
        """Whether the device is one of these."""
        return device_id in self._by_device

    # --- who is there --------------------------------------------------------------------

    def _ask_on(self, prefix: str, *, refresh: bool = False) -> Say:
        """The first question that is open; after a `refresh` what is known is asked again."""
        box = self._boxes.get(prefix)
        if box is None:
            return self._ask(prefix, About.INFO)
        if box.config is None or refresh:
            return self._ask(prefix, About.CONFIG)
        return self._ask(prefix, About.STATUS)

    def _ask(self, prefix: str, about: About) -> Say:
        return Say(self._exchange.ask(Question(about, prefix), _NEXT[about]))

    def _introduced(self, prefix: str, answer: Answer) -> Iterator[Sighting]:
        mac = payload.mac(str(answer.result.get("mac", "")))
        if answer.error is not None or not mac:
            raise PayloadError("it does not tell its MAC address")
        known = self._boxes.get(prefix)
        if known is None or known.mac != mac:
            if known is None and len(self._boxes) >= MAX_BOXES:
                raise PayloadError("there are too many devices")
            yield from self._make_room(prefix, mac)
            model = payload.name(answer.result.get("app"), "")
            self._boxes[prefix] = Box(prefix, answer.source, mac, model)
            self._by_mac[mac] = prefix
        else:
            known.source = answer.source
        yield self._ask(prefix, About.CONFIG)

    def _make_room(self, prefix: str, mac: str) -> Iterator[Sighting]:
        """Forget who was at the prefix, and where this one was before."""
        for old in {prefix, self._by_mac.get(mac, prefix)}:
            box = self._boxes.pop(old, None)
            if box is not None:
                self._by_mac.pop(box.mac, None)
                yield from self._drop(box, box.parts)

    def _told(self, box: Box, question: Question, answer: Answer) -> Iterator[Sighting]:
        match question.about:
            case About.CONFIG if answer.error is None:
                box.config = read_config(answer.result)
                yield self._ask(box.prefix, About.STATUS)
            case About.STATUS if answer.error is None:
                yield from self._whole(box, answer.result, live=True)
            case About.PART if answer.error is None:
                yield from self._part_is(box, question.device_id, answer.result)
            case About.ORDER:
                yield from self._ordered(box, question, answer)
            case About.RESULT if answer.error is None:
                yield from self._resulted(box, question, answer)

    def _whole(self, box: Box, status: Mapping[str, Any], *, live: bool) -> Iterator[Sighting]:
        """A full status: what the device is made of, and how all of it is."""
        system = status.get("sys")
        wakes = system.get("wakeup_period") if isinstance(system, dict) else None
        box.sleepy = (payload.number(wakes) or 0) > 0
        parts = by_id(box.mac, read_parts(box.name, box.config or Config(), status))
        if parts != box.parts:
            yield from self._announce(box, parts)
        if live:
            yield from self._present(box, again=True)
        yield from self._reports(box, status, live=live, whole=True)

    def _announce(self, box: Box, parts: dict[str, Part]) -> Iterator[Sighting]:
        changed = [i for i, part in box.parts.items() if i not in parts or parts[i].key != part.key]
        yield from self._drop(box, changed, besides=parts)
        box.parts = parts
        for device_id, part in parts.items():
            self._by_device[device_id] = box.prefix
            if part.kind in commands.NAMESPACES and device_id not in box.reading:
                question = Question(About.PART, box.prefix, device_id)
                method = f"{commands.NAMESPACES[part.kind]}.GetStatus"
                standing = self._exchange.stand(question, method, {"id": part.number})
                box.reading[device_id] = standing
            yield box.announced(device_id)

    def _drop(
        self, box: Box, gone: Iterable[str], besides: Container[str] = ()
    ) -> Iterator[Sighting]:
        for device_id in gone:
            standing = box.reading.pop(device_id, None)
            if standing is not None:
                self._exchange.release(standing)
            if device_id not in besides and self._by_device.get(device_id) == box.prefix:
                del self._by_device[device_id]
                yield Removed(device_id)

    def _present(self, box: Box, *, again: bool = False) -> Iterator[Sighting]:
        if box.online is not True or again:
            yield from self._presence(box, online=True)

    def _presence(self, box: Box, *, online: bool) -> Iterator[Sighting]:
        box.online = online
        for device_id in box.parts:
            yield Availability(device_id, online)

    # --- how it is -----------------------------------------------------------------------

    def _news(
        self, box: Box, method: str, params: Mapping[str, Any], message: Message
    ) -> Iterator[Sighting]:
        live = not message.retained
        if method == "NotifyFullStatus" and box.config is not None:
            yield from self._whole(box, params, live=live)
        elif method == "NotifyStatus":
            if live:
                yield from self._troubles(box, params)
            yield from self._reports(box, params, live=live, whole=False)
            yield from self._doubts(box, params)
        elif method == "NotifyFullStatus":
            yield self._ask(box.prefix, About.CONFIG)

    def _troubles(self, box: Box, params: Mapping[str, Any]) -> Iterator[Sighting]:
        for device_id, part in box.parts.items():
            told = params.get(part.key)
            found = states.trouble(told) if isinstance(told, dict) else None
            if found is not None:
                yield Trouble(device_id, *found)

    def _reports(
        self, box: Box, status: Mapping[str, Any], *, live: bool, whole: bool
    ) -> Iterator[Sighting]:
        for device_id, part in box.parts.items():
            told = status.get(part.key)
            state = states.read(part, told, whole=whole) if isinstance(told, dict) else {}
            state.update(states.readings(part, status))
            if state:
                yield StateReport(device_id, state, live)

    def _doubts(self, box: Box, params: Mapping[str, Any]) -> Iterator[Sighting]:
        """What a partial status leaves open is asked."""
        system = params.get("sys")
        changed = isinstance(system, dict) and "cfg_rev" in system
        for device_id, part in box.parts.items():
            told = params.get(part.key)
            if not isinstance(told, dict):
                continue
            changed = changed or told.get("pos_control", part.positions) is not part.positions
            if states.lacks_position(part, told):
                yield Say(box.reading[device_id].message)
        if changed:
            yield self._ask(box.prefix, About.CONFIG)

    def _part_is(self, box: Box, device_id: str, status: Mapping[str, Any]) -> Iterator[Sighting]:
        part = box.parts.get(device_id)
        if part is not None:
            state = states.read(part, status, whole=True)
            state.update(states.readings(part, {part.key: status}))
            if state:
                yield StateReport(device_id, state, live=True)

    # --- what it says of commands --------------------------------------------------------

    def _ordered(self, box: Box, question: Question, answer: Answer) -> Iterator[Sighting]:
        part = box.parts.get(question.device_id)
        if answer.error is not None:
            status, error = told_error(answer.error)
            refused = Ack(question.command_id, status, error=error)
            yield Acknowledged(question.device_id, refused)
        elif part is not None and part.kind is PartKind.COVER:
            # It will move; its reports tell where it got to.
            accepted = Ack(question.command_id, AckStatus.ACCEPTED)
            yield Acknowledged(question.device_id, accepted)

    def _resulted(self, box: Box, question: Question, answer: Answer) -> Iterator[Sighting]:
        """How the part is, right after it answered the command."""
        yield from self._part_is(box, question.device_id, answer.result)
        part = box.parts.get(question.device_id)
        on = answer.result.get("output")
        # A lamp may still be fading; a relay is where it is.
        relay = part is not None and part.kind is PartKind.SWITCH and isinstance(on, bool)
        if relay and question.executed and question.wanted.get("on", on) is not on:
            error = AckError("not_done", "It said yes and did not do it.")
            failed = Ack(question.command_id, AckStatus.FAILED, {"on": on}, error)
            yield Acknowledged(question.device_id, failed)
