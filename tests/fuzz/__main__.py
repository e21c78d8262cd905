"""`make fuzz`: every target under atheris for its share of the time, one after the other.

What was found to be worth trying stays in `.fuzz/TARGET`, what broke a decoder in
`.fuzz/crashes`. Ends with 1 when something did.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import Target, targets

FOLDER = Path(__file__).parents[2] / ".fuzz"
LONGEST_INPUT_BYTES = 4096
# One input, and what a run may hold: far above what any honest one takes.
ONE_INPUT_S = 10
MEMORY_MB = 2048
# An input that libFuzzer has to be stopped at.
GRACE_S = 60


def main() -> int:
    """Fuzz what the command line names, or everything."""
    known = targets()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=int, default=600, help="for all targets together")
    parser.add_argument("name", nargs="*", metavar="TARGET", help=", ".join(known))
    asked = parser.parse_args()
    if unknown := set(asked.name) - known.keys():
        parser.error(f"there is no target {min(unknown)}; there are: {', '.join(known)}")
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install 'honest-gateway[fuzz]'")
        return 1
    chosen = [known[name] for name in asked.name or known]
    share_s = max(1, asked.seconds // len(chosen))
    return max([_fuzz(target, share_s) for target in chosen])


def _fuzz(target: Target, seconds: int) -> int:
    """Run one target and print its line; 1 when it broke."""
    corpus = FOLDER / target.name
    crashes = FOLDER / "crashes"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.one", target.name, str(corpus)),
            *(f"-max_total_time={seconds}", f"-max_len={LONGEST_INPUT_BYTES}"),
            *(f"-timeout={ONE_INPUT_S}", f"-rss_limit_mb={MEMORY_MB}"),
            *(f"-artifact_prefix={crashes / target.name}-", "-print_final_stats=1"),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + GRACE_S,
        check=False,
    )
    told = ended.stdout + ended.stderr
    runs = re.search(r"number_of_executed_units: *(\d+)", told)
    print(
        f"{target.name:14}{runs[1] if runs else '?':>12} inputs  {_verdict(ended.returncode)}",
        flush=True,
    )
    if ended.returncode:
        print(told[-4000:])
    return int(ended.returncode != 0)


def _verdict(code: int) -> str:
    return "no fault" if code == 0 else f"FAULT (ended with {code})"


if __name__ == "__main__":
    sys.exit(main())
