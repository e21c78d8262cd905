"""Shelly devices of all generations: RPC over MQTT (2 and later), and plain topics (1)."""
