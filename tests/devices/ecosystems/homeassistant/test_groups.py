from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Kind
from devices.contract.command import Evidence
from devices.ecosystems.homeassistant.availability import Presence, rule_of
from devices.ecosystems.homeassistant.discovery import DeviceInfo
from devices.ecosystems.homeassistant.fields import Fields
from devices.ecosystems.homeassistant.groups import (
    MAX_CAPABILITIES,
    Group,
    Logical,
    Member,
    logicals,
)
from devices.ecosystems.homeassistant.part import Order, Part

pytestmark = pytest.mark.unit

BOX = DeviceInfo(("id:1",), frozenset({"mac:a0b1c2d3e4f5"}), "Hall switch", "Hall")


def member(object_id: str, label: str = "", *, main: bool = True, **fields: Any) -> Member:
    kind = Capability(Kind.POWER) if main else Capability(Kind.NUMBER, label)
    values = {} if main else {label: lambda _: Order(())}
    part = Part((kind,), values=values)
    presence = Presence(rule_of(Fields(fields)))
    topics = frozenset({f"box/{object_id}/set"})
    return Member(
        object_id,
        f"x.{object_id}",
        object_id,
        label,
        main,
        part,
        0,
        topics,
        Evidence.ECHOED,
        presence,
    )


def group(*members: Member, info: DeviceInfo = BOX) -> Group:
    return Group("id:1", info, {m.key: m for m in members})


def names(found: list[Logical]) -> list[str]:
    return [each.announced.description.name for each in found]


def test_one_thing_takes_the_name_of_its_device_and_all_that_rides_along() -> None:
    (lamp,) = logicals(group(member("l", "Reading lamp"), member("n", "Speed", main=False)))
    description = lamp.announced.description
    assert (description.name, description.area) == ("Hall switch", "Hall")
    assert description.aliases == ("Reading lamp", "Hall switch Reading lamp")
    assert [c.kind for c in description.capabilities] == [Kind.POWER, Kind.NUMBER]
    assert lamp.announced.identity == {"mac:a0b1c2d3e4f5", "topic:box/l/set"}


def test_a_plain_name_is_no_alias() -> None:
    (lamp,) = logicals(group(member("l", "Switch")))
    assert lamp.announced.description.aliases == ("Hall switch Switch",)


def test_several_things_are_several_devices_and_the_rest_is_one_more() -> None:
    both = [member("switch_left", "left"), member("switch_right", "right")]
    found = logicals(group(*both, member("n", "Speed", main=False)))
    assert names(found) == ["Hall switch left", "Hall switch right", "Hall switch"]
    assert "mac:a0b1c2d3e4f5/left" in found[0].announced.identity
    assert found[2].announced.identity == frozenset()


def test_a_second_thing_leaves_the_first_its_id() -> None:
    first = member("switch_left", "left")
    (alone,) = logicals(group(first))
    left, _ = logicals(group(first, member("switch_right", "right")))
    assert alone.id == left.id


def test_parts_that_end_alike_are_told_apart() -> None:
    found = logicals(group(member("a_1", "a"), member("b_1", "b")))
    suffixes = {i for each in found for i in each.announced.identity if i.startswith("mac")}
    assert suffixes == {"mac:a0b1c2d3e4f5/a_1", "mac:a0b1c2d3e4f5/b_1"}


def test_sensors_alone_are_a_device_with_the_address() -> None:
    (box,) = logicals(group(member("n", "Speed", main=False)))
    assert box.announced.identity == {"mac:a0b1c2d3e4f5"}


def test_a_lonely_entity_goes_by_its_own_name_or_id() -> None:
    assert names(logicals(group(member("desk_lamp"), info=DeviceInfo()))) == ["Desk lamp"]
    assert names(logicals(group(member("x", "Lamp"), info=DeviceInfo()))) == ["Lamp"]


def test_another_name_helps_where_there_is_none() -> None:
    nameless = DeviceInfo(("id:1",))
    assert names(logicals(group(member("x"), info=nameless), "Kitchen node")) == ["Kitchen node"]
    (known,) = logicals(group(member("x")), "Kitchen node")
    assert known.announced.description.aliases == ("Kitchen node",)


def test_names_are_used_once_and_never_those_that_all_understand() -> None:
    riders = [member(str(i), "on", main=False) for i in range(3)]
    (box,) = logicals(group(member("l"), *riders))
    assert [c.name for c in box.announced.description.capabilities] == [
        None,
        "on 2",
        "on 3",
        "on 4",
    ]
    assert box.outside("1", {"on": 5}) == {"on 3": 5}
    assert [(m.key, name) for m, name in box.inside("on 3")] == [("1", "on")]
    assert list(box.inside("nobody")) == []


def test_a_device_can_only_do_so_much() -> None:
    riders = [member(str(i), f"n{i}", main=False) for i in range(200)]
    (box,) = logicals(group(*riders))
    assert len(box.announced.description.capabilities) == MAX_CAPABILITIES


def test_presence_is_that_of_the_main_thing() -> None:
    main = member("l", avty_t="unused", availability_topic="up")
    rider = member("n", "Speed", main=False, availability_topic="other")
    (box,) = logicals(group(main, rider))
    assert box.is_watched
    assert box.online is None
    (sign,) = main.presence.rule.signs
    main.presence.hear(sign, "offline")
    assert box.online is False
    (other,) = rider.presence.rule.signs
    rider.presence.hear(other, "online")
    assert box.online is False


def test_of_those_that_ride_alone_any_will_do() -> None:
    riders = [member(str(i), f"n{i}", main=False, availability_topic=f"t{i}") for i in range(2)]
    (box,) = logicals(group(*riders))
    riders[0].presence.hear(riders[0].presence.rule.signs[0], "offline")
    assert box.online is None
    riders[1].presence.hear(riders[1].presence.rule.signs[0], "online")
    assert box.online is True


def test_a_group_that_is_empty_is_no_device() -> None:
    assert logicals(group()) == []
