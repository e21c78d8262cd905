from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Kind
from devices.contract.command import Evidence
from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant import household
from devices.ecosystems.homeassistant.availability import Presence, Rule
from devices.ecosystems.homeassistant.discovery import DeviceInfo
from devices.ecosystems.homeassistant.groups import Member
from devices.ecosystems.homeassistant.household import Change, Household
from devices.ecosystems.homeassistant.part import Part

pytestmark = pytest.mark.unit

BOX = DeviceInfo(("id:1", "mac:a"), frozenset({"mac:a"}), "Box")


def member(key: str, stable_id: str = "", *, main: bool = True) -> Member:
    part = Part((Capability(Kind.POWER if main else Kind.SENSOR, None if main else key),))
    return Member(
        key,
        stable_id or key,
        key,
        key,
        main,
        part,
        0,
        frozenset(),
        Evidence.ECHOED,
        Presence(Rule(())),
    )


def settle(house: Household) -> Change:
    (change,) = house.changes({})
    return change


def ids(change: Change) -> list[str]:
    return [logical.id for logical in change.present]


def test_entities_of_a_device_are_together_whichever_identifier_they_share() -> None:
    house = Household()
    house.put(member("lamp"), BOX)
    house.put(member("power", main=False), DeviceInfo(("mac:a", "id:9")))
    change = settle(house)
    assert ids(change) == ["homeassistant-lamp"]
    device = house.device("homeassistant-lamp")
    assert device is not None
    assert [m.key for m in device.members] == ["lamp", "power"]
    assert house.device_of("power") is device


def test_only_news_is_told() -> None:
    house = Household()
    house.put(member("lamp"), BOX)
    assert len(settle(house).present) == 1
    assert house.changes({}) == []
    house.put(member("lamp"), BOX)
    assert settle(house).present == ()


def test_when_the_main_thing_goes_the_rest_is_another_device() -> None:
    house = Household()
    house.put(member("lamp"), BOX)
    house.put(member("power", main=False), BOX)
    settle(house)
    house.drop("lamp")
    change = settle(house)
    assert change.gone == ("homeassistant-lamp",)
    assert ids(change) == ["homeassistant-device-id-1"]
    house.drop("power")
    assert settle(house).gone == ("homeassistant-device-id-1",)
    assert len(house) == 0


def test_an_entity_may_move_to_another_device() -> None:
    house = Household()
    house.put(member("lamp"), BOX)
    house.put(member("plug"), BOX)
    settle(house)
    house.put(member("plug"), DeviceInfo(("id:2",), frozenset(), "Other"))
    changes = house.changes({})
    assert [change.gone for change in changes] == [("homeassistant-plug",), ()]
    assert house.device("homeassistant-plug") is not None


def test_a_unique_id_belongs_to_one() -> None:
    house = Household()
    house.put(member("a", "same"), BOX)
    with pytest.raises(PayloadError, match="same unique id"):
        house.put(member("b", "same"), BOX)
    house.drop("a")
    house.put(member("b", "same"), BOX)
    assert house.holder("same") == "b"


def test_ids_that_look_alike_are_refused_to_the_second() -> None:
    house = Household()
    house.put(member("a_b"), DeviceInfo())
    house.put(member("a-b"), DeviceInfo())
    first, second = house.changes({})
    assert ids(first) == ["homeassistant-a-b"]
    assert (ids(second), second.taken) == ([], 1)
    house.drop("a-b")
    assert settle(house).gone == ()
    assert house.device("homeassistant-a-b") is not None


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(household, "MAX_ENTITIES", 3)
    monkeypatch.setattr(household, "MAX_MEMBERS", 2)
    house = Household()
    house.put(member("a"), BOX)
    house.put(member("b"), BOX)
    with pytest.raises(PayloadError, match="too many entities"):
        house.put(member("c"), BOX)
    house.put(member("a"), BOX)
    house.put(member("c"), DeviceInfo())
    with pytest.raises(PayloadError, match="no room"):
        house.put(member("d"), DeviceInfo())
    assert len(house) == 3


def test_another_name_reaches_the_groups_it_is_for() -> None:
    house = Household()
    house.put(member("lamp"), BOX)
    house.changes({})
    house.touch("mac:a")
    (change,) = house.changes({"mac:a": "Kitchen"})
    assert "Kitchen" in change.present[0].announced.description.aliases
    house.touch("mac:unknown")
    assert house.changes({}) == []


def test_what_is_not_there_can_go() -> None:
    house = Household()
    house.drop("nobody")
    assert house.changes({}) == []
    assert house.member("nobody") is None
    assert house.device_of("nobody") is None
