"""How a simulated device misbehaves: it misses, loses, repeats, garbles, lies or goes silent.

Data and its written form only; `mischief` puts it to work.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import get_type_hints

_MOST = 1_000_000


class Lie(StrEnum):
    """How a device lies about commands, which it then does not carry out."""

    NONE = "none"
    CLAIM = "claim"
    """says succeeded, with the state that was asked for"""
    CONTRADICT = "contradict"
    """says succeeded, with a state that says otherwise"""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong; the default is nothing.

    `drop`: miss the next so many commands. `lose_acks`: do what is asked but lose the next so
    many acknowledgements. `delay_s`: acknowledgements and states come that late. `repeat`:
    send each acknowledgement so many times. `garble`: send garbage in place of the next so
    many acknowledgements; `noise`: garbage before each of the next so many. `silent`: hear
    nothing and say nothing, although online. `offline`: be as gone as after a power cut.
    """

    drop: int = 0
    lose_acks: int = 0
    delay_s: float = 0.0
    repeat: int = 1
    garble: int = 0
    noise: int = 0
    lie: Lie = Lie.NONE
    silent: bool = False
    offline: bool = False


NO_FAULTS = Faults()


def parse_fault(text: str) -> tuple[str, Faults]:
    """`kitchen-light:drop=2,delay_s=0.3` as a device id and its faults.

    Raises ValueError with a sentence that says how to write it.
    """
    device_id, colon, faults = text.partition(":")
    if not (device_id and colon and faults):
        raise ValueError(f"write a fault as DEVICE:NAME=VALUE,..., not {text[:80]!r}")
    return device_id, parse_faults(faults)


def parse_faults(text: str) -> Faults:
    """`drop=2,silent` as faults; "" is none. Raises ValueError with a sentence."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return Faults(**dict(_read(word) for word in words))  # type: ignore[arg-type]


def _read(word: str) -> tuple[str, object]:
    name, equals, value = word.partition("=")
    kinds = get_type_hints(Faults)
    if name not in kinds:
        raise ValueError(f"there is no fault {name[:40]!r}; known: {', '.join(kinds)}")
    if not equals and kinds[name] is bool:
        return name, True
    try:
        return name, _value(kinds[name], value)
    except ValueError:
        raise ValueError(f"{value[:40]!r} is no value for the fault {name}") from None


def _value(kind: type, text: str) -> object:
    if kind is bool:
        return {"true": True, "false": False}[text] if text in ("true", "false") else int("")
    value = kind(text)
    if kind is not Lie and not 0 <= value <= _MOST:
        raise ValueError(text)
    return value
