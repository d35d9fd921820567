"""Run cases of other engines against this one: `python -m tests.conformance PATH.json`."""

import sys
from pathlib import Path

from tests.conformance.runner import load_cases, run_cases, summary


def main(arguments: list[str]) -> int:
    """Print each failure and each unsupported case, and how many passed; 0 when none failed."""
    if len(arguments) != 1:
        print("usage: python -m tests.conformance PATH.json", file=sys.stderr)
        return 2
    try:
        cases = load_cases(Path(arguments[0]))
    except (OSError, ValueError) as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 2
    outcomes = run_cases(cases)
    for line in summary(outcomes):
        print(line)
    return int(any(outcome.verdict == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
