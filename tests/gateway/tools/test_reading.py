from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Kind
from gateway.outcome import Status

pytestmark = pytest.mark.unit


async def test_a_state_comes_with_its_age(home: Any) -> None:
    light = home.add("Kitchen light", "Kitchen", "power", "brightness")
    home.online(light, True)
    home.reports(light, on=True, brightness=60)
    home.clock.advance(12)
    outcome = await home.call("get_state", target="kitchen light")
    assert outcome.status is Status.ANSWER
    assert outcome.data == {"state": {"on": True, "brightness": 60}, "age_s": 12.0, "online": True}
    assert outcome.message == "Kitchen light is on at 60 %. Heard 12 seconds ago."


@pytest.mark.parametrize(
    ("age_s", "words"),
    [(1, "1 second ago"), (90, "1 minute ago"), (7300, "2 hours ago"), (0, "0 seconds ago")],
)
async def test_ages_are_told_as_people_do(home: Any, age_s: float, words: str) -> None:
    home.reports(home.add("Light", "", "power"), on=False)
    home.clock.advance(age_s)
    assert words in (await home.call("get_state", target="light")).message


async def test_what_only_the_broker_kept_has_no_known_age(home: Any) -> None:
    home.reports(home.add("Light", "", "power"), live=False, on=True)
    outcome = await home.call("get_state", target="light")
    assert outcome.data["age_s"] is None
    assert outcome.data["online"] is None
    assert "do not know how old" in outcome.message


async def test_a_silent_device_has_nothing_to_tell(home: Any) -> None:
    home.add("Light", "", "power")
    outcome = await home.call("get_state", target="light")
    assert outcome.message == "Light has not reported anything yet."


async def test_an_offline_device_tells_what_was_before(home: Any) -> None:
    light = home.add("Light", "", "power")
    home.reports(light, on=True)
    home.online(light, False)
    outcome = await home.call("get_state", target="light")
    assert outcome.message.startswith("Light is offline now. Before: Light is on.")
    assert outcome.data["online"] is False


async def test_sensors_are_told_with_their_unit(home: Any) -> None:
    sensor = Capability(Kind.SENSOR, name="humidity", unit="%")
    home.reports(home.add("Weather", "Garden", sensor), humidity=45.5, temperature=18)
    outcome = await home.call("get_state", target="weather")
    assert "Weather reports humidity 45.5 % and measures 18 degrees." in outcome.message


async def test_a_group_is_told_device_by_device(home: Any) -> None:
    for n in range(25):
        home.reports(home.add(f"Light {n}", "Hall", "power"), on=n % 2 == 0)
    outcome = await home.call("get_state", target="all lights")
    assert len(outcome.data) == 20
    assert outcome.data[1]["name"] == "Light 1"
    assert outcome.message.endswith("And 21 more.")
    assert len(outcome.text().encode()) <= 2000


async def test_reading_needs_no_leave_and_touches_nothing(home: Any) -> None:
    home.add("Safe", "", "lock")
    plan = home.plan("get_state", target="safe")
    assert [(act.device_id, act.reads) for act in plan.acts] == [("device-0", True)]
    assert plan.idempotent
    assert home.carrier.orders == []


@pytest.fixture
def large(home: Any) -> Any:
    for n in range(60):
        home.add(f"Lamp {n}", f"Room {n % 6}", "power", "brightness")
    home.add("Front door", "Hall", "lock", aliases=("main entrance",))
    home.add("Twin", "Hall", "power", device_id="twin-1")
    home.add("Twin", "Hall", "power", device_id="twin-2")
    return home


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"query": "front"}, ["Front door"]),
        ({"query": "main entrance"}, ["Front door"]),
        ({"query": "frnt dor"}, ["Front door"]),
        ({"area": "room 3", "query": "lamp 3"}, ["Lamp 3", "Lamp 33", "Lamp 39"]),
        ({"kind": "locks"}, ["Front door"]),
        ({"area": "hall", "kind": "light"}, []),
        ({"kind": "spaceship"}, []),
        ({"area": "moon base"}, []),
    ],
)
async def test_devices_are_found_by_part_of_a_name(
    large: Any, arguments: dict[str, str], names: list[str]
) -> None:
    outcome = await large.call("find_devices", **arguments)
    assert outcome.status is Status.ANSWER
    assert [row["name"] for row in outcome.data] == names


async def test_a_long_answer_is_cut_and_says_so(large: Any) -> None:
    outcome = await large.call("find_devices", query="lamp")
    assert len(outcome.data) == 20
    assert outcome.message == "I found 60 devices. These are the first 20."


async def test_equal_names_come_with_a_target_that_works(large: Any) -> None:
    outcome = await large.call("find_devices", query="twin")
    assert [row["target"] for row in outcome.data] == ["twin-1", "twin-2"]
    assert (await large.call("turn_on", target="twin-2")).status is Status.CONFIRMED


def test_a_small_house_needs_no_search(home: Any) -> None:
    home.add("Light", "", "power")
    assert "find_devices" not in home.registry.current().names
