from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Kind, Risk
from devices.contract.command import AckError, Evidence
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Order, Result
from gateway.outcome import Outcome, Status
from gateway.testing import ScriptedCarrier
from gateway.tools.base import Plan

pytestmark = pytest.mark.unit

WARMTH = Capability(Kind.COLOR_TEMPERATURE, minimum=2200, maximum=6500)
LIGHT = ("power", "brightness", "color", WARMTH)
HEATING = Capability(Kind.CLIMATE, minimum=5, maximum=30, options=("heat", "off"))
LOCK = Capability(Kind.LOCK, risk=Risk.GUARDED)


async def test_a_light_is_turned_on_and_the_answer_says_what_it_reports(home: Any) -> None:
    home.add("Kitchen light", "Kitchen", *LIGHT)
    outcome = await home.call("turn_on", target="kitchen light", brightness=60)
    assert outcome.body() == {
        "ok": True,
        "status": "confirmed",
        "target": "Kitchen light",
        "state": {"on": True, "brightness": 60},
        "message": "Kitchen light is on at 60 %.",
    }
    assert home.commanded() == [("Kitchen light", "turn_on", {"brightness": 60})]


async def test_each_verb_reaches_the_device_as_the_contract_says(home: Any) -> None:
    home.add("Light", "Hall", *LIGHT)
    home.add("Blind", "Hall", "cover")
    home.add("Door", "Hall", LOCK)
    home.add("Heating", "Hall", HEATING)
    home.add("Fan", "Hall", Capability(Kind.FAN, options=("auto", "night")))
    home.add(
        "Radio",
        "Hall",
        Capability(Kind.NUMBER, name="volume", minimum=0, maximum=10),
        Capability(Kind.SELECT, name="Source", options=("FM", "Web")),
        Capability(Kind.TEXT, name="label", maximum=5),
        Capability(Kind.BUTTON, name="next"),
        Capability(Kind.BUTTON, name="previous"),
    )
    home.add("Movie night", "", "scene")
    home.add("Robot", "", Capability(Kind.VACUUM, options=("start", "return_to_base")))
    home.add("Alarm", "", Capability(Kind.ALARM, options=("arm_away", "disarm")))
    calls: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
        ("turn_on", {"target": "light", "color": "Red"}, "turn_on", {"color": "#ff0000"}),
        ("turn_on", {"target": "light", "color": "#0F0"}, "turn_on", {"color": "#00ff00"}),
        (
            "turn_on",
            {"target": "light", "color": "warm white"},
            "turn_on",
            {"color_temperature": 2700},
        ),
        ("turn_off", {"target": "light"}, "turn_off", {}),
        ("set_cover", {"target": "blind", "position": 40}, "set_cover", {"position": 40}),
        ("stop", {"target": "blind"}, "stop", {}),
        ("lock", {"target": "door"}, "lock", {}),
        ("unlock", {"target": "door"}, "unlock", {}),
        (
            "set_climate",
            {"target": "heating", "temperature": 21.5},
            "set_climate",
            {"temperature": 21.5},
        ),
        ("set_climate", {"target": "heating", "mode": "HEAT"}, "set_climate", {"mode": "heat"}),
        (
            "set_fan",
            {"target": "fan", "percent": 40, "mode": "night"},
            "set_fan",
            {"percent": 40, "mode": "night"},
        ),
        (
            "set_value",
            {"target": "radio", "name": "Volume", "value": "7"},
            "set_value",
            {"name": "volume", "value": 7},
        ),
        (
            "set_value",
            {"target": "radio", "name": "source", "value": "web"},
            "set_value",
            {"name": "Source", "value": "Web"},
        ),
        (
            "set_value",
            {"target": "radio", "name": "label", "value": "7"},
            "set_value",
            {"name": "label", "value": "7"},
        ),
        ("press", {"target": "radio", "name": "next"}, "press", {"name": "next"}),
        ("press", {"target": "movie night"}, "press", {}),
        (
            "vacuum",
            {"target": "robot", "action": "return to base"},
            "vacuum",
            {"action": "return_to_base"},
        ),
        (
            "alarm",
            {"target": "alarm", "action": "arm away", "code": "0042"},
            "alarm",
            {"action": "arm_away", "code": "0042"},
        ),
    ]
    for tool, arguments, command, args in calls:
        outcome = await home.call(tool, **arguments)
        assert outcome.status is Status.CONFIRMED, (tool, outcome)
        assert home.commanded()[-1][1:] == (command, args)
    assert len(home.commanded()) == len(calls)


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("turn_on", {"target": "plug", "brightness": 40}, "Plug has no brightness"),
        ("turn_on", {"target": "light", "brightness": 0}, "turn_off"),
        ("turn_on", {"target": "light", "brightness": 140}, "from 0 to 100"),
        ("turn_on", {"target": "light", "color_temperature": 9000}, "from 2200 to 6500 kelvin"),
        ("turn_on", {"target": "light", "color": "blurple"}, "colour"),
        ("turn_on", {"target": "light", "color": "#12345"}, "colour"),
        ("set_climate", {"target": "heating", "temperature": 45}, "from 5 to 30 degrees"),
        ("set_climate", {"target": "heating", "mode": "sauna"}, "heat or off"),
        ("set_climate", {"target": "heating"}, "which temperature or mode"),
        ("set_fan", {"target": "fan", "mode": "auto"}, "no modes"),
        ("set_fan", {"target": "fan"}, "which speed or mode"),
        ("set_value", {"target": "radio", "name": "bass", "value": 1}, "only volume"),
        ("set_value", {"target": "radio", "name": "volume", "value": 11}, "from 0 to 10"),
        ("set_value", {"target": "radio", "name": "volume", "value": "loud"}, "a number"),
        ("set_value", {"target": "radio", "name": "volume", "value": "nan"}, "a number"),
        ("press", {"target": "radio"}, "next or previous"),
        ("press", {"target": "radio", "name": "eject"}, "only next or previous"),
        ("vacuum", {"target": "robot", "action": "dance"}, "return_to_base"),
    ],
)
async def test_what_a_device_cannot_do_is_refused_and_nothing_is_sent(
    home: Any, tool: str, arguments: dict[str, Any], words: str
) -> None:
    home.add("Light", "", *LIGHT)
    home.add("Plug", "", "power")
    home.add("Heating", "", HEATING)
    home.add("Fan", "", "fan")
    home.add(
        "Radio",
        "",
        Capability(Kind.NUMBER, name="volume", minimum=0, maximum=10),
        Capability(Kind.BUTTON, name="next"),
        Capability(Kind.BUTTON, name="previous"),
    )
    home.add("Robot", "", "vacuum")
    outcome = await home.call(tool, **arguments)
    assert outcome.status is Status.INVALID
    assert words in outcome.message
    assert home.carrier.orders == []


