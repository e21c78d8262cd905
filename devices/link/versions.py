"""Which version of MQTT to speak: 5 first, 3.1.1 with a broker that does not know it. Pure."""

from __future__ import annotations

from devices.link.options import Protocol
from devices.link.reconnect import Verdict


class VersionChoice:
    """Learns from how connections end; `wanted` other than "auto" leaves no choice.

    Some 3.1.1 brokers just close on an MQTT 5 greeting. That counts as a hint only while no
    version has worked, because a broker that restarts does the same.
    """

    def __init__(self, wanted: Protocol) -> None:
        self._free = wanted == "auto"
        self._proven = False
        self.version = "3.1.1" if wanted == "3.1.1" else "5"

    def learn(self, verdict: Verdict) -> bool:
        """Note how a connection of `version` ended. True when 3.1.1 is worth trying at once."""
        if verdict is Verdict.LOST:
            self._proven = True
        if not self._free or not self._hints_at_other(verdict):
            return False
        self._proven = False
        self.version = "3.1.1" if self.version == "5" else "5"
        return self.version == "3.1.1"

    def _hints_at_other(self, verdict: Verdict) -> bool:
        return verdict is Verdict.VERSION or (verdict is Verdict.SILENT and not self._proven)
