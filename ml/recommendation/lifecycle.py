"""What may become of a recommendation: pending, viewed, accepted, rejected or expired."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["CREATED", "EXPIRED", "OPEN", "TRANSITIONS", "Verdict", "judge_change"]

CREATED, VIEWED, EXPIRED = "pending", "viewed", "expired"
DECISIONS = ("accepted", "rejected")
OPEN = (CREATED, VIEWED)
"""Nobody has decided yet. A company has at most one recommendation that is open."""

TRANSITIONS: Mapping[str | None, frozenset[str]] = {
    None: frozenset({CREATED}),
    CREATED: frozenset({VIEWED, *DECISIONS, EXPIRED}),
    VIEWED: frozenset({*DECISIONS, EXPIRED}),
    **dict.fromkeys((*DECISIONS, EXPIRED), frozenset[str]()),
}
"""To what each status may change; None is before it exists. Decided and expired ones stay as they are."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The status that a recommendation has after a wish, and why the wish was refused, if it was."""

    status: str
    refusal: str | None = None


def judge_change(status: str, expires_at: datetime, wanted: str, now: datetime) -> Verdict:
    """What becomes of a recommendation when somebody wants to view, accept or reject it.

    An open one whose time has run out (`expires_at` <= `now`) expires instead. To look at one again, or at one that is
    closed, changes nothing.

    Raises:
        ValueError: for a status that doesn't exist, or that nobody can want.
    """
    if status not in TRANSITIONS:
        raise ValueError(f"no recommendation is {status}; use one of {', '.join(filter(None, TRANSITIONS))}")
    if wanted not in (VIEWED, *DECISIONS):
        raise ValueError(f"nobody can want a recommendation to be {wanted}; use viewed, accepted or rejected")
    if status in OPEN and expires_at <= now:
        refusal = None if wanted == VIEWED else f"its time ran out at {expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return Verdict(EXPIRED, refusal)
    if wanted in TRANSITIONS[status]:
        return Verdict(wanted)
    return Verdict(status, None if wanted == VIEWED else f"it is {status} already")
