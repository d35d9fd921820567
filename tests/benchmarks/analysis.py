"""How many companies' patterns a core can find in 28 days of hours."""

from collections.abc import Callable
from functools import cache
from time import process_time
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ml.analysis.cube import MEASURES
from ml.analysis.patterns import PATTERN_TYPES, find_patterns
from tests.benchmarks.registry import at_least, at_most, benchmark
from tests.benchmarks.workbench import Workbench

COMPANIES, DAYS, ROUNDS = 2_000, 28, 7
START = pd.Timestamp("2026-01-05")
WEEK = np.array([1.2, 1, 1, 1, 1.3, 0.4, 0.1])
OPEN_HOURS = np.array([0] * 8 + [3, 5, 6, 5, 4, 4, 5, 6, 5, 3, 2, 1] + [0] * 4) / 49


@benchmark("analysis.patterns_per_second", "1/s", at_least(10_000))
def patterns_per_second(bench: Workbench) -> float:
    """From frames to the four dicts of each company, change points included, by the best of seven rounds."""
    hourly, windows = _frames()
    return COMPANIES / _best_seconds(bench, "Finding patterns", lambda: _found(hourly, windows))


@benchmark("analysis.patterns_to_sums", "x", at_most(20))
def patterns_to_sums(bench: Workbench) -> float:
    """The same as a multiple of adding up the five measures of the same rows, their cells being known."""
    hourly, windows = _frames()
    cells = (hourly["company_id"].to_numpy() - 1) * DAYS + (hourly["usage_date"] - START).dt.days.to_numpy()
    cells = cells * 24 + hourly["local_hour"].to_numpy()
    measures = [hourly[column].to_numpy(dtype=np.float64) for column in MEASURES.values()]
    size = COMPANIES * DAYS * 24
    floor = _best_seconds(
        bench, "Adding up", lambda: [np.bincount(cells, weights=values, minlength=size) for values in measures]
    )
    return _best_seconds(bench, "Finding patterns", lambda: _found(hourly, windows)) / floor


def _found(hourly: pd.DataFrame, windows: pd.DataFrame) -> None:
    found = find_patterns(hourly, windows)
    if len(found) != COMPANIES * len(PATTERN_TYPES):
        raise RuntimeError(f"{COMPANIES:,} companies have {len(found):,} patterns.")


def _best_seconds(bench: Workbench, sentence: str, action: Callable[[], Any]) -> float:
    """On one core: the library of matrix products would take all of them."""
    best = np.inf
    for number in range(ROUNDS):
        bench.step(f"{sentence} of {COMPANIES:,} companies, round {number + 1} of {ROUNDS} ...")
        with threadpool_limits(1):
            begun = process_time()
            action()
            best = min(best, process_time() - begun)
    return best


@cache
def _frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hours with calls in a weekly rhythm, about 260 rows a company; the level of every tenth company doubles."""
    draws = np.random.default_rng(7)
    level = draws.gamma(3, 15, (COMPANIES, 1, 1)) * np.resize(WEEK, DAYS)[None, :, None] * OPEN_HOURS
    level[::10, DAYS // 2 :] *= 2
    calls = draws.poisson(level)
    company, day, hour = np.nonzero(calls)
    count = calls[company, day, hour]
    hourly = pd.DataFrame(
        {
            "company_id": company + 1,
            "usage_date": START + pd.to_timedelta(day, unit="D"),
            "local_hour": hour,
            "total_calls": count,
            "total_seconds": count * 100,
            "after_hours_calls": np.where(hour >= 18, count, 0),
            "successful_bookings": count // 2,
            "failed_bookings": count // 5,
        }
    )
    windows = pd.DataFrame({"company_id": np.arange(1, COMPANIES + 1), "window_start": START})
    return hourly, windows.assign(window_end=START + pd.Timedelta(days=DAYS))
