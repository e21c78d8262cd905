from __future__ import annotations

import ssl
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.link.options import Address, MqttOptions

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", Address("broker", 1883, tls=False, path=None)),
        ("mqtts://broker.lan/", Address("broker.lan", 8883, tls=True, path=None)),
        ("ws://broker", Address("broker", 80, tls=False, path="/mqtt")),
        ("wss://broker/a/b?c=d", Address("broker", 443, tls=True, path="/a/b?c=d")),
        ("mqtt://192.168.1.2:18830", Address("192.168.1.2", 18830, tls=False, path=None)),
        ("mqtt://[::1]:1884", Address("::1", 1884, tls=False, path=None)),
        ("mqtt://u:p@broker_1", Address("broker_1", 1883, tls=False, path=None)),
    ],
)
def test_where_a_url_leads(url: str, address: Address) -> None:
    assert MqttOptions(url=url).address == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "broker",
        "http://broker",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://u:s3cret@",
        "mqtt://u:s3cret@broker:99999",
        "mqtt://u:s3cret@broker:port",
        "mqtt://u:s3cret@broker:0",
        "mqtt://u:s3cret@bro ker",
        "mqtt://u:s3cret@[::1",
        "mqtt://u:s3cret@broker/path",
        "mqtt://u:s3cret@-broker",
    ],
)
def test_urls_that_lead_nowhere_are_refused_without_showing_a_secret(url: str) -> None:
    with pytest.raises(ValueError, match="the MQTT url") as caught:
        MqttOptions(url=url)
    assert "s3cret" not in str(caught.value)


def test_a_user_in_the_url_counts_unless_one_is_given() -> None:
    options = MqttOptions(url="mqtt://us%40er:pass%2Fword@broker")
    assert (options.username, options.password) == ("us@er", "pass/word")
    options = MqttOptions(url="mqtt://user:word@broker", username="me", password="mine")
    assert (options.username, options.password) == ("me", "mine")


def test_secrets_are_not_shown() -> None:
    shown = repr(MqttOptions(url="mqtt://user:s3cret@broker", key_file="/k/s3cret.pem"))
    assert "s3cret" not in shown
    assert "broker" in shown


def test_a_client_without_an_id_gets_one_of_its_own() -> None:
    ids = {MqttOptions().client_id for _ in range(10)}
    assert len(ids) == 10
    assert all(ids)


@pytest.mark.parametrize("bad", [{"keepalive_s": 0}, {"keepalive_s": 65_536}, {"protocol": "4"}])
def test_numbers_out_of_range(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"keepalive_s|protocol"):
        MqttOptions(**bad)


def test_tls_checks_the_certificate_and_the_host() -> None:
    assert MqttOptions().tls_context() is None
    context = MqttOptions(url="mqtts://broker").tls_context()
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_a_value_error(text: str) -> None:
    for url in (text, f"mqtt://{text}"):
        try:
            options = MqttOptions(url=url)
        except ValueError:
            continue
        assert options.address.host
        assert 0 < options.address.port < 65_536


def test_nothing_secret_is_in_what_a_log_may_show() -> None:
    options = MqttOptions(
        url="wss://sk-user:sk-password@broker/mqtt?token=sk-token",
        username="sk-user",
        password="sk-password",
        key_file="/etc/sk-key",
    )
    assert "sk-" not in f"{options!r} {options} {options.address!r} {options.address}"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"ca_file": "/nowhere/ca"}, r"ca_file /nowhere/ca .*no such file"),
        ({"ca_file": __file__}, r"ca_file .*no_certificate"),
        ({"cert_file": "/nowhere/cert"}, r"cert_file /nowhere/cert or its key_file .*no such"),
        ({"cert_file": __file__}, r"cert_file .* or its key_file"),
    ],
)
def test_a_tls_file_that_cannot_be_used_is_named(files: dict[str, str], words: str) -> None:
    with pytest.raises(OSError, match=f"(?i){words}"):
        MqttOptions(url="mqtts://broker", **files).tls_context()
