from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Capability, Description, Kind
from devices.ecosystems.base import Traits
from gateway.directory import Device
from gateway.outcome import Outcome, Status
from gateway.tools.kinds import KIND_WORDS
from gateway.tools.names import fold
from gateway.tools.target import House, Match

pytestmark = pytest.mark.unit


def device(
    device_id: str, name: str, area: str, *kinds: str, aliases: tuple[str, ...] = ()
) -> Device:
    capabilities = tuple(Capability(Kind(kind)) for kind in kinds)
    description = Description(device_id, name, area, aliases, capabilities)
    return Device(device_id, "native", Traits(True, False), description)


HOUSE = House(
    [
        device("k1", "Kitchen light", "Kitchen", "power", "brightness", aliases=("ceiling light",)),
        device("k2", "Counter lamp", "Kitchen", "power"),
        device("k3", "Coffee machine", "Kitchen", "power"),
        device("k4", "Blind", "Kitchen", "cover"),
        device("h1", "Lamp", "Hall", "power", "brightness"),
        device("h2", "Front door", "Hall", "lock", "brightness"),
        device("b1", "Lamp", "Bedroom", "power", "brightness"),
        device("b2", "Bedroom blind", "Bedroom", "cover"),
        device("g1", "Garage door", "Garage", "cover"),
        device("s1", "Anna's lamp", "Kids\u2019 room", "power"),
        device("x1", "客厅灯", "客厅", "power", "brightness"),
        device("x2", "Küchenlüfter", "Küche", "fan", "power"),
        device("x3", "रसोई की बत्ती", "", "power"),
    ]
)


def ids(text: str, verb: str = "turn_on") -> set[str]:
    found = HOUSE.resolve(text, verb)
    return {e.id for e in found.entries} if isinstance(found, Match) else set()


def refusal(text: str, verb: str = "turn_on") -> Outcome:
    found = HOUSE.resolve(text, verb)
    assert isinstance(found, Outcome), found
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kitchen light", {"k1"}),
        ("the KITCHEN  light!", {"k1"}),
        ("ceiling light", {"k1"}),
        ("my coffee machine", {"k3"}),
        ("Anna\u2019s lamp", {"s1"}),
        ("Anna's lamp", {"s1"}),
        ("客厅灯", {"x1"}),
        ("KÜCHENLÜFTER", {"x2"}),
        ("Ku\u0308chenlu\u0308fter", {"x2"}),
        ("रसोई की बत्ती", {"x3"}),
        ("kitchen coffee machine", {"k3"}),
        ("coffee machine in the kitchen", {"k3"}),
        ("hall lamp", {"h1"}),
        ("the lamp in the bedroom", {"b1"}),
        ("b1", {"b1"}),
    ],
)
def test_a_name_means_one_device(text: str, expected: set[str]) -> None:
    assert ids(text) == expected


@pytest.mark.parametrize(
    ("text", "verb", "expected"),
    [
        ("kitchen", "turn_on", {"k1", "k2", "k3"}),
        ("the kitchen", "set_cover", {"k4"}),
        ("kitchen lights", "turn_on", {"k1", "k2"}),
        ("the lights in the kitchen", "turn_on", {"k1", "k2"}),
        ("all the lights in the kitchen", "turn_on", {"k1", "k2"}),
        ("all of the kitchen lights", "turn_off", {"k1", "k2"}),
        ("all lights", "turn_on", {"k1", "k2", "h1", "b1", "s1", "x1"}),
        ("lights", "turn_off", {"k1", "k2", "h1", "b1", "s1", "x1"}),
        ("everything in the kitchen", "turn_off", {"k1", "k2", "k3"}),
        ("all blinds", "set_cover", {"k4", "b2"}),
        ("all covers", "set_cover", {"k4", "b2", "g1"}),
        ("all doors", "unlock", {"h2"}),
        ("all doors", "set_cover", {"g1"}),
        ("everything", "unlock", {"h2"}),
        ("kids room", "turn_on", {"s1"}),
    ],
)
def test_areas_and_kinds_mean_groups(text: str, verb: str, expected: set[str]) -> None:
    assert ids(text, verb) == expected


def test_all_lights_is_never_a_lock() -> None:
    found = HOUSE.resolve("all lights", "turn_on")
    assert isinstance(found, Match)
    assert all("lock" not in e.kinds for e in found.entries)


@pytest.mark.parametrize(
    "text",
    [
        "moon base",
        "everything in the moon base",
        "all lights in the moon base",
        "moon base lights",
        "kitchen lights in the moon base",
        "all lights except the kitchen",
        "not the kitchen",
        "kitchen and hall",
        "",
        "   ",
        "!!!",
        "the",
        "in",
        "k",
    ],
)
def test_what_is_not_known_acts_on_nothing(text: str) -> None:
    assert refusal(text).status is Status.UNKNOWN_TARGET


