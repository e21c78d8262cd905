"""Devices of ha-mqtt-discoverable, which nobody here wrote, found and commanded over a broker."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
import pytest

from gateway.app import Gateway
from gateway.config import FixedConfig
from tests.flows.world import eventually, fresh_root

hmd = pytest.importorskip("ha_mqtt_discoverable", reason="pip install ha-mqtt-discoverable")
sensors = pytest.importorskip("ha_mqtt_discoverable.sensors")

pytestmark = pytest.mark.flow


class Peers:
    """Devices of the library, all on one connection; `obeyed` is what reached them."""

    def __init__(self, url: str, root: str) -> None:
        self.root = root
        self.obeyed: list[tuple[str, str]] = []
        self._listening = threading.Event()
        self._client = paho.Client(paho.CallbackAPIVersion.VERSION2, f"{root}-peers")
        self._client.on_subscribe = lambda *_: self._listening.set()
        where = urlsplit(url)
        self._client.connect(str(where.hostname), where.port or 1883)
        self._client.loop_start()

    def add(
        self, kind: str, name: str, obey: Callable[[Any, str], None] | None = None, /, **fields: Any
    ) -> Any:
        """A device of the class `kind`; `obey` gets it and the payload of each command."""
        info = getattr(sensors, f"{kind}Info")(name=name, unique_id=f"{self.root}-{name}", **fields)
        prefixes = {"discovery_prefix": f"{self.root}-ha", "state_prefix": f"{self.root}-hmd"}
        mqtt = hmd.Settings.MQTT(client=self._client, **prefixes)
        settings = hmd.Settings(mqtt=mqtt, entity=info)
        made: Any = None

        def called(_client: object, _data: object, message: Any) -> None:
            text = message.payload.decode()
            self.obeyed.append((name, text))
            if obey is not None:
                obey(made, text)

        device = getattr(sensors, kind)
        self._listening.clear()
        made = device(settings) if obey is None else device(settings, called)
        # Announced only once it listens: a press is sent only once.
        assert obey is None or self._listening.wait(5)
        made.write_config()
        return made

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def peers(mosquitto_url: str) -> Iterator[Peers]:
    made = Peers(mosquitto_url, fresh_root())
    yield made
    made.close()


@asynccontextmanager
async def house(url: str, peers: Peers, *names: str) -> AsyncIterator[Gateway]:
    """A gateway that knows the peers of these names."""
    config = FixedConfig.model_validate(
        {
            "session": {"provider": "none"},
            "mqtt": {"url": url, "client_id": f"{peers.root}-gateway"},
            "devices": {
                "root": peers.root,
                "ecosystems": {"homeassistant": {"prefix": f"{peers.root}-ha", "birth": "never"}},
            },
            "policy": {"guarded": "allow"},
        }
    )
    async with Gateway(config) as gateway:
        await eventually(lambda: set(names) <= {device.name for device in gateway.directory})
        yield gateway


async def told(gateway: Gateway, tool: str, target: str, **args: Any) -> tuple[str, dict[str, Any]]:
    outcome = await gateway.call(tool, {"target": target, **args})
    return outcome.status, dict(outcome.state)


def switch(made: Any, text: str) -> None:
    made.on() if text == "ON" else made.off()


def shine(made: Any, text: str) -> None:
    """As the library's own example: first the state, then what else was asked."""
    body = json.loads(text)
    made.on() if body["state"] == "ON" else made.off()
    if "brightness" in body:
        made.brightness(body["brightness"])
    if "color" in body:
        made.color("rgb", body["color"])


async def test_a_switch_reports_what_it_did(mosquitto_url: str, peers: Peers) -> None:
    peers.add("Switch", "Den plug", switch)
    async with house(mosquitto_url, peers, "Den plug") as gateway:
        assert await told(gateway, "turn_on", "Den plug") == ("confirmed", {"on": True})
        assert await told(gateway, "turn_off", "Den plug") == ("confirmed", {"on": False})
    assert peers.obeyed == [("Den plug", "ON"), ("Den plug", "OFF")]


