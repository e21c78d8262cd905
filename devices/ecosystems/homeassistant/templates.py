"""Templates that devices announce: a message to a value, a value to a message.

They come from the network: what they may do and how long is bounded (sandbox.py). Jinja is
loaded with the first of them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from devices.contract.errors import PayloadError

if TYPE_CHECKING:
    from jinja2 import Template

    from devices.ecosystems.homeassistant.sandbox import Sandbox

MAX_INPUT_LENGTH = 16 * 1024
MAX_OUTPUT_LENGTH = 4096
# A house has many devices of few models, and those share their templates.
MAX_COMPILED = 1024


class Text:
    """A message as templates see it: its text, and what that says as JSON."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """`value`, and `value_json` where the text is JSON."""
        try:
            return {"value": self.text, "value_json": json.loads(self.text)}
        except (ValueError, RecursionError):
            return {"value": self.text}


class Templates:
    """Renders, and remembers what was compiled. `now` tells the time to those that ask."""

    def __init__(self, now: Callable[[], Any]) -> None:
        self._now = now
        self._compiled: OrderedDict[str, Template | None] = OrderedDict()

    def value(self, source: str, message: Text) -> str:
        """What `source` makes of a message; the message itself when the template fails."""
        if not source or len(message.text) > MAX_INPUT_LENGTH:
            return message.text
        rendered = self._render(source, message.variables)
        return message.text if rendered is None else rendered

    def command(self, source: str, variables: Mapping[str, Any]) -> str:
        """What `source` makes of a command. Raises PayloadError when the template fails."""
        rendered = self._render(source, variables)
        if rendered is None:
            raise PayloadError("the template for commands fails")
        return rendered

    @cached_property
    def _sandbox(self) -> Sandbox:
        from devices.ecosystems.homeassistant.sandbox import Sandbox  # noqa: PLC0415 -- jinja2 is loaded when needed

        return Sandbox(self._now)

    def _render(self, source: str, variables: Mapping[str, Any]) -> str | None:
        """None when the template fails, in whatever way: it is somebody else's program."""
        try:
            template = self._template(source)
            if template is None:
                return None
            printed, room = [], MAX_OUTPUT_LENGTH
            for piece in self._sandbox.pieces(template, variables):
                printed.append(piece)
                room -= len(piece)
                if room < 0:
                    return None
        except Exception:  # noqa: BLE001 -- a program from the network may raise anything
            return None
        return "".join(printed).strip()

    def _template(self, source: str) -> Template | None:
        if source in self._compiled:
            self._compiled.move_to_end(source)
            return self._compiled[source]
        if len(self._compiled) >= MAX_COMPILED:
            self._compiled.popitem(last=False)
        # What cannot be compiled is not tried again with every message.
        self._compiled[source] = None
        self._compiled[source] = self._sandbox.prepare(source)
        return self._compiled[source]
