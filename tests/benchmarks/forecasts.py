"""How many companies a core can forecast, and how the forecasts compare with those of other people's libraries."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from time import process_time

import numpy as np
from threadpoolctl import threadpool_limits

from ml.analysis.forecasting.history import History
from ml.analysis.forecasting.learning import ForecastModel, learn
from ml.evaluation.baselines import same_weekdays
from ml.evaluation.metrics import mase, seasonal_scale
from tests.benchmarks.registry import at_least, at_most, benchmark
from tests.benchmarks.workbench import Workbench

COMPANIES, DAYS, HORIZON, PATHS, CHUNK, ROUNDS = 5_000, 28, 30, 200, 500, 5
JUDGED = 60
"""Series that AutoETS is fitted to: it does a few a second."""
RIVAL = "statsforecast==2.1.1"
SCRIPT = """
import json, sys, time
import numpy as np
from statsforecast.models import AutoETS, SeasonalNaive
quantity, horizon, found, seconds = np.load(sys.argv[1]), int(sys.argv[2]), {}, {}
for name, model in {"AutoETS": AutoETS(season_length=7), "SeasonalNaive": SeasonalNaive(season_length=7)}.items():
    model.forecast(y=quantity[0], h=horizon)
    begun = time.process_time()
    found[name] = [model.forecast(y=row, h=horizon)["mean"].tolist() for row in quantity]
    seconds[name] = (time.process_time() - begun) / len(quantity)
json.dump({"found": found, "seconds": seconds}, open(sys.argv[3], "w"))
"""


@benchmark("analysis.forecasts_per_second", "1/s", at_least(5_000))
def forecasts_per_second(bench: Workbench) -> float:
    """One meter of a company: 30 days as quantiles and as 200 paths, from 28 days, by the best of five rounds."""
    return 1 / _seconds_per_series(bench)


@benchmark("analysis.forecasts_to_seasonal_naive", "x", None)
def forecasts_to_seasonal_naive(bench: Workbench) -> float:
    """The same as a multiple of statsforecast's SeasonalNaive, which has neither quantiles nor paths."""
    return _seconds_per_series(bench) / float(_rivals(bench)["seconds"]["SeasonalNaive"])


@benchmark("analysis.forecasts_to_auto_ets", "x", at_most(0.1))
def forecasts_to_auto_ets(bench: Workbench) -> float:
    """The same as a multiple of statsforecast's AutoETS."""
    return _seconds_per_series(bench) / float(_rivals(bench)["seconds"]["AutoETS"])


@benchmark("analysis.mase_to_auto_ets", "x", at_most(0.95))
def mase_to_auto_ets(bench: Workbench) -> float:
    """Error of 30 days from 28 on made-up series, whose level drifts, as a multiple of AutoETS's on the same."""
    return _mase(_own()) / _mase(np.array(_rivals(bench)["found"]["AutoETS"]))


@benchmark("analysis.mase_to_same_weekdays", "x", at_most(0.95))
def mase_to_same_weekdays(bench: Workbench) -> float:
    """The same as a multiple of the error of the mean of the last four same weekdays."""
    bench.step("Comparing with the last four same weekdays ...")
    past, _ = _judged()
    return _mase(_own()) / _mase(same_weekdays(past, HORIZON))


@cache
def _usage() -> History:
    """Counts by weekday over 250 days, more spread than Poisson; the logarithm of the level is a random walk."""
    random, days = np.random.default_rng(7), 250
    week = np.array([1.2, 1, 1, 1, 1.3, 0.4, 0.1])[np.arange(days) % 7]
    drift = np.exp(np.cumsum(random.normal(0, 0.03, (COMPANIES, days)), axis=1))
    level = random.gamma(3, 8, (COMPANIES, 1)) * drift * week
    quantity = random.poisson(level * random.gamma(8, 1 / 8, level.shape)).astype(np.float64)
    ends = np.repeat(np.datetime64("2026-11-02"), COMPANIES)
    return History(quantity, np.ones(quantity.shape, dtype=bool), ends)


@cache
def _model() -> ForecastModel:
    return learn(_usage().before(HORIZON), DAYS, HORIZON, compete=False)


def _judged() -> tuple[History, np.ndarray]:
    rows = np.arange(JUDGED)
    return _usage().before(HORIZON).last(DAYS).rows(rows), _usage().quantity[rows, -HORIZON:]


def _own() -> np.ndarray:
    return _model().point(_judged()[0], HORIZON)


def _mase(forecast: np.ndarray) -> float:
    past, actual = _judged()
    scale = seasonal_scale(past.quantity, past.observed)
    return float(np.nanmean(mase(forecast, actual, np.ones(actual.shape, dtype=bool), scale)))


@cache
def _seconds_per_series(bench: Workbench) -> float:
    """On one core: the library of matrix products would take all of them."""
    model, past, best = _model(), _usage().last(DAYS), np.inf
    for number in range(ROUNDS):
        bench.step(f"Forecasting {COMPANIES:,} companies, round {number + 1} of {ROUNDS} ...")
        with threadpool_limits(1):
            begun = process_time()
            for start in range(0, COMPANIES, CHUNK):
                found = model.forecast(past.rows(np.arange(start, start + CHUNK)), HORIZON)
                found.quantiles((0.1, 0.5, 0.9))
                found.paths(PATHS, seed=1).sum(axis=2)
            best = min(best, process_time() - begun)
    return best / COMPANIES


@cache
def _rivals(bench: Workbench) -> dict[str, dict]:
    """What statsforecast makes of the judged series, in an environment of its own: it needs an older pandas."""
    home = Path(__file__).parents[2] / ".local" / "statsforecast"
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        bench.step(f"Installing {RIVAL} (once) ...")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", RIVAL], check=True)
        (home / "ready").touch()
    bench.step(f"AutoETS on {JUDGED} series ...")
    given, answer = bench.folder / "series.npy", bench.folder / "rivals.json"
    np.save(given, _judged()[0].quantity)
    subprocess.run([str(python), "-W", "ignore", "-c", SCRIPT, str(given), str(HORIZON), str(answer)], check=True)
    return json.loads(answer.read_text())
