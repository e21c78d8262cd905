"""The wire: MQTT messages out and in, over a real broker or an in-process one."""
