"""What is said of a command: where it stands, as an outcome and a sentence.

Never "done" without evidence, never "not done" without knowing. Words of a device are
quoted and bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from devices.contract.command import Evidence, Scalar
from devices.contract.text import clean
from devices.contract.verbs import expected_state
from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Result
from gateway.outcome import Outcome, Status
from gateway.tools.colors import spoken

# A device's own sentence, and how many details of a group a listener can follow.
QUOTE_LENGTH = 160
MAX_TOLD = 4

_MOVING = frozenset({"set_cover", "stop", "vacuum"})


@dataclass(frozen=True, slots=True)
class _Case:
    """What was asked of the device called `name`, and what came of it."""

    name: str
    command: str
    args: Mapping[str, Scalar]
    result: Result


def outcome(name: str, command: str, args: Mapping[str, Scalar], result: Result) -> Outcome:
    """What the model hears of one command for the device called `name`."""
    status = _status(result)
    return Outcome(
        status,
        _SENTENCES[status](_Case(name, command, args, result)),
        target=name,
        state=dict(result.device_state),
        evidence=result.evidence,
    )


def group(label: str, outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome for several devices: as good as the worst, and `partial` when they differ."""
    statuses = {o.status for o in outcomes}
    done = [o for o in outcomes if o.ok]
    if len(statuses) == 1:
        status = outcomes[0].status
    elif len(done) == len(outcomes):
        status = Status.CONFIRMED
    else:
        status = Status.PARTIAL
    return Outcome(
        status, _told(label, outcomes, done), target=label, results=tuple(outcomes), evidence=None
    )


def capital(text: str) -> str:
    """`text` as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def listing(sentences: Iterable[str]) -> str:
    """Some sentences in a row; what a listener could not follow is counted instead."""
    every = list(sentences)
    more = len(every) - MAX_TOLD
    told = every if more <= 0 else [*every[:MAX_TOLD], f"And {more} more."]
    return " ".join(told)


def state_sentence(
    name: str, state: Mapping[str, Scalar], units: Mapping[str, str] | None = None
) -> str:
    """What a device reports, in words: "Kitchen light is on at 60 %."; "" when nothing."""
    parts = [part for part in (_switched(state), *_values(state, units or {})) if part]
    return capital(f"{name} {' and '.join(parts)}.") if parts else ""


def quoted(text: str) -> str:
    """Words of a device, so that nobody takes them for the gateway's own."""
    return f"“{clean(text, QUOTE_LENGTH).replace('“', '').replace('”', '')}”"


def _status(result: Result) -> Status:
    if result.unrecorded:
        return Status.ERROR
    if result.offline:
        return Status.OFFLINE
    if result.already:
        return Status.ALREADY
    if result.state is State.SUCCEEDED:
        return Status.FAILED if result.contradiction else Status.CONFIRMED
    return _STATUS[result.state]


_STATUS: Mapping[State, Status] = {
    State.CREATED: Status.TIMED_OUT,
    State.SENT: Status.TIMED_OUT,
    State.ACCEPTED: Status.PENDING,
    State.IN_PROGRESS: Status.PENDING,
    State.FAILED: Status.FAILED,
    State.REJECTED: Status.REJECTED,
    State.EXPIRED: Status.EXPIRED,
    State.SUPERSEDED: Status.SUPERSEDED,
    State.UNCONFIRMED: Status.UNCONFIRMED,
    State.TIMED_OUT: Status.TIMED_OUT,
}


def _told(label: str, outcomes: Sequence[Outcome], done: Sequence[Outcome]) -> str:
    others = [o.message for o in outcomes if not o.ok]
    if not others:
        return f"{capital(label)}: all {len(done)} done. {listing(o.message for o in done)}"
    return f"{capital(label)}: {len(done)} of {len(outcomes)} done. {listing(others)}"


def _confirmed(case: _Case) -> str:
    """The request is what happened where the device does not report otherwise."""
    state = {**expected_state(case.command, case.args), **case.result.device_state}
    special = _SPECIAL.get(case.command)
    if special is not None:
        return special(case, state)
    told = (key for key in _TOLD.get(case.command, ()) if key in state)
    relevant = {key: state[key] for key in told if key not in _ON_REQUEST or key in case.args}
    words = state_sentence(case.name, relevant)
    return words or f"{case.name} has done “{_words(case.command)}”.{_answer(state)}"


def _answer(state: Mapping[str, Scalar]) -> str:
    """What a command of a device's own brought back, as devices put it: `result` of the state."""
    said = state.get("result")
    return f" It says: {quoted(str(said).rstrip('.'))}." if said not in (None, "") else ""


def _already(case: _Case) -> str:
    return _confirmed(case).replace(" is ", " is already ", 1)


def _stopped(case: _Case, state: Mapping[str, Scalar]) -> str:
    position = state.get("position")
    at = "" if position is None else f" at {_number(position)} %"
    return f"{case.name} has stopped{at}."


def _pressed(case: _Case, _: Mapping[str, Scalar]) -> str:
    what = f": {_words(case.args['name'])}" if "name" in case.args else ""
    return f"{case.name}{what} was pressed."


