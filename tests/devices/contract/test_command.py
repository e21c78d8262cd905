from __future__ import annotations

import pytest

from devices.contract.command import Ack, AckStatus, Evidence, new_command_id

pytestmark = pytest.mark.unit


def test_the_last_four_words_are_final() -> None:
    assert [s.value for s in AckStatus if s.final] == ["succeeded", "failed", "rejected", "expired"]


@pytest.mark.parametrize(
    ("status", "state", "evidence"),
    [
        (AckStatus.ACCEPTED, {}, Evidence.ACCEPTED),
        (AckStatus.IN_PROGRESS, {"moving": False}, Evidence.ACCEPTED),
        (AckStatus.SUCCEEDED, {"on": True}, Evidence.REPORTED),
        (AckStatus.SUCCEEDED, {"moving": True}, Evidence.REPORTED),
        (AckStatus.SUCCEEDED, {"position": 40, "moving": False}, Evidence.SETTLED),
    ],
)
def test_how_much_an_acknowledgement_proves(
    status: AckStatus, state: dict[str, bool | int], evidence: Evidence
) -> None:
    assert Ack("c1", status, state).evidence is evidence


def test_evidence_is_ordered_from_hope_to_certainty() -> None:
    assert Evidence.PUBLISHED < Evidence.BROKER_ACKED < Evidence.ACCEPTED < Evidence.ECHOED
    assert Evidence.ECHOED < Evidence.REPORTED < Evidence.SETTLED


def test_command_ids_differ_and_fit_the_contract() -> None:
    ids = {new_command_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(command_id) == 26 and command_id.isalnum() for command_id in ids)
