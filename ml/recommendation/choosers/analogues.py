"""A pooled regression of what each plan costs too much: a forest whose leaves hold situations that ended alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import WEEK
from ml.rating.plan import Plan
from ml.recommendation.choosers.cases import Cases
from ml.recommendation.choosers.forest import Forest, Nodes
from ml.recommendation.choosers.outcomes import costs_of

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
    of it now. `members` [trees, k]: the cases ordered by their leaves; those of a leaf begin at `first` and are `size`
    many, both by node.
    """

    plans: tuple[Plan, ...]
    forest: Forest
    members: Nodes
    first: Nodes
    size: Nodes
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
        costs = costs_of(plans, cases.meters, relative * drift * usual)
        prepared, scale = _prepared(cases, plans)
        excess = (costs - costs.min(axis=0)) / np.sqrt(scale)
        fitted = ExtraTreesRegressor(
            TREES,
            min_samples_leaf=LEAF,
            max_features=FEATURE_SHARE,
            bootstrap=True,
            max_samples=SAMPLE_SHARE,
            random_state=seed,
        ).fit(prepared, excess.T)
        forest = Forest.of(fitted)
        return cls(tuple(plans), forest, *_members(forest.apply(prepared), len(forest.feature)), relative, drift)

    def paths(self, cases: Cases, count: int, seed: int = 0) -> Floats:
        """Scenarios [n, m, p] of what follows the cases; p is `count` or the next multiple of the trees."""
        places = self._drawn(self.forest.apply(_prepared(cases, self.plans)[0]), count, seed)
        usual = cases.level * cases.horizon * self.drift
        paths = np.empty((len(cases), len(cases.meters), places.shape[1]))
        for meter in range(len(cases.meters)):
            np.multiply(self.relative[:, meter][places], usual[:, meter, None], out=paths[:, meter])
        return paths

    def _drawn(self, leaves: Nodes, count: int, seed: int) -> Nodes:
        """Places [n, p] of learned cases: equally many from the leaf that each tree has for a case, evenly spread."""
        each = -(-count // TREES)
        within = (np.arange(each) + np.random.default_rng(seed).random((TREES, each))) / each
        places = self.first[leaves][:, :, None] + (within * self.size[leaves][:, :, None]).astype(np.int32)
        return self.members[np.arange(TREES)[:, None], places].reshape(len(leaves), -1)


def _members(leaves: Nodes, count_nodes: int) -> tuple[Nodes, Nodes, Nodes]:
    """Cases [trees, k] ordered by leaf, and by node where a leaf's begin within its tree, and how many they are."""
    members = np.argsort(leaves, axis=0, kind="stable").T
    first, size = np.zeros(count_nodes, dtype=np.int32), np.bincount(leaves.ravel(), minlength=count_nodes)
    for tree, order in enumerate(members):
        nodes, begins = np.unique(leaves[order, tree], return_index=True)
        first[nodes] = begins
    return members.astype(np.int32), first, size.astype(np.int32)


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
    usual = costs_of(plans, cases.meters, cases.level * cases.horizon)
    least = usual.min(axis=0) + 1e-9
    held = (cases.held[:, None] == np.arange(len(plans))).astype(np.float64)
    return np.concatenate([cases.features, (usual / least).T, held, cases.held[:, None]], axis=1), least
