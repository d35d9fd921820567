"""Which plans are simulated for a company, which kinds its usage suggests, and which it can't take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from ml.analysis.projection import PROJECTED_METERS
from ml.rating.plan import Plan
from ml.rating.twin import NoTwinError, Twin

__all__ = [
    "FLAT_RATE_STRENGTH",
    "TIME_BASED_RATIO",
    "Needs",
    "is_simulable",
    "option_rules",
    "options_for",
    "plan_id",
    "what_is_missing",
]

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

    A rule says that usage like this suggests that kind of plan; it forbids no other, which may be cheaper all the same.
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


@dataclass(frozen=True, slots=True)
class Needs:
    """What a company uses: `features` by name, and `usage`, the month's high (p90) by meter, in the meter's unit."""

    features: frozenset[str] = frozenset()
    usage: Mapping[str, float] = field(default_factory=dict)


def what_is_missing(plan: Plan, needs: Needs) -> list[dict[str, Any]]:
    """What of the needs the plan doesn't give, as {reason, name, allowed, needed}; an empty list where it fits.

    feature_missing: a feature in use that neither it nor an add-on of it grants. limit_exceeded: a limit that stops
    usage ("block"; one that warns is none), or the limit of a feature that is called like a meter, lies below the
    month's high.
    """
    granted = {feature.name: feature for feature in plan.features if feature.enabled}
    bookable = {name for add_on in plan.add_ons for name in add_on.features}
    missing: list[dict[str, Any]] = [
        {"reason": "feature_missing", "name": name, "allowed": None, "needed": None}
        for name in sorted(needs.features - granted.keys() - bookable)
    ]
    limits = [(limit.meter, float(limit.up_to * limit.per)) for limit in plan.limits if limit.on_breach == "block"]
    limits += [(name, float(one.usage_limit)) for name, one in granted.items() if one.usage_limit is not None]
    for name, allowed in sorted(limits):
        needed = needs.usage.get(name, 0.0)
        if needed > allowed:
            missing.append({"reason": "limit_exceeded", "name": name, "allowed": allowed, "needed": round(needed, 2)})
    return missing


def options_for(
    plans: Iterable[Plan],
    currency: str | None = None,
    current_plan: Plan | None = None,
    on: date | None = None,
) -> list[Plan]:
    """Plans to simulate, by key and version: all that are on sale for the company's product, plus the current plan.

    Of each plan key only the newest version on sale counts, of those valid `on` that date where it is given, so
    that a replay of the past offers what there was; trials are never offered. `currency` (by default
    that of the current plan) keeps only plans of that currency; without either, all currencies stay in.
    The current plan is among them whether it is still on sale or not: staying is always an option.
    """
    currency = currency or (current_plan.currency if current_plan else None)
    on_sale = [
        plan
        for plan in plans
        if plan.is_sellable and not plan.is_trial
        if currency in (None, plan.currency) and (on is None or plan.valid_from <= on)
        if (current_plan is None or plan.product == current_plan.product) and is_simulable(plan)
    ]
    newest = {plan.plan_key: plan for plan in sorted(on_sale, key=plan_id)}
    options = {plan_id(plan): plan for plan in newest.values()}
    if current_plan is not None:
        options[plan_id(current_plan)] = current_plan
    return [options[key] for key in sorted(options)]


def _above(option: str, rule: str, value: float | None, threshold: float) -> Rule:
    return _rule(option, rule, value, threshold, value is not None and value > threshold)


def _rule(option: str, rule: str, value: Any, threshold: Any, holds: bool) -> Rule:
    return {"option": option, "rule": rule, "value": value, "threshold": threshold, "holds": holds}
