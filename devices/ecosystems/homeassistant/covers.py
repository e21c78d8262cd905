"""What opens and closes: covers, which may count the wrong way round, and valves.

Their states tell when they move and when they have stopped, so that is what is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract.capability import Kind
from devices.contract.command import Evidence, Scalar
from devices.contract.errors import PayloadError
from devices.ecosystems import payload, units
from devices.ecosystems.homeassistant.entity import Entity, Sender, json_object
from devices.ecosystems.homeassistant.part import Args, Order, Part, State, merged, refused

_OPEN, _CLOSED = 100, 0


@dataclass(frozen=True, slots=True)
class Travel:
    """The device's numbers for closed and open."""

    closed: float
    opened: float

    def wire(self, percent: float) -> int:
        """Percent open as the device counts."""
        return units.to_range(percent, self.closed, self.opened)

    def percent(self, value: float) -> int:
        """What the device counts, as percent open."""
        return units.from_range(value, self.closed, self.opened)

    def read(self, text: str) -> State:
        """A position; nothing for what is no number."""
        found = payload.number(text)
        return {} if found is None else {"position": self.percent(found)}


def travel(entity: Entity) -> Travel:
    """As announced. Raises PayloadError when open and closed are the same."""
    found = Travel(
        entity.fields.number("position_closed", _CLOSED),
        entity.fields.number("position_open", _OPEN),
    )
    if found.closed == found.opened:
        raise PayloadError("open and closed are the same position")
    return found


def cover(entity: Entity) -> Part:
    """A blind, a garage door: by words, by position, or both."""
    fields, way = entity.fields, travel(entity)
    words = {end: fields.nullable(f"payload_{end}", end.upper()) for end in _WORDS}
    sender = entity.sender("command_topic")
    verbs = _Cover(entity, way, sender, entity.sender("set_position_topic", _SET_POSITION), words)
    if sender is None and verbs.placer is None:
        return Part()
    word_sources = entity.sources(
        "state_topic",
        "value_template",
        _word_states(entity, by_position=bool(fields.state_topic("position_topic"))).read,
        evidence=Evidence.REPORTED,
    )
    template = "position_template" if "position_template" in fields else "value_template"
    positions = entity.sources("position_topic", template, way.read, evidence=Evidence.REPORTED)
    own = Part(
        (entity.capability(Kind.COVER, minimum=0, maximum=100),),
        (*positions, *word_sources),
        {"set_cover": verbs.place, "stop": verbs.stop},
    )
    return merged(own, _tilt(entity))


_WORDS = ("open", "close", "stop")
_SET_POSITION = "set_position_template"


@dataclass(frozen=True, slots=True)
class _Cover:
    """The verbs of a cover."""

    entity: Entity
    way: Travel
    speaker: Sender | None
    placer: Sender | None
    words: Mapping[str, str | None]

    def place(self, args: Args) -> Order:
        """A word for the two ends, else a position."""
        percent = _percent(args)
        ends: dict[float, str | None] = {_OPEN: self.words["open"], _CLOSED: self.words["close"]}
        word = ends.get(percent)
        if self.speaker is not None and word is not None:
            return Order((self.speaker.message(word),), {"position": percent}, self._needs())
        if self.placer is None:
            raise refused("It can only be opened or closed.")
        wire = self.way.wire(percent)
        message = self.placer.message(
            wire, position=wire, position_open=self.way.opened, position_closed=self.way.closed
        )
        return Order((message,), {"position": self.way.percent(wire)}, self._needs())

    def stop(self, _: Args) -> Order:
        """The word for stop, where there is one; only states tell that nothing moves."""
        word = self.words["stop"]
        if self.speaker is None or word is None:
            raise refused("It cannot be stopped.")
        needs = self.entity.needs("state_topic", Evidence.SETTLED)
        return Order((self.speaker.message(word),), {"moving": False}, needs)

    def _needs(self) -> Evidence:
        topics = ("position_topic", "state_topic")
        return max(self.entity.needs(topic, Evidence.SETTLED) for topic in topics)


@dataclass(frozen=True, slots=True)
class _WordStates:
    """The words for where a cover is and whether it moves.

    Without `by_position` they are all there is: open counts as 100 %, and where it stopped
    in between is not known.
    """

    meanings: Mapping[str, State]

    def read(self, text: str) -> State:
        """{} for other words."""
        return self.meanings.get(text, {})


