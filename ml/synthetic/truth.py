"""What really happened in a world, and the fate that each of its lines must meet."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from ml.synthetic.companies import Company
from ml.synthetic.dirt import CONFLICT, REASONS
from ml.synthetic.events import APPOINTMENT, CALL, Events, Window
from ml.synthetic.zones import DAY

__all__ = ["CompanyTruth", "FileTruth", "WorldSummary", "company_truth", "daily_truth", "summarize", "write_truth"]


@dataclass(frozen=True)
class FileTruth:
    """One event file: its lines, and what they come to when all files are loaded in order.

    `path` is relative to the folder of the world. lines = valid + duplicates + the sum of rejected; the late lines
    are among the valid ones.
    """

    arrival: str
    path: str
    lines: int
    valid: int
    duplicates: int
    late: int
    rejected: dict[str, int]


@dataclass(frozen=True)
class CompanyTruth:
    """One company; `activated_at` is ISO 8601 with the local offset, `events` the number of unique valid events."""

    key: str
    archetype: str
    activated_at: str
    time_zone: str
    plan: str
    events: int


@dataclass(frozen=True)
class WorldSummary:
    """The whole world, with the held file in all counts; `held` tells that file alone.

    `files` are in the order of arrival. `daily_truth` and `held_daily_truth` have company, usage_date (local, ISO),
    calls, call_seconds, appointments of the unique valid events; the latter is the part that waits in the held file.
    """

    start: str
    days: int
    seed: int
    first_arrival: str
    last_arrival: str
    events_read: int
    unique_valid: int
    duplicates: int
    late: int
    rejected: dict[str, int]
    companies: list[CompanyTruth]
    files: list[FileTruth]
    held: FileTruth | None
    daily_truth: pd.DataFrame = field(compare=False, repr=False)
    held_daily_truth: pd.DataFrame = field(compare=False, repr=False)


def company_truth(companies: Sequence[Company], events: Events) -> list[CompanyTruth]:
    """The companies in the order given."""
    counts = np.bincount(events["company"], minlength=len(companies))
    return [
        CompanyTruth(
            key=company.key,
            archetype=company.archetype.key,
            activated_at=company.activated_at.isoformat(),
            time_zone=company.market.time_zone,
            plan=company.plan,
            events=int(count),
        )
        for company, count in zip(companies, counts, strict=True)
    ]


def daily_truth(companies: Sequence[Company], events: Events, window: Window) -> pd.DataFrame:
    """Usage per company and local date; days without usage have no row."""
    day = (events["utc"] + events["offset"] - window.first_second) // DAY
    cell = events["company"].astype(np.int64) * window.days + day
    cells = len(companies) * window.days
    calls = np.bincount(cell[events["kind"] == CALL], minlength=cells)
    appointments = np.bincount(cell[events["kind"] == APPOINTMENT], minlength=cells)
    seconds = np.bincount(cell, weights=events["duration"], minlength=cells).astype(np.int64)
    used = np.flatnonzero(calls + appointments)
    dates = [(window.start + timedelta(days=offset)).isoformat() for offset in range(window.days)]
    return pd.DataFrame(
        {
            "company": [companies[c].key for c in (used // window.days).tolist()],
            "usage_date": [dates[d] for d in (used % window.days).tolist()],
            "calls": calls[used],
            "call_seconds": seconds[used],
            "appointments": appointments[used],
        }
    )


def summarize(
    window: Window,
    seed: int,
    companies: list[CompanyTruth],
    files: list[FileTruth],
    held: FileTruth | None,
    daily: tuple[pd.DataFrame, pd.DataFrame],
) -> WorldSummary:
    """Add the files up; the first arrival is the day of the first reference feeds."""
    rejected = Counter(dict.fromkeys((*REASONS, CONFLICT), 0))
    for file in files:
        rejected.update(file.rejected)
    return WorldSummary(
        start=window.start.isoformat(),
        days=window.days,
        seed=seed,
        first_arrival=window.start.isoformat(),
        last_arrival=max((file.arrival for file in files), default=window.start.isoformat()),
        events_read=sum(file.lines for file in files),
        unique_valid=sum(file.valid for file in files),
        duplicates=sum(file.duplicates for file in files),
        late=sum(file.late for file in files),
        rejected=dict(rejected),
        companies=companies,
        files=files,
        held=held,
        daily_truth=daily[0],
        held_daily_truth=daily[1],
    )


def write_truth(folder: Path, summary: WorldSummary) -> None:
    """Write truth.json (everything but the frames), truth_daily.csv and, with a held file, truth_held_daily.csv."""
    content = asdict(summary)
    del content["daily_truth"], content["held_daily_truth"]
    (folder / "truth.json").write_bytes((json.dumps(content, indent=2) + "\n").encode())
    summary.daily_truth.to_csv(folder / "truth_daily.csv", index=False, lineterminator="\n")
    if summary.held is not None:
        summary.held_daily_truth.to_csv(folder / "truth_held_daily.csv", index=False, lineterminator="\n")
