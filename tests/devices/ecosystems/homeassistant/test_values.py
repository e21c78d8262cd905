from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Kind
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError, PayloadError
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    part,
    told,
    unpacked,
)

pytestmark = pytest.mark.unit


def test_a_number_within_its_bounds() -> None:
    made = part("number", cmd_t="n/set", stat_t="n", min=5, max=30, step=0.5, unit_of_meas="°C")
    assert made.capabilities == (Capability(Kind.NUMBER, "Thing", 5, 30, 0.5, "°C"),)
    change = made.values["Thing"]
    assert unpacked(change(15)) == ([("n/set", "15")], {"Thing": 15}, ECHOED)
    assert unpacked(change("21.5"))[0] == [("n/set", "21.5")]
    assert told(made, "n", "15.0") == {"Thing": 15}
    for wrong in (4, 31, "x", None, True):
        with pytest.raises(CommandRefusedError):
            change(wrong)


def test_a_number_whose_bounds_make_no_sense() -> None:
    with pytest.raises(PayloadError):
        part("number", cmd_t="n/set", min=5, max=1)


def test_a_choice_is_shown_clean_and_sent_raw() -> None:
    made = part("select", cmd_t="s/set", stat_t="s", ops=["Eco", "Full\tpower"])
    assert made.capabilities[0].options == ("Eco", "Full power")
    change = made.values["Thing"]
    assert unpacked(change("Full power")) == (
        [("s/set", "Full\tpower")],
        {"Thing": "Full power"},
        ECHOED,
    )
    assert told(made, "s", "Full\tpower") == {"Thing": "Full power"}
    assert told(made, "s", "Turbo") == {}
    with pytest.raises(CommandRefusedError):
        change("Turbo")


def test_a_text_of_the_right_length() -> None:
    made = part("text", cmd_t="t/set", stat_t="t", min=1, max=5)
    assert unpacked(made.values["Thing"]("hello"))[1] == {"Thing": "hello"}
    wrong: tuple[Scalar, ...] = ("", "too long", 7)
    for value in wrong:
        with pytest.raises(CommandRefusedError):
            made.values["Thing"](value)


def test_a_password_is_nothing_for_a_voice() -> None:
    assert part("text", cmd_t="t/set", mode="password").capabilities == ()


@pytest.mark.parametrize(
    ("component", "kind", "word"), [("button", Kind.BUTTON, "PRESS"), ("scene", Kind.SCENE, "ON")]
)
def test_a_press_is_never_confirmed(component: str, kind: Kind, word: str) -> None:
    made = part(component, cmd_t="b/set")
    assert made.capabilities[0].kind is kind
    assert unpacked(made.presses["Thing"]()) == ([("b/set", word)], {}, PUBLISHED)


@pytest.mark.parametrize("component", ["number", "select", "text", "button", "scene"])
def test_without_a_topic_there_is_nothing(component: str) -> None:
    assert part(component, ops=["a"]).capabilities == ()
