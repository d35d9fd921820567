"""The churn score on companies that it was not fitted on, and how its constants were fitted."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml.analysis.arrays import Bools, Floats, Ints
from ml.analysis.churn import (
    HISTORY_DAYS,
    HORIZON_DAYS,
    MIN_HISTORY_DAYS,
    churn_probability,
    usage_facts,
)
from ml.synthetic.churn import UsageHistories, simulate_histories

__all__ = ["ChurnBacktest", "ChurnCases", "backtest_churn", "churn_cases", "fit_churn"]

STEP_DAYS = 30
COMPANIES, DAYS = 3000, 330
FIT_SEED, CALIBRATION_SEED = 1, 2
"""Simulated companies of the fit, and others for the calibration; backtests draw yet others."""
ODDS_EDGES = (-5.0, -4.5, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
"""Bounds of the log odds between which the calibration counts."""


@dataclass(frozen=True, slots=True)
class ChurnCases:
    """n pairs of a company and an as-of date: `features` [n, 3] from before it, `churned` [n] from after it."""

    features: Floats
    churned: Bools


@dataclass(frozen=True, slots=True)
class ChurnBacktest:
    """Scores of a backtest beside those of always saying the base rate.

    `brier` and `log_loss` (nats) are means over the cases, `auc` the area under the ROC curve. `table`: ten groups of
    rising probability with `count`, mean `probability`, `churned` (share) and `lift` over the base rate.
    """

    cases: int
    base_rate: float
    brier: float
    brier_of_base_rate: float
    log_loss: float
    log_loss_of_base_rate: float
    auc: float
    table: pd.DataFrame


def churn_cases(histories: UsageHistories) -> ChurnCases:
    """Cases of every company each 30 days, from 14 days of history on.

    Only companies that were used within the last 30 days are asked about: of one that is silent for longer
    everybody knows, and counting it would make every score look good.
    """
    days = histories.counts.shape[1]
    parts = [_cases_at(histories, at) for at in range(STEP_DAYS, days - HORIZON_DAYS + 1, STEP_DAYS)]
    return ChurnCases(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _cases_at(histories: UsageHistories, at: int) -> tuple[Floats, Bools]:
    old_enough = histories.starts <= at - MIN_HISTORY_DAYS
    first = np.maximum(histories.starts[old_enough], at - HISTORY_DAYS)
    counts = histories.counts[old_enough]
    lengths = at - first
    place = first[:, None] + np.arange(min(HISTORY_DAYS, at))
    usage = np.take_along_axis(counts[:, :at], np.minimum(place, at - 1), axis=1)
    facts = usage_facts(usage, lengths)
    asked = (facts.silent_days < HORIZON_DAYS) & ~np.isnan(facts.usual_gap_days)
    churned = counts[:, at : at + HORIZON_DAYS].sum(axis=1) == 0
    return facts.features[asked], churned[asked]


def backtest_churn(cases: ChurnCases) -> ChurnBacktest:
    """Score the shipped constants on cases. Raises ValueError unless some companies churn and some stay."""
    churned = cases.churned.astype(np.float64)
    base = float(churned.mean()) if len(churned) else 0.0
    if not 0 < base < 1:
        raise ValueError("churn cases need companies that churn and others that stay.")
    probability = churn_probability(cases.features)
    return ChurnBacktest(
        cases=len(churned),
        base_rate=base,
        brier=float(((probability - churned) ** 2).mean()),
        brier_of_base_rate=base * (1 - base),
        log_loss=_log_loss(probability, churned),
        log_loss_of_base_rate=_log_loss(np.full(len(churned), base), churned),
        auc=_auc(probability, cases.churned),
        table=_calibration_table(probability, churned, base),
    )


def _log_loss(probability: Floats, churned: Floats) -> float:
    bounded = np.clip(probability, 1e-9, 1 - 1e-9)
    return float(-(churned * np.log(bounded) + (1 - churned) * np.log(1 - bounded)).mean())


def _auc(probability: Floats, churned: Bools) -> float:
    """Mann & Whitney's statistic (Hanley & McNeil 1982); equal probabilities count one half."""
    ranks = pd.Series(probability).rank().to_numpy()
    ends = int(churned.sum())
    return float((ranks[churned].sum() - ends * (ends + 1) / 2) / (ends * (len(churned) - ends)))


def _calibration_table(probability: Floats, churned: Floats, base: float) -> pd.DataFrame:
    groups = np.array_split(np.argsort(probability, kind="stable"), 10)
    return pd.DataFrame(
        [
            {
                "decile": number,
                "count": len(group),
                "probability": float(probability[group].mean()),
                "churned": float(churned[group].mean()),
                "lift": float(churned[group].mean()) / base,
            }
            for number, group in enumerate(groups, start=1)
            if len(group)
        ]
    )


def fit_churn() -> tuple[tuple[float, ...], tuple[tuple[float, float], ...]]:
    """Fit the constants COEFFICIENTS and CALIBRATION of `ml.analysis.churn` on simulated companies.

    Logistic regression by maximum likelihood on one world; on another, the share that churned within each of
    `ODDS_EDGES`, made monotone by isotonic regression weighted by the number of cases. Rounded as they are shipped.
    """
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    fit, other = (churn_cases(simulate_histories(COMPANIES, DAYS, seed)) for seed in (FIT_SEED, CALIBRATION_SEED))
    model = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(fit.features, fit.churned)
    coefficients = [round(float(value), 2) for value in (model.intercept_[0], *model.coef_[0])]
    odds = coefficients[0] + other.features @ np.array(coefficients[1:])
    group: Ints = np.searchsorted(ODDS_EDGES, odds).astype(np.int64)
    count = np.bincount(group, minlength=len(ODDS_EDGES) + 1)
    middle, share = (np.bincount(group, weights=values) / count for values in (odds, other.churned.astype(float)))
    curve = IsotonicRegression().fit(middle, share, sample_weight=count).predict(middle)
    return tuple(coefficients), tuple(
        (round(place, 2), round(value, 4)) for place, value in zip(middle.tolist(), curve.tolist(), strict=True)
    )
