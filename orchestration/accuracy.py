"""How far the forecasts have been off lately: a backtest on the companies from which models are learned."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from ml.analysis.forecasting.learning import HISTORY_DAYS
from ml.evaluation.backtest import KEYS, accuracy, judge
from orchestration.forecast_inputs import ForecastInputs
from orchestration.learned import HORIZON_DAYS
from orchestration.tables import as_markdown

MOST_CUTOFFS = 3
"""Months before the as-of date at whose beginnings forecasts are made and judged."""
BY = ("meter", "segment", "history_days", "model")
FIGURES = ["wape", "mase", "pinball_loss", "coverage_80"]


def judge_forecasts(inputs: ForecastInputs, tell: Callable[[str], Any] = print) -> pd.DataFrame:
    """Rows of `ml.forecast_accuracy` without its times; none before there is a month to judge.

    `is_chosen` marks the forecast that was given and the model that the last cut-off chose for it.
    """
    rows = []
    for meter, history in inputs.histories().items():
        for cutoff in range(MOST_CUTOFFS):
            age = HORIZON_DAYS * (cutoff + 1)
            for days in HISTORY_DAYS:
                if history.days >= age + days:
                    found = judge(history, age, days, HORIZON_DAYS)
                    rows += [{"meter": meter, "cutoff": age, **row} for row in found]
        tell(f"Judged the forecasts of {meter}")
    if not rows:
        return pd.DataFrame()
    sums = pd.DataFrame(rows)
    last = sums.sort_values("cutoff", kind="stable").drop_duplicates(list(BY))[[*BY, "is_chosen"]]
    return accuracy(sums, BY).merge(last, on=list(BY)).assign(horizon_days=HORIZON_DAYS)


def accuracy_table(found: pd.DataFrame) -> str:
    """Markdown of the figures by meter, length of history and model, the mean of the segments weighted by series."""
    weights = found["count_series"]
    weighted = found[FIGURES].mul(weights, axis=0).assign(**{key: found[key] for key in KEYS})
    known = found[FIGURES].notna().mul(weights, axis=0).assign(**{key: found[key] for key in KEYS})
    table = weighted.groupby(list(KEYS), sort=False).sum() / known.groupby(list(KEYS), sort=False).sum()
    return as_markdown(table.reset_index())