def _value_set(case: _Case, _: Mapping[str, Scalar]) -> str:
    return f"{_words(case.args['name'])} of {case.name} is now {_number(case.args['value'])}."


def _acted(case: _Case, _: Mapping[str, Scalar]) -> str:
    return f"{case.name} has done “{_words(case.args['action'])}”."


_SPECIAL: Mapping[str, Callable[[_Case, Mapping[str, Scalar]], str]] = {
    "stop": _stopped,
    "press": _pressed,
    "set_value": _value_set,
    "vacuum": _acted,
    "alarm": _acted,
}

_TOLD: Mapping[str, tuple[str, ...]] = {
    "turn_on": ("on", "brightness", "color", "color_temperature"),
    "turn_off": ("on",),
    "set_cover": ("position", "moving"),
    "lock": ("locked",),
    "unlock": ("locked",),
    "set_climate": ("target_temperature", "mode"),
    "set_fan": ("fan_percent", "mode"),
}

# A light always has a colour; who asked for 30 % does not want to hear of it.
_ON_REQUEST = frozenset({"color", "color_temperature"})


def _switched(state: Mapping[str, Scalar]) -> str:
    on, brightness = state.get("on"), state.get("brightness")
    if on is None:
        return ""
    if on is True and brightness is not None:
        return f"is on at {_number(brightness)} %"
    return "is on" if on is True else "is off"


def _values(state: Mapping[str, Scalar], units: Mapping[str, str]) -> Iterable[str]:
    for key, value in state.items():
        phrase = _PHRASES.get(key)
        if value is not None and key not in {"on", "brightness"} and not _is_unlit(key, state):
            named = f"reports {_words(key)} {_number(value)} {units.get(key, '')}".rstrip()
            yield phrase(value) if phrase else named


def _is_unlit(key: str, state: Mapping[str, Scalar]) -> bool:
    """The colour of a light that is off is of no interest."""
    return key in {"color", "color_temperature"} and state.get("on") is False


def _position(value: Scalar) -> str:
    if value == 0:
        return "is closed"
    return "is open" if value == 100 else f"is {_number(value)} % open"  # noqa: PLR2004


_PHRASES: Mapping[str, Callable[[Scalar], str]] = {
    "color": lambda value: f"shines in {spoken(str(value))}",
    "color_temperature": lambda value: f"shines at {_number(value)} kelvin",
    "position": _position,
    "moving": lambda value: "is moving" if value is True else "stands still",
    "locked": lambda value: "is locked" if value is True else "is unlocked",
    "temperature": lambda value: f"measures {_number(value)} degrees",
    "target_temperature": lambda value: f"is set to {_number(value)} degrees",
    "mode": lambda value: f"is in mode {value}",
    "fan_percent": lambda value: f"runs at {_number(value)} %",
}


def _failed(case: _Case) -> str:
    key = case.result.contradiction
    if not key:
        return f"{case.name} failed{_reason(case.result)}"
    value = case.result.device_state.get(key)
    words = state_sentence("it", {key: value}) or f"It reports {_words(key)} {_number(value)}."
    claim = "claims success" if case.result.state is State.SUCCEEDED else "was told"
    return f"{case.name} {claim} but reports otherwise. {words}"


def _rejected(case: _Case) -> str:
    return f"{case.name} refused{_reason(case.result)}"


def _reason(result: Result) -> str:
    said = result.error and (result.error.message or result.error.code)
    return f": {quoted(said)}" if said else " and did not say why."


def _pending(case: _Case) -> str:
    if case.result.evidence is Evidence.PUBLISHED:
        return f"{case.name} sleeps now and was told to; I will tell you when it did it."
    still = "is still moving" if case.command in _MOVING else "has begun and is not done yet"
    return f"{case.name} {still}; I will tell you when it is done."


def _timed_out(case: _Case) -> str:
    evidence = case.result.evidence
    if evidence is not None and evidence >= Evidence.ACCEPTED:
        return f"{case.name} began but never said that it finished. I do not know whether it did."
    return f"{case.name} did not answer. I do not know whether it did it."


_SENTENCES: Mapping[Status, Callable[[_Case], str]] = {
    Status.CONFIRMED: _confirmed,
    Status.ALREADY: _already,
    Status.UNCONFIRMED: lambda case: (
        f"{case.name} was told, but it never says whether it did something."
    ),
    Status.PENDING: _pending,
    Status.FAILED: _failed,
    Status.REJECTED: _rejected,
    Status.TIMED_OUT: _timed_out,
    Status.OFFLINE: lambda case: f"{case.name} is offline, so nothing was sent.",
    Status.EXPIRED: lambda case: f"{case.name} could not be reached in time; it was not done.",
    Status.ERROR: lambda case: (
        f"Nothing was sent to {case.name}: the gateway cannot keep its record now."
    ),
    Status.SUPERSEDED: lambda case: f"A newer command for {case.name} came before this was sent.",
}


def _number(value: Scalar) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return clean(str(value), QUOTE_LENGTH)
    return f"{value:.10g}"


def _words(name: Scalar) -> str:
    return clean(str(name).replace("_", " "), QUOTE_LENGTH)
