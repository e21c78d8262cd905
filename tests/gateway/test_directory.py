from __future__ import annotations

import dataclasses

import pytest

from devices.contract.capability import Capability, Description, Kind, OwnCommand, Risk
from devices.contract.command import Evidence
from devices.ecosystems.base import Announced, Availability, Removed, StateReport, Traits
from gateway.bus import Bus
from gateway.directory import Directory, Override
from gateway.events import DeviceSeen
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit

TRAITS = Traits(keeps_ids=True, silent_on_repeat=False)
LAMP = Description("lamp", "Lamp", "Hall", ("light",), (Capability(Kind.POWER),))


class Home:
    def __init__(self, **overrides: Override) -> None:
        self.clock = ManualClock(start_s=100)
        self.bus = Bus()
        self.directory = Directory(self.clock, self.bus, overrides)

    def announce(self, description: Description = LAMP) -> bool:
        return self.directory.announced(Announced(description), "native", TRAITS)


def test_a_device_is_known_from_its_announcement_to_its_removal() -> None:
    home = Home()
    assert home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    assert (device.name, device.area, device.online, device.state) == ("Lamp", "Hall", None, {})
    assert len(home.directory) == 1
    home.directory.removed(Removed("lamp"))
    assert home.directory.get("lamp") is None
    assert list(home.directory) == []


def test_only_what_changes_the_offer_changes_the_revision() -> None:
    home = Home()
    seen: list[int] = []
    home.directory.on_change(lambda: seen.append(home.directory.revision))
    home.announce()
    home.announce()
    home.directory.availability(Availability("lamp", online=True))
    home.directory.reported(StateReport("lamp", {"on": True}, live=True))
    assert seen == [1]
    home.announce(dataclasses.replace(LAMP, area="Bath"))
    home.directory.removed(Removed("lamp"))
    home.directory.removed(Removed("lamp"))
    assert seen == [1, 2, 3]


def test_state_and_availability_may_come_before_the_description() -> None:
    home = Home()
    home.directory.availability(Availability("lamp", online=True))
    home.directory.reported(StateReport("lamp", {"on": True}, live=False))
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    assert (device.online, device.state) == (True, {"on": True})
    assert home.directory.age_s(device) is None


def test_a_removed_device_leaves_nothing_behind() -> None:
    home = Home()
    home.directory.availability(Availability("lamp", online=True))
    home.directory.removed(Removed("lamp"))
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    assert device.online is None


def test_only_a_live_state_has_an_age() -> None:
    home = Home()
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    home.directory.reported(StateReport("lamp", {"on": True, "brightness": 5}, live=True))
    home.clock.advance(7)
    home.directory.reported(StateReport("lamp", {"on": False}, live=False))
    assert device.state == {"on": False, "brightness": 5}
    assert home.directory.age_s(device) == 7


def test_a_report_without_keys_does_not_make_an_old_state_new() -> None:
    home = Home()
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    home.directory.reported(StateReport("lamp", {"on": True}, live=True))
    home.clock.advance(50)
    home.directory.reported(StateReport("lamp", {}, live=True))
    assert home.directory.age_s(device) == 50


def test_a_device_that_makes_up_new_keys_for_ever_does_not_fill_the_memory() -> None:
    home = Home()
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    home.directory.reported(StateReport("lamp", {"on": False}, live=True))
    for number in range(1000):
        home.directory.reported(StateReport("lamp", {f"key {number}": 1}, live=True))
    home.directory.reported(StateReport("lamp", {"on": True}, live=True))
    assert len(device.state) == Directory.MAX_STATE_KEYS
    assert device.state["on"] is True


def test_what_came_early_is_the_newest_even_where_no_more_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Directory, "MAX_DEVICES", 1)
    home = Home()
    home.directory.availability(Availability("lamp", online=True))
    home.directory.availability(Availability("lamp", online=False))
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    assert device.online is False


def test_the_bus_hears_of_changes_once() -> None:
    home = Home()
    with home.bus.subscribe() as subscription:
        home.announce()
        home.directory.availability(Availability("lamp", online=True))
        home.directory.availability(Availability("lamp", online=True))
        home.directory.availability(Availability("lamp", online=False))
        home.directory.removed(Removed("lamp"))
        changes = [e.change for e in subscription.waiting() if isinstance(e, DeviceSeen)]
    assert changes == ["announced", "online", "offline", "removed"]


def test_the_configuration_has_the_last_word() -> None:
    override = Override(name="Big\nlamp", area="", aliases=("sun",), risk=Risk.GUARDED)
    home = Home(lamp=override)
    home.announce(dataclasses.replace(LAMP, commands=(OwnCommand("blink", ""),)))
    device = home.directory.get("lamp")
    assert device is not None
    assert (device.name, device.area) == ("Big lamp", "")
    assert device.description.aliases == ("light", "sun")
    assert device.description.capabilities[0].risk is Risk.GUARDED
    assert device.description.commands[0].risk is Risk.GUARDED


