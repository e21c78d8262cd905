"""One MCP server on the broker: where it is spoken to, and how far the conversation is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from devices.ecosystems import payload
from devices.ecosystems.mcp.tools import Toolbox

MAX_LISTED = 128
MAX_PAGES = 16


class Stage(Enum):
    """How far the conversation is."""

    OPENING = auto()
    """it was asked to begin"""
    LISTING = auto()
    """it tells its tools, page by page"""
    READY = auto()
    CLOSED = auto()
    """it ended the conversation and is still there"""


@dataclass(slots=True)
class Server:
    """A server by its `address` (`<server id>/<server name>`), and our part towards it.

    `client` is who we are in this conversation. `awaited` is the number of the question about
    itself that it has not answered, 0 when none is open.
    """

    address: str
    client: str
    stage: Stage = Stage.OPENING
    awaited: int = 0
    name: str = ""
    listed: list[object] = field(default_factory=list)
    pages: int = 0
    tools: Toolbox | None = None

    @property
    def device_id(self) -> str:
        """The id of its device."""
        return payload.device_id("mcp", self.address)

    @property
    def control_topic(self) -> str:
        """Where it is asked to begin."""
        return f"$mcp-server/{self.address}"

    @property
    def rpc_topic(self) -> str:
        """Where both sides speak."""
        return f"$mcp-rpc/{self.client}/{self.address}"

    @property
    def client_topic(self) -> str:
        """Where it hears that we have gone."""
        return f"$mcp-client/presence/{self.client}"

    def called(self, info: object) -> str:
        """The name of its device: the title it gives itself, else the end of its own name."""
        title = info.get("title") if isinstance(info, dict) else None
        last = self.address.rpartition("/")[2].replace("-", " ").replace("_", " ")
        return payload.name(title, last[:1].upper() + last[1:] or self.address)

    def add_page(self, tools: object) -> None:
        """Some more tools of the list."""
        self.pages += 1
        if isinstance(tools, list):
            self.listed += tools[: MAX_LISTED - len(self.listed)]