async def test_in_a_group_each_light_takes_what_it_has(home: Any) -> None:
    home.add("Ceiling light", "Kitchen", *LIGHT)
    home.add("Counter lamp", "Kitchen", "power")
    home.add("Coffee machine", "Kitchen", "power")
    outcome = await home.call("turn_on", target="kitchen", brightness=40)
    assert outcome.status is Status.CONFIRMED
    assert home.commanded() == [
        ("Ceiling light", "turn_on", {"brightness": 40}),
        ("Counter lamp", "turn_on", {}),
    ]


async def test_a_group_tells_who_refused_the_value(home: Any) -> None:
    home.add("Oil heating", "Hall", HEATING)
    home.add("Sauna", "Hall", Capability(Kind.CLIMATE, minimum=40, maximum=100))
    outcome = await home.call("set_climate", target="hall", temperature=21)
    assert outcome.status is Status.PARTIAL
    assert outcome.ok is False
    assert {r.target: r.status for r in outcome.results} == {
        "Oil heating": Status.CONFIRMED,
        "Sauna": Status.INVALID,
    }
    assert "from 40 to 100" in outcome.message


async def test_a_group_that_ends_in_different_ways_is_partial(home: Any) -> None:
    first = home.add("First light", "Hall", "power")
    home.add("Second light", "Hall", "power")
    home.carrier = ScriptedCarrier({first: Result(State.TIMED_OUT)})
    outcome = await home.call("turn_on", target="all lights")
    assert outcome.status is Status.PARTIAL
    assert [r.status for r in outcome.results] == [Status.TIMED_OUT, Status.CONFIRMED]
    assert "1 of 2" in outcome.message
    assert "First light did not answer" in outcome.message


async def test_a_group_that_ends_in_one_way_has_that_status(home: Any) -> None:
    home.add("First light", "Hall", "power")
    home.add("Second light", "Hall", "power")
    home.carrier = ScriptedCarrier({"turn_on": Result(State.TIMED_OUT)})
    outcome = await home.call("turn_on", target="all lights")
    assert (outcome.status, outcome.ok) == (Status.TIMED_OUT, None)


