"""A process of N bare devices that obey at once and remember nothing.

Run as `python -m benchmarks.device BROKER_PORT COUNT`; prints `ready` when all are announced.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage

AREAS = ("Kitchen", "Living room", "Bedroom", "Hall", "Bath", "Garage", "Study", "Cellar")


# Four devices of five are lights: they are called. The others make the house a house.
OTHERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Blind", {"capabilities": [{"kind": "cover"}]}),
    ("Thermostat", {"capabilities": [{"kind": "climate", "min": 5, "max": 30}]}),
    ("Door", {"capabilities": [{"kind": "lock", "risk": "guarded"}]}),
    ("Fan", {"capabilities": [{"kind": "power"}, {"kind": "fan"}]}),
    ("Sensor", {"capabilities": [{"kind": "sensor", "name": "temperature"}]}),
)
LIGHT = {"capabilities": [{"kind": "power"}, {"kind": "brightness"}]}


def is_light(number: int) -> bool:
    """Whether device `number` is one of those that are called."""
    return number % 5 != 4


def description(number: int) -> dict[str, Any]:
    """The announcement of device `number`."""
    word, body = ("Light", LIGHT) if is_light(number) else OTHERS[number // 5 % len(OTHERS)]
    names = {"id": f"light-{number}", "name": f"{word} {number}", "area": AREAS[number % 8]}
    return {"contract": 1, **names, "aliases": [], "commands": [], **body}


def _obey(client: Client, _userdata: object, message: MQTTMessage) -> None:
    command = json.loads(message.payload)
    state = {"on": True, **command["args"]}
    ack = {"id": command["id"], "status": "succeeded", "state": state}
    client.publish(message.topic.replace("/command", "/ack"), json.dumps(ack))


def main(port: int, count: int) -> None:
    """Announce and obey until killed."""
    client = Client(CallbackAPIVersion.VERSION2, client_id="bench-devices")
    client.max_queued_messages_set(0)
    client.max_inflight_messages_set(20)
    client.on_message = _obey
    client.connect("127.0.0.1", port)
    sock = client.socket()
    assert sock is not None
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # type: ignore[attr-defined]
    client.subscribe("home/+/command")
    client.loop_start()
    for number in range(count):
        topic = f"home/light-{number}"
        client.publish(f"{topic}/availability", "online", qos=1, retain=True)
        last = client.publish(
            f"{topic}/description", json.dumps(description(number)), qos=1, retain=True
        )
    last.wait_for_publish(60)
    print("ready", flush=True)
    client._thread.join()  # type: ignore[union-attr]  # noqa: SLF001 -- paho has no public join


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
