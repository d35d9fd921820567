"""What companies are advised: each is computed from what is then stored of it, so that it can be computed again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from importlib.metadata import version
from itertools import product
from typing import Any

from psycopg import Connection

from ml.analysis.definitions import DEFINITIONS_VERSION
from ml.analysis.forecasting.history import History
from ml.analysis.forecasting.models import SEGMENTS, ForecastModels, Kind, kinds_of
from ml.recommendation.choosers.groups import groups_of
from ml.recommendation.explanation import EXPLANATION_VERSION, Reasoning
from ml.recommendation.options import plan_id
from ml.recommendation.recommend_all import recommend_companies
from orchestration.choice_lessons import read_choice_lessons
from orchestration.choice_policies import read_policies
from orchestration.choices import Choices, outlook_of
from orchestration.engine_inputs import CompanyInputs, read_company_inputs
from orchestration.forecast_inputs import read_lessons
from orchestration.forecasts import project_from
from orchestration.learned import models_at
from orchestration.recommendations import VALID_FOR, Occasion, read_plans, recommendation_row, with_current_plan
from orchestration.replay_contents import Contents

PACKAGES = ("usage-pricing", "numpy", "pandas", "scikit-learn")
Versions = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Advice:
    """Rows of `ml.pricing_recommendations`, and the contents that their `versions` name."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    contents: Contents = field(default_factory=Contents)


def advise(connection: Connection, at: date, known_at: datetime, occasions: Mapping[int, Occasion]) -> Advice:
    """What companies are advised as of a date, each on an occasion of its own.

    Who has no plan in its currency that can be simulated is left out.
    """
    plans, plan_ids = read_plans(connection)
    companies = with_current_plan(connection, occasions, known_at, plans)
    advice = Advice()
    if companies.empty:
        return advice
    inputs = read_company_inputs(connection, at, known_at, companies)
    lessons = read_lessons(connection, at, known_at)
    catalogue = advice.contents.keep_catalogue(plans, plan_ids)
    stamp = {"as_of": at, "known_at": known_at, "generated_at": known_at, "expires_at": known_at + VALID_FOR}
    models = _Models(models_at(connection, at, known_at), advice.contents)
    choices = Choices(
        read_choice_lessons(connection, at, known_at, lessons),
        read_policies(connection, at, known_at),
        groups_of(plans, at),
        {plan_id(plan): plan for plan in plans},
        advice.contents,
    )
    common = {
        "as_of": at.isoformat(),
        "known_at": known_at.isoformat(),
        "catalogue": catalogue,
        "lengths": models.lengths,
        "code": code_versions(),
    }
    for company_id, document in inputs.documents():
        own = CompanyInputs.of(json.loads(json.dumps(document)))
        versions = common | {"models": models.kept_for(own)} | choices.kept_for(own)
        row = compute(own, versions, advice.contents, occasions[company_id])
        advice.rows.append(row | stamp | {"input_series": document, "versions": versions})
    return advice


def compute(inputs: CompanyInputs, versions: Versions, contents: Contents, occasion: Occasion) -> dict[str, Any]:
    """A row of `ml.pricing_recommendations` of one company, from what is stored of it alone.

    Raises:
        ContentMissing: when something of it is not stored.
    """
    plans, plan_ids = contents.catalogue(versions["catalogue"])
    # The company's own kind is the only one that is asked for.
    models = {
        meter: dict.fromkeys(product(SEGMENTS, versions["lengths"]), contents.model(content_hash))
        for meter, content_hash in versions["models"].items()
    }
    seen = outlook_of(inputs, project_from(inputs.histories, models), versions, contents)
    (found,) = recommend_companies(
        inputs.companies,
        inputs.characteristics,
        inputs.patterns,
        seen.projection,
        plans,
        seen.policies,
        noticed=inputs.noticed,
    )
    reasoning: Reasoning = {**found.reasoning, "data": _data(inputs, versions)}
    return recommendation_row(replace(found, reasoning=reasoning), occasion, plan_ids)


def _data(inputs: CompanyInputs, versions: Versions) -> dict[str, Any]:
    """From which days, known when, and by which models and price list: the series are those of `input_series`."""
    window = inputs.histories.windows.iloc[0]
    days = {name: window[name].date().isoformat() for name in ("window_start", "window_end")}
    return {**days, "complete_days": len(inputs.histories.complete), **versions}


def code_versions() -> dict[str, Any]:
    """Of what else the figures hang on: definitions, and the libraries that compute."""
    packages = {name: version(name) for name in PACKAGES}
    return {"definitions": DEFINITIONS_VERSION, "explanation": EXPLANATION_VERSION, **packages}


class _Models:
    """What was learned, of which only the models are kept by which somebody is forecast."""

    def __init__(self, learned: Mapping[str, ForecastModels], contents: Contents) -> None:
        self._learned, self._contents = learned, contents
        self._hashes: dict[tuple[str, Kind], str] = {}
        self.lengths = sorted({days for models in learned.values() for _, days in models})

    def kept_for(self, own: CompanyInputs) -> dict[str, str]:
        """By meter, the hash of the model of a company's kind."""
        kinds = {meter: self._kind(history) for meter, history in own.histories.histories().items()}
        for meter, kind in kinds.items() - self._hashes.keys():
            self._hashes[meter, kind] = self._contents.keep_model(self._learned[meter][kind])
        return {meter: self._hashes[meter, kind] for meter, kind in kinds.items()}

    def _kind(self, history: History) -> Kind:
        ((_, kind),) = kinds_of(history, self.lengths)
        return kind
