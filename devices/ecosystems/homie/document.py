"""Version 5: a device described by one retained JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.ecosystems.homie.model import (
    MAX_NODES,
    MAX_PROPERTIES,
    Node,
    Property,
    Thing,
    Words,
    bounded,
    is_id,
    make_property,
)

MAX_DOCUMENT_BYTES = 128 * 1024


def read_document(data: bytes, key: str) -> Thing:
    """The device in a description, called `key` if it has no name.

    Unknown fields are left unread; a node or property with a wrong one is as if it were not
    there. Raises PayloadError for what is no description of version 5.
    """
    raw = payload.read_object(data, MAX_DOCUMENT_BYTES)
    version = raw.get("homie")
    if not isinstance(version, str) or not version.startswith("5."):
        raise PayloadError("the description is not one of Homie 5")
    root = raw.get("root")
    nodes = raw.get("nodes", {})
    return Thing(
        payload.name(raw.get("name"), key),
        tuple(_nodes(nodes if isinstance(nodes, dict) else {})),
        root=root if isinstance(root, str) and is_id(root) else "",
        mac=payload.mac(key),
    )


def _nodes(raw: Mapping[str, object]) -> Iterator[Node]:
    for key, told in bounded(raw, MAX_NODES).items():
        if not isinstance(told, dict):
            continue
        kind, properties = told.get("type", ""), told.get("properties", {})
        yield Node(
            key,
            payload.name(told.get("name"), key),
            kind if isinstance(kind, str) else "",
            tuple(_properties(key, properties if isinstance(properties, dict) else {})),
        )


def _properties(node: str, raw: Mapping[str, object]) -> Iterator[Property]:
    for key, told in bounded(raw, MAX_PROPERTIES).items():
        if not isinstance(told, dict):
            continue
        words = Words(
            name=told.get("name"),
            datatype=told.get("datatype"),
            format=told.get("format"),
            unit=told.get("unit"),
            settable=told.get("settable") is True,
            retained=told.get("retained") is not False,
        )
        try:
            yield make_property(node, key, words, tagged=True)
        except PayloadError:
            continue