def test_an_unknown_name_is_answered_with_near_ones() -> None:
    outcome = refusal("kichen ligt")
    assert outcome.status is Status.UNKNOWN_TARGET
    assert "Kitchen light" in outcome.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kitchn light", {"k1"}),
        ("kitchen lihgt", {"k1"}),
        ("the kitchenn light", {"k1"}),
        ("kitchenlight", {"k1"}),
        ("ceiling ligth", {"k1"}),
        ("cofee machine", {"k3"}),
        ("Kuchenlüfter", {"x2"}),
    ],
)
def test_one_wrong_letter_in_the_name_of_one_harmless_device_is_forgiven(
    text: str, expected: set[str]
) -> None:
    assert ids(text) == expected


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("kichen ligt", "turn_on"),  # two errors
        ("litchen light", "turn_on"),  # the first letter
        ("frond door", "unlock"),  # guarded
        ("front dor", "lock"),
        ("kitchn", "turn_on"),  # a place, and too short
        ("all lihgts", "turn_on"),
        ("the lamp in the bedrom", "turn_on"),
        ("客厅打", "turn_on"),
    ],
)
def test_what_is_less_clear_is_answered_with_the_nearest_names(text: str, verb: str) -> None:
    assert refusal(text, verb).status is Status.UNKNOWN_TARGET


def test_a_typing_error_is_not_forgiven_where_another_name_is_near() -> None:
    house = House(
        [
            device("a", "Reading lamp", "", "power"),
            device("b", "Heading lamp", "", "sensor"),
            device("c", "Shelf light 1", "", "power"),
            device("d", "Shelf light 2", "", "power"),
            device("e", "Mall light", "Hall", "power"),
        ]
    )
    assert isinstance(house.resolve("readinglamp", "turn_on"), Outcome)
    assert isinstance(house.resolve("mill light", "turn_on"), Match)
    assert isinstance(house.resolve("hall light", "turn_off"), Match)
    assert isinstance(house.resolve("shelf light 3", "turn_on"), Outcome)
    one = house.resolve("shelv light 1", "turn_on")
    assert isinstance(one, Match)
    assert [e.id for e in one.entries] == ["c"]


HOME = House(
    [
        device("d1", "Stehlampe", "Wohnzimmer", "power", "brightness"),
        device("d2", "Rollladen", "Wohnzimmer", "cover"),
        device("d3", "Küchenlicht", "Küche", "power"),
        device("d4", "Haustür", "Flur", "lock"),
        device("e1", "Desk lamp", "Office", "power"),
        device("e2", "Desk lamp", "Wohnzimmer", "power"),
        device("j1", "寝室のライト", "寝室", "power", "brightness"),
        device("c1", "客厅灯", "客厅", "power", "brightness"),
        device("c2", "落地灯", "客厅", "power"),
        device("f1", "Lumière", "Entrée", "power"),
        device("s1", "Persiana", "Salón", "cover"),
    ]
)


@pytest.mark.parametrize(
    ("text", "verb", "expected"),
    [
        ("die Stehlampe", "turn_on", {"d1"}),
        ("Stehlampe im Wohnzimmer", "turn_on", {"d1"}),
        ("STEHLANPE", "turn_on", {"d1"}),
        ("Lampen im Wohnzimmer", "turn_off", {"d1", "e2"}),
        ("alle Lichter in der Küche", "turn_on", {"d3"}),
        ("alles im Wohnzimmer", "turn_off", {"d1", "e2"}),
        ("alle Rollläden", "set_cover", {"d2", "s1"}),
        ("Rollladen", "set_cover", {"d2"}),
        ("Küche", "turn_on", {"d3"}),
        ("desk lamp in the office", "turn_on", {"e1"}),
        ("toutes les lumières", "turn_on", {"d1", "d3", "e1", "e2", "j1", "c1", "c2", "f1"}),
        ("la lumière dans l'entrée", "turn_on", set()),
        ("lumière entrée", "turn_on", {"f1"}),
        ("todas las persianas", "set_cover", {"d2", "s1"}),
        ("persiana en el salón", "set_cover", {"s1"}),
        ("寝室のライト", "turn_on", {"j1"}),
        ("寝室の照明", "turn_on", {"j1"}),
        ("客厅的所有灯", "turn_on", set()),
        ("所有的灯", "turn_on", {"d1", "d3", "e1", "e2", "j1", "c1", "c2", "f1"}),
        ("所有客厅的灯", "turn_on", {"c1", "c2"}),
        ("客厅落地灯", "turn_on", {"c2"}),
        ("客厅", "turn_off", {"c1", "c2"}),
        ("厨房的灯", "turn_on", set()),
    ],
)
def test_a_home_with_names_in_several_languages(text: str, verb: str, expected: set[str]) -> None:
    found = HOME.resolve(text, verb)
    assert ({e.id for e in found.entries} if isinstance(found, Match) else set()) == expected


def test_a_name_that_two_devices_have_is_a_question() -> None:
    outcome = refusal("lamp")
    assert outcome.status is Status.UNKNOWN_TARGET
    assert "Lamp in Hall" in outcome.message
    assert "Lamp in Bedroom" in outcome.message


