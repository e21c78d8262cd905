"""Commands that only some devices understand, each under its own name.

Devices that declare the same command alike share one tool; where they differ, each gets its
own. A command that would shadow another tool is not offered.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from devices.contract.capability import OwnCommand, Parameter
from devices.contract.text import clean
from devices.contract.verbs import VERBS
from gateway.dispatch.order import Carrier
from gateway.journal.masking import is_secret
from gateway.outcome import Outcome
from gateway.tools.base import Plan
from gateway.tools.device import target
from gateway.tools.entries import Entry
from gateway.tools.jobs import Job, Work
from gateway.tools.target import House, Match

# Tools of the gateway itself: no device may take their names, whatever is offered now.
RESERVED = frozenset(VERBS) | {"get_state", "find_devices", "recent_actions", "confirm"}
MAX_DESCRIPTION = 120
MAX_PARAMETER_DESCRIPTION = 60
_MAX_NAME = 64

_Offer = tuple[Entry, OwnCommand]


@dataclass(frozen=True, slots=True)
class OwnTool:
    """A command of one device, or of several that declare it alike (then with `target`)."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    offers: Mapping[str, _Offer]
    """by device id"""
    house: House
    carrier: Carrier

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The command for the one device, or for those that `target` means."""
        entry, command = next(iter(self.offers.values()))
        asked = dict(arguments)
        match: Match | Outcome = Match(entry.name, (entry,), group=False)
        if len(self.offers) > 1:
            match = self.house.resolve(asked.pop("target"), command.name)
        if isinstance(match, Outcome):
            return match
        jobs = [_job(self.offers[e.id], asked) for e in match.entries]
        told = {name: value for name, value in asked.items() if not is_secret(name)}
        details = ", ".join(f"{_words(name)} {value}" for name, value in told.items())
        phrase = f"do “{_words(command.name)}” with {match.label}"
        phrase += f" ({details})" if details else ""
        return Work(match.label, jobs, (), self.carrier).plan(phrase)


def own_tools(
    house: House, carrier: Carrier, taken: Collection[str]
) -> tuple[list[OwnTool], list[str]]:
    """A tool for each own command, and a sentence for each that is not offered.

    Not offered is what would have a name in `taken` or RESERVED.
    """
    tools: dict[str, OwnTool] = {}
    refused = []
    for name, offers in _by_name(house).items():
        if name in RESERVED:
            devices = ", ".join(entry.id for entry, _ in offers[:3])
            refused.append(f"command {name} of {devices} is not offered: it is a standard tool")
            continue
        for tool in _tools_of(name, offers, house, carrier):
            if tool.name in taken or tool.name in tools:
                refused.append(f"command {tool.name} is not offered: another tool has its name")
            else:
                tools[tool.name] = tool
    return list(tools.values()), refused


def _by_name(house: House) -> dict[str, list[_Offer]]:
    offers: defaultdict[str, list[_Offer]] = defaultdict(list)
    for entry in house.entries:
        for command in entry.description.commands:
            offers[command.name].append((entry, command))
    return offers


def _tools_of(name: str, offers: list[_Offer], house: House, carrier: Carrier) -> list[OwnTool]:
    first = offers[0][1]
    alike = all(command.parameters == first.parameters for _, command in offers)
    if len(offers) == 1:
        return [_for_one(name, offers[0], house, carrier)]
    if alike and all(p.name != "target" for p in first.parameters):
        parameters = (target(house, name), *_short(first.parameters))
        description = clean(first.description or _words(name), MAX_DESCRIPTION)
        by_id = {offer[0].id: offer for offer in offers}
        return [OwnTool(name, description, parameters, by_id, house, carrier)]
    return [_for_one(_unique(name, offer[0].id), offer, house, carrier) for offer in offers]


def _for_one(name: str, offer: _Offer, house: House, carrier: Carrier) -> OwnTool:
    entry, command = offer
    text = f"{entry.name}: {command.description or _words(command.name)}"
    description = clean(text, MAX_DESCRIPTION)
    return OwnTool(name, description, _short(command.parameters), {entry.id: offer}, house, carrier)


def _job(offer: _Offer, asked: Mapping[str, Any]) -> Job:
    entry, own = offer
    within_ms = own.answer_within_ms
    within_s = None if within_ms is None else within_ms / 1000
    return Job(
        device_id=entry.id,
        name=entry.name,
        area=entry.area,
        command=own.name,
        args=asked,
        risk=own.risk,
        idempotent=own.idempotent,
        answer_within_s=within_s,
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _unique(name: str, device_id: str) -> str:
    suffix = re.sub(r"[^a-zA-Z0-9_-]", "_", device_id)[:31]
    return f"{name[: _MAX_NAME - 1 - len(suffix)]}_{suffix}"


def _short(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """The parameters with descriptions that leave room for other tools."""
    return tuple(
        replace(p, description=clean(p.description, MAX_PARAMETER_DESCRIPTION)) for p in parameters
    )
