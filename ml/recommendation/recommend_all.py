"""Recommendations for all companies of a shard: costs are simulated together, decisions made one by one."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from ml.analysis.insights import find_insights
from ml.analysis.projection import Projection
from ml.analysis.windows import require_columns
from ml.rating.plan import Plan
from ml.recommendation.choice import Recommendation, decide
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.options import Needs, option_rules, options_for, plan_id, what_is_missing
from ml.recommendation.simulation import Simulation, simulate_many

__all__ = ["COMPANY_COLUMNS", "recommend_companies"]

COMPANY_COLUMNS = ("company_id", "currency", "plan_key", "plan_version")
CHUNK = 500
"""Companies simulated together: bounds the memory to about plans x 500 x paths floats."""


def recommend_companies(
    companies: pd.DataFrame,
    characteristics: pd.DataFrame,
    patterns: pd.DataFrame,
    projection: Projection,
    plans: Sequence[Plan],
    policies: Mapping[int, Policy] | None = None,
    noticed: Mapping[str, pd.DataFrame] | None = None,
) -> list[Recommendation]:
    """One recommendation per row of `companies` (company_id, currency, plan_key, plan_version), in its order.

    Offered are the plan versions valid on the day that the company's projection starts, but for those that lack what
    it uses: `features` is an optional column of `companies` with the names of those in use.
    The other frames are those of `ml.analysis` and must hold the same companies; `plans` is the catalogue with
    every plan in use. `policies` by company, see `choosers.outlook`; who has none is judged as before any evidence.
    `noticed`: further frames for `find_insights`, such as limits; what is saved is told it here.
    Raises ValueError for missing columns, and naming the companies or plans not found, and CurrencyMismatchError for
    a current plan in another currency than the company's.
    """
    require_columns(companies, "companies", COMPANY_COLUMNS)
    by_id = {plan_id(plan): plan for plan in plans}
    cases = _cases(companies, characteristics, patterns, projection, by_id)
    results: dict[int, Recommendation] = {}
    for group in _groups(cases):
        candidates = sorted({plan_id(plan) for case in group for plan in case.options})
        monthly = projection.monthly[[case.row for case in group]]
        simulations = simulate_many([by_id[key] for key in candidates], projection.meters, monthly)
        for case, simulation in zip(group, simulations, strict=True):
            own = simulation.only([candidates.index(plan_id(plan)) for plan in case.options])
            results[case.company["company_id"]] = _decided(case, own, policies or {})
    chosen = characteristics[characteristics["company_id"].isin(results)]
    savings = _savings(results.values())
    insights = find_insights(patterns, chosen, projection, savings=savings, **(noticed or {}))
    for company, findings in zip(insights["company_id"].tolist(), insights["findings"], strict=True):
        reasoned = replace(results[company], reasoning={**results[company].reasoning, "insights": findings})
        results[company] = reasoned
    return [results[case.company["company_id"]] for case in cases]


@dataclass(frozen=True, slots=True)
class _Case:
    company: dict[str, Any]
    row: int
    rules: list[dict[str, Any]]
    options: list[Plan]
    features: frozenset[str]


def _cases(
    companies: pd.DataFrame,
    characteristics: pd.DataFrame,
    patterns: pd.DataFrame,
    projection: Projection,
    plans: Mapping[tuple[str, int], Plan],
) -> list[_Case]:
    rows = {company: row for row, company in enumerate(projection.company_ids.tolist())}
    traits = {row["company_id"]: row for row in characteristics.to_dict("records")}
    hourly = patterns[patterns["pattern_type"] == "hourly"].set_index("company_id")["pattern_data"].to_dict()
    asked = companies.to_dict("records")
    _require(
        [row["company_id"] for row in asked], rows.keys() & traits.keys() & hourly.keys(), "companies not analysed"
    )
    _require([(row["plan_key"], row["plan_version"]) for row in asked], plans.keys(), "plans not in the catalogue")
    dates = projection.start.tolist()

    def case(row: dict[Any, Any]) -> _Case:
        company, current = row["company_id"], plans[row["plan_key"], row["plan_version"]]
        facts = traits[company], hourly[company]
        return _Case(
            company={"company_id": company, "currency": row["currency"], "current_plan": current},
            row=rows[company],
            rules=option_rules(*facts),
            options=options_for(plans.values(), row["currency"], current, on=dates[rows[company]]),
            features=frozenset(row.get("features") or ()),
        )

    return [case(row) for row in asked]


def _decided(case: _Case, simulation: Simulation, policies: Mapping[int, Policy]) -> Recommendation:
    """The advice on what fits; the current plan is an option even where it does not."""
    current = plan_id(case.company["current_plan"])
    needs = Needs(case.features, {meter: spread["p90"] for meter, spread in simulation.usage_spread.items()})
    missing = {plan_id(plan): what_is_missing(plan, needs) for plan in simulation.plans}
    fitting = [
        row for row, plan in enumerate(simulation.plans) if not missing[plan_id(plan)] or plan_id(plan) == current
    ]
    not_offered = [
        {"plan_key": key, "plan_version": version, "missing": lacks}
        for (key, version), lacks in missing.items()
        if lacks and (key, version) != current
    ]
    policy = policies.get(case.company["company_id"])
    return decide(case.company, simulation.only(fitting), case.rules, policy=policy, not_offered=not_offered)


def _savings(results: Iterable[Recommendation]) -> pd.DataFrame:
    """What `find_insights` takes: only a switch that is advised saves anything, so no finding speaks against advice."""
    rows = [(each.company_id, each.projected_savings, each.currency, each.recommended_plan.name) for each in results]
    return pd.DataFrame(rows, columns=["company_id", "amount", "currency", "plan_name"])


def _require(asked: Sequence[Any], known: Container[Any], what: str) -> None:
    missing = [item for item in dict.fromkeys(asked) if item not in known]
    if missing:
        raise ValueError(f"{what}: {missing[:10]}; hand over the frames and the catalogue of the same companies.")


def _groups(cases: list[_Case]) -> Iterator[list[_Case]]:
    """Cases of one currency, in chunks: plans of two currencies never meet in a simulation."""
    for currency in sorted({case.company["currency"] for case in cases}):
        same = [case for case in cases if case.company["currency"] == currency]
        for start in range(0, len(same), CHUNK):
            yield same[start : start + CHUNK]
