"""The simulated model: a sentence in, function calls out. Pure.

It uses only the tools that were defined for it, as a real model would, and knows nothing of
the house beyond them. What it speaks about a call is the outcome's own message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.simulated.words import (
    COLORS,
    WHITES_KELVIN,
    chosen,
    closest,
    normal,
    number,
    short_for,
    without_article,
)

Arguments = dict[str, Any]

_PERCENT = r"(?P<percent>[\w .]+?) ?(?:%|percent)"
_COLOR = rf"(?P<color>{'|'.join((*WHITES_KELVIN, *COLORS))}|#[0-9a-f]{{6}})"
_KELVIN = r"(?P<kelvin>\d+) ?(?:k|kelvin)"
_STATES = r"(?:locked|unlocked|open|opened|closed|shut|on|off|running|moving|doing)"
_COVER_WORDS = frozenset(
    {"blind", "blinds", "shade", "shades", "curtain", "curtains", "shutter", "shutters"}
    | {"awning", "garage", "valve", "cover"}
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One function call that the model wants to make."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What the model does with a sentence: calls, or else words."""

    calls: tuple[Ask, ...] = ()
    words: str = ""


class Model:
    """One conversation. It remembers only the question that it was told to ask."""

    def __init__(self) -> None:
        self._tools: dict[str, Mapping[str, Any]] = {}
        self._confirmation = ""

    def define(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        """The tools that exist from now on; they replace the former ones."""
        self._tools = {d["name"]: d.get("parameters", {}) for d in definitions}

    def turn(self, text: str) -> Turn:
        """What to do about what the user said."""
        said = normal(text)
        waiting, self._confirmation = self._confirmation, ""
        if re.fullmatch(r"(?:yes|ok|okay|sure|confirm|go ahead|do it)(?:,? please)?", said):
            return self._confirmed(waiting)
        if re.fullmatch(r"(?:no|never mind|cancel|don't)(?:,? (?:thanks|thank you))?", said):
            return Turn(words="All right, I leave it.")
        calls = self._calls(said)
        if not calls:
            return Turn(words=f"I do not know how to do that: {text.strip()[:100]}")
        return Turn(tuple(calls))

    def speak(self, outcomes: Sequence[str]) -> str:
        """What the model says about the results of its calls."""
        return " ".join(self._sentence(text) for text in outcomes)

    def _confirmed(self, confirmation: str) -> Turn:
        if not confirmation or "confirm" not in self._tools:
            return Turn(words="There is nothing to confirm.")
        return Turn((Ask("confirm", {"confirmation": confirmation}),))

    def _sentence(self, output: str) -> str:
        try:
            outcome = json.loads(output)
        except ValueError:
            outcome = None
        if not isinstance(outcome, dict):
            return "I got an answer that I cannot read."
        self._confirmation = str(outcome.get("confirmation") or self._confirmation)
        return str(outcome.get("message") or "I was not told what became of it.")

    # --- understanding -------------------------------------------------------------------

    def _calls(self, said: str) -> list[Ask]:
        """One call, or one a part when every part of `a and b` is a command by itself."""
        parts = re.split(r",? and (?:then )?|, then ", said)
        asks = [self._ask(part) for part in _with_verbs(parts)]
        if len(parts) > 1 and all(asks):
            return [ask for ask in asks if ask is not None]
        whole = self._ask(said)
        return [] if whole is None else [whole]

    def _ask(self, said: str) -> Ask | None:
        said = re.sub(r"^(?:please|could you|can you|would you) ", "", said)
        return self._own_command(said) or self._standard(said)

    def _standard(self, said: str) -> Ask | None:
        for pattern, build in _RULES:
            found = pattern.fullmatch(said)
            if found is None:
                continue
            name, arguments = build(found.groupdict())
            if name in self._tools:
                return Ask(name, self._aimed(name, arguments))
        return None

    def _aimed(self, name: str, arguments: Arguments) -> Arguments:
        """With the target in the words of the tool's own list, else as it was spoken."""
        if "target" not in arguments:
            return arguments
        spoken = without_article(arguments["target"])
        options = self._properties(name).get("target", {}).get("enum", ())
        known = next((o for o in options if normal(o) == spoken), None)
        if known is None:
            known = short_for(spoken, options)
        if known is None and name == "get_state":
            known = closest(spoken, options)
        return {**arguments, "target": known or spoken}

    def _properties(self, name: str) -> Mapping[str, Any]:
        properties = self._tools[name].get("properties", {})
        return properties if isinstance(properties, dict) else {}

    def _own_command(self, said: str) -> Ask | None:
        """A tool that is no standard verb, when all words of its name are said."""
        words = said.split()
        for name in self._tools:
            parts = normal(name.replace("_", " ").replace("-", " ")).split()
            if name not in _STANDARD and all(part in words for part in parts):
                return Ask(name, self._filled(name, said))
        return None

    def _filled(self, name: str, said: str) -> Arguments:
        """The arguments that the sentence names; a missing one is the tool's to ask for."""
        values = {key: _value(schema, said) for key, schema in self._properties(name).items()}
        return {key: value for key, value in values.items() if value is not None}


def _value(schema: Mapping[str, Any], said: str) -> object:
    if "enum" in schema:
        return chosen(said, schema["enum"])
    if schema.get("type") in ("integer", "number"):
        return number(said)
    quoted = re.search(r"[\"“'](.+?)[\"”']", said)
    return quoted[1] if quoted and schema.get("type") == "string" else None


def _with_verbs(parts: Sequence[str]) -> list[str]:
    """`turn on a`, `b` -> `turn on a`, `turn on b`."""
    full: list[str] = []
    for part in parts:
        verb = _VERB.match(full[-1]) if full else None
        full.append(part if verb is None or _VERB.match(part) else f"{verb[0]}{part}")
    return full


_VERB = re.compile(r"(?:(?:turn|switch) (?:on|off)|open|close|lock|unlock|stop|press) ")


# --- the sentences that it knows --------------------------------------------------------------

_Parts = Mapping[str, Any]


def _lit(parts: _Parts) -> tuple[str, Arguments]:
    """Something on, perhaps at a level or in a colour."""
    arguments: Arguments = {"target": parts["target"]}
    if parts.get("percent"):
        arguments["brightness"] = number(parts["percent"])
    if parts.get("kelvin"):
        arguments["color_temperature"] = int(parts["kelvin"])
    color = parts.get("color")
    if color in WHITES_KELVIN:
        arguments["color_temperature"] = WHITES_KELVIN[color]
    elif color:
        arguments["color"] = color
    return "turn_on", arguments


def _levelled(parts: _Parts) -> tuple[str, Arguments]:
    """`to 40 %`: a light's brightness, unless the thing is called a blind or a fan."""
    words = set(parts["target"].split())
    level = number(parts["percent"])
    if words & _COVER_WORDS:
        return "set_cover", {"target": parts["target"], "position": level}
    if "fan" in words:
        return "set_fan", {"target": parts["target"], "percent": level}
    return _lit(parts)


def _moved(parts: _Parts) -> tuple[str, Arguments]:
    position = 100 if parts["verb"] == "open" else 0
    if parts.get("percent"):
        position = int(number(parts["percent"]) or 0)
    return "set_cover", {"target": parts["target"], "position": position}


def _heated(parts: _Parts) -> tuple[str, Arguments]:
    return "set_climate", {
        "target": parts["target"],
        "temperature": number(parts["degrees"]),
    }


def _vacuumed(parts: _Parts) -> tuple[str, Arguments]:
    return "vacuum", {"target": parts["target"], "action": parts["action"]}


def _listed(parts: _Parts) -> tuple[str, Arguments]:
    return "find_devices", {"area": parts["area"]} if parts.get("area") else {}


def _remembered(_parts: _Parts) -> tuple[str, Arguments]:
    return "recent_actions", {}


def _plain(name: str) -> Callable[[_Parts], tuple[str, Arguments]]:
    return lambda parts: (name, {"target": parts["target"]})


_T = r"(?P<target>.+?)"
_RULES: Sequence[tuple[re.Pattern[str], Callable[[_Parts], tuple[str, Arguments]]]] = [
    (re.compile(pattern), build)
    for pattern, build in (
        (rf"(?:turn|switch|put) on {_T} (?:to|at) {_PERCENT}", _lit),
        (rf"(?:turn|switch|put) on {_T}", _lit),
        (rf"(?:turn|switch|put) {_T} on", _lit),
        (rf"(?:turn|switch|put) off {_T}", _plain("turn_off")),
        (rf"(?:turn|switch|put) {_T} off", _plain("turn_off")),
        (rf"(?P<verb>open|close) {_T} to {_PERCENT}", _moved),
        (r"(?P<verb>open|close|shut) (?P<target>.+)", _moved),
        (rf"(?:set|dim|brighten|turn|move) {_T} to {_PERCENT}", _levelled),
        (rf"(?:set|make|turn|paint) {_T}(?: to)? {_COLOR}", _lit),
        (rf"(?:set|make|turn) {_T} to {_KELVIN}", _lit),
        (
            rf"(?:set|heat|cool|warm) {_T} to (?P<degrees>.+?) ?(?:degrees|°c?)(?: celsius)?",
            _heated,
        ),
        (r"unlock (?P<target>.+)", _plain("unlock")),
        (r"lock (?P<target>.+)", _plain("lock")),
        (r"stop (?P<target>.+)", _plain("stop")),
        (r"(?P<action>start|pause|dock|locate) (?P<target>.*(?:vacuum|robot).*)", _vacuumed),
        (r"(?:press|activate|run|start) (?P<target>.+)", _plain("press")),
        (
            r"(?:which|what) devices (?:are|exist)(?: there)?(?: in (?:the )?(?P<area>.+))?",
            _listed,
        ),
        (r"what (?:did|have) you (?:do|done).*", _remembered),
        (rf"(?:what is|what's|check|tell me|how is) (?:the state of )?{_T}", _plain("get_state")),
        (rf"(?:is|are) {_T}(?: {_STATES})?", _plain("get_state")),
    )
]

_STANDARD = frozenset(
    {"turn_on", "turn_off", "set_cover", "stop", "lock", "unlock", "set_climate", "set_fan"}
    | {"set_value", "press", "vacuum", "alarm", "get_state", "find_devices", "recent_actions"}
    | {"confirm"}
)
