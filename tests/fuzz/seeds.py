"""Where the fuzzers begin: frames, messages and files that are well formed, one line a message."""

from __future__ import annotations

import json
from pathlib import Path

from devices.ecosystems import registry as ecosystems
from gateway import config

# The first lines of a recording; a fuzzer is quicker with short inputs.
MOST = 20
# An object of seven members, of all kinds.
SHAPE = b"!" + bytes((6, 7, *range(11, 70)))

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"

DESCRIPTION = (
    b'{"contract": 1, "id": "coffee-machine", "name": "Coffee machine", "area": "Kitchen", '
    b'"aliases": ["barista"], "capabilities": [{"kind": "power"}, {"kind": "number", "name": '
    b'"strength", "min": 1, "max": 5, "step": 1, "unit": "%", "risk": "guarded"}, {"kind": '
    b'"select", "name": "mode", "options": ["eco", "full"]}], "commands": [{"name": "brew_coffee", '
    b'"description": "Brew cups.", "idempotent": false, "risk": "normal", "answer_within_ms": 4000'
    b', "parameters": {"type": "object", "properties": {"cups": {"type": "integer", "minimum": 1, '
    b'"maximum": 4, "description": "how many"}, "kind": {"type": "string", "enum": ["black"]}}, '
    b'"required": ["cups"]}}]}'
)
STATE = b'{"on": true, "brightness": 60, "color": "#ff8800", "temperature": 21.5, "note": null}'
COMMAND = (
    b'{"id": "01JD8Z6Y3M9Q4T7W2X5C8V1B0N", "command": "turn_on", "args": {"brightness": 60}, '
    b'"ttl_ms": 3000, "attempt": 1}'
)
ACK = (
    b'{"id": "01JD8Z6Y3M9Q4T7W2X5C8V1B0N", "status": "failed", "percent": 40, "state": {"on": '
    b'true}, "error": {"code": "jammed", "message": "The blind is stuck at 40 %."}}'
)

_FRAMES = {
    "navtalk": [
        {"type": "conversation.connected.success", "data": {"sessionId": "s1", "iceServers": []}},
        {"type": "conversation.connected.fail", "message": "Insufficient balance"},
        {"type": "realtime.session.created", "data": {}},
        {"type": "realtime.input_audio_buffer.speech_started"},
        {"type": "realtime.response.audio_transcript.delta", "data": {"id": "r1", "content": "So"}},
        {"type": "realtime.response.audio.done", "data": {"response_id": "r1"}},
        {
            "type": "realtime.response.function_call_arguments.delta",
            "data": {"call_id": "c1", "delta": '{"target"'},
        },
        {
            "type": "realtime.response.function_call_arguments.done",
            "data": {"function_name": "turn_on", "call_id": "c1", "arguments": {"target": "x"}},
            "raw_data": {"name": "turn_on", "callId": "c2", "arguments": "{}"},
        },
        {"type": "error", "error": {"code": "invalid", "message": "no"}},
    ],
}


_LAMP = {
    "ieee_address": "0x00158d0001a2b3c4",
    "type": "Router",
    "friendly_name": "Kitchen lamp",
    "supported": True,
    "interview_completed": True,
    "power_source": "Mains (single phase)",
    "definition": {
        "model": "LED1545G12",
        "vendor": "IKEA",
        "description": "Bulb",
        "exposes": [
            {
                "type": "light",
                "features": [
                    {
                        "type": "binary",
                        "name": "state",
                        "property": "state",
                        "access": 7,
                        "value_on": "ON",
                        "value_off": "OFF",
                        "value_toggle": "TOGGLE",
                    },
                    {
                        "type": "numeric",
                        "name": "brightness",
                        "property": "brightness",
                        "access": 7,
                        "value_min": 0,
                        "value_max": 254,
                        "unit": "%",
                    },
                ],
            },
            {"type": "enum", "name": "effect", "property": "effect", "access": 2, "values": ["ok"]},
        ],
        "options": [],
    },
}
_MESSAGES: dict[str, list[tuple[str, object]]] = {
    "zigbee2mqtt": [
        ("zigbee2mqtt/bridge/devices", [_LAMP]),
        ("zigbee2mqtt/bridge/state", {"state": "online"}),
        ("zigbee2mqtt/bridge/groups", [{"id": 1, "friendly_name": "All", "members": []}]),
        ("zigbee2mqtt/bridge/logging", {"level": "error", "message": "Publish failed"}),
        ("zigbee2mqtt/Kitchen lamp/availability", {"state": "online"}),
    ],
}


def frames(provider: str) -> list[bytes]:
    """Each known frame alone, all in one go, and shapes."""
    known = [json.dumps(frame).encode() for frame in _FRAMES.get(provider, [])]
    return [*known, b"\n".join(known), SHAPE]


def messages(ecosystem: str) -> list[bytes]:
    """`kept|live TOPIC PAYLOAD`, one a line."""
    lines = _native() if ecosystem == "native" else _recorded(ecosystem)
    lines = [*lines[:MOST], *(_line(t, True, body) for t, body in _MESSAGES.get(ecosystem, []))]
    made = ecosystems.build(ecosystem, {}, root="home", command_qos=0)
    wildcards = str.maketrans("+#", "xx")
    topics = [wanted.filter.translate(wildcards).encode() for wanted in made.filters()]
    return [*lines, b"\n".join(lines), *(b"live " + topic + b" " + SHAPE for topic in topics)]


def payloads() -> list[bytes]:
    """One of each leaf of the native contract."""
    return [DESCRIPTION, STATE, ACK, COMMAND, b"online", b"offline", SHAPE]


def configurations() -> list[bytes]:
    """The whole example, and what YAML can do beside it."""
    return [
        config.example().encode(),
        b"session: {provider: none}\nmqtt: {url: 'mqtt://user:pw@host:1883'}\n",
        b"a: &a [1, 2]\nb: *a\nc: !!binary aGk=\nd: 2024-01-02\n? [x]\n: y\n",
        b"devices: {overrides: {lamp: {name: Lamp, aliases: [l], risk: guarded}}}\n",
    ]


def arguments() -> list[bytes]:
    """What a model says."""
    return [
        b'{"target": "Kitchen light", "mode": "HEAT", "position": 40.0, "on": true}',
        b'{"target": "x", "temperature": 21.5, "value": "eco"}\n{"positon": 1}',
        SHAPE,
    ]


def _native() -> list[bytes]:
    topic = b"home/coffee-machine/"
    return [
        b"kept " + topic + b"description " + DESCRIPTION,
        b"kept " + topic + b"availability online",
        b"live " + topic + b"state " + STATE,
        b"live " + topic + b"ack " + ACK,
        b"kept " + topic + b"description ",
    ]


def _recorded(ecosystem: str) -> list[bytes]:
    """The first plain transcript of the ecosystem."""
    files = sorted((TRANSCRIPTS / ecosystem).glob("*.jsonl"))
    texts = [file.read_text(encoding="utf-8") for file in files[:1]]
    told = [json.loads(line) for text in texts for line in text.splitlines() if line]
    return [_line(one["topic"], one["retained"], one["payload"]) for one in told]


def _line(topic: str, retained: bool, payload: object) -> bytes:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return f"{'kept' if retained else 'live'} {topic} {text}".encode()
