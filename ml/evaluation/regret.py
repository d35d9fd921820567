"""How much more the advised plans cost than the best ones in hindsight, and how honest their probabilities were."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Bools, Floats, ratio
from ml.evaluation.plan_backtest import Judged
from ml.recommendation.choosers.outcomes import FAMILIES
from ml.recommendation.choosers.policy import is_harmed

__all__ = [
    "FEWEST_DECILES",
    "FEWEST_SWITCHES",
    "by_decile",
    "calibration_error",
    "regret_table",
    "reliability",
    "summary",
]

Kind = TypeVar("Kind", bound=np.generic)
DECILES = 10
FEWEST_SWITCHES = 200
"""Changes that a decile must have before its frequency is shown."""
FEWEST_DECILES = 3
"""Shown deciles below which the calibration error is mere chance, and is not shown either."""


def regret_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row per chooser: gated, ungated, stay, each family, and the single plan that was best for all together.

    Columns: see `summary`. A family that could not be tried everywhere is left out.
    """
    costs = np.concatenate([one.origin.costs for one in judged], axis=1)
    held = _joined(one.origin.held for one in judged)
    chosen = {
        "recommended_gated": _joined(one.gated for one in judged),
        "recommended_ungated": _joined(one.ungated for one in judged),
        "stay": held,
        "best_single_plan": np.full(len(held), costs.sum(axis=1).argmin()),
    }
    for name in FAMILIES:
        if all(name in one.origin.trials for one in judged):
            chosen[name] = _joined(one.origin.trials[name].chosen for one in judged)
    own = np.arange(len(held))
    stay, best = costs[held, own], costs.min(axis=0)
    rows = [
        {"chooser": name, **summary(costs[plans, own], stay, best, plans != held)} for name, plans in chosen.items()
    ]
    return pd.DataFrame(rows)


def summary(cost: Floats, stay: Floats, best: Floats, moved: Bools) -> Mapping[str, float]:
    """Figures of n choices from what they, staying and the best plan in hindsight cost [n]; `moved` [n]: changes.

    regret_share: regret / cost of the best plans. mean_regret and p90_regret in the currency. captured_share: of the
    savings that were possible against staying. harmed_share: more than 1 % dearer than staying. switches, and
    harmed_among_switches. NaN where there is nothing to divide by.
    """
    regret, harmed = cost - best, is_harmed(cost, stay)
    return {
        "cases": len(cost),
        "regret_share": float(ratio(regret.sum(), best.sum())),
        "mean_regret": float(regret.mean()),
        "p90_regret": float(np.quantile(regret, 0.9)),
        "captured_share": float(ratio((stay - cost).sum(), (stay - best).sum())),
        "harmed_share": float(harmed.mean()),
        "switches": int(moved.sum()),
        "harmed_among_switches": float(ratio(harmed.sum(), moved.sum())),
    }


def reliability(judged: Sequence[Judged]) -> pd.DataFrame:
    """As `by_decile`: of being cheaper, for all ungated changes, since a gate would hide the lower deciles."""
    changed = _joined(one.is_change for one in judged)
    probability = _joined(one.probability for one in judged)[changed]
    return by_decile(probability, _joined(one.was_cheaper for one in judged)[changed])


def by_decile(probability: Floats, came_true: Bools) -> pd.DataFrame:
    """Per decile of the probability [n]: switches, mean probability, observed frequency of what was told, and the gap.

    `is_shown` from FEWEST_SWITCHES on.
    """
    decile = np.minimum((probability * DECILES).astype(np.int64), DECILES - 1)
    count, told, seen = (
        np.bincount(decile, weights=weights, minlength=DECILES)
        for weights in (None, probability, came_true.astype(np.float64))
    )
    return pd.DataFrame(
        {
            "decile": np.arange(1, DECILES + 1),
            "switches": count.astype(np.int64),
            "mean_probability": ratio(told, count),
            "observed_frequency": ratio(seen, count),
            "gap": ratio(told, count) - ratio(seen, count),
            "is_shown": count >= FEWEST_SWITCHES,
        }
    )


def calibration_error(table: pd.DataFrame) -> float:
    """Expected calibration error (Naeini et al. 2015) of a `reliability` table: mean |gap|, weighted by switches."""
    return float(ratio((table["gap"].abs().fillna(0) * table["switches"]).sum(), table["switches"].sum()))


def _joined(parts: Iterable[npt.NDArray[Kind]]) -> npt.NDArray[Kind]:
    return np.concatenate(list(parts))