def test_a_hidden_device_is_known_but_not_offered() -> None:
    home = Home(lamp=Override(hide=True))
    home.announce()
    assert list(home.directory) == []
    assert home.directory.get("lamp") is not None


def test_a_full_directory_refuses_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Directory, "MAX_DEVICES", 2)
    home = Home()
    accepted = [home.announce(dataclasses.replace(LAMP, id=f"lamp-{n}")) for n in range(3)]
    assert accepted == [True, True, False]
    for n in range(5):
        home.directory.availability(Availability(f"ghost-{n}", online=True))
        home.directory.reported(StateReport(f"ghost-{n}", {"on": True}, live=True))
    assert len(home.directory) == 2


def test_what_is_refused_stands_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Directory, "MAX_DEVICES", 1)
    home = Home()
    same = frozenset({"mac:a0b1c2d3e4f5"})
    home.directory.announced(Announced(LAMP, same, Evidence.ECHOED), "native", TRAITS)
    better = Announced(dataclasses.replace(LAMP, id="better"), same, Evidence.SETTLED)
    assert not home.directory.announced(better, "other", TRAITS)
    assert [device.id for device in home.directory] == ["lamp"]


def test_the_age_of_a_key_is_its_own() -> None:
    home = Home()
    home.announce()
    device = home.directory.get("lamp")
    assert device is not None
    home.directory.reported(StateReport("lamp", {"on": True, "power": 3}, live=True))
    home.clock.advance(60)
    home.directory.reported(StateReport("lamp", {"power": 4}, live=True))
    home.directory.reported(StateReport("lamp", {"mode": "x"}, live=False))
    assert home.directory.age_s(device) == 0
    assert home.directory.age_s(device, ["on"]) == 60
    assert home.directory.age_s(device, ["on", "power"]) == 60
    assert home.directory.age_s(device, ["on", "mode"]) is None


# --- one thing announced in several ways -----------------------------------------------------

MAC = frozenset({"mac:a0b1c2d3e4f5"})


def announce(
    home: Home,
    device_id: str,
    ecosystem: str,
    identity: frozenset[str] = MAC,
    *,
    richness: Evidence = Evidence.REPORTED,
    area: str = "",
) -> bool:
    description = dataclasses.replace(LAMP, id=device_id, area=area)
    return home.directory.announced(Announced(description, identity, richness), ecosystem, TRAITS)


def offered(home: Home) -> list[str]:
    return [device.id for device in home.directory]


def test_the_richer_of_two_announcements_is_offered() -> None:
    home = Home()
    announce(home, "ha-lamp", "homeassistant", richness=Evidence.ECHOED)
    assert offered(home) == ["ha-lamp"]
    announce(home, "tasmota-lamp", "tasmota")
    assert offered(home) == ["tasmota-lamp"]


def test_the_other_one_is_offered_again_when_it_goes() -> None:
    home = Home()
    announce(home, "ha-lamp", "homeassistant", richness=Evidence.ECHOED)
    announce(home, "tasmota-lamp", "tasmota")
    assert home.directory.twins("tasmota-lamp") == ("ha-lamp",)
    home.directory.removed(Removed("tasmota-lamp"))
    assert offered(home) == ["ha-lamp"]


def test_the_area_comes_from_whoever_knows_it() -> None:
    home = Home()
    announce(home, "z2m-lamp", "zigbee2mqtt")
    announce(home, "ha-lamp", "homeassistant", richness=Evidence.ECHOED, area="Kitchen")
    (device,) = home.directory
    assert (device.id, device.area) == ("z2m-lamp", "Kitchen")
    announce(home, "z2m-lamp", "zigbee2mqtt")
    (device,) = home.directory
    assert device.area == "Kitchen"


def test_two_relays_of_one_box_stay_two() -> None:
    home = Home()
    announce(home, "ha-left", "homeassistant", frozenset({"mac:a0", "topic:x/1"}))
    announce(home, "ha-right", "homeassistant", frozenset({"mac:a0", "topic:x/2"}))
    assert len(offered(home)) == 2
    announce(home, "t-left", "tasmota", frozenset({"mac:a0/1", "topic:x/1"}))
    announce(home, "t-right", "tasmota", frozenset({"mac:a0/2", "topic:x/2"}))
    assert len(offered(home)) == 2


def test_an_id_belongs_to_the_ecosystem_that_announced_it_first() -> None:
    home = Home()
    assert announce(home, "lamp", "native", frozenset())
    assert not announce(home, "lamp", "homie", frozenset())


def test_a_room_in_the_name_is_the_area_where_the_ecosystem_knows_none() -> None:
    home = Home()
    unknowing = dataclasses.replace(TRAITS, areas_from_names=True)
    lamp = dataclasses.replace(LAMP, name="Kitchen lamp", area="")
    home.directory.announced(Announced(lamp), "zigbee2mqtt", unknowing)
    home.directory.announced(
        Announced(dataclasses.replace(lamp, id="own", name="Bath lamp")), "native", TRAITS
    )
    assert [(d.id, d.area) for d in home.directory] == [("own", ""), ("lamp", "Kitchen")]
