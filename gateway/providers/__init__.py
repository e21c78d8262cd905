"""Realtime dialects: frames in, events out, and back. No I/O, no clock."""
