"""The Homie convention, versions 3 to 5: devices that describe themselves topic by topic."""
