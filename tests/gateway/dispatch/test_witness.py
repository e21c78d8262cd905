from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Evidence, Scalar
from devices.ecosystems.base import Proof, StateReport
from gateway.dispatch.witness import Finding, Witness

pytestmark = pytest.mark.unit


def report(
    evidence: Evidence = Evidence.REPORTED, live: bool = True, **state: Scalar
) -> StateReport:
    return StateReport("lamp", state, live=live, evidence=evidence)


def echo(**state: Scalar) -> StateReport:
    return report(Evidence.ECHOED, **state)


ON = Proof(Evidence.REPORTED, {"on": True})
OPEN = Proof(Evidence.SETTLED, {"position": 100})


def test_the_device_itself_says_so() -> None:
    witness = Witness(ON)
    assert witness.hear(report(on=True)) is Finding.DONE
    assert witness.evidence is Evidence.REPORTED
    assert witness.state == {"on": True}


def test_what_the_broker_kept_proves_nothing() -> None:
    witness = Witness(ON)
    assert witness.hear(report(live=False, on=True)) is Finding.NOTHING
    assert not witness.state


def test_an_echo_is_not_enough_where_the_device_must_speak() -> None:
    witness = Witness(ON)
    assert witness.hear(echo(on=True)) is Finding.ECHOED
    witness.asked()
    assert witness.hear(echo(on=True)) is Finding.DONE


def test_an_echo_that_the_read_back_denies() -> None:
    witness = Witness(ON)
    witness.hear(echo(on=True))
    assert witness.contradiction == ""
    witness.asked()
    assert witness.hear(echo(on=False)) is Finding.NOTHING
    assert witness.contradiction == "on"


def test_an_echo_that_comes_after_the_question_is_no_answer() -> None:
    witness = Witness(ON)
    witness.asked()
    assert witness.hear(echo(on=True)) is Finding.ECHOED
    witness.asked()
    assert witness.hear(echo(on=False)) is Finding.NOTHING
    assert witness.contradiction == "on"


def test_each_attempt_may_still_be_echoed() -> None:
    witness = Witness(ON)
    witness.sent_again()
    witness.hear(echo(on=True))
    witness.asked()
    assert witness.hear(echo(on=True)) is Finding.ECHOED
    witness.asked()
    assert witness.hear(echo(on=True)) is Finding.DONE


def test_a_denial_is_never_an_echo() -> None:
    witness = Witness(ON)
    witness.asked()
    assert witness.hear(echo(on=False)) is Finding.NOTHING
    assert witness.contradiction == "on"
    assert witness.hear(echo(on=True)) is Finding.ECHOED
    assert witness.contradiction == "on"


def test_an_echo_is_enough_where_no_more_can_be_had() -> None:
    assert Witness(Proof(Evidence.ECHOED, {"on": True})).hear(echo(on=True)) is Finding.DONE


def test_the_answer_may_come_in_pieces() -> None:
    witness = Witness(Proof(Evidence.ECHOED, {"on": True, "brightness": 50}))
    assert witness.hear(echo(on=True)) is Finding.NOTHING
    assert witness.hear(echo(brightness=50)) is Finding.DONE


def test_another_value_is_waited_out() -> None:
    witness = Witness(Proof(Evidence.REPORTED, {"brightness": 50}))
    assert witness.hear(report(brightness=20)) is Finding.NOTHING
    assert witness.hear(report(brightness=50)) is Finding.DONE


def test_a_cover_on_its_way() -> None:
    witness = Witness(OPEN)
    assert witness.hear(report(position=0, moving=True)) is Finding.PROGRESS
    assert witness.hear(report(position=60, moving=True)) is Finding.PROGRESS
    assert witness.hear(report(position=100, moving=True)) is Finding.PROGRESS
    assert witness.hear(report(position=100, moving=False)) is Finding.DONE


def test_a_cover_that_never_says_whether_it_moves() -> None:
    witness = Witness(OPEN)
    assert witness.hear(echo(position=100)) is Finding.ECHOED
    assert witness.hear(echo(position=25)) is Finding.PROGRESS
    witness.asked()
    assert witness.hear(echo(position=100)) is Finding.DONE


def test_a_cover_that_jams() -> None:
    witness = Witness(OPEN)
    witness.hear(report(position=10, moving=True))
    assert witness.hear(report(position=40, moving=False)) is Finding.STUCK
    assert witness.contradiction == "position"


def test_a_cover_that_jams_and_never_says_whether_it_moves() -> None:
    witness = Witness(OPEN)
    for position in (100, 10, 40):
        witness.hear(echo(position=position))
    witness.asked()
    assert witness.hear(echo(position=50)) is Finding.PROGRESS
    assert witness.hear(echo(position=50)) is Finding.PROGRESS
    witness.asked()
    assert witness.hear(echo(position=50)) is Finding.STUCK


def test_a_cover_that_has_not_started_yet_is_not_stuck() -> None:
    witness = Witness(OPEN)
    assert witness.hear(report(position=0, moving=False)) is Finding.NOTHING


def test_a_command_that_only_an_acknowledgement_can_prove() -> None:
    assert Witness(Proof()).hear(report(on=True)) is Finding.NOTHING


@given(
    st.lists(
        st.builds(
            StateReport,
            st.just("lamp"),
            st.dictionaries(
                st.sampled_from(["on", "position", "moving"]),
                st.booleans() | st.integers(0, 100) | st.none(),
            ),
            st.booleans(),
            st.sampled_from(Evidence),
        )
    ),
    st.sampled_from([ON, OPEN, Proof(Evidence.ECHOED, {"on": True})]),
)
def test_done_always_has_what_was_asked_for_live(reports: list[StateReport], proof: Proof) -> None:
    witness = Witness(proof)
    live: dict[str, Scalar] = {}
    for heard in reports:
        live |= heard.state if heard.live else {}
        if witness.hear(heard) is Finding.DONE:
            assert all(
                live[key] == value or key == "position" for key, value in proof.state.items()
            )
            assert not (proof is OPEN and live.get("moving") is True)
            assert witness.evidence >= min(proof.needs, Evidence.REPORTED)
