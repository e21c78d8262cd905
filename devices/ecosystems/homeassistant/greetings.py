"""What is said when the broker is there, and who else says it: Home Assistant, ESPHome's nodes.

Devices that do not keep their announcement on the broker repeat it when Home Assistant
comes; where there is none, the same word is said in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from devices.contract.errors import PayloadError
from devices.ecosystems import payload
from devices.link.base import Message, Publish

BIRTHS = ("auto", "always", "never")
MAX_NODES = 2_000
_MAX_NODE_BYTES = 4096
_ESPHOME = "esphome/discover"


class Greetings:
    """The birth message under `prefix`, and what ESPHome's nodes are called.

    "auto" says it unless somebody else said it and has not said farewell: at the first
    connect nobody was heard yet, and one needless birth only makes devices repeat themselves.
    `friendly` are names by identity (`mac:...`).
    """

    def __init__(self, prefix: str, birth: str) -> None:
        self._status = f"{prefix}/status"
        self._birth = birth
        self._own_echoes = 0
        self._other_is_there = False
        self.friendly: dict[str, str] = {}

    def topics(self) -> Sequence[str]:
        """What to listen to for that."""
        return (self._status, f"{_ESPHOME}/+")

    def now(self) -> Sequence[Publish]:
        """What to say at a connect; nothing of it is kept by the broker."""
        says = self._birth == "always" or (self._birth == "auto" and not self._other_is_there)
        if not says:
            return (Publish(_ESPHOME, b""),)
        # An echo that a lost connection swallowed must not be waited for.
        self._own_echoes = 1
        return (Publish(self._status, b"online"), Publish(_ESPHOME, b""))

    def hear(self, message: Message) -> str:
        """The identity that has another name now, "" when none has. Raises PayloadError."""
        if message.topic == self._status:
            self._hear_status(message)
        elif message.topic.startswith(f"{_ESPHOME}/") and message.payload:
            return self._hear_node(message.payload)
        return ""

    def _hear_status(self, message: Message) -> None:
        if message.payload == b"offline":
            self._other_is_there = False
        elif message.payload == b"online":
            own = self._own_echoes > 0 and not message.retained
            self._own_echoes -= own
            self._other_is_there = self._other_is_there or not own

    def _hear_node(self, data: bytes) -> str:
        body = payload.read_object(data, _MAX_NODE_BYTES)
        address = payload.mac(body["mac"]) if isinstance(body.get("mac"), str) else ""
        name = payload.name(body.get("friendly_name"), "") or payload.name(body.get("name"), "")
        if not address or not name:
            raise PayloadError("a node says neither its name nor its address")
        key = f"mac:{address}"
        if key in self.friendly or len(self.friendly) < MAX_NODES:
            self.friendly[key] = name
        return key
