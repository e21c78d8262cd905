from __future__ import annotations

import pytest

from devices.contract.capability import Kind, Risk
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.ecosystems.homeassistant.entity import amount, on_off, word, wording
from tests.devices.ecosystems.homeassistant.building import ECHOED, PUBLISHED, entity

pytestmark = pytest.mark.unit


def test_a_command_goes_through_its_template() -> None:
    sender = entity("switch", cmd_t="a", cmd_tpl='{"v": "{{ value }}"}').sender(
        "command_topic", "command_template"
    )
    assert sender is not None
    assert sender.message("ON") == ("a", '{"v": "ON"}')


def test_a_command_template_that_fails_refuses_the_command() -> None:
    sender = entity("switch", cmd_t="a", cmd_tpl="{{ 1 / 0 }}").sender(
        "command_topic", "command_template"
    )
    assert sender is not None
    with pytest.raises(CommandRefusedError) as refused:
        sender.message("ON")
    assert not refused.value.effect


def test_without_a_topic_there_is_nothing_to_send_or_hear() -> None:
    bare = entity("switch")
    assert bare.sender("command_topic") is None
    assert bare.sources("state_topic", "value_template", wording("x")) == ()
    with pytest.raises(PayloadError):
        entity("switch", cmd_t="#").sender("command_topic")


def test_who_is_optimistic_is_never_sure() -> None:
    assert entity("switch", stat_t="a").needs("state_topic") is ECHOED
    assert entity("switch").needs("state_topic") is PUBLISHED
    assert entity("switch", stat_t="a", opt=True).needs("state_topic") is PUBLISHED


def test_our_own_command_is_no_state() -> None:
    loop = entity("switch", cmd_t="a", stat_t="a")
    assert loop.needs("state_topic") is PUBLISHED
    assert loop.sources("state_topic", "value_template", wording("x")) == ()


def test_risk_comes_from_all_the_names() -> None:
    assert entity("switch", "Boiler").capability(Kind.POWER).risk is Risk.GUARDED
    assert entity("switch", "Coffee").capability(Kind.POWER).risk is Risk.NORMAL
    assert entity("switch").capability(Kind.POWER, guarded=True).risk is Risk.GUARDED


def test_readers_know_what_they_do_not_know() -> None:
    assert [on_off("on", "ON", "OFF")(t) for t in ("ON", "OFF", "None", "?")] == [
        {"on": True},
        {"on": False},
        {"on": None},
        {},
    ]
    assert [amount("n")(t) for t in ("15.0", "None", "x", "nan")] == [
        {"n": 15},
        {"n": None},
        {},
        {},
    ]
    assert amount("n", lambda _: None)("3") == {}
    assert word("w", {"a": "A"})("b") == {}
    assert wording("w")("hello\x07") == {"w": "hello"}
