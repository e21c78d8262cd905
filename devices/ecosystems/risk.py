"""How dangerous what others announce is, judged by what it is and by the words in its name.

They never say it themselves. In doubt a thing is guarded: asking once too often hurts nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from devices.contract.capability import Kind, Risk

# Words are compared without accents and umlauts: "Tür" is "tur". Whole words in English,
# German (compounds by their known halves: "Hoftor", but no "Ventilator"), French and Spanish;
# Chinese and Japanese do not part words.
# What lets somebody into the house.
_OPENS = re.compile(
    r"\b((garage|gate|door|lock|deadbolt)s?"
    r"|garagen?\w*|(hof|roll|garten|einfahrts?|schiebe)?tore?|\w*schloss|\w*schlosser"
    r"|(haus|wohnungs|keller|terrassen|balkon|eingangs|garten)?tur(en)?"
    r"|portes?|portails?|serrures?|verrous?|puertas?|porton(es)?|garajes?|cerraduras?|cerrojos?)\b"
    r"|车库|車庫|门锁|大门|大門|门|玄関|ガレージ|シャッター|锁|鎖|鍵"
)
# What floods it, burns it down or wakes the street.
_HARMS = re.compile(
    r"\b((valve|alarm|siren|heater|boiler|oven|stove|hob|furnace|fireplace|sauna|kettle|grill"
    r"|pump|sprinkler|radiator|fryer)s?|heat(ing)?|gas|iron|water[ _-]?main|irrigation"
    r"|\w*ventile?|alarm\w*|sirene\w*|heiz\w*|\w*heizung(en)?|\w*(herd|ofen)|kamin\w*"
    r"|wasserkocher|\w*pumpen?|\w*bewasserung|bugeleisen"
    r"|vannes?|chauffages?|chauffe\w*|radiateurs?|chaudieres?|cuisiniere|pompes?"
    r"|arrosages?|bouilloires?|poele|fer a repasser"
    r"|valvulas?|sirenas?|calefac\w+|calentador(es)?|radiador(es)?|calderas?|hornos?|estufas?"
    r"|bombas?|riego|plancha)\b"
    r"|阀|閥|バルブ|加热|加熱|暖气|暖房|ヒーター|ストーブ|炉|燃气|ガス|警报|警報|アラーム|サイレン|水泵|ポンプ"
)
# "Garage light" is a light. "Heat lamp" is none.
_LIGHTS = re.compile(
    r"\b(light|lamp|led|bulb|\w*licht|\w*lampe|\w*leuchte|lumiere|luz|lampara|luces)(s|n|er)?\b"
    r"|灯|燈|照明|ライト"
)
_LIT_BY = frozenset({Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR, Kind.COLOR_TEMPERATURE})
# What changes the device itself rather than the house: never for a voice.
_FORBIDDEN = re.compile(
    r"(firmware|\bota\b|update|factory|reset|restart|reboot|pairing|\bpair\b|permit[ _-]?join"
    r"|identify|self[ _-]?test|wi-?fi|calibrat|pin[ _-]?code|\bdebug\b|\blog[ _-]?level\b|backup"
    r"|werkseinstellung|zurucksetzen|neustart|kopplung|koppeln|anlernen|aktualisier|kalibrier"
    r"|redemarr|reinitialis|appairage|mise a jour|reinici|restablec|emparejar|actualizacion"
    r"|固件|重启)"
)
_ALWAYS_GUARDED = frozenset({Kind.LOCK, Kind.ALARM})
# A thermostat called "heating" is a thermostat; its range is its guard.
_NEVER_BY_WORD = frozenset({Kind.SENSOR, Kind.CLIMATE})


def risk_of(kind: Kind, *words: str) -> Risk:
    """The risk of a capability of `kind` that is called, classed or described by `words`."""
    if kind in _ALWAYS_GUARDED:
        return Risk.GUARDED
    if kind in _NEVER_BY_WORD:
        return Risk.NORMAL
    guarded = any(_is_guarded(kind, _plain(word)) for word in words)
    return Risk.GUARDED if guarded else Risk.NORMAL


def is_forbidden(*words: str) -> bool:
    """Whether a function of these names is about the device itself: it is never offered."""
    return any(_FORBIDDEN.search(_plain(word)) for word in words)


def highest(risks: Iterable[Risk]) -> Risk:
    """The highest of `risks`, NORMAL when there are none."""
    order = (Risk.NORMAL, Risk.GUARDED, Risk.FORBIDDEN)
    return max(risks, key=order.index, default=Risk.NORMAL)


def _is_guarded(kind: Kind, words: str) -> bool:
    if _HARMS.search(words):
        return True
    shines = kind in _LIT_BY and _LIGHTS.search(words)
    return not shines and _OPENS.search(words) is not None


def _plain(word: str) -> str:
    """One case, one spelling, no accents; words parted by spaces, also `words_LikeThese`."""
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", word)
    apart = unicodedata.normalize("NFKD", parted).casefold()
    bare = "".join(c for c in apart if not 0x300 <= ord(c) <= 0x36F)  # noqa: PLR2004 -- accents
    return re.sub(r"[_/.-]+", " ", unicodedata.normalize("NFC", bare))