async def test_what_is_so_already_is_not_sent(mosquitto_url: str, peers: Peers) -> None:
    """The library says nothing when nothing changes."""
    peers.add("Switch", "Den plug", switch)
    async with house(mosquitto_url, peers, "Den plug") as gateway:
        await told(gateway, "turn_on", "Den plug")
        assert (await told(gateway, "turn_on", "Den plug"))[0] == "already"
    assert len(peers.obeyed) == 1


async def test_a_light_whose_report_comes_in_two_parts(mosquitto_url: str, peers: Peers) -> None:
    modes = {"brightness": True, "color_mode": True, "supported_color_modes": ["rgb"]}
    peers.add("Light", "Den lamp", shine, **modes)
    async with house(mosquitto_url, peers, "Den lamp") as gateway:
        status, state = await told(gateway, "turn_on", "Den lamp", brightness=20, color="red")
        assert status == "confirmed"
        assert (state["on"], state["brightness"], state["color"]) == (True, 20, "#ff0000")


async def test_values_come_back_in_other_spellings(mosquitto_url: str, peers: Peers) -> None:
    peers.add("Number", "Den level", lambda made, text: made.set_value(float(text)), min=0, max=50)
    peers.add("Select", "Den mood", lambda made, text: made.select_option(text), options=["A", "B"])
    peers.add("Text", "Den sign", lambda made, text: made.set_text(text))
    async with house(mosquitto_url, peers, "Den level", "Den mood", "Den sign") as gateway:
        for name, value in (("Den level", 15), ("Den mood", "B"), ("Den sign", "hello")):
            status, state = await told(gateway, "set_value", name, name=name, value=value)
            assert (status, state[name]) == ("confirmed", value)


async def test_a_cover_and_a_lock_are_done_when_they_rest(mosquitto_url: str, peers: Peers) -> None:
    def travel(made: Any, text: str) -> None:
        made.opening()
        threading.Timer(0.2, made.open if text == "OPEN" else made.closed).start()

    def turn(made: Any, text: str) -> None:
        made.locking()
        threading.Timer(0.2, made.locked if text == "LOCK" else made.jammed).start()

    peers.add("Cover", "Den blind", travel)
    peers.add("Lock", "Den door", turn)
    async with house(mosquitto_url, peers, "Den blind", "Den door") as gateway:
        status, state = await told(gateway, "set_cover", "Den blind", position=100)
        assert (status, state["position"], state["moving"]) == ("confirmed", 100, False)
        assert (await told(gateway, "lock", "Den door"))[0] == "confirmed"
        assert (await told(gateway, "unlock", "Den door"))[0] == "failed"


async def test_a_button_and_an_optimistic_switch_are_never_sure(
    mosquitto_url: str, peers: Peers
) -> None:
    peers.add("Button", "Den bell", lambda made, text: None)
    peers.add("Switch", "Den relay", switch, optimistic=True)
    async with house(mosquitto_url, peers, "Den bell", "Den relay") as gateway:
        assert (await told(gateway, "press", "Den bell"))[0] == "unconfirmed"
        assert (await told(gateway, "turn_on", "Den relay"))[0] == "unconfirmed"
        await eventually(lambda: len(peers.obeyed) == 2)


async def test_a_device_that_is_deleted_is_gone(mosquitto_url: str, peers: Peers) -> None:
    made = peers.add("Sensor", "Den meter", unit_of_measurement="W")
    async with house(mosquitto_url, peers, "Den meter") as gateway:
        await eventually(lambda: made.set_state(4.5) or _states(gateway) == [{"Den meter": 4.5}])
        made.delete()
        await eventually(lambda: not _states(gateway))


def _states(gateway: Gateway) -> list[dict[str, Any]]:
    return [dict(device.state) for device in gateway.directory]
