"""One target under atheris: `python -m tests.fuzz.one TARGET FOLDER [libFuzzer options]`."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["gateway", "devices"]):
    from tests.fuzz.targets import targets

    # Here: some decoders are imported when they are made.
    TARGETS = targets()


def main(name: str, *options: str) -> None:
    """Fuzz until the options say stop; a fault ends the process with its traceback."""
    atheris.Setup([sys.argv[0], *options], TARGETS[name].feed)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
