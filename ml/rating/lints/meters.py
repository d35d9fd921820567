"""What is charged by nobody, or twice."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import combinations

from ml.rating.charges import Priced, breakdown
from ml.rating.lints.counted import Cell, cells_of
from ml.rating.lints.finding import Finding, charges_of, found, label, markets
from ml.rating.plan import Plan
from ml.rating.steps import cost_of
from ml.rating.usage import usage_of

__all__ = ["gaps", "same_terms", "same_usage"]

MUCH = Decimal(10) ** 15
"""Usage beyond every allowance."""


def gaps(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Usage that others charge, and that a plan neither charges nor includes nor limits."""
    for market in markets(plans):
        for plan in market:
            covered = _cells({*plan.meters, *(limit.meter for limit in plan.limits)})
            for meter, others in _charged(other for other in market if other is not plan).items():
                missing = cells_of(meter) - covered
                if missing:
                    yield found(plan, "charges", "gap", "error", _gap(plan, meter, others, missing))


def _charged(plans: Iterable[Plan]) -> dict[str, list[str]]:
    """The meters of which usage costs something, with the plans in which it does."""
    charged: dict[str, list[str]] = {}
    for plan in plans:
        for _, charge in charges_of(plan):
            if _costs_something(charge):
                charged.setdefault(charge.meter, []).append(label(plan))
    return charged


def _gap(plan: Plan, meter: str, others: list[str], missing: frozenset[Cell]) -> str:
    whole = missing == cells_of(meter)
    known = ", ".join(sorted(own for own in plan.meters if cells_of(own) & cells_of(meter)))
    here = "is neither charged nor included here, so it is free" if whole else f"here only {known} is, the rest is free"
    return f"{meter} is charged by {' and '.join(others)}, but {here}; add a charge, at price 0 if that is meant"


def same_usage(plan: Plan) -> Iterator[Finding]:
    """Two charges for the same usage."""
    charged = [(path, charge) for path, charge in charges_of(plan) if _costs_something(charge)]
    for (first, one), (path, other) in combinations(charged, 2):
        if cells_of(one.meter) & cells_of(other.meter):
            sentence = f"{other.meter} counts usage that {first} charges as {one.meter}; charge it once"
            yield found(plan, path, "overlap", "error", sentence)


def same_terms(plans: Sequence[Plan]) -> Iterator[Finding]:
    """Plans between which there is nothing to choose."""
    for market in markets(plans):
        for one, other in combinations(market, 2):
            if _choice(one) == _choice(other):
                sentence = f"its terms are those of {label(one)}; keep one of the two"
                yield found(other, "", "same_terms", "warning", sentence)


def _choice(plan: Plan) -> Plan:
    """The plan without what only names or places it."""
    unnamed = {"plan_key": "any", "version": 1, "name": "", "benefits": {}, "option": "standard"}
    return plan.model_copy(update={**unnamed, "valid_from": None})


def _costs_something(charge: Priced) -> bool:
    return cost_of(breakdown(charge, usage_of(charge.meter, MUCH))) > 0


def _cells(meters: Iterable[str]) -> frozenset[Cell]:
    return frozenset(cell for meter in meters for cell in cells_of(meter))
