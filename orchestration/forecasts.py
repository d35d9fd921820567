"""Forecasts of every company's meters: what is learned, what is forecast, and the rows that it leaves."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import Warehouse, replace_rows
from ml.analysis.forecasting.forecast import Forecast
from ml.analysis.forecasting.history import WEEK, History
from ml.analysis.forecasting.models import ForecastModels, forecast_groups
from ml.analysis.projection import PROJECTED_METERS, Projection, project_usage
from ml.analysis.reaching import reach_limits
from ml.evaluation.metrics import LEVELS
from orchestration.analysis_shards import Pooled
from orchestration.forecast_inputs import (
    Accuracies,
    ForecastInputs,
    period_of,
    read_accuracy,
    read_histories,
    read_ids,
    read_limits,
)
from orchestration.learned import HORIZON_DAYS, learn_and_keep, models_at
from orchestration.shards import Counts, Shard

PATHS, SEED = 200, 0
MODELS, ACCURACIES = "forecast_models", "forecast_accuracies"
NOT_JUDGED = {"judged_as_of": None, "wape": None, "coverage_80": None}
SERIES = ("expected", "p10", "p50", "p90")
Ids = npt.NDArray[np.int64]


def project(connection: Connection, at: date, known_at: datetime, company_ids: Iterable[int]) -> Projection:
    """Scenarios of the companies' coming month: reproducible from the inputs, so nobody needs to store them."""
    models = models_at(connection, at, known_at)
    return project_from(read_histories(connection, at, known_at, company_ids), models)


def project_from(inputs: ForecastInputs, models: Mapping[str, ForecastModels]) -> Projection:
    """The same from what was read and learned."""
    return project_usage(
        inputs.meter_daily,
        inputs.windows,
        HORIZON_DAYS,
        models=models,
        holidays=inputs.holidays,
        complete=inputs.complete,
        meters=PROJECTED_METERS,
    )


def pooled_models(known_at: datetime) -> Pooled:
    """What every shard of an as-of date is handed: the models, learned once, and how far their like were off."""
    return lambda connection, at: {
        MODELS: learn_and_keep(connection, at, known_at),
        ACCURACIES: read_accuracy(connection, at, known_at),
    }


def forecast_shard(shard: Shard) -> Counts:
    """Replace the shard's rows of `ml.usage_forecasts` and `ml.limit_forecasts`; `shard.pooled` holds the models."""
    with Warehouse(shard.database_url).connect() as connection:
        inputs = read_histories(connection, shard.as_of, shard.known_at, read_ids(connection, shard))
        ids, rows, reached = inputs.windows["company_id"].to_numpy(), [], []
        limits = read_limits(connection, shard.as_of, shard.known_at, ids.tolist())
        stamp, arrived = {"as_of": shard.as_of, "known_at": shard.known_at}, inputs.arrived()
        for meter, history in inputs.histories().items():
            models = shard.pooled[MODELS][meter]
            for places, kind, forecast in forecast_groups(models, history, days_ahead(shard.as_of)):
                common = stamp | {"meter": meter, "model": models[kind].chosen, "seed": SEED}
                common |= accuracy_of(shard.pooled[ACCURACIES], meter, kind)
                own = history.rows(places)
                rows += forecast_rows(ids[places], own, forecast, common)
                late = still_to_arrive(own, arrived[meter].rows(places), forecast, shard.as_of)
                reached += limit_rows(ids[places], forecast, late, limits[limits["meter"] == meter], stamp)
        key = {"as_of": shard.as_of, "company_id": shard.companies}
        count = replace_rows(connection, "ml.usage_forecasts", key, rows)
        limited = replace_rows(connection, "ml.limit_forecasts", key, reached)
    return {"companies": len(ids), "rows": count, "limits": limited}


