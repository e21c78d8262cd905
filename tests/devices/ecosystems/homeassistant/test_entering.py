from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Risk
from devices.contract.command import Evidence
from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant import abbreviations
from devices.ecosystems.homeassistant.discovery import DeviceInfo, Found
from devices.ecosystems.homeassistant.entering import member_of
from devices.ecosystems.homeassistant.fields import Fields
from devices.ecosystems.homeassistant.groups import Member
from tests.devices.ecosystems.homeassistant.building import TEMPLATES

pytestmark = pytest.mark.unit

HALL = DeviceInfo(("id:1",), frozenset(), "Hall box")


def entered(
    component: str = "switch", before: Member | None = None, **fields: Any
) -> Member | None:
    found = Found(
        "place", "box/relay_1", component, "relay_1", HALL, Fields(abbreviations.expand(fields))
    )
    return member_of(found, TEMPLATES, "homeassistant", before)


def test_a_member_knows_what_it_needs() -> None:
    member = entered(cmd_t="a/set", stat_t="a", name="Hall box left", uniq_id="u", qos=1)
    assert member is not None
    assert (member.label, member.stable_id, member.qos) == ("left", "switch.u", 1)
    assert member.topics == {"a/set"}
    assert (member.is_main, member.richness) == (True, Evidence.ECHOED)


def test_only_a_whole_name_is_taken_off() -> None:
    names = {"Hall box: left": "left", "Hall box": "", "Hall boxer": "Hall boxer", "Left": "Left"}
    for name, label in names.items():
        member = entered(cmd_t="a/set", name=name)
        assert member is not None
        assert member.label == label


def test_what_restarts_the_device_is_known_by_its_id_too() -> None:
    found = Found("place", "box/restart", "button", "restart", HALL, Fields({"command_topic": "a"}))
    assert member_of(found, TEMPLATES, "homeassistant", None) is None


def test_nobody_tells_of_an_optimistic_one() -> None:
    for fields in ({}, {"stat_t": "a", "opt": True}):
        member = entered(cmd_t="a/set", **fields)
        assert member is not None
        assert member.richness is Evidence.PUBLISHED


def test_what_has_no_name_is_called_by_its_class_or_id() -> None:
    by_class = entered("sensor", stat_t="a", name=None, dev_cla="temperature")
    by_id = entered("sensor", stat_t="a")
    assert by_class is not None
    assert by_id is not None
    assert by_class.part.capabilities[0].name == "temperature"
    assert by_id.part.capabilities[0].name == "relay 1"


def test_the_device_class_tells_the_risk() -> None:
    member = entered("cover", cmd_t="a/set", dev_cla="garage")
    assert member is not None
    assert member.part.capabilities[0].risk is Risk.GUARDED


def test_presence_stays_while_its_rule_does() -> None:
    first = entered(cmd_t="a/set", avty_t="up")
    again = entered(cmd_t="b/set", avty_t="up", before=first)
    other = entered(cmd_t="b/set", avty_t="there", before=first)
    assert first is not None
    assert again is not None
    assert other is not None
    assert again.presence is first.presence
    assert other.presence is not first.presence


@pytest.mark.parametrize("topic", ["homeassistant/status", "homeassistant/light/x/config"])
def test_nobody_is_commanded_by_a_topic_of_home_assistant(topic: str) -> None:
    assert entered(cmd_t=topic) is None


def test_what_breaks_the_rules_is_refused() -> None:
    for fields in ({"cmd_t": "#"}, {"cmd_t": "a", "avty": [{}]}, {"cmd_t": "a", "qos": "x"}):
        with pytest.raises(PayloadError):
            entered(**fields)
    assert entered("camera") is None
