"""What a device and the gateway agree on: pure data and text, no I/O, no clock."""
