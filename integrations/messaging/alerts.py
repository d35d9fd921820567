"""What operators must know: rules over facts, with keys made of facts, so that each is told once. No clock here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Literal

__all__ = ["LOOK_BACK", "WINDOW", "Alert", "failed_run", "high_failure_rates", "loads_to_settle"]

HIGHEST_FAILURE_RATE = 0.1
WINDOW = timedelta(minutes=5)
LOOK_BACK = timedelta(days=1)
"""Windows that ended before are not judged any more; so a sensor may miss ticks for a day."""
ADVICE = {
    "held": "Its events are in no mart. Look at `usage-pricing loads list`, then release or discard it.",
    "failed": "Nothing of it was kept. Mend the file, or its mapping, and let it land again; or discard the load.",
}


@dataclass(frozen=True)
class Alert:
    """One thing to tell. `about` names the fact (`load:7`), and with the rule makes the key."""

    rule: str
    about: str
    severity: Literal["info", "warning", "critical"]
    subject: str
    body: str

    @property
    def key(self) -> str:
        """`<rule>:<about>`."""
        return f"{self.rule}:{self.about}"


def high_failure_rates(loads: Iterable[Mapping[str, Any]], now: datetime) -> list[Alert]:
    """AL-01 HighDataCollectionFailureRate, a warning per window of five minutes in which more than 10 % went wrong.

    Windows begin at full five minutes, hold the loads received in [begin, begin + 5 minutes), and are judged once they
    are over. Either of two rates above 0.1 is high: loads that failed or were held / all loads, and lines refused /
    lines read; loads that somebody discarded count as not held. A window without loads, or without lines, has no rate.

    Args:
        loads: rows of `raw.loads` with status, count_read, count_rejected and received_at.
        now: the instant at which the pipeline stands; windows that ended more than a day before are left out.
    """
    ordered = sorted(loads, key=lambda load: load["received_at"])
    windows = {begin: list(found) for begin, found in groupby(ordered, lambda load: _begin(load["received_at"]))}
    due = [begin for begin in windows if now - LOOK_BACK <= begin + WINDOW <= now]
    return [alert for begin in due if (alert := _judge_window(begin, windows[begin]))]


def loads_to_settle(loads: Iterable[Mapping[str, Any]]) -> list[Alert]:
    """AL-04, critical: one alert per load that could not be read (`failed`) or waits for its release (`held`).

    Args:
        loads: rows of `raw.loads` with load_id, feed, file_name, status and message.
    """
    return [
        Alert(
            "AL-04",
            f"load:{load['load_id']}",
            "critical",
            f"Load {load['load_id']} ({load['file_name']}) is {load['status']}",
            f"{load['feed']}, {load['file_name']}: {load['message'] or 'no reason was kept.'}\n"
            f"{ADVICE[load['status']]}",
        )
        for load in loads
        if load["status"] in ADVICE
    ]


def failed_run(job: str, run_id: str, message: str) -> Alert:
    """AL-04, critical: a run came to a bad end."""
    body = f"{message}\nLook at run {run_id} in the Dagster UI."
    return Alert("AL-04", f"run:{run_id}", "critical", f"A run of {job} failed", body)


def _begin(instant: datetime) -> datetime:
    seconds = int(WINDOW.total_seconds())
    return datetime.fromtimestamp(instant.timestamp() // seconds * seconds, UTC)


def _judge_window(begin: datetime, loads: list[Mapping[str, Any]]) -> Alert | None:
    bad = sum(load["status"] in ADVICE for load in loads)
    read, refused = (sum(load[name] for load in loads) for name in ("count_read", "count_rejected"))
    rates = {
        f"{bad:,} of {len(loads):,} loads failed or wait": bad / len(loads),
        f"{refused:,} of {read:,} lines were refused": refused / read if read else 0.0,
    }
    if max(rates.values()) <= HIGHEST_FAILURE_RATE:
        return None
    said = "; ".join(f"{sentence} ({rate:.1%})" for sentence, rate in rates.items())
    until = begin + WINDOW
    return Alert(
        "AL-01",
        begin.isoformat(),
        "warning",
        "HighDataCollectionFailureRate: much of what arrived could not be used",
        f"{begin:%Y-%m-%d %H:%M} to {until:%H:%M} UTC: {said}. Look at `usage-pricing loads list --all`.",
    )
