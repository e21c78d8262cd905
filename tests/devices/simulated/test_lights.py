from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.contract.command import AckStatus, Scalar
from devices.contract.verbs import contradicts, expected_state
from devices.sdk import Device
from devices.simulated.lights import HallLight, KitchenLight, LivingRoomLamp

pytestmark = pytest.mark.unit

Wired = Callable[[Device], Any]


@pytest.mark.parametrize(
    ("light", "args"),
    [
        (HallLight, {}),
        (KitchenLight, {}),
        (KitchenLight, {"brightness": 60}),
        (LivingRoomLamp, {"brightness": 1, "color": "#ff8000"}),
        (LivingRoomLamp, {"color_temperature": 2200}),
    ],
)
async def test_a_light_comes_on_as_asked_and_goes_off(
    wired: Wired, light: Callable[[], Device], args: dict[str, Scalar]
) -> None:
    wire = wired(light())
    (on,) = await wire.command("turn_on", **args)
    assert on.status is AckStatus.SUCCEEDED
    wanted = expected_state("turn_on", args)
    assert wanted.items() <= on.state.items()
    assert contradicts(on.state, wanted) is None
    (off,) = await wire.command("turn_off")
    assert off.state["on"] is False


async def test_without_a_brightness_a_light_takes_the_last_one(wired: Wired) -> None:
    wire = wired(KitchenLight())
    await wire.command("turn_on", brightness=30)
    await wire.command("turn_off")
    (ack,) = await wire.command("turn_on")
    assert ack.state == {"on": True, "brightness": 30}


@pytest.mark.parametrize(
    ("light", "args"),
    [
        (HallLight, {"brightness": 5}),
        (KitchenLight, {"brightness": 101}),
        (KitchenLight, {"color": "#ff0000"}),
        (LivingRoomLamp, {"color_temperature": 6501}),
    ],
)
async def test_a_light_rejects_what_it_cannot_do(
    wired: Wired, light: Callable[[], Any], args: dict[str, Scalar]
) -> None:
    device = light()
    (ack,) = await wired(device).command("turn_on", **args)
    assert ack.status is AckStatus.REJECTED
    assert device.actuations == []
    assert device.state["on"] is False
