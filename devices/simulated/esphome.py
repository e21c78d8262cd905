"""An ESPHome node without hardware: a lamp and an awning, on the wire as its firmware is.

It announces each of them by itself for Home Assistant, and the node under `esphome/discover`.
"""

from __future__ import annotations

from typing import Any

from devices.simulated.homeassistant import SimulatedAnnouncer
from devices.simulated.lies import Lie


class SimulatedNode(SimulatedAnnouncer):
    """A node with "Porch lamp" and "Porch awning". Otherwise as a SimulatedAnnouncer."""

    base = "porch"
    lamp_set, lamp_state = "light/porch_lamp/command", "light/porch_lamp/state"
    blind_set, blind_state = "cover/porch_awning/command", "cover/porch_awning/state"
    position_set = "cover/porch_awning/position/command"
    position_state = "cover/porch_awning/position/state"

    def configs(self) -> dict[str, dict[str, Any]]:
        """One message for each component, abbreviated as the firmware does, and the node's own."""
        lamp = {
            "schema": "json",
            "name": "Porch lamp",
            "cmd_t": f"{self.base}/{self.lamp_set}",
            "stat_t": f"{self.base}/{self.lamp_state}",
            "brightness": True,
            "opt": self.lie is Lie.ECHO,
        }
        awning = {
            "name": "Porch awning",
            "dev_cla": "awning",
            "cmd_t": f"{self.base}/{self.blind_set}",
            "stat_t": f"{self.base}/{self.blind_state}",
            "set_pos_t": f"{self.base}/{self.position_set}",
            "pos_t": f"{self.base}/{self.position_state}",
        }
        return {
            f"{self._prefix}/light/porch/porch_lamp/config": _component("light", "lamp", lamp),
            f"{self._prefix}/cover/porch/porch_awning/config": _component(
                "cover", "awning", awning
            ),
            "esphome/discover/porch": {"name": "porch", "friendly_name": "Porch", "mac": _MAC},
        }


_MAC = "a0b1c2d3e4a6"


def _component(kind: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    node = {"ids": _MAC, "cns": [["mac", _MAC]], "name": "Porch", "mf": "espressif"}
    return {
        **config,
        "uniq_id": f"ESP{kind}{name}",
        "dev": {**node, "sw": "esphome v2026.10.0", "mdl": "esp32dev"},
        "avty_t": f"{SimulatedNode.base}/status",
    }
