"""The decision for one company: switch to a plan that is cheaper with good odds, or stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ml.rating.plan import Plan
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.custom import custom_pricing
from ml.recommendation.explanation import Reasoning, explain
from ml.recommendation.options import plan_id
from ml.recommendation.simulation import Simulation, money, require_one_currency, simulate
from ml.recommendation.verdict import judge

__all__ = ["Recommendation", "decide", "recommend"]

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What one company is advised. Amounts are per month, in `currency`, 2 decimals.

    `alternatives`: the next two options by rank. `projected_savings`: expected cost of the current plan minus
    that of the recommended one, 0 for "stay". `projected_revenue_impact`: the same from the vendor's side.
    `confidence`, 0..1 with 2 decimals: the calibrated probability of being right (`verdict.judge`).
    `reasoning` and `custom_pricing` are JSON-safe.
    """

    company_id: int
    currency: str
    current_plan: Plan
    recommended_plan: Plan
    action: Literal["switch", "stay"]
    alternatives: tuple[Plan, ...]
    custom_pricing: dict[str, Any] | None
    projected_savings: Decimal
    projected_revenue_impact: Decimal
    confidence: float
    reasoning: Reasoning


def recommend(
    company: Mapping[str, Any],
    options: Sequence[Plan],
    usage_paths: Mapping[str, npt.ArrayLike],
    rules: Sequence[Mapping[str, Any]] = (),
    insights: Sequence[Mapping[str, Any]] = (),
    policy: Policy | None = None,
) -> Recommendation:
    """Simulate `options` on the monthly `usage_paths` (meter -> [p]) of one company and decide.

    `company` has company_id, currency and current_plan (a Plan). `rules` are those of `option_rules`, `insights`
    the findings of `find_insights`; both are handed on, and the rule `custom` adds a custom offer. Without a `policy`,
    that of the time before any evidence decides.
    Raises CurrencyMismatchError when a plan is not in the company's currency, ValueError without usage paths.
    """
    plans = {plan_id(plan): plan for plan in (*options, company["current_plan"])}
    require_one_currency(list(plans.values()), company["currency"])
    ordered = [plans[key] for key in sorted(plans)]
    return decide(company, simulate(ordered, usage_paths), rules, insights, policy)


def decide(
    company: Mapping[str, Any],
    simulation: Simulation,
    rules: Sequence[Mapping[str, Any]] = (),
    insights: Sequence[Mapping[str, Any]] = (),
    policy: Policy | None = None,
    not_offered: Sequence[Mapping[str, Any]] = (),
) -> Recommendation:
    """The recommendation from costs that are already simulated; the current plan must be among them.

    Raises CurrencyMismatchError like `recommend`.
    """
    require_one_currency(simulation.plans, company["currency"])
    current_plan: Plan = company["current_plan"]
    current = [plan_id(plan) for plan in simulation.plans].index(plan_id(current_plan))
    policy = policy or Policy()
    verdict = judge(simulation, current, policy)
    chosen, others = verdict.chosen, [option for option in verdict.ranking if option != verdict.chosen]
    savings = money(simulation.expected[current]) - money(simulation.expected[chosen])
    custom = _custom(simulation, current, rules, company["currency"])
    return Recommendation(
        company_id=int(company["company_id"]),
        currency=company["currency"],
        current_plan=current_plan,
        recommended_plan=simulation.plans[chosen],
        action="stay" if chosen == current else "switch",
        alternatives=tuple(simulation.plans[option] for option in others[:2]),
        custom_pricing=custom,
        projected_savings=savings,
        projected_revenue_impact=ZERO - savings,
        confidence=round(verdict.confidence, 2),
        reasoning=explain(simulation, current, verdict, policy, rules, insights, not_offered),
    )


def _custom(
    simulation: Simulation, current: int, rules: Sequence[Mapping[str, Any]], currency: str
) -> dict[str, Any] | None:
    if not any(rule["option"] == "custom" and rule["holds"] for rule in rules):
        return None
    catalogue = [row for row, plan in enumerate(simulation.plans) if plan.is_sellable and not plan.is_trial]
    best = min(simulation.expected[row] for row in catalogue or [current])
    seconds = simulation.usage.get("call_seconds", np.zeros(1))
    return custom_pricing(seconds, Decimal(repr(float(best))), currency)
