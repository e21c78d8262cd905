"""Topics of the native contract under one root: building and reading them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from devices.contract.errors import TopicError

_DEVICE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
# The agent's own health lives at <root>/gateway/<client_id>/health.
RESERVED_ID = "gateway"


class Leaf(StrEnum):
    """The last level of a device's topics."""

    DESCRIPTION = "description"
    AVAILABILITY = "availability"
    STATE = "state"
    COMMAND = "command"
    ACK = "ack"


def check_device_id(device_id: str) -> str:
    """`device_id` itself. Raises TopicError when the contract does not allow it."""
    if device_id == RESERVED_ID:
        raise TopicError(f"the device id {RESERVED_ID!r} is reserved for the gateway itself")
    if not _DEVICE_ID.fullmatch(device_id):
        raise TopicError(
            f"{device_id[:80]!r} is no device id: lower-case letters, digits and hyphens, "
            "starting with a letter or digit, at most 63 long"
        )
    return device_id


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics under `root`, for example `home` (which may itself have several levels)."""

    root: str = "home"

    def of(self, device_id: str, leaf: Leaf) -> str:
        """The topic of one device, or a filter over all when `device_id` is `+`."""
        return f"{self.root}/{device_id}/{leaf.value}"

    def read(self, topic: str) -> tuple[str, Leaf]:
        """The device id and leaf of a topic under this root. Raises TopicError for others."""
        head, _, tail = topic.rpartition("/")
        root, _, device_id = head.rpartition("/")
        if root != self.root:
            raise TopicError(f"{topic[:120]!r} is not under {self.root!r}")
        try:
            leaf = Leaf(tail)
        except ValueError:
            raise TopicError(f"{topic[:120]!r} is no topic of the device contract") from None
        return check_device_id(device_id), leaf
