"""Versions 3 and 4: a device described by dozens of retained topics, in any order.

Attributes are collected until every node and property that the device names is there.
"""

from __future__ import annotations

from collections.abc import Iterator

from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.ecosystems.homie.model import (
    MAX_NODES,
    MAX_PROPERTIES,
    Node,
    Property,
    Thing,
    Words,
    is_id,
    make_property,
)

MAX_ATTRIBUTES = 2048
MAX_ATTRIBUTE_BYTES = 4096
_DEVICE = frozenset({"$name", "$nodes", "$mac"})
_NODE = frozenset({"$name", "$type", "$properties"})
_PROPERTY = frozenset({"$name", "$datatype", "$format", "$settable", "$retained", "$unit"})
_BY_DEPTH = (_DEVICE, _NODE, _PROPERTY)


class Flat:
    """The attributes of one device, by their path below its topic."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def take(self, path: str, data: bytes) -> bool:
        """Whether the attribute at `path` is one that counts, and is new or other than before.

        Raises PayloadError for a text that cannot be read, or one too many.
        """
        depth = path.count("/")
        if depth >= len(_BY_DEPTH) or path.rpartition("/")[2] not in _BY_DEPTH[depth]:
            return False
        text = payload.read_text(data, MAX_ATTRIBUTE_BYTES)
        if self._texts.get(path, "") == text:
            return False
        if text and path not in self._texts and len(self._texts) >= MAX_ATTRIBUTES:
            raise PayloadError("the device describes too much")
        if text:
            self._texts[path] = text
        else:
            self._texts.pop(path, None)
        return True

    def thing(self, key: str) -> Thing | None:
        """The whole device, called `key` if it has no name; None while something is missing."""
        properties = self._properties_by_node()
        if properties is None:
            return None
        nodes = tuple(self._node(node, ids) for node, ids in properties.items())
        mac = payload.mac(self._texts.get("$mac", "")) or payload.mac(key)
        return Thing(payload.name(self._texts.get("$name"), key), nodes, mac=mac)

    def _properties_by_node(self) -> dict[str, list[str]] | None:
        """What the device says that it has; None while some of it is not described."""
        texts, found = self._texts, {}
        if "$nodes" not in texts:
            return None
        for node in self._listed("$nodes", MAX_NODES):
            if f"{node}/$properties" not in texts:
                return None
            found[node] = list(self._listed(f"{node}/$properties", MAX_PROPERTIES))
            if not all(f"{node}/{prop}/$datatype" in texts for prop in found[node]):
                return None
        return found

    def _listed(self, path: str, most: int) -> Iterator[str]:
        names = [name.strip() for name in self._texts[path].split(",")]
        yield from dict.fromkeys(name for name in names[:most] if is_id(name))

    def _node(self, key: str, ids: list[str]) -> Node:
        name = payload.name(self._texts.get(f"{key}/$name"), key)
        kind = self._texts.get(f"{key}/$type", "")
        return Node(key, name, kind, tuple(self._properties(key, ids)))

    def _properties(self, node: str, ids: list[str]) -> Iterator[Property]:
        for key in ids:
            told = {name: self._texts.get(f"{node}/{key}/{name}") for name in _PROPERTY}
            words = Words(
                name=told["$name"],
                datatype=told["$datatype"],
                format=told["$format"],
                unit=told["$unit"],
                settable=told["$settable"] == "true",
                retained=told["$retained"] != "false",
            )
            try:
                yield make_property(node, key, words, tagged=False)
            except PayloadError:
                continue  # the convention: what is not allowed is as if it were not there
