"""How probable it is that a company will not be used in the coming 30 days, and which facts say so."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.analysis.arrays import Bools, Floats, Ints, ratio
from ml.analysis.meter_days import meter_days
from ml.analysis.windows import require_columns

__all__ = [
    "CALIBRATION",
    "CHURN_COLUMNS",
    "COEFFICIENTS",
    "FEATURES",
    "HISTORY_DAYS",
    "HORIZON_DAYS",
    "MIN_HISTORY_DAYS",
    "UsageFacts",
    "churn_log_odds",
    "churn_probability",
    "churn_risks",
    "usage_facts",
]

HORIZON_DAYS = 30
"""Churn is: no usage in these days, from the as-of date on."""
HISTORY_DAYS = 90
"""Days before the as-of date that are looked at, at most."""
MIN_HISTORY_DAYS = 14
MEDIUM_FROM, HIGH_FROM = 0.1, 0.4
"""Probabilities from which on the risk is called medium and high."""
FACTOR_FROM = 0.9
"""A fact is named when it raises the log odds by at least this much above a company whose usage stopped for a weekend:
usage that about halved, or five days of silence."""
WEEKEND_DAYS = 2
PRIOR_DAYS = 2.0
"""Days of a weekday at which its own share of active days weighs as much as that of all days."""
CHURN_COLUMNS = ("company_id", "probability", "level", "factors", "reason")

# Fitted by `ml.evaluation.churn.fit_churn`; a test fits them anew and compares.
FEATURES = ("unusual_silence", "silent_days", "decline")
COEFFICIENTS = (-5.75, 0.83, 1.7, 1.41)
"""Intercept, then one for each feature; none is negative, so that no sign of an end ever lowers the risk."""
CALIBRATION = (
    (-5.79, 0.0022),
    (-4.77, 0.008),
    (-4.24, 0.0154),
    (-3.55, 0.0373),
    (-2.54, 0.0817),
    (-1.54, 0.1784),
    (-0.53, 0.4202),
    (0.49, 0.6142),
    (1.51, 0.7365),
    (2.5, 0.8511),
    (4.29, 0.9615),
)
"""(log odds, share that churned) of a monotone curve."""


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What is known of c companies at the end of their windows.

    `features` [c, 3] in the order of `FEATURES`, see `usage_facts`. The others [c]: days since the last usage (or all
    known days), days per day with usage before that, and mean events a day of the recent and the earlier weeks.
    """

    features: Floats
    silent_days: Ints
    usual_gap_days: Floats
    recent_per_day: Floats
    earlier_per_day: Floats


def usage_facts(usage: Floats, lengths: Ints) -> UsageFacts:
    """Facts of `usage` [c, d], events per day, of which the first `lengths` [c] days of each row count.

    - `unusual_silence`: log(1 + s), s = -log of the probability of the present run of days without usage when every
      weekday is active as often as before it (shrunk towards all days): a company that is used twice a month may
      be silent for weeks, one that is used daily may not
    - `silent_days`: log(1 + days) of that run
    - `decline`: log of earlier / recent events a day, within -1 and 3, *before* that run. Recent are the last 14 days,
      7 where less than 28 are known; earlier are up to six weeks before: whole weeks, so that weekdays weigh the same
    """
    age = np.arange(1, HISTORY_DAYS + 1)
    place = lengths[:, None] - age
    known = place >= 0
    values = np.where(known, np.take_along_axis(usage, np.clip(place, 0, usage.shape[1] - 1), axis=1), 0)
    active, days = values > 0, known.sum(axis=1)
    silent = np.where(active.any(axis=1), active.argmax(axis=1), days)
    since = age - silent[:, None]
    span = np.where(days - silent >= 28, 14, 7)[:, None]
    recent = known & (since > 0) & (since <= span)
    weeks = np.clip((days - silent)[:, None] - span, 0, 42) // 7 * 7
    earlier = known & (since > span) & (since <= span + weeks)
    decline = np.log((_mean(values, earlier) + 1 / span[:, 0]) / (_mean(values, recent) + 1 / span[:, 0]))
    features = (
        np.log1p(_surprise(active, known, since, age)),
        np.log1p(silent),
        np.where(earlier.any(axis=1), np.clip(decline, -1, 3), 0),
    )
    return UsageFacts(
        features=np.stack(features, axis=1),
        silent_days=silent,
        usual_gap_days=ratio(days - silent, active.sum(axis=1)),
        recent_per_day=_mean(values, recent),
        earlier_per_day=_mean(values, earlier),
    )


def _mean(values: Floats | Bools, chosen: Bools) -> Floats:
    return ratio((values * chosen).sum(axis=1), chosen.sum(axis=1), otherwise=0)


