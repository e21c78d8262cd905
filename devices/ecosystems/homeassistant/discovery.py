"""Announcements: which topics they come on, and what a message says is there.

Both forms give the same: one announced entity after another, keys in their long form. What
an entity can do is not read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.errors import PayloadError
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.ecosystems.homeassistant import abbreviations
from devices.ecosystems.homeassistant.fields import Fields

MAX_BYTES = 256 * 1024
MAX_COMPONENTS = 256
MAX_IDENTIFIERS = 16
_MAX_KEY_LENGTH = 128
_ID = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}[:-]?){5}[0-9a-fA-F]{2}")
_IEEE = re.compile(r"(?:^|_)0x([0-9a-fA-F]{16})$")
# What a component of the device form takes over from the root, unless it says so itself.
_INHERITED = (
    *("availability", "availability_mode", "availability_template", "availability_topic"),
    *("command_topic", "payload_available", "payload_not_available", "state_topic"),
    *("qos", "encoding"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an announcement came: `component` is "device" in the device form.

    `path` are its ids: `<node id>/<object id>`, or the object id alone.
    """

    topic: str
    component: str
    path: str

    @property
    def object_id(self) -> str:
        """The last of its ids."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """The `device` block: texts by which the device is known again, its names, its area.

    `identifiers` is empty for an entity that belongs to no device.
    """

    identifiers: tuple[str, ...] = ()
    identity: frozenset[str] = frozenset()
    name: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One announced entity. `key` is its place, and in the device form its name there too.

    `path` is what it is known by when it has no unique id.
    """

    key: str
    path: str
    component: str
    object_id: str
    device: DeviceInfo
    fields: Fields

    @property
    def unique_id(self) -> str:
        """What the device calls it for ever; its ids on the topic when it says nothing."""
        value = self.fields.raw("unique_id")
        told = isinstance(value, str | int) and 0 < len(str(value)) <= _MAX_KEY_LENGTH
        return str(value) if told else self.path


def place_of(topic: str, prefix: str) -> Place | None:
    """Where a message on `topic` announces something, None when it is no such topic.

    `<prefix>/<component>/[<node id>/]<object id>/config`. Raises PayloadError for ids that
    are not allowed.
    """
    levels = topic.removeprefix(f"{prefix}/").split("/")
    if not topic.startswith(f"{prefix}/") or levels[-1] != "config" or len(levels) not in (3, 4):
        return None
    ids = levels[1:-1]
    if not all(_ID.fullmatch(each) for each in (levels[0], *ids)):
        raise PayloadError("an id has other characters than letters, digits, _ and -")
    return Place(topic, levels[0], "/".join(ids))


def is_handover(body: Mapping[str, Any]) -> bool:
    """Whether the announcement only makes room for one of the other form."""
    return body.get("migrate_discovery") is True


def read(place: Place, data: bytes) -> list[Found] | None:
    """The entities that a message announces; None when it hands over to the other form.

    [] when there are none any more. Raises PayloadError.
    """
    if not data:
        return []
    body = abbreviations.expand(payload.read_object(data, MAX_BYTES))
    if is_handover(body):
        return None
    device = read_device(body.get("device"))
    if place.component != "device":
        return [_single(place, device, body)]
    return list(_components(place, device, body))


def _single(place: Place, device: DeviceInfo, body: dict[str, Any]) -> Found:
    fields = Fields(abbreviations.resolve_base(body, _base(body)))
    return Found(place.topic, place.path, place.component, place.object_id, device, fields)


def _components(place: Place, device: DeviceInfo, body: dict[str, Any]) -> Iterator[Found]:
    components = body.get("components")
    if not isinstance(components, dict):
        raise PayloadError("components is no object")
    if len(components) > MAX_COMPONENTS:
        raise PayloadError(f"a device has more than {MAX_COMPONENTS} components")
    inherited = {key: body[key] for key in _INHERITED if key in body}
    for name, raw in components.items():
        if not isinstance(raw, dict) or len(name) > _MAX_KEY_LENGTH:
            raise PayloadError("a component is no object")
        own = abbreviations.expand(raw)
        platform = own.pop("platform", None)
        if not isinstance(platform, str):
            raise PayloadError("a component says not which one it is")
        if own:
            whole = {**inherited, **own}
            fields = Fields(abbreviations.resolve_base(whole, _base(own) or _base(body)))
            key, path = f"{place.topic}#{name}", f"{place.path}/{name}"
            yield Found(key, path, platform, name, device, fields)


def _base(body: Mapping[str, Any]) -> str:
    base = body.get("~", "")
    return base if isinstance(base, str) else ""


def read_device(raw: object) -> DeviceInfo:
    """The `device` block, bounded and cleaned; an empty one for what is none."""
    if not isinstance(raw, dict):
        return DeviceInfo()
    block = abbreviations.expand_device(raw)
    ids = _texts(block.get("identifiers"))
    pairs = block.get("connections")
    links = [
        (str(pair[0]), str(pair[1])[:_MAX_KEY_LENGTH])
        for pair in (pairs if isinstance(pairs, list) else [])[:MAX_IDENTIFIERS]
        if isinstance(pair, list) and len(pair) == 2  # noqa: PLR2004 -- a pair
    ]
    known = [f"{kind}:{value.casefold()}" for kind, value in links]
    return DeviceInfo(
        tuple(dict.fromkeys((*(f"id:{each}" for each in ids), *known))),
        frozenset(_identity(ids, links)),
        payload.name(block.get("name"), ""),
        clean(str(block.get("suggested_area") or ""), payload.NAME_LENGTH),
    )


def _identity(ids: list[str], links: list[tuple[str, str]]) -> Iterator[str]:
    for kind, value in links:
        if kind == "mac" and payload.mac(value):
            yield f"mac:{payload.mac(value)}"
        elif kind in {"zigbee", "ieee"} and _IEEE.search(value):
            yield f"ieee:{value.casefold()}"
    for each in ids:
        if _MAC.fullmatch(each):
            yield f"mac:{payload.mac(each)}"
        elif (found := _IEEE.search(each)) is not None:
            yield f"ieee:0x{found[1].casefold()}"


def _texts(value: object) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [
        str(each)[:_MAX_KEY_LENGTH]
        for each in entries[:MAX_IDENTIFIERS]
        if isinstance(each, str | int) and not isinstance(each, bool) and str(each)
    ]
