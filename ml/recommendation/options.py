"""Which plans are worth simulating for a company; why each kind is or isn't among them."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ml.analysis.projection import PROJECTED_METERS
from ml.rating.plan import Plan
from ml.rating.twin import NoTwinError, Twin

__all__ = ["FLAT_RATE_STRENGTH", "TIME_BASED_RATIO", "is_simulable", "option_rules", "options_for", "plan_id"]

FLAT_RATE_STRENGTH = 0.8
TIME_BASED_RATIO = 0.20

Facts = Mapping[Any, Any]
Rule = dict[str, Any]


def plan_id(plan: Plan) -> tuple[str, int]:
    """Identity of a plan: key and version."""
    return plan.plan_key, plan.version


def is_simulable(plan: Plan) -> bool:
    """Whether scenarios of a month's totals tell what the plan costs: all that it charges is projected, and no price
    depends on single events or days."""
    if not plan.meters <= set(PROJECTED_METERS):
        return False
    try:
        Twin([plan])
    except NoTwinError:
        return False
    return True


def option_rules(characteristics: Facts, hourly_pattern: Facts) -> list[Rule]:
    """Each rule as {option, rule, value, threshold, holds}, in the order of the options.

    `characteristics` is a row of `describe_companies`, `hourly_pattern` the hourly `pattern_data`. A value that
    is not known (None) holds no rule. Bounds are exclusive: a strength of exactly 0.8 gives no flat rate.
    """
    volume, unique = str(characteristics["volume_category"]), bool(characteristics["has_unique_patterns"])
    strength, after_hours = hourly_pattern["pattern_strength"], hourly_pattern["after_hours_ratio"]
    return [
        _rule("volume", "volume_category is", volume, "high", volume == "high"),
        _above("flat_rate", "pattern_strength above", strength, FLAT_RATE_STRENGTH),
        _rule("hybrid", "always", None, None, True),
        _above("time_based", "after_hours_ratio above", after_hours, TIME_BASED_RATIO),
        _rule("custom", "has_unique_patterns is", unique, True, unique),
        _rule("standard", "always", None, None, True),
    ]


def options_for(
    characteristics: Facts,
    hourly_pattern: Facts,
    plans: Iterable[Plan],
    currency: str | None = None,
    current_plan: Plan | None = None,
    on: date | None = None,
) -> list[Plan]:
    """Plans to simulate, by key and version: those on sale whose option rule holds, plus the current plan.

    Of each plan key only the newest version on sale counts, of those valid `on` that date where it is given, so
    that a replay of the past offers what there was; trials are never offered. `currency` (by default
    that of the current plan) keeps only plans of that currency; without either, all currencies stay in.
    The current plan is among them whether it is still on sale or not: staying is always an option.
    """
    currency = currency or (current_plan.currency if current_plan else None)
    allowed = {rule["option"] for rule in option_rules(characteristics, hourly_pattern) if rule["holds"]}
    on_sale = [
        plan
        for plan in plans
        if plan.is_sellable and not plan.is_trial
        if currency in (None, plan.currency) and (on is None or plan.valid_from <= on)
        if (current_plan is None or plan.product == current_plan.product) and is_simulable(plan)
    ]
    newest = {plan.plan_key: plan for plan in sorted(on_sale, key=plan_id)}
    options = {plan_id(plan): plan for plan in newest.values() if plan.option in allowed}
    if current_plan is not None:
        options[plan_id(current_plan)] = current_plan
    return [options[key] for key in sorted(options)]


def _above(option: str, rule: str, value: float | None, threshold: float) -> Rule:
    return _rule(option, rule, value, threshold, value is not None and value > threshold)


def _rule(option: str, rule: str, value: Any, threshold: Any, holds: bool) -> Rule:
    return {"option": option, "rule": rule, "value": value, "threshold": threshold, "holds": holds}
