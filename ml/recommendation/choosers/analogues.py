"""A pooled regression of what each plan costs too much: a forest whose leaves hold situations that ended alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ml.analysis.arrays import Floats, Ints, ratio
from ml.analysis.forecasting.history import WEEK
from ml.rating.plan import Plan
from ml.rating.twin import Twin
from ml.recommendation.choosers.cases import Cases

__all__ = ["FEWEST_CASES", "Analogues"]

FEWEST_CASES = 200
"""Cases below which nothing is learned."""
TREES, LEAF, FEATURE_SHARE, SAMPLE_SHARE = 60, 20, 0.7, 0.6
DRIFT_STRENGTH = 4.0
"""Months at which the common drift of all companies is believed by half."""
LEAST_DRIFT = 0.05


@dataclass(frozen=True, slots=True)
class Analogues:
    """A fitted forest (extremely randomised trees; Geurts et al. 2006) and the outcomes in its leaves.

    It is grown so that cases with the same excess cost of every option, relative to the best one in hindsight, share
    leaves: the trees split where the choice of the plan depends on it. What the cases of a leaf used afterwards,
    relative to their level, are the scenarios of a case that falls into it (quantile regression forest; Meinshausen
    2006). `relative` [k, m]: these outcomes without the drift that all had in common; `drift` [m]: what is expected
    of it now. `leaves` [k, trees].
    """

    plans: tuple[Plan, ...]
    forest: Any
    leaves: Ints
    relative: Floats
    drift: Floats

    @classmethod
    def fit(cls, cases: Cases, plans: Sequence[Plan], seed: int = 0) -> "Analogues | None":
        """Learn from cases that are over; None where they are too few.

        Plans are those that `Cases.held` counts, all in one currency.
        """
        if len(cases) < FEWEST_CASES:
            return None
        from sklearn.ensemble import ExtraTreesRegressor

        usual = cases.level * cases.horizon
        relative = ratio(cases.total, usual, otherwise=0)
        drifts, drift = _drift(cases, usual)
        relative = relative / drifts
        costs = _costs(Twin(plans), cases.meters, relative * drift * usual)
        prepared, scale = _prepared(cases, plans)
        excess = (costs - costs.min(axis=0)) / np.sqrt(scale)
        forest = ExtraTreesRegressor(
            TREES,
            min_samples_leaf=LEAF,
            max_features=FEATURE_SHARE,
            bootstrap=True,
            max_samples=SAMPLE_SHARE,
            random_state=seed,
        ).fit(prepared, excess.T)
        return cls(tuple(plans), forest, forest.apply(prepared), relative, drift)

    def paths(self, cases: Cases, count: int, seed: int = 0) -> Floats:
        """Scenarios [n, m, p] of what follows the cases; p is `count` or the next multiple of the trees."""
        places = self._drawn(self.forest.apply(_prepared(cases, self.plans)[0]), count, seed)
        usual = cases.level * cases.horizon * self.drift
        paths = np.empty((len(cases), len(cases.meters), places.shape[1]))
        for meter in range(len(cases.meters)):
            np.multiply(self.relative[:, meter][places], usual[:, meter, None], out=paths[:, meter])
        return paths

    def _drawn(self, leaves: Ints, count: int, seed: int) -> Ints:
        """Places [n, p] of learned cases: equally many from the leaf that each tree has for a case, evenly spread."""
        random, each = np.random.default_rng(seed), -(-count // TREES)
        drawn = np.empty((len(leaves), TREES, each), dtype=np.int64)
        for tree in range(TREES):
            order = np.argsort(self.leaves[:, tree], kind="stable")
            ordered = self.leaves[order, tree]
            first = np.searchsorted(ordered, leaves[:, tree])
            size = np.searchsorted(ordered, leaves[:, tree], side="right") - first
            within = (np.arange(each) + random.random(each)) / each
            drawn[:, tree] = order[first[:, None] + (within * size[:, None]).astype(np.int64)]
        return drawn.reshape(len(leaves), -1)


def _drift(cases: Cases, usual: Floats) -> tuple[Floats, Floats]:
    """What all companies together used afterwards relative to before: of each case's time [n, m], and expected [m].

    The expected one is the mean of the logs, shrunk towards none: a few months don't tell where a market goes.
    """
    _, times = np.unique(cases.ages, return_inverse=True)
    after, before = (
        np.stack([np.bincount(times, part[:, m]) for m in range(part.shape[1])], axis=1)
        for part in (cases.total, usual)
    )
    each = np.maximum(ratio(after, before, otherwise=1), LEAST_DRIFT)
    months = max(len(each) * WEEK / cases.horizon, 1)
    return each[times], np.exp(np.log(each).mean(axis=0) * months / (months + DRIFT_STRENGTH))


def _prepared(cases: Cases, plans: Sequence[Plan]) -> tuple[Floats, Floats]:
    """What the forest sees [n, f]: usage, cost of each option at its level, the plan held; and the least cost [n]."""
    usual = _costs(Twin(plans), cases.meters, cases.level * cases.horizon)
    least = usual.min(axis=0) + 1e-9
    held = (cases.held[:, None] == np.arange(len(plans))).astype(np.float64)
    return np.concatenate([cases.features, (usual / least).T, held, cases.held[:, None]], axis=1), least


def _costs(twin: Twin, meters: tuple[str, ...], totals: Floats) -> Floats:
    """Costs [o, n] of totals [n, m]."""
    return twin.costs({meter: totals[:, column] for column, meter in enumerate(meters)})
