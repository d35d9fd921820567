"""Situations in which a plan is chosen: the usage before, and where it is known the usage after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.forecasting.history import WEEK, History
from ml.recommendation.choosers.features import features_of

__all__ = ["MOST_CASES", "NOT_KNOWN", "Cases", "Held", "cases_at", "past_cases"]

NOT_KNOWN = -1
PRESENT_SHARE = 0.9
"""Share of the days of history that must have been observed."""
MOST_CASES = 60_000
"""Cases that are learned from at most; more of them tell the same."""
FEWEST_KNOWN = 1_000
"""Cases with a known plan from which on only they are learned from: the plan held tells what was used before."""
MONTH = 30
PER_CASE = ("rows", "ages", "features", "level", "recent", "held", "is_regular", "total")
REGULAR_SHARE = 0.5
"""Share of the days with usage from which on a case is regular, as for forecasts."""

Held = Callable[[int], Ints]
"""Which plan each series was on, so many days before the ends: rows of the options, NOT_KNOWN where unknown."""


@dataclass(frozen=True, slots=True)
class Cases:
    """n situations over m meters, in which a plan was or is to be chosen for `horizon` days.

    `rows` [n] of the histories and `ages` [n], days before their ends. `features` [n, f]: see `features_of`.
    `level` [n, m]: mean of an observed day. `recent` [n, m]: what the last month came to, scaled to the horizon.
    `held` [n]: the plan of that time. `is_regular` [n]. `total` [n, m]: what followed; NaN where it is not known.
    """

    meters: tuple[str, ...]
    horizon: int
    rows: Ints
    ages: Ints
    features: Floats
    level: Floats
    recent: Floats
    held: Ints
    is_regular: Bools
    total: Floats

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_over(self) -> Bools:
        """Of which [n] it is known what followed."""
        return np.asarray(~np.isnan(self.total).any(axis=1))

    @property
    def can_be_judged(self) -> Bools:
        """Of which [n] it is known what followed, and which plan was held."""
        return np.asarray(self.is_over & (self.held != NOT_KNOWN))

    def take(self, chosen: Ints | Bools) -> "Cases":
        """Only these cases."""
        return Cases(self.meters, self.horizon, **{name: getattr(self, name)[chosen] for name in PER_CASE})


def cases_at(usage: Mapping[str, History], age: int, history_days: int, horizon: int, held: Held) -> Cases:
    """The case of every series that was there for `history_days` and used anything, `age` days before the ends.

    Nothing at or after that instant is in it but `total`, which needs the whole horizon to be over.
    """
    histories = tuple(usage.values())
    lacking = max(history_days + age - histories[0].days, 0)
    observed = np.pad(histories[0].observed, ((0, 0), (lacking, 0)))
    quantity = np.pad(np.stack([one.quantity for one in histories], axis=1), ((0, 0), (0, 0), (lacking, 0)))
    end = observed.shape[1] - age
    known, ahead = slice(end - history_days, end), slice(end, end + horizon)
    is_there = observed[:, known].sum(axis=1) >= PRESENT_SHARE * history_days
    rows = np.flatnonzero(is_there & quantity[:, :, known].any(axis=(1, 2)))
    shown, seen = quantity[rows][:, :, known], observed[rows][:, None, known]
    level = ratio(shown.sum(axis=2), seen.sum(axis=2), otherwise=0)
    filled = np.where(seen, shown, level[:, :, None])
    is_over = (age >= horizon) & observed[rows][:, ahead].all(axis=1)
    total = np.where(np.reshape(is_over, (-1, 1)), quantity[rows][:, :, ahead].sum(axis=2), np.nan)
    used = ratio(((shown > 0).any(axis=1) & seen[:, 0]).sum(axis=1), seen[:, 0].sum(axis=1), otherwise=0)
    return Cases(
        meters=tuple(usage),
        horizon=horizon,
        rows=rows,
        ages=np.full(len(rows), age),
        features=features_of(filled),
        level=level,
        recent=filled[:, :, -MONTH:].mean(axis=2) * horizon,
        held=held(age)[rows],
        is_regular=used >= REGULAR_SHARE,
        total=total,
    )


def past_cases(
    usage: Mapping[str, History], age: int, history_days: int, horizon: int, held: Held, seed: int = 0
) -> Cases:
    """All cases whose horizon was over `age` days before the ends, weeks apart; a sample where there are very many."""
    latest, earliest = age + horizon, next(iter(usage.values())).days - history_days
    ages = range(latest, max(earliest, latest) + 1, WEEK)
    found = [cases_at(usage, origin, history_days, horizon, held) for origin in ages]
    together = _joined([part.take(part.is_over) for part in found])
    known = together.held != NOT_KNOWN
    if known.sum() >= FEWEST_KNOWN:
        together = together.take(known)
    if len(together) <= MOST_CASES:
        return together
    return together.take(np.random.default_rng(seed).choice(len(together), MOST_CASES, replace=False))


def _joined(parts: list[Cases]) -> Cases:
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in PER_CASE}
    return Cases(parts[0].meters, parts[0].horizon, **columns)
