from __future__ import annotations

import random

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.homie.flat import MAX_ATTRIBUTES, Flat
from devices.ecosystems.homie.model import Thing

pytestmark = pytest.mark.unit

LAMP = {
    "$name": "Lamp",
    "$mac": "DE:AD:BE:EF:FE:ED",
    "$nodes": "light",
    "light/$name": "Light",
    "light/$type": "dimmer",
    "light/$properties": "on,level",
    "light/on/$datatype": "boolean",
    "light/on/$settable": "true",
    "light/level/$datatype": "integer",
    "light/level/$format": "0:100",
    "light/level/$retained": "false",
}


def told(attributes: dict[str, str]) -> Thing | None:
    flat = Flat()
    for path, text in attributes.items():
        flat.take(path, text.encode())
    return flat.thing("lamp")


def test_the_order_of_the_topics_is_of_no_matter() -> None:
    whole = told(LAMP)
    for seed in range(5):
        shuffled = list(LAMP.items())
        random.Random(seed).shuffle(shuffled)
        assert told(dict(shuffled)) == whole
    assert whole is not None
    assert (whole.name, whole.mac, whole.nodes[0].type) == ("Lamp", "deadbeeffeed", "dimmer")
    assert [(p.id, p.settable, p.retained) for p in whole.nodes[0].properties] == [
        ("on", True, True),
        ("level", False, False),
    ]


@pytest.mark.parametrize("missing", ["$nodes", "light/$properties", "light/on/$datatype"])
def test_half_a_description_is_none(missing: str) -> None:
    assert told({path: text for path, text in LAMP.items() if path != missing}) is None


def test_a_wrong_property_is_as_if_it_were_not_there() -> None:
    thing = told(LAMP | {"light/level/$format": "100:0"})
    assert thing is not None
    assert [p.id for p in thing.nodes[0].properties] == ["on"]


def test_only_changes_are_news() -> None:
    flat = Flat()
    assert flat.take("$name", b"Lamp")
    assert not flat.take("$name", b"Lamp")
    assert flat.take("$name", b"")
    assert not flat.take("$stats/uptime", b"12")
    assert not flat.take("light/on/deeper/$name", b"x")


def test_a_device_that_describes_without_end() -> None:
    flat = Flat()
    for number in range(MAX_ATTRIBUTES):
        flat.take(f"n{number}/$name", b"x")
    with pytest.raises(PayloadError, match="too much"):
        flat.take("another/$name", b"x")
    with pytest.raises(PayloadError):
        Flat().take("$name", b"x" * 1_000_000)
