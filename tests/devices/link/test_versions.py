from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.link.reconnect import Verdict
from devices.link.versions import VersionChoice

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("verdict", [Verdict.VERSION, Verdict.SILENT])
def test_3_1_1_is_tried_at_once_and_kept_when_it_works(verdict: Verdict) -> None:
    choice = VersionChoice("auto")
    assert choice.version == "5"
    assert choice.learn(verdict) is True
    assert choice.version == "3.1.1"
    assert choice.learn(Verdict.LOST) is False
    assert choice.learn(Verdict.SILENT) is False
    assert choice.version == "3.1.1"


def test_a_broker_that_knows_5_and_restarts_keeps_5() -> None:
    choice = VersionChoice("auto")
    for verdict in (Verdict.LOST, Verdict.SILENT, Verdict.UNREACHABLE, Verdict.SILENT):
        assert choice.learn(verdict) is False
        assert choice.version == "5"


def test_a_broker_that_is_replaced_by_an_older_one() -> None:
    choice = VersionChoice("auto")
    choice.learn(Verdict.LOST)
    assert choice.learn(Verdict.VERSION) is True
    assert choice.version == "3.1.1"


@pytest.mark.parametrize("wanted", ["5", "3.1.1"])
@given(verdicts=st.lists(st.sampled_from(Verdict)))
def test_a_fixed_version_stays(wanted: str, verdicts: list[Verdict]) -> None:
    choice = VersionChoice(wanted)
    assert not any(choice.learn(verdict) for verdict in verdicts)
    assert choice.version == wanted


@given(st.lists(st.sampled_from(Verdict)))
def test_two_attempts_without_a_pause_never_follow_each_other(verdicts: list[Verdict]) -> None:
    choice = VersionChoice("auto")
    learned = [choice.learn(verdict) for verdict in verdicts]
    assert not any(a and b for a, b in itertools.pairwise(learned))
