"""The reasons of a recommendation as figures; every number that the decision used, and what would change it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from ml.recommendation.custom import FLOOR_SHARE
from ml.recommendation.gate import Gate, Verdict
from ml.recommendation.options import FLAT_RATE_STRENGTH, TIME_BASED_RATIO, plan_id
from ml.recommendation.simulation import USAGE_FACTORS, Simulation, money

__all__ = ["ASSUMPTIONS", "EXPLANATION_VERSION", "explain"]

EXPLANATION_VERSION = 1

ASSUMPTIONS = (
    "usage_continues_at_the_present_level",
    "a_month_is_the_projection_horizon",
    "amounts_exclude_tax_and_one_time_fees",
    "usage_does_not_react_to_the_price",
)


def explain(
    simulation: Simulation,
    current: int,
    verdict: Verdict,
    gate: Gate,
    rules: Sequence[Mapping[str, Any]],
    insights: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """JSON-safe reasons. Amounts are strings with 2 decimals in `currency`, shares are 0..1.

    Keys: version, currency, decision, confidence, options (by rank), usage, rules, insights, assumptions,
    thresholds, what_would_change_it (None unless the company is advised to stay for lack of a better option).
    """
    return {
        "version": EXPLANATION_VERSION,
        "currency": simulation.plans[current].currency,
        "decision": {"reason": verdict.reason, **_plan(simulation, verdict.chosen)},
        "confidence": {
            "value": round(verdict.confidence, 2),
            "simulated_months": simulation.costs.shape[1],
            "calibration": "none: share of simulated months",
        },
        "options": [
            _option(simulation, row, rank, current, verdict) for rank, row in enumerate(verdict.ranking, start=1)
        ],
        "usage": {meter: dict(spread) for meter, spread in simulation.usage_spread.items()},
        "rules": [dict(rule) for rule in rules],
        "insights": [dict(finding) for finding in insights],
        "assumptions": list(ASSUMPTIONS),
        "thresholds": asdict(gate)
        | {
            "flat_rate_strength_above": FLAT_RATE_STRENGTH,
            "time_based_ratio_above": TIME_BASED_RATIO,
            "custom_floor_share": str(FLOOR_SHARE),
        },
        "what_would_change_it": _what_would_change_it(simulation, current, verdict, gate),
    }


def _plan(simulation: Simulation, row: int) -> dict[str, Any]:
    key, version = plan_id(simulation.plans[row])
    return {"plan_key": key, "plan_version": version}


def _option(simulation: Simulation, row: int, rank: int, current: int, verdict: Verdict) -> dict[str, Any]:
    cost = money(simulation.expected[row])
    return _plan(simulation, row) | {
        "rank": rank,
        "name": simulation.plans[row].name,
        "option": simulation.plans[row].option,
        "is_current": row == current,
        "is_recommended": row == verdict.chosen,
        "expected_cost": str(cost),
        "p10_cost": str(money(simulation.low[row])),
        "p90_cost": str(money(simulation.high[row])),
        "expected_saving": str(money(simulation.expected[current]) - cost),
        "saving_share": round(float(verdict.saving_share[row]), 4),
        "probability_not_dearer": round(float(verdict.probability[row]), 4),
    }


def _what_would_change_it(simulation: Simulation, current: int, verdict: Verdict, gate: Gate) -> dict[str, Any] | None:
    """The best other option, what it lacks, and the multiple of usage nearest to 1 that brings the saving."""
    others = [row for row in verdict.ranking if row != current]
    if verdict.chosen != current or not others or verdict.reason == "no_usage":
        return None
    best = others[0]
    share, probability = float(verdict.saving_share[best]), float(verdict.probability[best])
    return {
        "closest_option": _plan(simulation, best),
        "saving_share": round(share, 4),
        "missing_saving_share": round(max(0.0, gate.min_saving_share - share), 4),
        "probability_not_dearer": round(probability, 4),
        "missing_probability": round(max(0.0, gate.min_probability - probability), 4),
        "at_other_usage": _at_other_usage(simulation, current, others, gate),
    }


def _at_other_usage(simulation: Simulation, current: int, others: list[int], gate: Gate) -> dict[str, Any] | None:
    cheapest = simulation.scaled[others].min(axis=0)
    saves = cheapest < simulation.scaled[current] * (1 - gate.min_saving_share)
    if not saves.any():
        return None
    nearest = int(np.where(saves, np.abs(np.log(USAGE_FACTORS)), np.inf).argmin())
    row = others[int(simulation.scaled[others, nearest].argmin())]
    return {"usage_factor": float(USAGE_FACTORS[nearest]), **_plan(simulation, row)}
