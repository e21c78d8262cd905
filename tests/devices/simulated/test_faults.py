from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.simulated.faults import NO_FAULTS, Faults, Lie, parse_fault, parse_faults

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", NO_FAULTS),
        ("drop=2,delay_s=0.3", Faults(drop=2, delay_s=0.3)),
        (" silent , ", Faults(silent=True)),
        ("silent=false", NO_FAULTS),
        ("offline=true,lose_acks=1", Faults(offline=True, lose_acks=1)),
        ("lie=contradict,repeat=3", Faults(lie=Lie.CONTRADICT, repeat=3)),
        ("garble=1,noise=2", Faults(garble=1, noise=2)),
    ],
)
def test_faults_are_written_as_text(text: str, faults: Faults) -> None:
    assert parse_faults(text) == faults


def test_a_fault_names_its_device() -> None:
    assert parse_fault("kitchen-light:drop=2") == ("kitchen-light", Faults(drop=2))


@pytest.mark.parametrize("text", ["kitchen-light", "kitchen-light:", ":drop=2", ""])
def test_a_fault_without_its_device_says_how_to_write_it(text: str) -> None:
    with pytest.raises(ValueError, match="DEVICE:NAME=VALUE"):
        parse_fault(text)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("explode=1", "no fault 'explode'; known: drop, lose_acks, delay_s"),
        ("drop", "'' is no value for the fault drop"),
        ("drop=two", "'two' is no value for the fault drop"),
        ("drop=-1", "'-1' is no value for the fault drop"),
        ("drop=1.5", "'1.5' is no value for the fault drop"),
        ("delay_s=nan", "'nan' is no value for the fault delay_s"),
        ("delay_s=inf", "'inf' is no value for the fault delay_s"),
        ("lie=white", "'white' is no value for the fault lie"),
        ("silent=maybe", "'maybe' is no value for the fault silent"),
    ],
)
def test_a_wrong_fault_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_faults(text)


@given(st.text(max_size=40))
def test_any_text_is_faults_or_one_kind_of_error(text: str) -> None:
    try:
        assert isinstance(parse_faults(text), Faults)
    except ValueError:
        assert text.strip(" ,")
