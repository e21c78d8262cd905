"""What is known of one second-generation device, and how its parts are announced. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from devices.contract.capability import Description
from devices.ecosystems import payload
from devices.ecosystems.base import Announced
from devices.ecosystems.shelly.parts import Config, Part, capabilities
from devices.ecosystems.shelly.rpc import Standing


@dataclass(slots=True)
class Box:
    """A device at a topic prefix. `source` is how it signs its answers.

    `config` is None until it was told, `online` until anything was. `parts` and the standing
    questions for their status, `reading`, are by device id.
    """

    prefix: str
    source: str
    mac: str
    model: str
    config: Config | None = None
    parts: dict[str, Part] = field(default_factory=dict)
    reading: dict[str, Standing] = field(default_factory=dict)
    online: bool | None = None
    sleepy: bool = False

    @property
    def name(self) -> str:
        """What to call it where no part has a name of its own."""
        own = self.config.name if self.config else ""
        return own or payload.name(f"Shelly {self.model} {self.mac[-4:]}", self.mac)

    def announced(self, device_id: str) -> Announced:
        """One of its parts."""
        part = self.parts[device_id]
        able = capabilities(part, self.name)
        key = f"mac:{self.mac}"
        identity = key if len(self.parts) == 1 else f"{key}/{part.kind}/{part.number}"
        return Announced(
            Description(device_id, part.name, capabilities=able), frozenset({identity})
        )


def by_id(mac: str, parts: tuple[Part, ...]) -> dict[str, Part]:
    """Parts by device id: the only one has that of the whole device."""
    one = len(parts) == 1
    return {
        payload.device_id("shelly", mac if one else f"{mac}/{part.kind}/{part.number}"): part
        for part in parts
    }
