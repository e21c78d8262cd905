"""The room that a name begins with: "kitchen_lamp" is in the kitchen.

For ecosystems that know no areas. Words of several languages; what is no room is no area.
"""

from __future__ import annotations

import re
import unicodedata

_ROOMS = (
    # English
    *(
        "kitchen",
        "living room",
        "bedroom",
        "bathroom",
        "dining room",
        "hall",
        "hallway",
        "corridor",
    ),
    *("office", "study", "garage", "garden", "attic", "loft", "cellar", "basement", "nursery"),
    *("guest room", "kids room", "laundry room", "utility room", "balcony", "terrace", "patio"),
    *("porch", "entrance", "stairs", "landing", "pantry", "workshop", "conservatory", "toilet"),
    # German
    *("küche", "wohnzimmer", "schlafzimmer", "badezimmer", "bad", "flur", "diele", "büro"),
    *("arbeitszimmer", "esszimmer", "kinderzimmer", "gästezimmer", "garten", "dachboden", "keller"),
    *("waschküche", "balkon", "terrasse", "eingang", "treppe", "werkstatt", "wintergarten"),
    # French
    *("cuisine", "salon", "chambre", "salle de bain", "salle à manger", "couloir", "bureau"),
    *("jardin", "grenier", "cave", "entrée", "buanderie"),
    # Spanish
    *("cocina", "salón", "sala", "dormitorio", "baño", "comedor", "pasillo", "oficina", "garaje"),
    *("jardín", "ático", "sótano", "entrada", "balcón", "terraza", "lavadero"),
    # Chinese and Japanese, which put no space behind a word
    *(
        "厨房",
        "客厅",
        "卧室",
        "主卧",
        "次卧",
        "浴室",
        "卫生间",
        "书房",
        "餐厅",
        "走廊",
        "阳台",
        "车库",
    ),
    *(
        "花园",
        "玄关",
        "台所",
        "キッチン",
        "居間",
        "リビング",
        "寝室",
        "書斎",
        "洗面所",
        "廊下",
        "庭",
    ),
)


def room_in(name: str) -> str:
    """The room at the beginning of `name`, as it is written there; "" when there is none."""
    words = " ".join(_SEPARATORS.sub(" ", unicodedata.normalize("NFC", name)).split())
    found = _ROOM.match(words)
    return found[0][:1].upper() + found[0][1:] if found else ""


_SEPARATORS = re.compile(r"[_./-]+")
# The longest first: "hallway" is more than a hall. A Latin word goes on with letters, a
# Chinese one ends where the next begins.
_LATIN_END = r"(?![^\W\d_])"


def _pattern(room: str) -> str:
    is_latin = unicodedata.name(room[0]).startswith("LATIN")
    return re.escape(room) + (_LATIN_END if is_latin else "")


_ROOM = re.compile("|".join(map(_pattern, sorted(_ROOMS, key=len, reverse=True))), re.IGNORECASE)
