"""The whole world: companies, their usage, its dirty way into files, and the truth about it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np

from ml.synthetic.appointments import simulate_appointments
from ml.synthetic.calls import simulate_calls
from ml.synthetic.companies import DEFAULT_PLAN_KEYS, Company, make_companies
from ml.synthetic.deliveries import FIRST, Deliveries, deliver, schedule
from ml.synthetic.dirt import Dirt
from ml.synthetic.event_files import EventFileWriter
from ml.synthetic.events import Events, Ints, Window
from ml.synthetic.feeds import write_feeds
from ml.synthetic.lines import LineFormatter
from ml.synthetic.truth import FileTruth, WorldSummary, company_truth, daily_truth, summarize, write_truth
from ml.synthetic.volumes import daily_volumes

__all__ = ["write_world"]

_SHARE_OF_SIMULATION = 0.3
_MOST_HELD_LINES = 2000

Progress = Callable[[float], None]


def write_world(
    folder: Path,
    *,
    companies: int = 48,
    days: int = 45,
    events: int = 1_000_000,
    start: date = date(2026, 10, 1),
    seed: int = 7,
    plan_keys: Mapping[str, Sequence[str]] = DEFAULT_PLAN_KEYS,
    catalogue: str | None = None,
    dirt: Dirt | None = None,
    held_file: bool = False,
    progress: Progress | None = None,
) -> WorldSummary:
    """Write `days` local days of usage into `folder`/arrivals/<day of arrival> and the truth beside it.

    Reference feeds arrive on `start` (later companies: the day before their activation), events on the UTC day after
    their usage; the evening of the last day in America arrives one day after that. `events` is the approximate number
    of unique valid events. `catalogue` is the text of plans.yaml, not written when None. With `held_file`, one extra
    file in the middle has 20 % broken lines. `progress` is called with the share done, up to 1. The same arguments
    give the same bytes.

    Raises ValueError for a count below its least (1 company, 2 days, 1 event) or a currency without plans, and
    FileExistsError when `folder` already holds a world.
    """
    _check(folder, companies, days, events)
    window, dirt, report = Window(start, days), dirt or Dirt(), progress or _report_nothing
    population = make_companies(companies, days, start, seed, plan_keys)
    usage = _simulate(population, window, events, seed, report)
    write_feeds(folder / "arrivals", population, start, catalogue)

    rng = np.random.default_rng([seed, 4])
    first = schedule(usage, window, dirt, rng)
    held_rows = _held_rows(first, rng) if held_file else np.array([], dtype=np.int64)
    delivered = deliver(first.without(held_rows), dirt, rng)
    writer = EventFileWriter(folder, window, LineFormatter(population), dirt, seed)
    files, held = _write_files(writer, delivered, first.take(held_rows), report)

    daily = tuple(daily_truth(population, part, window) for part in (usage, usage[held_rows]))
    summary = summarize(window, seed, company_truth(population, usage), files, held, (daily[0], daily[1]))
    write_truth(folder, summary)
    report(1.0)
    return summary


def _check(folder: Path, companies: int, days: int, events: int) -> None:
    for name, value, least in (("companies", companies, 1), ("days", days, 2), ("events", events, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}: a world needs at least {least}.")
    if (folder / "arrivals").exists():
        raise FileExistsError(f"{folder} already holds a world: remove it or name another folder.")


def _report_nothing(share: float) -> None:
    """For callers that do not watch."""


def _simulate(companies: Sequence[Company], window: Window, events: int, seed: int, report: Progress) -> Events:
    volumes = daily_volumes(companies, window.days, window.start, events, seed)
    parts = []
    for company, volume in zip(companies, volumes.tolist(), strict=True):
        rng = np.random.default_rng([seed, 3, company.number])
        calls = simulate_calls(company, volume, window, rng)
        parts += [calls, simulate_appointments(company, calls, window, rng)]
        report(_SHARE_OF_SIMULATION * (company.number + 1) / len(companies))
    return np.concatenate(parts)


def _held_rows(first: Deliveries, rng: np.random.Generator) -> Ints:
    """A tenth of the events that arrive in time on the middle day, in the order of time."""
    middle = int(first.day.max(initial=1) + 1) // 2
    rows = np.flatnonzero((first.day == middle) & (first.status == FIRST))
    count = min(len(rows), _MOST_HELD_LINES, max(20, len(rows) // 10))
    # One broken line comes with every four of these.
    chosen = rng.choice(rows, count - count % 4, replace=False)
    return np.asarray(chosen[np.argsort(first.key[chosen], kind="stable")])


def _write_files(
    writer: EventFileWriter, delivered: Deliveries, held_back: Deliveries, report: Progress
) -> tuple[list[FileTruth], FileTruth | None]:
    files: list[FileTruth] = []
    held = None
    last = int(max(delivered.day.max(initial=0), held_back.day.max(initial=0)))
    for day in range(1, last + 1):
        if day in held_back.day:
            held = writer.write_held(held_back, day)
            files.append(held)
        files += writer.write_day(delivered, day)
        report(_SHARE_OF_SIMULATION + (1 - _SHARE_OF_SIMULATION) * day / (last + 1))
    return files, held