async def test_what_comes_later_is_told_later(home: Any) -> None:
    blind = home.add("Bedroom blind", "Bedroom", "cover")
    home.carrier = ScriptedCarrier({"set_cover": Result(State.IN_PROGRESS)})
    outcome = await home.call("set_cover", target="bedroom blind", position=0)
    assert (outcome.status, outcome.ok) == (Status.PENDING, None)
    assert outcome.message == "Bedroom blind is still moving; I will tell you when it is done."
    done = Result(State.SUCCEEDED, device_state={"position": 0}, evidence=Evidence.SETTLED)
    home.carrier.later(blind, done)
    assert [o.message for o in home.late] == ["Bedroom blind is closed."]
    error = AckError("jammed", "It is stuck.")
    home.carrier.later(blind, Result(State.FAILED, error=error))
    assert home.late[-1].status is Status.FAILED


async def test_an_order_carries_the_call_it_belongs_to(home: Any) -> None:
    home.add("Light", "", "power")
    await home.call("turn_on", target="light")
    assert home.carrier.orders == [Order("device-0", "turn_on", {}, "call-1")]


def plan(home: Any, tool: str, **arguments: Any) -> Plan:
    found = home.plan(tool, **arguments)
    assert isinstance(found, Plan), found
    return found


def risks(plan: Plan) -> set[Risk]:
    return {act.risk for act in plan.acts}


def test_each_device_is_touched_at_its_own_risk(home: Any) -> None:
    home.add("Shed", "Garden", Capability(Kind.LOCK))
    home.add("Front door", "Hall", LOCK)
    home.add("Safe", "Cellar", Capability(Kind.LOCK, risk=Risk.FORBIDDEN))
    assert risks(plan(home, "unlock", target="shed")) == {Risk.NORMAL}
    assert risks(plan(home, "unlock", target="front door")) == {Risk.GUARDED}
    everyone = plan(home, "unlock", target="all locks")
    assert risks(everyone) == set(Risk)
    assert sorted(act.device_id for act in everyone.acts) == ["device-0", "device-1", "device-2"]
    assert {act.area for act in everyone.acts} == {"Garden", "Hall", "Cellar"}


def test_making_the_house_safe_is_never_asked_about(home: Any) -> None:
    home.add("Front door", "Hall", LOCK)
    home.add("Safe", "Cellar", Capability(Kind.LOCK, risk=Risk.FORBIDDEN))
    locked = plan(home, "lock", target="front door")
    assert locked.makes_safe
    assert risks(locked) == {Risk.NORMAL}
    assert risks(plan(home, "lock", target="safe")) == {Risk.FORBIDDEN}
    assert not plan(home, "unlock", target="front door").makes_safe


def test_only_the_named_button_counts_for_the_risk(home: Any) -> None:
    buttons = (
        Capability(Kind.BUTTON, name="bell"),
        Capability(Kind.BUTTON, name="opener", risk=Risk.GUARDED),
    )
    home.add("Gate", "", *buttons)
    assert risks(plan(home, "press", target="gate", name="bell")) == {Risk.NORMAL}
    assert risks(plan(home, "press", target="gate", name="opener")) == {Risk.GUARDED}


def test_only_pressing_does_more_when_it_is_done_twice(home: Any) -> None:
    home.add("Gate", "", Capability(Kind.BUTTON, name="bell"))
    home.add("Lamp", "", "power")
    assert plan(home, "turn_on", target="lamp").idempotent
    assert not plan(home, "press", target="gate").idempotent


def test_a_plan_says_in_words_what_it_would_do(home: Any) -> None:
    home.add("Front door", "Hall", LOCK)
    home.add("Hall blind", "Hall", "cover")
    home.add("Alarm", "", Capability(Kind.ALARM, options=("disarm",)))
    for n in range(6):
        home.add(f"Light {n}", "Bath", "power", "brightness")
    assert plan(home, "unlock", target="front door").summary == "unlock Front door"
    assert plan(home, "set_cover", target="blind", position=0).summary == "close Hall blind"
    assert "4711" not in plan(home, "alarm", target="alarm", action="disarm", code="4711").summary
    summary = plan(home, "turn_off", target="all lights").summary
    assert summary == "turn off all lights (Light 0, Light 1, Light 2, Light 3 and 2 more)"


def test_planning_sends_nothing(home: Any) -> None:
    home.add("Light", "", "power")
    plan(home, "turn_on", target="light")
    assert home.carrier.orders == []


def test_only_verbs_that_some_device_understands_are_tools(home: Any) -> None:
    home.add("Light", "", "power")
    assert home.registry.current().names == ("turn_on", "turn_off", "get_state", "confirm")


async def test_an_unknown_target_touches_nothing(home: Any) -> None:
    home.add("Light", "Hall", "power")
    outcome = await home.call("turn_on", target="everything in the moon base")
    assert isinstance(outcome, Outcome)
    assert outcome.status is Status.UNKNOWN_TARGET
    assert home.carrier.orders == []
