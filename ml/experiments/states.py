"""The states of an experiment, and the way through them."""

from typing import Literal

__all__ = ["TRANSITIONS", "Status", "require_transition"]

Status = Literal["planned", "active", "completed", "cancelled"]

TRANSITIONS: dict[Status, tuple[Status, ...]] = {
    "planned": ("active", "cancelled"),
    "active": ("completed", "cancelled"),
    "completed": (),
    "cancelled": (),
}


def require_transition(before: Status, after: Status) -> None:
    """Raise ValueError unless an experiment may go from one state to the other."""
    if after not in TRANSITIONS[before]:
        allowed = " or ".join(TRANSITIONS[before]) or "nothing else any more"
        raise ValueError(f"an experiment that is {before} can't become {after}; it may become {allowed}")
