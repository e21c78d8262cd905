from __future__ import annotations

import json

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant import greetings
from devices.ecosystems.homeassistant.greetings import Greetings
from devices.link.base import Message, Publish

pytestmark = pytest.mark.unit

BIRTH = Publish("homeassistant/status", b"online")
QUESTION = Publish("esphome/discover", b"")


def status(word: bytes, *, retained: bool = False) -> Message:
    return Message("homeassistant/status", word, retained)


def node(body: object) -> Message:
    return Message("esphome/discover/x", json.dumps(body).encode(), retained=True)


def test_where_nobody_is_the_word_is_said() -> None:
    found = Greetings("homeassistant", "auto")
    assert list(found.now()) == [BIRTH, QUESTION]
    assert not any(message.retain for message in found.now())


def test_our_own_word_comes_back_and_is_nobody_else() -> None:
    found = Greetings("homeassistant", "auto")
    found.now()
    found.hear(status(b"online"))
    assert BIRTH in found.now()


def test_where_home_assistant_is_it_speaks_for_itself() -> None:
    found = Greetings("homeassistant", "auto")
    found.hear(status(b"online", retained=True))
    assert list(found.now()) == [QUESTION]
    found.hear(status(b"offline"))
    assert BIRTH in found.now()
    found.hear(status(b"online"))
    found.hear(status(b"online"))
    assert list(found.now()) == [QUESTION]


def test_always_and_never() -> None:
    always, never = Greetings("homeassistant", "always"), Greetings("homeassistant", "never")
    always.hear(status(b"online", retained=True))
    assert BIRTH in always.now()
    assert list(never.now()) == [QUESTION]


def test_nodes_tell_their_names() -> None:
    found = Greetings("homeassistant", "auto")
    told = node({"name": "esp-1", "friendly_name": "Kitchen node", "mac": "A0B1C2D3E4F5"})
    assert found.hear(told) == "mac:a0b1c2d3e4f5"
    assert found.hear(node({"name": "esp-2", "mac": "a0b1c2d3e4f6"})) == "mac:a0b1c2d3e4f6"
    assert found.friendly == {"mac:a0b1c2d3e4f5": "Kitchen node", "mac:a0b1c2d3e4f6": "esp-2"}
    assert found.hear(Message("esphome/discover/x", b"")) == ""


@pytest.mark.parametrize("body", [[], {}, {"mac": 5}, {"name": "x"}, {"mac": "a0b1c2d3e4f5"}])
def test_what_is_no_node(body: object) -> None:
    with pytest.raises(PayloadError):
        Greetings("homeassistant", "auto").hear(node(body))


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greetings, "MAX_NODES", 2)
    found = Greetings("homeassistant", "auto")
    for number in range(5):
        found.hear(node({"name": "x", "mac": f"a0b1c2d3e4f{number}"}))
    assert len(found.friendly) == 2
