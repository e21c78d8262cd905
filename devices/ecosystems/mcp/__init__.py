"""MCP over MQTT: devices that bring tools of their own."""