def test_equal_names_in_one_area_are_told_apart_by_id() -> None:
    house = House([device("a1", "Lamp", "Hall", "power"), device("a2", "Lamp", "Hall", "power")])
    outcome = house.resolve("hall lamp", "turn_on")
    assert isinstance(outcome, Outcome)
    assert "a1" in outcome.message
    found = house.resolve("a2", "turn_on")
    assert isinstance(found, Match)
    assert [e.id for e in found.entries] == ["a2"]


def test_a_singular_kind_means_one_or_is_a_question() -> None:
    assert ids("the blind in the kitchen", "set_cover") == {"k4"}
    assert ids("the lock", "unlock") == {"h2"}
    assert "Counter lamp" in refusal("the lamp in the kitchen").message


def test_an_area_without_such_a_device_says_so() -> None:
    outcome = refusal("garage", "lock")
    assert outcome.status is Status.UNKNOWN_TARGET
    assert "Garage" in outcome.message


def test_a_known_device_that_cannot_do_it_says_so() -> None:
    for text in ("the coffee machine", "Kitchen light", "k3"):
        outcome = refusal(text, "unlock")
        assert outcome.status is Status.INVALID
        assert outcome.target in outcome.message


def test_the_verb_decides_between_equal_names() -> None:
    house = House([device("a", "Door", "Hall", "lock"), device("b", "Door", "Hall", "cover")])
    for verb, expected in (("unlock", "a"), ("set_cover", "b")):
        found = house.resolve("door", verb)
        assert isinstance(found, Match)
        assert [e.id for e in found.entries] == [expected]


def test_a_name_comes_before_an_area_of_the_same_name() -> None:
    house = House(
        [device("a", "Kitchen", "Hall", "power"), device("b", "Lamp", "Kitchen", "power")]
    )
    found = house.resolve("kitchen", "turn_on")
    assert isinstance(found, Match)
    assert [e.id for e in found.entries] == ["a"]


def test_an_article_in_a_name_tells_two_devices_apart() -> None:
    house = House([device("a", "The lamp", "", "power"), device("b", "Lamp", "", "power")])
    for text, expected in (("the lamp", "a"), ("lamp", "b")):
        found = house.resolve(text, "turn_on")
        assert isinstance(found, Match)
        assert [e.id for e in found.entries] == [expected]


@given(st.text(max_size=60))
def test_any_text_means_what_it_names_or_nothing(text: str) -> None:
    found = HOUSE.resolve(text, "turn_on")
    if isinstance(found, Outcome):
        assert found.status in {Status.UNKNOWN_TARGET, Status.INVALID}
        assert len(found.message) < 400
        return
    words = set(fold(text).split())
    known = {w for e in HOUSE.entries for w in fold(f"{e.name} {e.area} {e.id}").split()}
    known |= {w for word in KIND_WORDS for w in word.split()} | {"ceiling", "light"}
    assert words & known
    assert all("turn_on" in e.verbs for e in found.entries)


_WORDS = st.sampled_from(
    [
        "the",
        "all",
        "in",
        "kitchen",
        "hall",
        "garage",
        "moon",
        "lights",
        "lamp",
        "light",
        "blind",
        "everything",
        "doors",
        "front",
        "door",
        "of",
        "bedroom",
        "every",
    ]
)


@given(
    st.lists(_WORDS, max_size=6), st.sampled_from(["turn_on", "set_cover", "unlock", "stop", ""])
)
def test_no_phrase_reaches_beyond_the_place_that_it_names(words: list[str], verb: str) -> None:
    found = HOUSE.resolve(" ".join(words), verb)
    if not isinstance(found, Match):
        return
    assert "moon" not in words
    assert found.entries
    assert all(not verb or verb in e.verbs for e in found.entries)
    places = {w for w in words if w in {"kitchen", "hall", "bedroom", "garage"}}
    if places:
        assert {e.area.casefold() for e in found.entries} <= places
    if "lights" in words:
        assert all(e.kind == "light" for e in found.entries)


@given(
    st.lists(
        st.tuples(
            st.text(string.ascii_letters + "äß灯 '-", min_size=1, max_size=12),
            st.sampled_from(["Hall", "Bath", ""]),
        ),
        max_size=12,
    )
)
def test_every_device_is_found_by_its_name_or_is_one_of_several(
    pairs: list[tuple[str, str]],
) -> None:
    devices = [device(f"id{n}", name, area, "power") for n, (name, area) in enumerate(pairs)]
    house = House(devices)
    for wanted in devices:
        if not fold(wanted.name):
            continue
        found: Any = house.resolve(wanted.name, "turn_on")
        same = [d for d in devices if fold(d.name) == fold(wanted.name)]
        if len(same) == 1:
            assert [e.device for e in found.entries] == [wanted]
        else:
            assert isinstance(found, Outcome)


def test_ten_thousand_devices_are_found_as_quickly_as_ten() -> None:
    house = House(device(f"d{n}", f"Lamp {n}", f"Room {n % 90}", "power") for n in range(10_000))
    found = house.resolve("lamp 9123", "turn_on")
    assert isinstance(found, Match)
    assert [e.id for e in found.entries] == ["d9123"]
    assert len(house.resolve("room 7 lights", "turn_on").entries) == 112  # type: ignore[union-attr]
