"""Made-up usage and price lists for the ways of choosing a plan."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ml.analysis.forecasting.history import History
from ml.rating.plan import Plan
from ml.recommendation.choosers.cases import Held
from tests.ml.rating.price_lists import per_unit, plan

SECONDS = "call_seconds"
STEEP = [
    plan(key, per_unit(SECONDS, price, per=60, included=included), monthly_base_fee=fee)
    for key, fee, included, price in (
        ("payg", 0, 0, "0.30"),
        ("small", 29, 150, "0.35"),
        ("medium", 79, 600, "0.30"),
        ("large", 199, 2000, "0.25"),
        ("extra", 499, 7000, "0.20"),
    )
]
"""Plans between which a wrong choice is dear."""


def fee_or_use(fee: int, price: str = "1") -> list[Plan]:
    """A plan for a fee, and one by the minute: they cost the same at fee / price minutes."""
    return [
        plan("flat", per_unit(SECONDS, "0", per=60), monthly_base_fee=fee),
        plan("metered", per_unit(SECONDS, price, per=60), monthly_base_fee=0),
    ]


def usage_of(minutes: np.ndarray, first: np.ndarray | None = None, last: str = "2026-10-31") -> dict[str, History]:
    """Call seconds of minutes [s, d]; a series is observed from its day `first` [s] on."""
    quantity = np.asarray(minutes, dtype=float) * 60
    starts = np.zeros(len(quantity), dtype=int) if first is None else np.asarray(first)
    observed = np.arange(quantity.shape[1]) >= starts[:, None]
    ends = np.repeat(np.datetime64(last, "D") + 1, len(quantity))
    return {SECONDS: History(quantity * observed, observed, ends)}


def long_table(minutes: np.ndarray, last: str = "2026-10-31", **columns: object) -> pd.DataFrame:
    """Minutes [s, d] of the accounts a0, a1, ... as account, date, meter, quantity."""
    dates = pd.date_range(end=last, periods=minutes.shape[1])
    frame = pd.DataFrame(minutes, index=[f"a{row}" for row in range(len(minutes))], columns=dates)
    long = frame.rename_axis("account").melt(ignore_index=False, var_name="date", value_name="quantity").reset_index()
    return long.assign(meter="minutes", **columns)


def drifting(series: int, days: int, seed: int = 0) -> np.ndarray:
    """Minutes by day around levels of 2 to 200 that wander, so that the last month is a bad guide."""
    random = np.random.default_rng(seed)
    level = np.exp(random.uniform(np.log(2), np.log(200), series))[:, None]
    drift = np.exp(random.normal(0, 0.15, (series, days // 7 + 1)).cumsum(axis=1))[:, np.arange(days) // 7]
    return random.poisson(level * drift).astype(float)


def always(row: int, count: int) -> Held:
    """Everybody is on the plan of that row."""
    return lambda age: np.full(count, row)


def changed_from(usage: Mapping[str, History], age: int, minutes: float) -> dict[str, History]:
    """The same usage, but `minutes` on each of the last `age` days."""
    found = {}
    for meter, history in usage.items():
        quantity = history.quantity.copy()
        quantity[:, history.days - age :] = 60 * minutes
        found[meter] = History(quantity, history.observed, history.ends)
    return found
