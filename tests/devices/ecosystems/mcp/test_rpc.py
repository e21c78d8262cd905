from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import PayloadError
from devices.ecosystems.mcp.rpc import Answer, Call, notification, publish, read, reply, request

pytestmark = pytest.mark.unit


def test_a_question_and_its_answer() -> None:
    assert read(request(7, "tools/call", {"name": "x"})) == Call("tools/call", {"name": "x"}, 7)
    assert read(reply("a").replace(b'"a"', b"7")) == Answer(7, {})
    assert read(notification("notifications/initialized")).method == "notifications/initialized"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ({"code": -32602, "message": "bad\x1b"}, -32602, "bad"),
        ({"message": "no code, as some firmware"}, 0, "no code, as some firmware"),
        (None, 0, ""),
        ({"code": "x", "message": 7}, 0, ""),
    ],
)
def test_an_error(error: object, code: int, message: str) -> None:
    answer = read(json.dumps({"id": 1, "error": error}).encode())
    assert answer == Answer(1, None, code, message)


@pytest.mark.parametrize(
    "body", [{}, {"id": True, "result": {}}, {"id": "x", "result": {}}, {"id": 1.5}, []]
)
def test_what_is_neither(body: object) -> None:
    with pytest.raises(PayloadError):
        read(json.dumps(body).encode())


def test_every_message_names_its_client_and_expires() -> None:
    message = publish("gw-1", "$mcp-server/x/y", b"{}")
    assert ("MCP-MQTT-CLIENT-ID", "gw-1") in message.user_properties
    assert (message.retain, message.qos, message.expiry_s) == (False, 1, 30)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        read(data)
    except PayloadError:
        return
