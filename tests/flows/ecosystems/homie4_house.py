"""Devices made with Homie4, which others wrote, in a process of their own.

`python homie4_house.py PORT PREFIX`: a dimmer, a switch and a thermostat, until standard
input ends.
"""

from __future__ import annotations

import sys

from homie.device_dimmer import Device_Dimmer
from homie.device_switch import Device_Switch
from homie.device_thermostat import Device_Thermostat

PORT, PREFIX = int(sys.argv[1]), sys.argv[2]

for make, name in (
    (Device_Dimmer, "dimmer"),
    (Device_Switch, "switch"),
    (Device_Thermostat, "thermostat"),
):
    broker = {
        "MQTT_BROKER": "127.0.0.1",
        "MQTT_PORT": PORT,
        "MQTT_CLIENT_ID": f"{PREFIX}-{name}",
    }
    make(name, f"Porch {name}", {"topic": PREFIX}, broker)
sys.stdin.read()
