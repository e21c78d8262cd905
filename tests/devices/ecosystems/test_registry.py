from __future__ import annotations

import pytest

from devices.ecosystems import registry
from devices.link.base import Message

pytestmark = pytest.mark.unit


def test_every_known_name_builds_its_ecosystem() -> None:
    for name in registry.NAMES:
        assert registry.build(name, {}, root="home", command_qos=0).name == name


def test_the_root_reaches_the_native_ecosystem() -> None:
    native = registry.build("native", {}, root="house", command_qos=0)
    assert next(f.filter for f in native.filters()) == "house/+/ack"
    assert list(native.decode(Message("house/lamp/availability", b"online")))


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"known: .*native"):
        registry.build("carrier-pigeon", {}, root="home", command_qos=0)


def test_an_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="no option 'prefix'"):
        registry.build("native", {"prefix": "x"}, root="home", command_qos=0)


def test_two_gateways_are_never_answered_on_one_topic() -> None:
    mine, other = (registry.build("shelly", {}, root="home", command_qos=0) for _ in range(2))
    assert mine.filters()[0].filter != other.filters()[0].filter
    chosen = registry.build("shelly", {"source": "attic"}, root="home", command_qos=0)
    assert chosen.filters()[0].filter == "attic/rpc"


@pytest.mark.parametrize("names", ["", 7, "a+b", "#/x"])
def test_a_filter_of_servers_that_is_none(names: object) -> None:
    with pytest.raises(ValueError, match="filter"):
        registry.build("mcp", {"names": names}, root="home", command_qos=0)


def test_who_speaks_in_the_place_of_home_assistant() -> None:
    quiet = registry.build("homeassistant", {"birth": "never"}, root="home", command_qos=0)
    assert [m.topic for m in quiet.greeting()] == ["esphome/discover"]
    with pytest.raises(ValueError, match="auto, always, never"):
        registry.build("homeassistant", {"birth": "sometimes"}, root="home", command_qos=0)
