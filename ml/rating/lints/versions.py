"""Versions and currencies: which version holds when, and what is sold in which money."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from ml.rating.lints.finding import Finding, found, newest
from ml.rating.plan import Plan

__all__ = ["missing_currencies", "mixed_currencies", "unreachable_versions"]


def unreachable_versions(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Versions that start no later than one before them, which then never is the newest."""
    for versions in _by_key(plans):
        for before, plan in pairwise(versions):
            if plan.valid_from <= before.valid_from:
                sentence = (
                    f"it starts on {plan.valid_from}, and v{before.version} not before it, on {before.valid_from}, "
                    f"so that v{before.version} is never in force; let each version start after the one before it"
                )
                yield found(plan, "valid_from", "unreachable_version", "error", sentence)


def mixed_currencies(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Versions of one plan in other money than the first."""
    for first, *later in _by_key(plans):
        for plan in later:
            if plan.currency != first.currency:
                sentence = (
                    f"it is in {plan.currency}, and v{first.version} in {first.currency}; "
                    "give the plan in another currency a plan_key of its own"
                )
                yield found(plan, "currency", "mixed_currencies", "error", sentence)


def missing_currencies(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Plans without a twin in a currency in which their product is sold: one of the same name, or of the same key but
    for the currency at its end."""
    known = newest(plans)
    for plan in known:
        others = [other for other in known if other.product == plan.product and other.currency != plan.currency]
        for currency in dict.fromkeys(other.currency for other in others):
            if not any(other.currency == currency and _are_twins(plan, other) for other in others):
                sentence = f"{plan.product} is sold in {currency}, too, but this plan only in {plan.currency}"
                yield found(plan, "currency", "missing_currency", "warning", sentence)


def _are_twins(one: Plan, other: Plan) -> bool:
    return one.name == other.name or _stem(one) == _stem(other)


def _stem(plan: Plan) -> str:
    return plan.plan_key.removesuffix(f"-{plan.currency.lower()}")


def _by_key(plans: Sequence[Plan]) -> list[list[Plan]]:
    found: dict[str, list[Plan]] = {}
    for plan in sorted(plans, key=lambda plan: plan.version):
        found.setdefault(plan.plan_key, []).append(plan)
    return list(found.values())
