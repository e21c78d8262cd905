"""The verbs of the house as tools: a target, what fits each device, and the order to do it.

Only verbs that some present device understands become tools. Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Capability, Kind, Parameter, ParameterType
from devices.contract.verbs import VERBS
from gateway.dispatch.order import Carrier
from gateway.errors import ToolError
from gateway.outcome import Outcome, Status
from gateway.tools.arguments import OpenParameter, ValueParameter
from gateway.tools.base import Plan
from gateway.tools.choices import targets
from gateway.tools.entries import Entry
from gateway.tools.fit import LacksError, Request, fit, risk_of
from gateway.tools.jobs import Job, Work
from gateway.tools.target import House, Match

# More words than this in a list cost more than they help.
MAX_CHOICES = 20


@dataclass(frozen=True, slots=True)
class VerbTool:
    """One standard verb over all devices that understand it."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    house: House
    carrier: Carrier

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """Who is meant, and what each of them is told."""
        match = self.house.resolve(arguments["target"], self.name)
        if isinstance(match, Outcome):
            return match
        asked = {name: value for name, value in arguments.items() if name != "target"}
        work = self._work(match, asked)
        if isinstance(work, Outcome):
            return work
        phrase = _PHRASES[self.name](match.label, asked)
        return work.plan(phrase)

    def _work(self, match: Match, asked: Mapping[str, Any]) -> Work | Outcome:
        """What lacks the thing is left out of a group; what refuses the value is told."""
        jobs: list[Job] = []
        refused: list[Outcome] = []
        lacking = ""
        for entry in match.entries:
            try:
                jobs.append(self._job(entry, asked, group=match.group))
            except LacksError as error:
                lacking = lacking or str(error)
            except ToolError as error:
                refused.append(_invalid(entry.name, str(error)))
        if jobs:
            return Work(match.label, jobs, refused, self.carrier)
        return refused[0] if refused else _invalid(match.label, lacking)

    def _job(self, entry: Entry, asked: Mapping[str, Any], *, group: bool) -> Job:
        request = Request(entry.description, asked, group)
        verb = VERBS[self.name]
        return Job(
            device_id=entry.id,
            name=entry.name,
            area=entry.area,
            command=self.name,
            args=fit(self.name, request),
            risk=risk_of(self.name, request),
            idempotent=verb.idempotent,
            makes_safe=verb.makes_safe,
        )


def verb_tools(house: House, carrier: Carrier) -> list[VerbTool]:
    """A tool for each verb that some device of `house` understands."""
    tools = []
    for name, (description, extra) in _VERB_TOOLS.items():
        able = house.supporting(name)
        if able:
            parameters = (target(house, name), *extra(able))
            tools.append(VerbTool(name, description, parameters, house, carrier))
    return tools


def target(house: House, verb: str) -> OpenParameter:
    """The parameter that says which devices; its choices are () when they are too many."""
    return OpenParameter("target", ParameterType.STRING, choices=targets(house, verb))


def _invalid(name: str, message: str) -> Outcome:
    return Outcome(Status.INVALID, message, target=name)


_Able = tuple[Entry, ...]


def _no_more(_: _Able) -> tuple[Parameter, ...]:
    return ()


def _light(_: _Able) -> tuple[Parameter, ...]:
    return (
        _percent("brightness", required=False),
        Parameter("color", ParameterType.STRING, "Name or #rrggbb", required=False),
        Parameter("color_temperature", ParameterType.INTEGER, "Kelvin", required=False),
    )


def _cover(_: _Able) -> tuple[Parameter, ...]:
    return (_percent("position", "0 closed, 100 open"),)


def _climate(able: _Able) -> tuple[Parameter, ...]:
    degrees = Parameter("temperature", ParameterType.NUMBER, "Degrees Celsius", required=False)
    return (degrees, _word("mode", _options(able, Kind.CLIMATE), required=False))


def _fan(able: _Able) -> tuple[Parameter, ...]:
    return (
        _percent("percent", required=False),
        _word("mode", _options(able, Kind.FAN), required=False),
    )


