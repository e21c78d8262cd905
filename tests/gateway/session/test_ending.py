from __future__ import annotations

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import (
    ExpiredError,
    FatalError,
    NetworkError,
    OperatorError,
    SessionError,
    TransientError,
)
from gateway.providers.base import Refusal, Refused
from gateway.session.ending import (
    BadAuthority,
    BadUrl,
    Closed,
    HttpRefused,
    NotConnected,
    NoWebSocket,
    Silent,
    Told,
    classify,
)

pytestmark = pytest.mark.unit


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("wss://host?license=secret")
    error.verify_code = code
    return error


@pytest.mark.parametrize("code", [None, 1000, 1001, 1005, 1006, 1002, 1007, 1011, 1012, 1013, 1014])
def test_an_ordinary_end_is_tried_again(code: int | None) -> None:
    assert isinstance(classify(Closed(code)), TransientError)


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_a_session_that_worked_may_simply_be_over(code: int) -> None:
    assert type(classify(Closed(code, "session expired", was_ready=True))) is ExpiredError
    assert type(classify(Closed(code, "session expired"))) is TransientError


@pytest.mark.parametrize("end", [Closed(None), Closed(1011, by_us=True)])
def test_a_connection_that_broke_or_went_mute_is_a_network_matter(end: Closed) -> None:
    assert isinstance(classify(end), NetworkError)


@pytest.mark.parametrize(
    ("why", "kind"),
    [
        (Refusal.NOT_ALLOWED, OperatorError),
        (Refusal.NO_BALANCE, OperatorError),
        (Refusal.TOO_MANY, TransientError),
        (Refusal.NO_CAPACITY, TransientError),
        (Refusal.BROKEN, TransientError),
        (Refusal.ENDED, TransientError),
    ],
)
def test_what_the_service_says_has_its_consequence(why: Refusal, kind: type[SessionError]) -> None:
    error = classify(Told(Refused(why, "NavTalk", "Sorry (5)", "check the avatar")))
    assert type(error) is kind
    for part in ("NavTalk", "Sorry (5)", "check the avatar"):
        assert part in str(error)
    assert str(classify(Told(Refused(why, "NavTalk")))) != str(error)


def test_a_told_end_of_a_session_that_worked_is_simply_over() -> None:
    assert type(classify(Told(Refused(Refusal.ENDED, "X"), was_ready=True))) is ExpiredError


def test_too_many_connections_ask_for_a_longer_pause() -> None:
    error = classify(Told(Refused(Refusal.TOO_MANY, "NavTalk")))
    assert isinstance(error, TransientError)
    assert error.retry_after_s == 30


@pytest.mark.parametrize("code", [1003, 1008, 1010])
def test_a_service_that_dislikes_us_from_the_start_asks_the_operator(code: int) -> None:
    assert isinstance(classify(Closed(code)), OperatorError)
    assert isinstance(classify(Closed(code, was_ready=True)), TransientError)


@pytest.mark.parametrize("code", [3000, 3003, 4001, 4003, 4401, 4403])
def test_codes_for_you_may_not_ask_the_operator(code: int) -> None:
    assert isinstance(classify(Closed(code, was_ready=True)), OperatorError)


@pytest.mark.parametrize("reason", ["Insufficient points", "invalid LICENSE", "Unauthorized"])
def test_the_reason_of_a_normal_close_may_ask_the_operator(reason: str) -> None:
    error = classify(Closed(1000, reason, was_ready=True))
    assert isinstance(error, OperatorError)
    assert reason in str(error)


def test_who_found_a_message_too_large_is_said() -> None:
    assert "the service sent a message too large" in str(classify(Closed(1009, by_us=True)))
    assert "found our message too large" in str(classify(Closed(1009)))


def test_pings_without_an_answer_are_a_service_that_does_not_answer() -> None:
    assert "does not answer" in str(classify(Closed(1011, "keepalive ping timeout", by_us=True)))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, OperatorError),
        (402, OperatorError),
        (403, OperatorError),
        (400, FatalError),
        (404, FatalError),
        (414, FatalError),
        (408, TransientError),
        (429, TransientError),
        (500, TransientError),
        (503, TransientError),
        (200, OperatorError),
        (302, OperatorError),
    ],
)
def test_each_http_status_has_its_consequence(status: int, kind: type[SessionError]) -> None:
    error = classify(HttpRefused(status))
    assert type(error) is kind
    assert str(status) in str(error)


def test_retry_after_is_kept() -> None:
    error = classify(HttpRefused(429, retry_after_s=12.0))
    assert isinstance(error, TransientError)
    assert error.retry_after_s == 12.0


@pytest.mark.parametrize(
    "cause",
    [
        OSError(),
        TimeoutError(),
        ConnectionRefusedError(),
        ConnectionResetError(),
        socket.gaierror(-2, "x"),
    ],
)
def test_who_reaches_nobody_is_told_so(cause: OSError) -> None:
    assert isinstance(classify(NotConnected(cause)), NetworkError)


@pytest.mark.parametrize("cause", [ssl.SSLError("x"), certificate(9), certificate(10)])
def test_an_encryption_that_fails_is_tried_again_with_time(cause: OSError) -> None:
    assert type(classify(NotConnected(cause))) is TransientError


def test_a_certificate_that_cannot_be_trusted_asks_the_operator_without_the_url() -> None:
    error = classify(NotConnected(certificate(18)))
    assert isinstance(error, OperatorError)
    assert "secret" not in str(error)


def test_a_bad_url_is_fatal_and_a_stranger_at_the_url_is_not() -> None:
    assert isinstance(classify(BadUrl()), FatalError)
    assert isinstance(classify(NoWebSocket()), TransientError)
    assert isinstance(classify(Silent()), TransientError)


def test_a_file_of_authorities_is_for_people_to_mend() -> None:
    error = classify(BadAuthority())
    assert isinstance(error, OperatorError)
    assert "session.ca_file" in str(error)


@given(st.none() | st.integers(0, 5000), st.text(), st.booleans(), st.booleans())
def test_every_close_is_classified_in_one_printable_line(
    code: int | None, reason: str, by_us: bool, was_ready: bool
) -> None:
    error = classify(Closed(code, reason, by_us, was_ready))
    assert isinstance(error, TransientError | OperatorError)
    assert "\n" not in str(error)
