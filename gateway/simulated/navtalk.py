"""The service's side of NavTalk v2: what it sends, and what a client's frame means. No I/O.

It is strict where the real service may be forgiving: a frame that is not of the documented
shape is a fault of the client, kept by the server for whoever looks.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gateway.simulated.script import Ask

Variant = Literal["object", "string", "raw", "legacy", "deltas"]
"""How a call is written: the payloads that the provider's SDKs and applications show."""


@dataclass(frozen=True, slots=True)
class Configured:
    """`realtime.input_config`."""

    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Defined:
    """`realtime.input_function_call`: all tools."""

    tools: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Returned:
    """A call's result, in form `v2` or `item`; `speaks`: the model answers by itself."""

    call_id: str
    output: str
    form: str
    speaks: bool


@dataclass(frozen=True, slots=True)
class AskedToSpeak:
    """`response.create`."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message item: a fact for the model."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Typed:
    """The user says something in text."""

    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The client sent what NavTalk v2 does not have."""

    reason: str


Incoming = Configured | Defined | Returned | AskedToSpeak | Told | Typed | Fault


def understand(frame: str | bytes) -> Incoming:
    """What the client's frame means; a Fault for anything that is not documented."""
    try:
        message = json.loads(frame)
        return _BY_TYPE[message["type"]](message)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        return Fault(f"{type(error).__name__}: {str(error)[:100]} in {str(frame)[:200]!r}")


def _configured(message: Mapping[str, Any]) -> Incoming:
    config = _json_text(message["data"]["content"])
    return Configured(config) if isinstance(config, dict) else Fault("content is no JSON object")


def _defined(message: Mapping[str, Any]) -> Incoming:
    tools = _json_text(message["data"]["content"])
    if not isinstance(tools, list):
        return Fault("content is no JSON array")
    wrong = [t for t in tools if t["type"] != "function" or t["parameters"]["type"] != "object"]
    return Fault(f"no function tool: {str(wrong[0])[:100]}") if wrong else Defined(tools)


def _returned(message: Mapping[str, Any]) -> Incoming:
    data = message["data"]
    _json_text(data["output"])
    return Returned(str(data["call_id"]), data["output"], "v2", speaks=data["reply"] == 1)


def _item(message: Mapping[str, Any]) -> Incoming:
    item = message["item"]
    if item["type"] == "function_call_output":
        _json_text(item["output"])
        return Returned(str(item["call_id"]), item["output"], "item", speaks=False)
    return Told(str(item["role"]), str(item["content"][0]["text"]))


def _speak(_message: Mapping[str, Any]) -> Incoming:
    return AskedToSpeak()


def _typed(message: Mapping[str, Any]) -> Incoming:
    return Typed(str(message["data"]["content"]))


def _json_text(value: object) -> Any:  # noqa: ANN401 - whatever the client wrote
    if not isinstance(value, str):
        raise TypeError("expected JSON as a string")
    return json.loads(value)


_BY_TYPE: Mapping[str, Callable[[Mapping[str, Any]], Incoming]] = {
    "realtime.input_config": _configured,
    "realtime.input_function_call": _defined,
    "realtime.function_call_output": _returned,
    "realtime.input_text": _typed,
    "conversation.item.create": _item,
    "response.create": _speak,
}


# --- what the service sends -------------------------------------------------------------------


def welcome(session_id: str) -> list[str]:
    """The connection is taken and the model is there."""
    return [
        _event("conversation.connected.success", {"sessionId": session_id, "iceServers": []}),
        _event("realtime.session.created", {}),
    ]


def updated() -> str:
    """The configuration was taken."""
    return _event("realtime.session.updated", {})


def refused(kind: str, message: str) -> str:
    """One of the `conversation.connected.*` endings: a top-level message and no `data`."""
    return json.dumps({"type": f"conversation.connected.{kind}", "message": message})


def heard(text: str) -> list[str]:
    """The user spoke `text`."""
    return [
        _event("realtime.input_audio_buffer.speech_started", {}),
        _event("realtime.input_audio_buffer.speech_stopped", {}),
        _event("realtime.conversation.item.input_audio_transcription.completed", {"content": text}),
    ]


def spoken(response_id: str, text: str) -> list[str]:
    """The avatar says `text`, in pieces and then whole."""
    middle = text.find(" ", len(text) // 2) + 1
    pieces = [piece for piece in (text[:middle], text[middle:]) if piece]
    delta, done = (f"realtime.response.audio_transcript.{word}" for word in ("delta", "done"))
    return [
        *(_event(delta, {"id": response_id, "content": piece}) for piece in pieces),
        _event(done, {"id": response_id, "content": text}),
        _event("realtime.response.audio.done", {}),
    ]


def called(call_id: str, ask: Ask, variant: Variant) -> list[str]:
    """The model calls a function, written as `variant`."""
    kind = "realtime.response.function_call_arguments"
    text = json.dumps(dict(ask.arguments))
    named = {"function_name": ask.name, "call_id": call_id}
    raw = {"type": kind.removeprefix("realtime."), "name": ask.name, "call_id": call_id}
    body: dict[str, Any]
    match variant:
        case "object":
            body = {"data": {**named, "arguments": dict(ask.arguments)}}
        case "string":
            body = {"data": {**named, "arguments": text}}
        case "raw":
            body = {"data": {}, "raw_data": {**raw, "arguments": text}}
        case "legacy":
            body = {"name": ask.name, "call_id": call_id, "arguments": text}
        case "deltas":
            pieces = [text[i : i + 8] for i in range(0, len(text), 8)]
            deltas = [_event(f"{kind}.delta", {"call_id": call_id, "delta": p}) for p in pieces]
            return [*deltas, _event(f"{kind}.done", named)]
    return [json.dumps({"type": f"{kind}.done", **body})]


def _event(kind: str, data: Mapping[str, Any]) -> str:
    return json.dumps({"type": kind, "data": data})
