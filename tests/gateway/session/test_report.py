from __future__ import annotations

import logging

import pytest

from gateway.errors import OperatorError, TransientError
from gateway.session.report import Report

pytestmark = pytest.mark.unit


def test_each_kind_of_failure_is_told_to_people_once_in_a_row(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    report = Report()
    for _ in range(3):
        report.failed(OperatorError("the licence is wrong"), "looking again in 300 s")
        report.failed(TransientError("it failed"), "trying again in 1.0 s")
    levels = [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "WARNING"] + ["DEBUG"] * 4
    assert caplog.records[0].message == "the licence is wrong; looking again in 300 s"


def test_recovery_is_told_and_what_fails_after_it_is_news(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    report = Report()
    report.live()
    assert caplog.text == ""
    report.silent()
    report.live()
    report.worked()
    report.silent()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "WARNING"]
