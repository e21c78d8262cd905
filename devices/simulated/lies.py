"""How a simulated device of another ecosystem misbehaves.

Those devices keep no ids and acknowledge nothing by name, so their faults are other ones than
those of native devices.
"""

from __future__ import annotations

from enum import StrEnum


class Lie(StrEnum):
    """What is wrong with it."""

    NONE = "none"
    ECHO = "echo"
    """repeats what it was told and does nothing"""
    REFUSE = "refuse"
    """says no, in its ecosystem's way"""
    SILENT = "silent"
    """hears nothing and says nothing, although it is there"""
    OFFLINE = "offline"
    """gone, and its will says so"""
    JAM = "jam"
    """starts to move and stops half-way"""
