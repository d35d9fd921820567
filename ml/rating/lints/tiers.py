"""Tiers that no usage reaches, whose price never matters, or that say nothing new."""

from collections.abc import Iterator
from decimal import Decimal

from ml.rating.charges import Priced, breakdown
from ml.rating.charges.tiers import Bound, TieredTerms
from ml.rating.charges.volume import Volume
from ml.rating.lints.counted import cells_of
from ml.rating.lints.finding import Finding, Point, charges_of, found, money
from ml.rating.money import EXACT
from ml.rating.plan import Plan
from ml.rating.steps import cost_of
from ml.rating.usage import usage_of

__all__ = ["mergeable_tiers", "tiers_above_limits", "tiers_above_maximum"]

Place = tuple[str, Priced, Bound, Decimal]
"""The path of a tier, its charge, the tier, and where it starts, in units of the meter."""
LEAST = Decimal("0.000001")
"""The smallest quantity."""


def tiers_above_limits(plan: Plan) -> Iterator[Finding]:
    """Tiers that start where the plan's own limit has blocked the usage."""
    blocks = [(index, limit) for index, limit in enumerate(plan.limits) if limit.on_breach == "block"]
    for path, charge, _, start in _tiers(plan):
        for index, limit in blocks:
            most = EXACT.multiply(limit.up_to, Decimal(limit.per))
            if start and start >= most and cells_of(charge.meter) <= cells_of(limit.meter):
                at = Point(charge.meter, start, charge.per)
                sentence = (
                    f"it starts above {at}, but limits[{index}] blocks what lies above "
                    f"{Point(limit.meter, most, charge.per)}, so that no usage reaches it"
                )
                yield found(plan, path, "unreachable_tier", "warning", sentence, at)


def tiers_above_maximum(plan: Plan) -> Iterator[Finding]:
    """Tiers at whose start the charge costs its maximum already."""
    for path, charge, _, start in _tiers(plan):
        if charge.maximum is None:
            continue
        unbounded = charge.model_copy(update={"minimum": None, "maximum": None})
        if cost_of(breakdown(unbounded, usage_of(charge.meter, start + LEAST))) >= charge.maximum:
            at = Point(charge.meter, start, charge.per)
            sentence = (
                f"at its start, {at}, the charge costs its maximum of {money(charge.maximum, plan.currency)} already, "
                "so that its price never matters"
            )
            yield found(plan, path, "unreachable_tier", "warning", sentence, at)


def mergeable_tiers(plan: Plan) -> Iterator[Finding]:
    """Neighbours that price alike."""
    before: Place | None = None
    for place in _tiers(plan):
        path, charge, tier, start = place
        if before is not None and start and _price_alike(charge, before[2], tier):
            sentence = f"it costs what the tier before it ({before[0]}) does; one tier is enough"
            yield found(plan, path, "mergeable_tier", "warning", sentence, Point(charge.meter, start, charge.per))
        before = place


def _price_alike(charge: Priced, before: Bound, tier: Bound) -> bool:
    fee = before.flat_fee if isinstance(charge, Volume) else Decimal(0)
    unbound = {"up_to": None, "flat_fee": Decimal(0)}
    return tier.flat_fee == fee and tier.model_copy(update=unbound) == before.model_copy(update=unbound)


def _tiers(plan: Plan) -> Iterator[Place]:
    for path, charge in charges_of(plan):
        if isinstance(charge, TieredTerms):
            start = Decimal(0)
            for index, tier in enumerate(charge.tiers):
                yield f"{path}.tiers[{index}]", charge, tier, start
                start = charge.bound_of(tier) or start