def _surprise(active: Bools, known: Bools, since: Ints, age: Ints) -> Floats:
    """-log probability [c] of the days without usage since the last one."""
    before, silence = known & (since > 0), known & (since <= 0)
    overall = _mean(active, before)
    surprise = np.zeros(len(active))
    for weekday in range(7):
        same = age % 7 == weekday
        hits, count = (active & before & same).sum(axis=1), (before & same).sum(axis=1)
        # One day more in the denominator keeps the share below 1.
        share = (hits + PRIOR_DAYS * overall) / (count + PRIOR_DAYS + 1)
        surprise -= (silence & same).sum(axis=1) * np.log1p(-share)
    return surprise


def churn_log_odds(features: Floats) -> Floats:
    """Log odds [c] of the logistic regression on `features` [c, 3], before the calibration."""
    odds: Floats = COEFFICIENTS[0] + features @ np.array(COEFFICIENTS[1:])
    return odds


def churn_probability(features: Floats) -> Floats:
    """Probability [c]: the logistic regression's log odds through an isotonic calibration (Zadrozny & Elkan 2002).

    Both were fitted on simulated companies and carry their base rate; on real ones it ranks, and its calibration is
    to be measured.
    """
    odds, share = np.array(CALIBRATION).T
    probability: Floats = np.interp(churn_log_odds(features), odds, share)
    return probability


def churn_risks(usage_daily: pd.DataFrame, windows: pd.DataFrame) -> pd.DataFrame:
    """One row (`CHURN_COLUMNS`) per company of `windows`, whose ends are the dates from which on churn is asked.

    `usage_daily`: company_id, usage_date, quantity (events of any kind). A day without a row is one without usage: so
    windows hold only days on which the company was active and its reporting complete; the last `HISTORY_DAYS` of
    them count. `level` is low, medium or high by the probability. `factors` has the facts in numbers and
    `raised_by`, the features that raise the log odds, strongest first. Probability and level are None where nothing
    can be said, with the `reason` fewer_than_14_days or no_usage. Raises ValueError for missing columns, impossible
    quantities or windows.
    """
    require_columns(usage_daily, "usage_daily", ("company_id", "usage_date", "quantity"))
    days = meter_days(usage_daily[["company_id", "usage_date", "quantity"]].assign(meter="usage"), windows)
    lengths, usage = days.windows.lengths, days.quantity.sum(axis=1)
    if not usage.size:
        return pd.DataFrame(columns=list(CHURN_COLUMNS))
    facts = usage_facts(usage, lengths)
    probability = np.round(churn_probability(facts.features), 4)
    level = np.select([probability >= HIGH_FROM, probability >= MEDIUM_FROM], ["high", "medium"], default="low")
    short, unused = lengths < MIN_HISTORY_DAYS, np.isnan(facts.usual_gap_days)
    reason = np.select([short, unused], ["fewer_than_14_days", "no_usage"], default="")
    return pd.DataFrame(
        {
            "company_id": days.windows.company_ids,
            "probability": _only_known(reason, probability),
            "level": _only_known(reason, level),
            "factors": _factors(facts),
            "reason": pd.Series([text or None for text in reason.tolist()], dtype=object),
        }
    )


def _only_known(reason: npt.NDArray[np.str_], values: npt.NDArray[Any]) -> "pd.Series[Any]":
    pairs = zip(reason.tolist(), values.tolist(), strict=True)
    return pd.Series([None if text else value for text, value in pairs], dtype=object)


def _factors(facts: UsageFacts) -> list[dict[str, Any]]:
    """The facts of each company as JSON."""
    weekend = np.array([0, np.log1p(WEEKEND_DAYS), 0])
    raised = (facts.features - weekend) * np.array(COEFFICIENTS[1:])
    order = np.argsort(-raised, axis=1, kind="stable")
    gap = [None if np.isnan(value) else value for value in np.round(facts.usual_gap_days, 2).tolist()]
    columns = zip(
        facts.silent_days.tolist(),
        gap,
        np.round(facts.recent_per_day, 2).tolist(),
        np.round(facts.earlier_per_day, 2).tolist(),
        order.tolist(),
        raised.tolist(),
        strict=True,
    )
    return [
        {
            "days_since_last_usage": silent,
            "usual_days_between_usage": usual,
            "recent_events_per_day": recent,
            "earlier_events_per_day": earlier,
            "raised_by": [FEATURES[place] for place in places if parts[place] >= FACTOR_FROM],
        }
        for silent, usual, recent, earlier, places, parts in columns
    ]
