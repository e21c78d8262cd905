"""Tasmota firmware: its own discovery, commands, replies and telemetry over MQTT."""
