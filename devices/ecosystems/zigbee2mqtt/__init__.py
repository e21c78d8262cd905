"""Zigbee2MQTT: whatever its bridge announces, with the acknowledgements that it really gives."""
