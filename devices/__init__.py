"""Everything beyond the tool call: contract, wire, ecosystems, and the device's own side.

Nothing here imports `gateway`; a device maker can use this package alone.
"""
