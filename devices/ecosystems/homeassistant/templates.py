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


# For all templates that one message goes through, and a compilation in the same coin.
STEPS_A_MESSAGE = 20_000
STEPS_A_TEMPLATE = 2_000
_CHARACTERS_COMPILED_A_STEP = 4


class Text:
    """A message as templates see it: its text, and what that says as JSON.

    It is shown to any number of templates: the same one is rendered once, and the work of
    all of them together is bounded.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = STEPS_A_MESSAGE
        self.rendered: dict[str, str] = {}

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
        known = message.rendered.get(source)
        if known is None:
            found = self._render(source, message.variables, message)
            known = message.rendered[source] = message.text if found is None else found
        return known

    def command(self, source: str, variables: Mapping[str, Any]) -> str:
        """What `source` makes of a command. Raises PayloadError when the template fails."""
        rendered = self._render(source, variables, Text(""))
        if rendered is None:
            raise PayloadError("the template for commands fails")
        return rendered

    @cached_property
    def _sandbox(self) -> Sandbox:
        from devices.ecosystems.homeassistant.sandbox import Sandbox  # noqa: PLC0415 -- jinja2 is loaded when needed

        return Sandbox(self._now)

    def _render(self, source: str, variables: Mapping[str, Any], purse: Text) -> str | None:
        """None when the template fails, in whatever way: it is somebody else's program."""
        try:
            template = self._template(source, purse)
            return None if template is None else self._printed(template, variables, purse)
        except Exception:  # noqa: BLE001 -- a program from the network may raise anything
            return None

    def _printed(self, template: Template, variables: Mapping[str, Any], purse: Text) -> str | None:
        """What it prints; None when that is too long."""
        steps = min(STEPS_A_TEMPLATE, purse.steps)
        printed, room = [], MAX_OUTPUT_LENGTH
        try:
            for piece in self._sandbox.pieces(template, variables, steps):
                printed.append(piece)
                room -= len(piece)
                if room < 0:
                    return None
        finally:
            purse.steps -= steps - max(0, self._sandbox.left)
        return "".join(printed).strip()

    def _template(self, source: str, purse: Text) -> Template | None:
        """None for what cannot be compiled (not tried again), or not with what is left."""
        if source in self._compiled:
            self._compiled.move_to_end(source)
            return self._compiled[source]
        purse.steps -= len(source) // _CHARACTERS_COMPILED_A_STEP
        if purse.steps < 0:
            return None
        if len(self._compiled) >= MAX_COMPILED:
            self._compiled.popitem(last=False)
        self._compiled[source] = None
        self._compiled[source] = self._sandbox.prepare(source)
        return self._compiled[source]
