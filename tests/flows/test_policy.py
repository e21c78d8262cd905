"""What the house does only after a question, and what it does not do at all."""

from __future__ import annotations

import logging

import pytest

from devices.sdk import power
from devices.simulated.appliances import CoffeeMachine, FrontDoorLock
from devices.simulated.lights import HallLight, KitchenLight
from tests.flows.world import world

pytestmark = pytest.mark.flow


class SpotLight(HallLight):
    """One of many."""

    area = "Gallery"
    capabilities = (power(),)

    def __init__(self, number: int) -> None:
        self.id = f"spot-{number}"  # type: ignore[misc]
        self.name = f"Spot {number}"  # type: ignore[misc]
        super().__init__()


async def test_the_lock_asks_and_opens_once_after_the_confirmation(broker_url: str) -> None:
    async with world(broker_url) as home:
        held = await home.talk.call("unlock", target="Front door")
        assert (held["ok"], held["status"]) == (False, "needs_confirmation")
        assert home.sent == []

        wrong = await home.talk.call("confirm", confirmation="no-such-token")
        assert wrong["ok"] is False
        assert home.sent == []

        done = await home.talk.call("confirm", confirmation=held["confirmation"])
        assert (done["ok"], done["status"]) == (True, "confirmed")
        assert done["state"]["locked"] is False

        again = await home.talk.call("confirm", confirmation=held["confirmation"])
        assert again["ok"] is False
        assert home.acts("front-door-lock") == ["unlock"]


async def test_more_than_eight_devices_at_once_are_a_question(broker_url: str) -> None:
    spots = [SpotLight(number) for number in range(1, 10)]
    async with world(broker_url, of=spots) as home:
        held = await home.talk.call("turn_on", target="Gallery")
        assert held["status"] == "needs_confirmation"
        assert home.sent == []
        done = await home.talk.call("confirm", confirmation=held["confirmation"])
        assert (done["ok"], done["status"]) == (True, "confirmed")
        assert home.all_acts == ["turn_on"] * 9


async def test_a_model_out_of_control_is_slowed_down_and_answered(broker_url: str) -> None:
    async with world(broker_url, of=[HallLight()], policy={"calls_per_minute": 3}) as home:
        statuses = [
            (await home.talk.call("turn_on", target="Hall light"))["status"] for _ in range(5)
        ]
        assert statuses == ["confirmed"] * 3 + ["denied"] * 2
        assert home.acts("hall-light") == ["turn_on"] * 3


async def test_what_is_forbidden_stays_so(broker_url: str) -> None:
    forbidden = {"overrides": {"hall-light": {"risk": "forbidden"}}}
    async with world(broker_url, of=[HallLight()], devices=forbidden) as home:
        outcome = await home.talk.call("turn_on", target="Hall light")
        assert (outcome["ok"], outcome["status"]) == (False, "denied")
        assert home.sent == []


async def test_a_rule_of_the_house_holds_for_its_area_and_says_why(broker_url: str) -> None:
    always = {"areas": ["hall"], "hours": "00:00-24:00", "then": "deny", "because": "It is late."}
    policy = {"rules": [always]}
    async with world(broker_url, of=[HallLight(), KitchenLight()], policy=policy) as home:
        held = await home.talk.call("turn_on", target="Hall light")
        assert (held["ok"], held["status"], held["message"]) == (False, "denied", "It is late.")
        both = await home.talk.call("turn_on", target="all lights")
        assert (both["status"], both["message"]) == ("denied", "Hall light: It is late.")
        assert (await home.talk.call("turn_on", target="Kitchen light"))["ok"] is True
        assert home.all_acts == ["turn_on"]


async def test_a_device_out_of_breath_is_left_alone_and_others_are_not(broker_url: str) -> None:
    policy = {"device_calls_per_minute": 2}
    async with world(broker_url, of=[HallLight(), KitchenLight()], policy=policy) as home:
        statuses = [
            (await home.talk.call("turn_on", target="Hall light"))["status"] for _ in range(3)
        ]
        assert statuses == ["confirmed", "confirmed", "denied"]
        assert (await home.talk.call("turn_on", target="Kitchen light"))["ok"] is True
        assert home.acts("hall-light") == ["turn_on"] * 2


async def test_the_front_door_opens_for_the_pin_only_and_nobody_keeps_it(
    broker_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    policy = {"guarded": "allow", "pin": "2468", "pin_devices": ["front-door-lock"]}
    async with world(broker_url, of=[FrontDoorLock()], policy=policy) as home:
        assert "pin" in home.talk.tools["confirm"]["parameters"]["properties"]
        held = await home.talk.call("unlock", target="Front door")
        assert (held["status"], "PIN" in held["message"]) == ("needs_confirmation", True)
        token = held["confirmation"]
        for said in ({}, {"pin": "1357"}):
            still = await home.talk.call("confirm", confirmation=token, **said)
            assert (still["status"], still["confirmation"]) == ("needs_confirmation", token)
        assert home.sent == []
        done = await home.talk.call("confirm", confirmation=token, pin="2 4 6 8")
        assert (done["ok"], done["state"]["locked"]) == (True, False)
        # Whoever was let in must be able to lock up behind them.
        assert (await home.talk.call("lock", target="Front door"))["ok"] is True
        # The stand-in for the service hears it, and its own log says so.
        ours = [r.getMessage() for r in caplog.records if r.name != "websockets.server"]
        shown = repr((ours, home.events, home.talk.frames))
    assert not any(secret in shown for secret in ("2468", "2 4 6 8", "1357"))


async def test_guessing_the_pin_closes_the_door_for_a_while(broker_url: str) -> None:
    policy = {"pin": "2468", "pin_devices": ["front-door-lock"]}
    async with world(broker_url, of=[FrontDoorLock()], policy=policy) as home:
        for _ in range(2):
            held = await home.talk.call("unlock", target="Front door")
            for guess in ("0000", "1111", "2222"):
                refused = await home.talk.call(
                    "confirm", confirmation=held["confirmation"], pin=guess
                )
        assert refused["status"] == "denied"
        closed = await home.talk.call("unlock", target="Front door")
        assert (closed["ok"], closed["status"]) == (False, "denied")
        assert home.sent == []


async def test_coffee_is_brewed_once_however_often_the_model_asks(broker_url: str) -> None:
    async with world(broker_url, of=[CoffeeMachine()]) as home:
        first = await home.talk.call("brew_coffee", cups=2)
        again = await home.talk.call("brew_coffee", cups=2)
        assert (first["ok"], again) == (True, first)
        assert (await home.talk.call("brew_coffee", cups=1))["ok"] is True
        assert home.acts("coffee-machine") == ["brew_coffee"] * 2


async def test_a_new_session_that_asks_again_does_not_brew_again(broker_url: str) -> None:
    async with world(broker_url, of=[CoffeeMachine()]) as home:
        call_id = await home.talk.ask("brew_coffee", {"cups": 2})
        first = await home.talk.outcome(call_id)
        await home.talk.socket.close()
        talk = await home.cloud.talk()
        assert await talk.call("brew_coffee", cups=2) == first
        assert home.acts("coffee-machine") == ["brew_coffee"]
