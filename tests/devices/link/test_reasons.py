from __future__ import annotations

import errno
import os
import ssl

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from devices.link.reasons import farewell, judge, why
from devices.link.reconnect import Verdict

pytestmark = pytest.mark.unit

REFUSED = {
    "Client identifier not valid",
    "Bad user name or password",
    "Not authorized",
    "Banned",
    "Bad authentication method",
    "Topic name invalid",
    "Retain not supported",
    "QoS not supported",
    "Server moved",
}


def test_which_refusals_are_final() -> None:
    names = {
        name: code
        for code, by_name in ReasonCode.names.items()
        for name, packets in by_name.items()
        if PacketTypes.CONNACK in packets and code
    }
    assert {name for name, code in names.items() if judge(code) is Verdict.REFUSED} == REFUSED
    assert judge(names["Unsupported protocol version"]) is Verdict.VERSION
    assert judge(names["Server busy"]) is Verdict.LOST


def test_how_a_connection_ended() -> None:
    assert farewell(0x8B, "server shutting down", from_broker=True).endswith("shutting down")
    assert farewell(0x8D, "", from_broker=False) == "does not answer any more"
    assert farewell(0x80, "", from_broker=False) == "closed the connection"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "refused"),
        (TimeoutError(), "no answer in time"),
        (ssl.SSLError(1, "[SSL] broken"), "TLS failed"),
        (OSError("a\nforged line"), "a forged line"),
        (OSError(), "oserror"),
    ],
)
def test_errors_in_words(error: Exception, words: str) -> None:
    assert words in why(error)
    assert "\n" not in why(error)
