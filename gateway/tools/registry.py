"""All tools of the moment: made anew when the devices change, never while they stay.

A ToolSet does not change: a call is answered with the tools that were in force when it came.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.directory import Directory
from gateway.dispatch.order import Carrier
from gateway.policy.confirm import Holds
from gateway.tools import schema
from gateway.tools.base import Plan, Tool
from gateway.tools.confirm import ConfirmTool
from gateway.tools.device import verb_tools
from gateway.tools.own import RESERVED, own_tools
from gateway.tools.prompt import instructions
from gateway.tools.reading import reading_tools
from gateway.tools.target import House

log = logging.getLogger(__name__)

MAX_TOOLS = 30
_FINDER = "find_devices"


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """`prompt` is added to the built-in instructions; own commands beyond `max_tools` go."""

    prompt: str = ""
    max_tools: int = MAX_TOOLS


@dataclass(frozen=True, slots=True)
class ToolSet:
    """What the model is offered, and the tools behind it."""

    tools: Mapping[str, Tool]
    definitions: Sequence[schema.Definition]
    instructions: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tools, in the order in which they are offered."""
        return tuple(self.tools)

    def get(self, name: str) -> Tool | None:
        """The tool of that name, None when there is none."""
        return self.tools.get(name)


class ToolRegistry:
    """Makes the ToolSet of the devices that are there now.

    `extra` are the tools that come from no device: Python functions, backends. `recent`
    makes the tool that tells of the past of a house; None when there is no journal.
    """

    def __init__(
        self,
        directory: Directory,
        carrier: Carrier,
        holds: Holds[Plan],
        extra: Iterable[Tool] = (),
        settings: RegistrySettings | None = None,
        *,
        recent: Callable[[House], Tool] | None = None,
    ) -> None:
        self._directory = directory
        self._carrier = carrier
        self._confirm = ConfirmTool(holds)
        self._extra = _free(extra)
        self._settings = settings or RegistrySettings()
        self._recent = recent
        self._current: ToolSet | None = None
        self._revision = -1
        self._said: frozenset[str] = frozenset()

    def current(self) -> ToolSet:
        """The tools of now; the same object while no device came, went or changed."""
        if self._current is None or self._revision != self._directory.revision:
            self._revision = self._directory.revision
            self._current = self._build()
        return self._current

    def _build(self) -> ToolSet:
        house = House(self._directory)
        fixed: list[Tool] = [*verb_tools(house, self._carrier), *self._extra]
        fixed += reading_tools(house, self._directory)
        if self._recent is not None:
            fixed.append(self._recent(house))
        if fixed:
            fixed.append(self._confirm)
        own, refused = own_tools(house, self._carrier, {tool.name for tool in fixed})
        tools, offered = self._fitting([t for t in fixed if t.name != _FINDER], own)
        if schema.needs_search(offered):
            tools, offered = self._fitting(fixed, own)
        self._say([*refused, *_lost(own, tools)])
        prompt = instructions(house, self._settings.prompt)
        return ToolSet({tool.name: tool for tool in tools}, tuple(offered), prompt)

    def _fitting(
        self, fixed: Sequence[Tool], own: Sequence[Tool]
    ) -> tuple[list[Tool], list[schema.Definition]]:
        """The tools within the limits of number and bytes; own commands go first, from the end."""
        kept = list(own[: max(0, self._settings.max_tools - len(fixed))])
        while True:
            tools = [*fixed, *kept]
            offered = schema.definitions(tools)
            if not kept or schema.size_bytes(offered) <= schema.MAX_BYTES:
                return tools, offered
            kept.pop()

    def _say(self, sentences: Sequence[str]) -> None:
        """Log what was not already so before: sets are made often."""
        for sentence in sentences:
            if sentence not in self._said:
                log.warning("%s", sentence)
        self._said = frozenset(sentences)


def _lost(own: Sequence[Tool], kept: Sequence[Tool]) -> list[str]:
    offered = {tool.name for tool in kept}
    lost = [tool.name for tool in own if tool.name not in offered]
    words = ", ".join(lost[:10])
    return [f"{len(lost)} commands are not offered for want of room: {words}"] if lost else []


def _free(extra: Iterable[Tool]) -> list[Tool]:
    """Each name once, and none that is the gateway's own."""
    tools: dict[str, Tool] = {}
    for tool in extra:
        if tool.name in RESERVED or tool.name in tools:
            log.error("tool %s is left out: its name is taken", tool.name)
        else:
            tools[tool.name] = tool
    return list(tools.values())