def _word_states(entity: Entity, *, by_position: bool) -> _WordStates:
    fields = entity.fields
    moving: dict[str, State] = {
        fields.text(f"state_{word}", word): {"moving": True} for word in ("opening", "closing")
    }
    ends: dict[str, Scalar] = {"open": _OPEN, "closed": _CLOSED, "stopped": None}
    still: dict[str, State] = {}
    for word, position in ends.items():
        where: State = {} if by_position else {"position": position}
        still[fields.text(f"state_{word}", word)] = {"moving": False, **where}
    return _WordStates({**still, **moving})


def _tilt(entity: Entity) -> Part:
    fields = entity.fields
    sender = entity.sender("tilt_command_topic", "tilt_command_template")
    if sender is None:
        return Part()
    way = Travel(fields.number("tilt_min", 0), fields.number("tilt_max", 100))
    told = bool(fields.state_topic("tilt_status_topic")) and not fields.flag("tilt_optimistic")
    needs = Evidence.ECHOED if told else Evidence.PUBLISHED

    def change(value: Scalar) -> Order:
        asked = payload.number(value)
        if asked is None or not 0 <= asked <= _OPEN:
            raise refused("tilt must be a number from 0 to 100.", "invalid")
        wire = way.wire(asked)
        shown = way.percent(wire)
        return Order((sender.message(wire, tilt_position=wire),), {"tilt": shown}, needs)

    def read(text: str) -> State:
        found = payload.number(text)
        return {} if found is None else {"tilt": way.percent(found)}

    return Part(
        (entity.capability(Kind.NUMBER, "tilt", minimum=0, maximum=100, step=1, unit="%"),),
        entity.sources("tilt_status_topic", "tilt_status_template", read),
        values={"tilt": change},
    )


def valve(entity: Entity) -> Part:
    """A valve, always guarded: words, or numbers when it reports its position."""
    sender = entity.sender("command_topic", "command_template")
    if sender is None:
        return Part()
    by_position = entity.fields.flag("reports_position")
    verbs = _Valve(entity, travel(entity), sender, by_position=by_position)
    return Part(
        (entity.capability(Kind.COVER, guarded=True, minimum=0, maximum=100),),
        entity.sources("state_topic", "value_template", verbs.reader(), evidence=Evidence.REPORTED),
        {"set_cover": verbs.place, "stop": verbs.stop},
    )


@dataclass(frozen=True, slots=True)
class _Valve:
    """The verbs and the states of a valve."""

    entity: Entity
    way: Travel
    sender: Sender
    by_position: bool

    def place(self, args: Args) -> Order:
        """A number where it reports its position, else a word for the two ends."""
        percent = _percent(args)
        if self.by_position:
            wire = self.way.wire(percent)
            message, shown = self.sender.message(wire), self.way.percent(wire)
            return Order((message,), {"position": shown}, self._needs())
        names: dict[float, tuple[str, str]] = {
            _OPEN: ("payload_open", "OPEN"),
            _CLOSED: ("payload_close", "CLOSE"),
        }
        name = names.get(percent)
        word = self.entity.fields.nullable(*name) if name else None
        if word is None:
            raise refused("It can only be opened or closed.")
        return Order((self.sender.message(word),), {"position": percent}, self._needs())

    def stop(self, _: Args) -> Order:
        """The word for stop, where there is one."""
        word = self.entity.fields.nullable("payload_stop", None)
        if word is None:
            raise refused("It cannot be stopped.")
        return Order((self.sender.message(word),), {"moving": False}, self._needs())

    def reader(self) -> _ValveStates:
        """How its messages are understood. Raises PayloadError."""
        for key in ("payload_open", "payload_close", "payload_stop"):
            self.entity.fields.nullable(key, None)
        return _ValveStates(
            self.way, _word_states(self.entity, by_position=self.by_position), self.by_position
        )

    def _needs(self) -> Evidence:
        return self.entity.needs("state_topic", Evidence.SETTLED)


@dataclass(frozen=True, slots=True)
class _ValveStates:
    """A word, a number, or an object of both."""

    way: Travel
    words: _WordStates
    by_position: bool

    def __call__(self, text: str) -> State:
        """What a message tells, {} when nothing."""
        if not self.by_position:
            return self.words.read(_field(text, "state"))
        position = self.way.read(_field(text, "position"))
        return {**self.words.read(_field(text, "state")), **position}


def _field(text: str, key: str) -> str:
    """A field of a JSON object, or the whole text when it is none."""
    body = json_object(text)
    value = body.get(key, "") if body else text
    return str(value) if isinstance(value, str | int | float) else ""


def _percent(args: Args) -> float:
    percent = payload.number(args.get("position"))
    if percent is None or not _CLOSED <= percent <= _OPEN:
        raise refused("A position is a number from 0 to 100.", "invalid")
    return percent