def accuracy_of(accuracies: Accuracies, meter: str, kind: tuple[str, int]) -> dict[str, Any]:
    """The columns of `ml.usage_forecasts` that say of what kind a series is, and how far off its like were."""
    segment, days = kind
    found = accuracies.get((meter, *kind), NOT_JUDGED)
    reason = "not_judged_yet" if found["wape"] is None else None
    return {"segment": segment, "history_days": days, **found, "accuracy_reason": reason}


def days_ahead(at: date) -> int:
    """Days from `at` to the end of the billing period after the one that `at` is in."""
    _, end = period_of(at)
    return (period_of(end)[1] - at).days


def forecast_rows(
    company_ids: Ids, history: History, forecast: Forecast, common: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Rows of `ml.usage_forecasts`: totals of the month ahead, and every day to the end of the next period."""
    paths = forecast.paths(PATHS, SEED)
    totals = paths[:, :, :HORIZON_DAYS].sum(axis=2)
    figures = np.stack([totals.mean(axis=1), *np.quantile(totals, LEVELS, axis=1)])
    daily = np.stack([paths.mean(axis=1), *forecast.quantiles(LEVELS)], axis=1).round(4)
    unseen, unused = history.lengths == 0, ~history.quantity.any(axis=1)
    reasons = np.select([unseen, unused], ["no_complete_day", "no_usage"], default="")
    return [
        {
            **common,
            "company_id": company,
            "horizon_days": HORIZON_DAYS,
            **{f"{name}_quantity": value for name, value in zip(SERIES, figures[:, row].tolist(), strict=True)},
            "daily": dict(zip(SERIES, daily[row].tolist(), strict=True)),
            "reason": reasons[row] or None,
        }
        for row, company in enumerate(company_ids.tolist())
    ]


def still_to_arrive(complete: History, arrived: History, forecast: Forecast, at: date) -> npt.NDArray[np.float64]:
    """Usage [s] that the days after the last complete one still lack, as expected, in the current period.

    Days before it that don't count, such as that of the activation, have nothing to come.
    """
    days = min((at - period_of(at)[0]).days, complete.days)
    if not days:
        return np.zeros(len(complete.ends))
    followed = np.logical_or.accumulate(complete.observed[:, ::-1], axis=1)[:, ::-1]
    waiting = followed.any(axis=1, keepdims=True) & ~followed[:, -days:]
    expected = forecast.point[:, np.arange(-days, 0) % WEEK]
    late: npt.NDArray[np.float64] = (np.maximum(expected - arrived.quantity[:, -days:], 0) * waiting).sum(axis=1)
    return late


def limit_rows(
    company_ids: Ids,
    forecast: Forecast,
    late: npt.NDArray[np.float64],
    limits: pd.DataFrame,
    stamp: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Rows of `ml.limit_forecasts` for those of the companies that have a limit (company_id, limit and used)."""
    own = limits[limits["company_id"].isin(company_ids)].sort_values("company_id")
    if own.empty:
        return []
    places = pd.Index(company_ids).get_indexer(pd.Index(own["company_id"])).astype(np.int64)
    start, end = period_of(stamp["as_of"])
    used, limit = (own[name].to_numpy(dtype=np.float64) for name in ("used_quantity", "limit_quantity"))
    left = np.full(len(own), (end - stamp["as_of"]).days)
    starts = np.full(len(own), np.datetime64(stamp["as_of"], "D"))
    paths = forecast.rows(places).paths(PATHS, SEED)
    found = reach_limits(used + late[places], limit, paths, starts, left)
    return [
        {
            **stamp,
            "company_id": row.company_id,
            "meter": row.meter,
            "period_start": start,
            "period_end": end,
            "limit_quantity": row.limit_quantity,
            "used_quantity": row.used_quantity,
            "expected_quantity": found.expected[number],
            "expected_utilisation": found.utilisation[number],
            "reach_probability": found.probability[number],
            "expected_reach_date": found.date[number],
        }
        for number, row in enumerate(own.itertuples())
    ]
