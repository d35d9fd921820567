"""The reasons of a recommendation as figures; every number that the decision used, and what would change it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

import numpy as np

from ml.recommendation.choosers.policy import Policy, passes
from ml.recommendation.custom import FLOOR_SHARE
from ml.recommendation.gate import Gate
from ml.recommendation.options import FLAT_RATE_STRENGTH, TIME_BASED_RATIO, plan_id
from ml.recommendation.simulation import USAGE_FACTORS, Simulation, money
from ml.recommendation.verdict import Verdict

__all__ = ["ASSUMPTIONS", "EXPLANATION_VERSION", "Reasoning", "explain"]

EXPLANATION_VERSION = 2

ASSUMPTIONS = (
    "usage_continues_as_that_of_others_did",
    "a_month_is_the_projection_horizon",
    "amounts_exclude_tax_and_one_time_fees",
    "usage_does_not_react_to_the_price",
)
JsonObject = dict[str, Any]


class Reasoning(TypedDict):
    """JSON-safe. Amounts are strings with 2 decimals in `currency`, shares are 0..1.

    options: by rank. alternatives: ranks 2 and 3, or 1 and 2 besides staying, each with why it is not advised.
    not_offered: plans that lack what the company uses. second_opinion: the option whose most regret on any scenario
    is least. switch_points: the multiples of the expected usage at which another option becomes the cheapest.
    what_would_change_it: None unless the company is advised to stay for lack of a better option. data: window of
    usage, as_of, known_at, and the versions of price list, models and code; added by whoever knows them.
    """

    version: int
    currency: str
    decision: JsonObject
    confidence: JsonObject
    options: list[JsonObject]
    alternatives: list[JsonObject]
    not_offered: list[JsonObject]
    second_opinion: JsonObject
    switch_points: list[JsonObject]
    usage: dict[str, dict[str, float]]
    rules: list[JsonObject]
    insights: list[JsonObject]
    assumptions: list[str]
    thresholds: JsonObject
    what_would_change_it: JsonObject | None
    data: NotRequired[JsonObject]


def explain(
    simulation: Simulation,
    current: int,
    verdict: Verdict,
    policy: Policy,
    rules: Sequence[Mapping[str, Any]] = (),
    insights: Sequence[Mapping[str, Any]] = (),
    not_offered: Sequence[Mapping[str, Any]] = (),
) -> Reasoning:
    """All that the decision rests on."""
    second = verdict.least_regret
    return {
        "version": EXPLANATION_VERSION,
        "currency": simulation.plans[current].currency,
        "decision": {"reason": verdict.reason, **_plan(simulation, verdict.chosen)},
        "confidence": _confidence(simulation, verdict, policy),
        "options": [
            _option(simulation, row, rank, current, verdict) for rank, row in enumerate(verdict.ranking, start=1)
        ],
        "alternatives": [
            _plan(simulation, row) | {"why_not": _why_not(simulation, row, current, verdict, policy.gate)}
            for row in [option for option in verdict.ranking if option != verdict.chosen][:2]
        ],
        "not_offered": [dict(plan) for plan in not_offered],
        "second_opinion": _plan(simulation, second)
        | {
            "rule": "minimax_regret",
            "max_regret": str(money(simulation.max_regret[second])),
            "agrees": second == verdict.chosen,
        },
        "switch_points": _switch_points(simulation),
        "usage": {meter: dict(spread) for meter, spread in simulation.usage_spread.items()},
        "rules": [dict(rule) for rule in rules],
        "insights": [dict(finding) for finding in insights],
        "assumptions": list(ASSUMPTIONS),
        "thresholds": asdict(policy.gate)
        | {
            "flat_rate_strength_above": FLAT_RATE_STRENGTH,
            "time_based_ratio_above": TIME_BASED_RATIO,
            "custom_floor_share": str(FLOOR_SHARE),
        },
        "what_would_change_it": _what_would_change_it(simulation, current, verdict, policy.gate),
    }


def _plan(simulation: Simulation, row: int) -> JsonObject:
    key, version = plan_id(simulation.plans[row])
    return {"plan_key": key, "plan_version": version}


def _confidence(simulation: Simulation, verdict: Verdict, policy: Policy) -> JsonObject:
    """The probability, how it came about, and how the ways of choosing have done so far."""
    return {
        "value": round(verdict.confidence, 2),
        "scenarios": simulation.costs.shape[1],
        "scenario_share": round(float(verdict.raw[verdict.chosen]), 4),
        "calibration": "isotonic" if policy.calibration.count else "assumed",
        "switches_seen": policy.calibration.count,
        "family": policy.family,
        "relative_regret": {name: round(loss, 4) for name, loss in policy.losses.items()},
        "cases_seen": policy.count_cases,
        "origins_seen": policy.count_origins,
    }


def _option(simulation: Simulation, row: int, rank: int, current: int, verdict: Verdict) -> JsonObject:
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
        "worst_cost": str(money(simulation.worst[row])),
        "max_regret": str(money(simulation.max_regret[row])),
        "expected_saving": str(money(simulation.expected[current]) - cost),
        "saving_share": round(float(verdict.saving_share[row]), 4),
        "probability_cheaper": round(float(verdict.probability[row]), 4),
    }


def _why_not(simulation: Simulation, row: int, current: int, verdict: Verdict, gate: Gate) -> str:
    if row == current:
        return "dearer"
    if simulation.expected[row] >= simulation.expected[verdict.chosen]:
        return "not_cheaper"
    if passes(gate, verdict.saving_share, verdict.probability)[row]:
        return "not_best_ranked"
    return "saving_too_small" if verdict.saving_share[row].round(9) < gate.min_saving_share else "odds_too_low"


def _switch_points(simulation: Simulation) -> list[JsonObject]:
    expected = {meter: spread["expected"] for meter, spread in simulation.usage_spread.items()}
    return [
        {
            "usage_factor": round(factor, 3),
            "usage": {meter: round(factor * quantity, 2) for meter, quantity in expected.items()},
            "cheapest_below": _plan(simulation, below),
            "cheapest_above": _plan(simulation, above),
        }
        for factor, below, above in simulation.switch_points()
    ]


def _what_would_change_it(simulation: Simulation, current: int, verdict: Verdict, gate: Gate) -> JsonObject | None:
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
        "probability_cheaper": round(probability, 4),
        "missing_probability": round(max(0.0, gate.min_probability - probability), 4),
        "at_other_usage": _at_other_usage(simulation, current, others, gate),
    }


def _at_other_usage(simulation: Simulation, current: int, others: list[int], gate: Gate) -> JsonObject | None:
    cheapest = simulation.scaled[others].min(axis=0)
    saves = cheapest < simulation.scaled[current] * (1 - gate.min_saving_share)
    if not saves.any():
        return None
    nearest = int(np.where(saves, np.abs(np.log(USAGE_FACTORS)), np.inf).argmin())
    row = others[int(simulation.scaled[others, nearest].argmin())]
    return {"usage_factor": round(float(USAGE_FACTORS[nearest]), 3), **_plan(simulation, row)}
