from __future__ import annotations

import pytest

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant.components import SILENT, part_of
from tests.devices.ecosystems.homeassistant.building import entity, part

pytestmark = pytest.mark.unit


def test_what_a_voice_could_not_use_is_left_out_without_a_word() -> None:
    for component in SILENT:
        assert part(component, cmd_t="a", stat_t="b").capabilities == ()


def test_an_unknown_component_is_an_error() -> None:
    with pytest.raises(PayloadError, match="no such component"):
        part("teleporter", cmd_t="a")


@pytest.mark.parametrize(
    "fields",
    [
        {"ent_cat": "config"},
        {"ent_cat": "diagnostic"},
        {"en": False},
        {"label": "Permit join"},
        {"label": "Restart"},
        {"dev_cla": "restart"},
        {"cmd_t": "zigbee2mqtt/bridge/request/permit_join"},
        {"cmd_t": "home/z2m/bridge/request/device/remove"},
        {"cmd_t": "zwave/_CLIENTS/ZWAVE_GATEWAY/api/hardReset/set"},
        {"cmd_t": "nobody/else"},
    ],
)
def test_what_changes_the_device_is_left_out(fields: dict[str, object]) -> None:
    for component in ("switch", "button"):
        assert part(component, **{"cmd_t": "a/set", **fields}).capabilities == ()  # type: ignore[arg-type]


def test_what_only_mentions_a_bridge_stays() -> None:
    assert part("switch", cmd_t="garden/bridge/light/set").capabilities


def test_a_light_is_a_light_whatever_it_is_called() -> None:
    assert part("light", label="Wi-Fi status", cmd_t="a/set").capabilities
    assert part("climate", label="Backup heater", mode_cmd_t="a/set").capabilities


def test_a_sensor_may_tell_of_an_update() -> None:
    assert part("sensor", label="Last update", stat_t="s").capabilities


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(PayloadError):
        part_of(entity("switch", cmd_t="a/#"), "x")
