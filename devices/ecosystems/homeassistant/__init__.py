"""Home Assistant's MQTT discovery: announcements, templates and components, without I/O."""
