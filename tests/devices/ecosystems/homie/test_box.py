from __future__ import annotations

import pytest

from devices.ecosystems.homie.box import MAX_ALERTS, MAX_EARLY, Box
from devices.ecosystems.homie.document import read_document
from tests.devices.ecosystems.homie.test_document import document
from tests.devices.ecosystems.homie.test_parts import SWITCH

pytestmark = pytest.mark.unit


def box() -> Box:
    nodes = {"left": {"properties": {"on": SWITCH}}, "right": {"properties": {"on": SWITCH}}}
    return Box("5/x", "homie/5/x", thing=read_document(document(nodes=nodes), "x"))


def test_a_value_is_that_of_its_part() -> None:
    made = box()
    assert list(made.show(lambda _: True)) == ["homie-5-x-left", "homie-5-x-right"]
    assert made.told("right/on", b"true") == ("homie-5-x-right", {"on": True})
    assert made.told("nowhere/on", b"true") is None


def test_an_id_that_another_device_has_is_not_taken() -> None:
    made = box()
    assert list(made.show(lambda device_id: "left" not in device_id)) == ["homie-5-x-right"]
    assert made.told("left/on", b"true") is None


def test_what_comes_early_is_kept_within_bounds() -> None:
    made = box()
    for number in range(MAX_EARLY + 10):
        made.told(f"n/{number}", b"1")
    made.told("n/long", b"x" * 10_000)
    assert len(made.early) == MAX_EARLY


def test_an_alert_is_new_once() -> None:
    made = box()
    assert [made.alert("a", text) for text in ("stuck", "stuck", "", "stuck")] == [
        *(True, False, False, True)
    ]
    assert sum(made.alert(f"k{number}", "x") for number in range(100)) == MAX_ALERTS - 1


def test_a_complaint_names_its_part_or_is_about_the_last() -> None:
    made = box()
    made.show(lambda _: True)
    made.last = "homie-5-x-left"
    assert made.part_of("right/on was refused") == "homie-5-x-right"
    assert made.part_of("no") == "homie-5-x-left"


@pytest.mark.parametrize(
    ("state", "known", "online", "gone"),
    [
        ("", False, False, False),
        ("init", False, False, False),
        ("ready", True, True, False),
        ("alert", True, True, False),
        ("sleeping", True, True, False),
        ("lost", True, False, True),
        ("disconnected", True, False, True),
    ],
)
def test_states(state: str, known: bool, online: bool, gone: bool) -> None:
    made = box()
    made.state = state
    assert (made.describable, made.online, made.gone) == (known, online, gone)
