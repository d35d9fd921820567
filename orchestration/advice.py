"""What the recommendation engine is handed, and the rows of `ml.pricing_recommendations` that it leaves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pandas as pd
from psycopg import Connection

from ml.analysis.forecasting.models import ForecastModels
from ml.rating.plan import Plan
from ml.recommendation.choice import Recommendation
from ml.recommendation.recommend_all import recommend_companies
from orchestration.analysis_inputs import read_analysis
from orchestration.findings import read_findings
from orchestration.forecast_inputs import ForecastInputs, read_histories, read_lessons
from orchestration.forecasts import learned_models, project_from
from orchestration.recommendations import VALID_FOR, Occasion, read_plans, recommendation_row, with_current_plan


@dataclass(frozen=True)
class EngineInputs:
    """All that the engine looks at; the same inputs give the same recommendations.

    `companies`: company_id, currency, plan_key, plan_version. `noticed`: further frames for `find_insights`.
    `histories`: the companies' own usage. `models`: what was learned from all companies, per meter.
    """

    companies: pd.DataFrame
    characteristics: pd.DataFrame
    patterns: pd.DataFrame
    noticed: Mapping[str, pd.DataFrame]
    histories: ForecastInputs
    models: Mapping[str, ForecastModels]
    plans: Sequence[Plan]


def advise(
    connection: Connection, at: date, known_at: datetime, occasions: Mapping[int, Occasion]
) -> list[dict[str, Any]]:
    """What companies are advised as of a date, each on an occasion of its own.

    Who has no plan in its currency that can be simulated is left out.
    """
    plans, plan_ids = read_plans(connection)
    companies = with_current_plan(connection, occasions, known_at, plans)
    if companies.empty:
        return []
    inputs = read_engine_inputs(connection, at, known_at, companies, plans)
    stamp = {"as_of": at, "known_at": known_at, "generated_at": known_at, "expires_at": known_at + VALID_FOR}
    return [
        recommendation_row(found, occasions[found.company_id], plan_ids) | stamp | _series(inputs, found.company_id)
        for found in recommend(inputs)
    ]


def read_engine_inputs(
    connection: Connection, at: date, known_at: datetime, companies: pd.DataFrame, plans: Sequence[Plan]
) -> EngineInputs:
    """Read what is known of companies at a date, and learn from all."""
    ids = companies["company_id"].tolist()
    patterns, characteristics = read_analysis(connection, at, ids)
    return EngineInputs(
        companies,
        characteristics,
        patterns,
        read_findings(connection, at, ids),
        read_histories(connection, at, known_at, ids),
        learned_models(read_lessons(connection, at, known_at)),
        plans,
    )


def recommend(inputs: EngineInputs) -> list[Recommendation]:
    """One recommendation per company, in their order."""
    return recommend_companies(
        inputs.companies,
        inputs.characteristics,
        inputs.patterns,
        project_from(inputs.histories, inputs.models),
        inputs.plans,
        noticed=inputs.noticed,
    )


def _series(inputs: EngineInputs, company_id: int) -> dict[str, Any]:
    """The company's daily quantities, as they were read."""
    histories = inputs.histories
    own = histories.meter_daily[histories.meter_daily["company_id"] == company_id]
    window = histories.windows[histories.windows["company_id"] == company_id].iloc[0]
    series = {
        "window_start": window["window_start"].date().isoformat(),
        "window_end": window["window_end"].date().isoformat(),
        "meters": {
            str(meter): {row.usage_date.date().isoformat(): row.quantity for row in rows.itertuples()}
            for meter, rows in own.groupby("meter")
        },
    }
    return {"input_series": series}
