"""What people call devices: the kind of a device, and the words that mean all of a kind.

A device has one main kind, so that "all lights" is never a lock that happens to have a lamp.
"""

from __future__ import annotations

from collections.abc import Mapping

from devices.contract.capability import Description, Kind
from gateway.tools import vocabulary
from gateway.tools.names import fold

ANYTHING = "device"

# The first that fits is the main kind: what can do harm or moves comes before what shines.
_BY_CAPABILITY: tuple[tuple[Kind, str], ...] = (
    (Kind.ALARM, "alarm"),
    (Kind.LOCK, "lock"),
    (Kind.COVER, "cover"),
    (Kind.VACUUM, "vacuum"),
    (Kind.CLIMATE, "thermostat"),
    (Kind.FAN, "fan"),
    (Kind.BRIGHTNESS, "light"),
    (Kind.COLOR, "light"),
    (Kind.COLOR_TEMPERATURE, "light"),
    (Kind.POWER, "switch"),
    (Kind.SCENE, "scene"),
    (Kind.BUTTON, "button"),
    (Kind.SENSOR, "sensor"),
)

_FOREIGN = {**vocabulary.SINGULARS, **vocabulary.PLURALS}
# A word that ends so means a light: "nightlight", "Stehlampe", "客厅灯".
_LIGHT_ENDINGS = (
    *("light", "lights", "lamp", "lamps", "lighting", "chandelier"),
    *(word for word, kind in _FOREIGN.items() if kind == "light"),
)
# A cover is of the kind that its name says; without such a word it is taken for a blind.
_COVER_WORDS: Mapping[str, str] = {
    "blind": "blind",
    "blinds": "blind",
    "shade": "blind",
    "shades": "blind",
    "gate": "gate",
    "door": "door",
    "valve": "valve",
    "curtain": "curtain",
    "curtains": "curtain",
    "drapes": "curtain",
    "shutter": "shutter",
    "shutters": "shutter",
    "awning": "awning",
    "window": "window",
}
_FOREIGN_COVERS: Mapping[str, str] = {
    word: kind for word, kind in _FOREIGN.items() if kind in {*_COVER_WORDS.values(), "garage door"}
}
# Shorter words also end what they have nothing to do with: "Motor" is no "Tor".
_MIN_ENDING = 4
_COVER_KINDS = frozenset(_COVER_WORDS.values()) | {"garage door"}

_PLURALS: Mapping[str, tuple[str, ...]] = {
    "alarm": ("alarms",),
    "lock": ("locks",),
    "door": ("doors",),
    "cover": ("covers",),
    "blind": ("blinds", "shades"),
    "curtain": ("curtains", "drapes"),
    "shutter": ("shutters",),
    "awning": ("awnings",),
    "garage door": ("garage doors",),
    "gate": ("gates",),
    "window": ("windows",),
    "valve": ("valves",),
    "vacuum": ("vacuums", "vacuum cleaners", "robots"),
    "thermostat": ("thermostats", "heating", "heaters", "radiators", "climate"),
    "fan": ("fans",),
    "light": ("lights", "lamps", "lighting"),
    "switch": ("switches", "plugs", "sockets", "outlets"),
    "scene": ("scenes",),
    "button": ("buttons",),
    "sensor": ("sensors",),
    ANYTHING: ("devices", "everything", "all"),
}
_SINGULARS: Mapping[str, str] = {
    **vocabulary.SINGULARS,
    **{kind: kind for kind in _PLURALS},
    "lamp": "light",
    "shade": "blind",
    "vacuum cleaner": "vacuum",
    "robot": "vacuum",
    "heater": "thermostat",
    "radiator": "thermostat",
    "plug": "switch",
    "socket": "switch",
    "outlet": "switch",
}

KIND_WORDS: Mapping[str, tuple[str, bool]] = {
    **{word: (kind, False) for word, kind in _SINGULARS.items()},
    **{word: (kind, True) for word, kind in vocabulary.PLURALS.items()},
    **{word: (kind, True) for kind, words in _PLURALS.items() for word in words},
}
"""Folded word -> its kind, and whether it means all of them."""


def main_kind(description: Description) -> str:
    """The one kind that a list of devices shows: "light", "lock", "blind", ... or "device"."""
    kinds = {c.kind for c in description.capabilities}
    kind = next((name for capability, name in _BY_CAPABILITY if capability in kinds), ANYTHING)
    if kind == "cover":
        return _cover_kinds(description)[0]
    if kind == "switch" and kinds <= {Kind.POWER, Kind.SENSOR}:
        return "light" if any(w.endswith(_LIGHT_ENDINGS) for w in _words(description)) else kind
    return kind


def kinds_of(description: Description) -> frozenset[str]:
    """All the kinds by which the device may be named."""
    main = main_kind(description)
    kinds = {main, ANYTHING}
    if description.of_kind(Kind.SENSOR):
        kinds.add("sensor")
    if main == "lock":
        kinds.add("door")
    if main in _COVER_KINDS:
        kinds |= {"cover", *_cover_kinds(description)}
    return frozenset(kinds)


def _cover_kinds(description: Description) -> tuple[str, ...]:
    words = fold(description.name).split()
    said = dict.fromkeys(kind for word in words if (kind := _cover_kind(word)))
    if "garage" in words and said.keys() <= {"door"}:
        return ("garage door", *said)
    return tuple(said) or ("blind",)


def _cover_kind(word: str) -> str:
    """The kind that a word of a cover's name says; "" when it says none."""
    if (exact := _COVER_WORDS.get(word)) is not None:
        return exact
    foreign = (
        kind
        for ending, kind in _FOREIGN_COVERS.items()
        if word == ending or (len(ending) >= _MIN_ENDING and word.endswith(ending))
    )
    return next(foreign, "")


def plural(kind: str) -> str:
    """The word for several of a kind."""
    return _PLURALS[kind][0]


def _words(description: Description) -> set[str]:
    return {w for name in (description.name, *description.aliases) for w in fold(name).split()}
