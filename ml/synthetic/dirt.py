"""What goes wrong on the way: how often, and how a broken line looks."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.synthetic.events import CALL, COMPLETED, Events, Ints

__all__ = ["CONFLICT", "REASONS", "Dirt", "break_lines", "held_reasons", "reasons_for"]

CONFLICT = "conflict"
# One reason a broken line may be rejected for; `Dirt` has a rate of the same name for each.
REASONS = (
    "malformed_json",
    "missing_field",
    "invalid_field",
    "naive_time",
    "negative_duration",
    "unknown_company",
    "currency_mismatch",
)
_OTHER_CURRENCY = {"EUR": "USD", "USD": "EUR"}
_GARBAGE = ("502 Bad Gateway", "id;source;time;duration", "<html>", "{]")


@dataclass(frozen=True)
class Dirt:
    """Shares of all event lines that are dirty, each between 0 and 1.

    `conflicts` is a number of events, at most one per arrival day. No file but the held one has more rejected lines
    than `rejected_cap` of its lines; so files below `1 / rejected_cap` lines have none. Raises ValueError when a
    share or the number is out of range.
    """

    resend: float = 0.01
    late: float = 0.01
    malformed_json: float = 0.0006
    missing_field: float = 0.0004
    invalid_field: float = 0.0003
    naive_time: float = 0.0003
    negative_duration: float = 0.0002
    unknown_company: float = 0.0002
    currency_mismatch: float = 0.0001
    conflicts: int = 8
    rejected_cap: float = 0.004

    def __post_init__(self) -> None:
        shares = {name: getattr(self, name) for name in ("resend", "late", *REASONS, "rejected_cap")}
        wrong = [name for name, share in shares.items() if not 0 <= share <= 1]
        if wrong or self.conflicts < 0:
            raise ValueError(
                f"Dirt is out of range in {', '.join(wrong) or 'conflicts'}: use shares in 0..1, a count from 0."
            )

    @property
    def rates(self) -> list[float]:
        """The rates of the broken lines in the order of REASONS."""
        return [float(getattr(self, reason)) for reason in REASONS]


def reasons_for(lines: int, conflicts: int, dirt: Dirt, rng: np.random.Generator) -> list[str]:
    """Draw the reasons of the broken lines of a file with `lines` other lines, `conflicts` of them conflicts."""
    reasons = np.repeat(REASONS, rng.binomial(lines, dirt.rates))
    room = max(0, int(dirt.rejected_cap * lines) - conflicts)
    return [str(reason) for reason in rng.permutation(reasons)[:room]]


def held_reasons(good_lines: int, rng: np.random.Generator) -> list[str]:
    """Reasons for so many broken lines that they are 20 % of the file."""
    return [str(reason) for reason in rng.choice(REASONS, round(good_lines / 4))]


def break_lines(
    lines: list[str], events: Events, reasons: list[str], rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Broken copies of some of the lines, each with an id of its own, and the reasons really used.

    `events` belongs to `lines` row by row. A reason for which the file has no suitable line becomes malformed_json.
    """
    candidates = {reason: _candidates(events, reason) for reason in set(reasons)}
    used = [reason if len(candidates[reason]) else "malformed_json" for reason in reasons]
    rows = [int(rng.choice(candidates[r])) if len(candidates[r]) else 0 for r in reasons]
    return [_broken(lines[row], reason, rng) for row, reason in zip(rows, used, strict=True)], used


def _candidates(events: Events, reason: str) -> Ints:
    if reason in ("invalid_field", "negative_duration"):
        return np.flatnonzero(events["kind"] == CALL)
    if reason == "currency_mismatch":
        return np.flatnonzero((events["kind"] != CALL) & (events["outcome"] == COMPLETED))
    return np.arange(len(events))


def _broken(line: str, reason: str, rng: np.random.Generator) -> str:
    draw = int(rng.integers(1000))
    if reason == "malformed_json":
        return line[: 20 + draw % (len(line) - 30)] if draw % 3 else _GARBAGE[draw % len(_GARBAGE)]
    event = json.loads(line)
    event["id"] += f"-{draw}x"
    _SPOILERS[reason](event, draw)
    return json.dumps(event, separators=(",", ":"))


def _drop_a_field(event: dict[str, Any], draw: int) -> None:
    del event[("time", "subject")[draw % 2]]


def _write_text_for_a_number(event: dict[str, Any], draw: int) -> None:
    event["data"]["duration_seconds"] = ("two minutes", "n/a", "12:30")[draw % 3]


def _drop_the_zone(event: dict[str, Any], draw: int) -> None:
    event["time"] = event["time"][:19]


def _negate_the_duration(event: dict[str, Any], draw: int) -> None:
    event["data"]["duration_seconds"] = -1 - draw


def _name_an_unknown_company(event: dict[str, Any], draw: int) -> None:
    event["subject"] = f"unknown-{draw % 10}"
    event["source"] = f"/phone/{event['subject']}"


def _swap_the_currency(event: dict[str, Any], draw: int) -> None:
    event["data"]["currency"] = _OTHER_CURRENCY[event["data"]["currency"]]


_SPOILERS: dict[str, Callable[[dict[str, Any], int], None]] = {
    "missing_field": _drop_a_field,
    "invalid_field": _write_text_for_a_number,
    "naive_time": _drop_the_zone,
    "negative_duration": _negate_the_duration,
    "unknown_company": _name_an_unknown_company,
    "currency_mismatch": _swap_the_currency,
}
