"""What each way of choosing a plan came to, at one origin of the past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.rating.plan import Plan
from ml.rating.twin import Twin
from ml.recommendation.choosers.cases import Cases

__all__ = [
    "ANALOGUES",
    "FAMILIES",
    "LAST_MONTH",
    "NOISE",
    "SCENARIOS",
    "Origin",
    "Trial",
    "costs_of",
    "is_cheaper",
    "last_month_paths",
]

LAST_MONTH, SCENARIOS, ANALOGUES = "last_month", "scenarios", "analogues"
FAMILIES = (LAST_MONTH, SCENARIOS, ANALOGUES)
"""Cheapest on last month; cheapest over the forecast's scenarios; cheapest over what like cases used afterwards."""
AT_ONCE = 32_768
"""Scenarios priced at once: what twenty plans cost in them stays in the cache of a core."""
NOISE = 1e-9
"""Less than that is no difference between two costs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one family says about n cases: the cheapest option expected (`chosen` [n], a row of the plans), how much
    less it is expected to cost, as a share of the cost of the plan held, and the share of scenarios that agree."""

    chosen: Ints
    saving_share: Floats
    raw: Floats

    @classmethod
    def of(cls, paths: Floats, cases: Cases, plans: Sequence[Plan]) -> "Trial":
        """Price the scenarios [n, m, p] with every plan."""
        twin, size = Twin(plans), max(AT_ONCE // paths.shape[2], 1)
        parts = [
            _tried(paths[at : at + size], cases, cases.held[at : at + size], twin)
            for at in range(0, max(len(cases), 1), size)
        ]
        return cls(*(np.concatenate(part) for part in zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Origin:
    """n cases `age` days before the end whose horizon is over, and what each plan would have cost them.

    `costs` [o, n]; `held` [n]: the plan of that time, always known; `rows` [n] of the histories; `is_regular` [n];
    `trials` by family, those that could be tried.
    """

    age: int
    history_days: int
    plans: tuple[Plan, ...]
    rows: Ints
    costs: Floats
    held: Ints
    is_regular: Bools
    trials: Mapping[str, Trial]

    @property
    def best(self) -> Floats:
        """Cost [n] of the best plan in hindsight."""
        least: Floats = self.costs.min(axis=0)
        return least

    @property
    def stay(self) -> Floats:
        """Cost [n] of the plan held."""
        return self.cost(self.held)

    def cost(self, chosen: Ints) -> Floats:
        """Cost [n] of the chosen plans."""
        found: Floats = self.costs[chosen, np.arange(len(chosen))]
        return found

    def take(self, chosen: Bools) -> "Origin":
        """Only these cases."""
        trials = {
            name: Trial(trial.chosen[chosen], trial.saving_share[chosen], trial.raw[chosen])
            for name, trial in self.trials.items()
        }
        parts = (self.rows[chosen], self.costs[:, chosen], self.held[chosen], self.is_regular[chosen])
        return Origin(self.age, self.history_days, self.plans, *parts, trials)


def costs_of(plans: Sequence[Plan], meters: Sequence[str], totals: Floats) -> Floats:
    """Costs [o, n, ...] of totals [n, m, ...], in the meters' units."""
    return _priced(Twin(plans), meters, totals)


def is_cheaper(cost: Floats, staying: Floats) -> Bools:
    """Where a cost really is below that of staying."""
    found: Bools = cost < staying - NOISE
    return found


def last_month_paths(cases: Cases) -> Floats:
    """The last month again [n, m, 1]."""
    return cases.recent[:, :, None]


def _priced(twin: Twin, meters: Sequence[str], totals: Floats) -> Floats:
    return twin.costs({meter: totals[:, column] for column, meter in enumerate(meters)})


def _tried(paths: Floats, cases: Cases, held: Ints, twin: Twin) -> tuple[Ints, Floats, Floats]:
    costs = _priced(twin, cases.meters, paths)
    expected, own = costs.mean(axis=2), np.arange(len(held))
    chosen = expected.argmin(axis=0)
    staying, moving = costs[held, own], costs[chosen, own]
    cheaper = is_cheaper(moving, staying).mean(axis=1)
    return chosen, ratio(expected[held, own] - expected[chosen, own], expected[held, own], otherwise=0), cheaper
