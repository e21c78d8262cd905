from __future__ import annotations

import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import FatalError, OperatorError, SessionError, TransientError
from gateway.session.ending import BadUrl, Closed, HttpRefused, NotConnected, NoWebSocket, classify

pytestmark = pytest.mark.unit


def certificate(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("wss://host?license=secret")
    error.verify_code = code
    return error


@pytest.mark.parametrize("code", [None, 1000, 1001, 1005, 1006, 1002, 1007, 1011, 1012, 1013, 1014])
def test_an_ordinary_end_is_tried_again(code: int | None) -> None:
    assert isinstance(classify(Closed(code)), TransientError)


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
        ssl.SSLError("x"),
        certificate(9),
        certificate(10),
    ],
)
def test_a_network_that_is_not_there_yet_is_tried_again(cause: OSError) -> None:
    assert isinstance(classify(NotConnected(cause)), TransientError)


def test_a_certificate_that_cannot_be_trusted_asks_the_operator_without_the_url() -> None:
    error = classify(NotConnected(certificate(18)))
    assert isinstance(error, OperatorError)
    assert "secret" not in str(error)


def test_a_bad_url_is_fatal_and_a_stranger_at_the_url_is_not() -> None:
    assert isinstance(classify(BadUrl()), FatalError)
    assert isinstance(classify(NoWebSocket()), TransientError)


@given(st.none() | st.integers(0, 5000), st.text(), st.booleans(), st.booleans())
def test_every_close_is_classified_in_one_printable_line(
    code: int | None, reason: str, by_us: bool, was_ready: bool
) -> None:
    error = classify(Closed(code, reason, by_us, was_ready))
    assert isinstance(error, TransientError | OperatorError)
    assert "\n" not in str(error)
