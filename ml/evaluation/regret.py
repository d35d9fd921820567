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

__all__ = ["FEWEST_SWITCHES", "by_decile", "calibration_error", "regret_table", "reliability", "summary"]

Kind = TypeVar("Kind", np.float64, np.bool_)
DECILES = 10
FEWEST_SWITCHES = 200
"""Changes that a decile must have before its frequency is shown."""


def regret_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row per chooser: gated, ungated, stay, each family, and the single plan that was best for all together.

    Columns: see `summary`. A family that could not be tried everywhere is left out.
    """
    stay = _joined(one.origin.stay for one in judged)
    best = _joined(one.origin.best for one in judged)
    costs = {
        "recommended_gated": _joined(one.origin.cost(one.gated) for one in judged),
        "recommended_ungated": _joined(one.origin.cost(one.ungated) for one in judged),
        "stay": stay,
        "best_single_plan": _single(judged),
    }
    for name in FAMILIES:
        if all(name in one.origin.trials for one in judged):
            costs[name] = _joined(one.origin.cost(one.origin.trials[name].chosen) for one in judged)
    moved = {
        "recommended_gated": _joined(one.gated != one.origin.held for one in judged),
        "recommended_ungated": _joined(one.is_change for one in judged),
    }
    rows = [{"chooser": name, **summary(cost, stay, best, moved.get(name))} for name, cost in costs.items()]
    return pd.DataFrame(rows)


def summary(cost: Floats, stay: Floats, best: Floats, moved: Bools | None = None) -> Mapping[str, float]:
    """Figures of n choices from what they, staying and the best plan in hindsight cost [n].

    regret_share: regret / cost of the best plans. mean_regret and p90_regret in the currency. captured_share: of the
    savings that were possible against staying. harmed_share: more than 1 % dearer than staying. With `moved` [n]:
    switches, and harmed_among_switches. NaN where there is nothing to divide by.
    """
    regret, harmed = cost - best, is_harmed(cost, stay)
    switches = np.nan if moved is None else int(moved.sum())
    return {
        "cases": len(cost),
        "regret_share": float(ratio(regret.sum(), best.sum())),
        "mean_regret": float(regret.mean()),
        "p90_regret": float(np.quantile(regret, 0.9)),
        "captured_share": float(ratio((stay - cost).sum(), (stay - best).sum())),
        "harmed_share": float(harmed.mean()),
        "switches": switches,
        "harmed_among_switches": float(ratio(harmed.sum(), np.nan_to_num(switches))),
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


def _single(judged: Sequence[Judged]) -> Floats:
    """Costs [n] of the one plan that would have been cheapest for all cases together."""
    costs = np.concatenate([one.origin.costs for one in judged], axis=1)
    found: Floats = costs[costs.sum(axis=1).argmin()]
    return found
