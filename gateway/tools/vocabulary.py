"""What kinds of devices are called in the languages of the house: tables, and nothing else.

English words are in `kinds`. Words are written as `names.fold` leaves them. The voice may speak
any language: what is missing here is still found by name, alias, area and English kind.
"""

from __future__ import annotations

from collections.abc import Mapping

# kind -> words for one of them, words for all of them
_GERMAN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "light": (("licht", "lampe", "leuchte"), ("lichter", "lichtern", "lampen", "leuchten")),
    "switch": (("schalter", "steckdose"), ("steckdosen",)),
    "blind": (
        ("rollladen", "rolladen", "rollo", "jalousie"),
        ("rollläden", "rolläden", "rollos", "jalousien"),
    ),
    "curtain": (("vorhang",), ("vorhänge", "vorhängen", "gardinen")),
    "awning": (("markise",), ("markisen",)),
    "garage door": (("garagentor",), ("garagentore",)),
    "gate": (("tor", "hoftor", "gartentor", "rolltor", "einfahrtstor"), ("tore",)),
    "door": (("tür",), ("türen",)),
    "window": (("fenster",), ()),
    "valve": (("ventil",), ("ventile",)),
    "lock": (("schloss",), ("schlösser",)),
    "thermostat": (("heizkörper",), ("heizung", "heizungen", "thermostate")),
    "fan": (("lüfter",), ("ventilatoren",)),
    "vacuum": (("staubsauger", "saugroboter"), ()),
    "alarm": (("alarmanlage",), ("alarmanlagen",)),
    "scene": (("szene",), ("szenen",)),
    "sensor": ((), ("sensoren",)),
    "device": (("gerät",), ("geräte", "geräten", "alles")),
}
_FRENCH: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "light": (("lumière",), ("lumières", "éclairage")),
    "switch": (("prise", "interrupteur"), ("prises", "interrupteurs")),
    "blind": (("store",), ("stores",)),
    "shutter": (("volet",), ("volets",)),
    "curtain": (("rideau",), ("rideaux",)),
    "garage door": (("porte de garage",), ("portes de garage",)),
    "gate": (("portail",), ("portails",)),
    "door": (("porte",), ("portes",)),
    "window": (("fenêtre",), ("fenêtres",)),
    "valve": (("vanne",), ("vannes",)),
    "lock": (("serrure",), ("serrures",)),
    "thermostat": (("radiateur",), ("radiateurs", "chauffage", "thermostats")),
    "fan": (("ventilateur",), ("ventilateurs",)),
    "vacuum": (("aspirateur",), ("aspirateurs",)),
    "alarm": (("alarme",), ("alarmes",)),
    "scene": (("scène",), ("scènes",)),
    "sensor": (("capteur",), ("capteurs",)),
    "device": (("appareil",), ("appareils", "tout")),
}
_SPANISH: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "light": (("luz", "lámpara"), ("luces", "lámparas")),
    "switch": (("enchufe", "interruptor"), ("enchufes", "interruptores")),
    "blind": (("persiana",), ("persianas",)),
    "curtain": (("cortina",), ("cortinas",)),
    "awning": (("toldo",), ("toldos",)),
    "garage door": (("puerta del garaje",), ()),
    "gate": (("portón",), ("portones",)),
    "door": (("puerta",), ("puertas",)),
    "window": (("ventana",), ("ventanas",)),
    "valve": (("válvula",), ("válvulas",)),
    "lock": (("cerradura",), ("cerraduras",)),
    "thermostat": (("termostato", "radiador"), ("termostatos", "radiadores", "calefacción")),
    "fan": (("ventilador",), ("ventiladores",)),
    "vacuum": (("aspiradora",), ("aspiradoras",)),
    "alarm": (("alarma",), ("alarmas",)),
    "scene": (("escena",), ("escenas",)),
    "sensor": ((), ("sensores",)),
    "device": (("dispositivo",), ("dispositivos", "todo")),
}
# Without a plural of their own: "all" before them says so.
_EAST_ASIAN: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "light": (("灯", "燈", "电灯", "照明", "ライト", "電気", "明かり"), ()),
    "switch": (("插座", "开关", "コンセント", "スイッチ"), ()),
    "curtain": (("窗帘", "窗簾", "カーテン"), ()),
    "blind": (("百叶窗", "ブラインド"), ()),
    "shutter": (("シャッター",), ()),
    "lock": (("锁", "门锁", "鎖", "鍵"), ()),
    "thermostat": (("空调", "空調", "エアコン", "暖房"), ()),
    "fan": (("风扇", "扇風機"), ()),
    "device": (("设备", "機器"), ()),
}
LANGUAGES = (_GERMAN, _FRENCH, _SPANISH, _EAST_ASIAN)

SINGULARS: Mapping[str, str] = {
    word: kind for language in LANGUAGES for kind, (one, _) in language.items() for word in one
}
PLURALS: Mapping[str, str] = {
    word: kind for language in LANGUAGES for kind, (_, many) in language.items() for word in many
}

EVERY = frozenset(
    ("alle", "allen", "sämtliche", "jede", "jedes", "tous", "toutes", "todos", "todas")
)
ARTICLES = frozenset(("der", "die", "das", "dem", "le", "la", "les", "el", "los", "las"))
BETWEEN = frozenset(
    ("im", "am", "vom", "von", "dans", "de", "du", "des", "au", "aux", "en", "del", "sur")
)
# Languages that do not part words: what comes before a thing, and between a place and a thing.
EVERY_PREFIXES = ("所有的", "所有", "全部的", "全部の", "全部", "すべての", "全ての")
PARTICLES = "的の"
