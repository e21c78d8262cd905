"""The record of what was asked, what was sent and what happened, in one SQLite file."""
