"""JSON-RPC 2.0 as MCP uses it over MQTT: requests out, answers in. Pure.

Every message of ours names its client in a user property: servers find us by that alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.errors import PayloadError
from devices.contract.text import clean
from devices.ecosystems import payload
from devices.link.base import Publish

MAX_MESSAGE_BYTES = 128 * 1024
SENTENCE_LENGTH = 300
# How long a server may take to hear the beginning of a conversation.
OPENS_WITHIN_S = 30
REFUSED_CODES = frozenset({-32600, -32601, -32602})
"""No request, no such method, wrong arguments: nothing was done."""

_COMPONENT = ("MCP-COMPONENT-TYPE", "mcp-client")


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to request `id`: its `result`, or the error's code and sentence."""

    id: int
    result: Mapping[str, Any] | None = None
    code: int = 0
    message: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A request (`id` is not None) or notification of the server's."""

    method: str
    params: Mapping[str, Any]
    id: int | str | None = None


def read(data: bytes) -> Answer | Call:
    """What the other side says. Raises PayloadError for what is neither call nor answer."""
    body = payload.read_object(data, MAX_MESSAGE_BYTES)
    key = body.get("id")
    method = body.get("method")
    if isinstance(method, str):
        params = body.get("params")
        usable = isinstance(key, int | str) and not isinstance(key, bool)
        named = key if usable else None
        return Call(method[:64], params if isinstance(params, dict) else {}, named)
    if not isinstance(key, int) or isinstance(key, bool):
        raise PayloadError("the message is neither a call nor an answer")
    result, error = body.get("result"), body.get("error")
    if isinstance(result, dict):
        return Answer(key, result)
    error = error if isinstance(error, dict) else {}
    code = payload.number(error.get("code"))
    text = error.get("message")
    said = clean(text, SENTENCE_LENGTH) if isinstance(text, str) else ""
    return Answer(key, code=int(code or 0), message=said)


def request(key: int, method: str, params: Mapping[str, Any]) -> bytes:
    """A question that will be answered under the same `key`."""
    return _dump({"jsonrpc": "2.0", "id": key, "method": method, "params": params})


def notification(method: str) -> bytes:
    """Something that is only said."""
    return _dump({"jsonrpc": "2.0", "method": method})


def reply(key: int | str) -> bytes:
    """The empty answer, to a ping."""
    return _dump({"jsonrpc": "2.0", "id": key, "result": {}})


def publish(
    client: str, topic: str, data: bytes, *, qos: int = 1, expiry_s: int = OPENS_WITHIN_S
) -> Publish:
    """`data` as the message of the client `client`."""
    who = (_COMPONENT, ("MCP-MQTT-CLIENT-ID", client))
    return Publish(topic, data, qos=qos, expiry_s=expiry_s, user_properties=who)


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
