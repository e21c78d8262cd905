"""What the house does only after a question, and what it does not do at all."""

from __future__ import annotations

import pytest

from devices.sdk import power
from devices.simulated.lights import HallLight
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