def _value(able: _Able) -> tuple[Parameter, ...]:
    found = _capabilities(able, Kind.NUMBER, Kind.SELECT, Kind.TEXT)
    names = (c.name or c.kind.value for c in found)
    value = ValueParameter("value", ParameterType.STRING, "Number, option or text")
    return (_word("name", names), value)


def _press(able: _Able) -> tuple[Parameter, ...]:
    names = (c.name for c in _capabilities(able, Kind.BUTTON, Kind.SCENE) if c.name)
    return (_word("name", names, required=False),)


def _vacuum(able: _Able) -> tuple[Parameter, ...]:
    return (_word("action", _options(able, Kind.VACUUM)),)


def _alarm(able: _Able) -> tuple[Parameter, ...]:
    code = Parameter("code", ParameterType.STRING, required=False)
    return (_word("action", _options(able, Kind.ALARM)), code)


_VERB_TOOLS: Mapping[str, tuple[str, Callable[[_Able], tuple[Parameter, ...]]]] = {
    "turn_on": ("Switch on, or set a light.", _light),
    "turn_off": ("Switch off.", _no_more),
    "set_cover": ("Open, close or place blinds, doors, valves.", _cover),
    "stop": ("Stop what moves.", _no_more),
    "lock": ("Lock.", _no_more),
    "unlock": ("Unlock.", _no_more),
    "set_climate": ("Set heating or cooling.", _climate),
    "set_fan": ("Set a fan.", _fan),
    "set_value": ("Set a named value of a device.", _value),
    "press": ("Press a button or run a scene.", _press),
    "vacuum": ("Command a robot vacuum.", _vacuum),
    "alarm": ("Arm or disarm an alarm.", _alarm),
}


def _percent(name: str, description: str = "%", *, required: bool = True) -> Parameter:
    return Parameter(
        name, ParameterType.INTEGER, description, required=required, minimum=0, maximum=100
    )


def _word(name: str, words: Iterable[str], *, required: bool = True) -> Parameter:
    """A text with its usual words, when these are few."""
    distinct = tuple(dict.fromkeys(words))
    choices = distinct if len(distinct) <= MAX_CHOICES else ()
    return OpenParameter(name, ParameterType.STRING, required=required, choices=choices)


def _options(able: _Able, kind: Kind) -> Iterable[str]:
    return (option for c in _capabilities(able, kind) for option in c.options)


def _capabilities(able: _Able, *kinds: Kind) -> Iterable[Capability]:
    return (c for e in able for c in e.description.of_kind(*kinds))


_Phrase = Callable[[str, Mapping[str, Any]], str]


def _light_phrase(label: str, asked: Mapping[str, Any]) -> str:
    return f"turn on {label}{_details(asked)}"


def _cover_phrase(label: str, asked: Mapping[str, Any]) -> str:
    words = {0: "close {}", 100: "open {}"}.get(asked["position"], "move {} to {} %")
    return words.format(label, asked["position"])


def _press_phrase(label: str, asked: Mapping[str, Any]) -> str:
    return f"press {asked['name']} of {label}" if "name" in asked else f"press {label}"


def _action_phrase(label: str, asked: Mapping[str, Any]) -> str:
    """Without the code, which nobody shall hear."""
    return f"do “{asked['action'].replace('_', ' ')}” with {label}"


def _details(asked: Mapping[str, Any]) -> str:
    parts = [f"{name.replace('_', ' ')} {value}" for name, value in asked.items()]
    return f" with {', '.join(parts)}" if parts else ""


_PHRASES: Mapping[str, _Phrase] = {
    "turn_on": _light_phrase,
    "turn_off": lambda label, _: f"turn off {label}",
    "set_cover": _cover_phrase,
    "stop": lambda label, _: f"stop {label}",
    "lock": lambda label, _: f"lock {label}",
    "unlock": lambda label, _: f"unlock {label}",
    "set_climate": lambda label, asked: f"set {label}{_details(asked)}",
    "set_fan": lambda label, asked: f"set {label}{_details(asked)}",
    "set_value": lambda label, asked: f"set {asked['name']} of {label} to {asked['value']}",
    "press": _press_phrase,
    "vacuum": _action_phrase,
    "alarm": _action_phrase,
}
