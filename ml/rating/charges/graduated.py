"""Graduated: each unit costs the price of the tier it falls into."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal

from ml.rating.charges.curve import ONE, Curve, Feature, curve, hinge, jump
from ml.rating.charges.tiers import TieredCharge
from ml.rating.money import EXACT
from ml.rating.steps import Step, cost_of
from ml.rating.usage import Usage

__all__ = ["Graduated", "Tiers", "breakdown", "curve_of", "filled", "graduated_curve"]

Tiers = Sequence[tuple[Decimal | None, Decimal, Decimal]]
"""(upper bound in units of the meter, price, flat fee) of each tier."""


class Graduated(TieredCharge):
    """Tiers that are filled one after the other; a tier's flat fee is due as soon as anything falls into it."""

    model: Literal["graduated"] = "graduated"


def breakdown(charge: Graduated, usage: Usage) -> tuple[Step, ...]:
    """The period's usage as one step per tier reached; a negative total counts as none."""
    if usage.is_prorated:
        return _prorated(charge, usage)
    quantity = usage.quantity
    return filled(_tiers(charge), quantity, charge.per) if quantity else charge.zero_usage_steps()


def curve_of(charge: Graduated) -> Curve:
    """Float twin of `breakdown` for usage that is not prorated."""
    return graduated_curve(_tiers(charge), charge.per, charge.zero_usage_fee)


def filled(tiers: Tiers, quantity: Decimal, per: int) -> tuple[Step, ...]:
    """The steps of a quantity above 0, tier by tier."""
    steps: list[Step] = []
    lower = Decimal(0)
    for number, (bound, price, fee) in enumerate(tiers, 1):
        if quantity <= lower:
            break
        upper = quantity if bound is None else min(quantity, bound)
        steps.append(Step(upper - lower, price, per, fee, number))
        lower = upper
    return tuple(steps)


def graduated_curve(tiers: Tiers, per: int, zero_usage_fee: Decimal) -> Curve:
    """At each tier's lower bound the price changes, and its flat fee is added."""
    parts: list[tuple[Feature, float]] = [(ONE, float(zero_usage_fee)), jump(0, -zero_usage_fee)]
    lower, before = Decimal(0), Decimal(0)
    for bound, price, fee in tiers:
        parts += [hinge(lower, (price - before) / per), jump(lower, fee)]
        lower, before = bound or lower, price
    return curve(parts)


def _tiers(charge: Graduated) -> Tiers:
    return [(charge.bound_of(tier), tier.unit_price, tier.flat_fee) for tier in charge.tiers]


def _prorated(charge: Graduated, usage: Usage) -> tuple[Step, ...]:
    """Full units decide the tiers that each item fills or empties; of its billed quantity each gets its part.

    The flat fees of all tiers that were ever reached stay due, and the whole is never below zero.
    """
    tiers = _tiers(charge)
    billed = dict.fromkeys(range(len(tiers)), Decimal(0))
    reached: set[int] = set()
    level = Decimal(0)
    for item in usage.items:
        priced = item.quantity if item.billed is None else item.billed
        for index, part in _moves(tiers, level, level + item.quantity):
            billed[index] += EXACT.divide(EXACT.multiply(priced, part), item.quantity)
            reached |= {index} if part > 0 else set()
        level += item.quantity
    steps = tuple(
        Step(billed[index], price, charge.per, fee if index in reached else Decimal(0), index + 1)
        for index, (_, price, fee) in enumerate(tiers)
        if billed[index] or index in reached
    )
    return steps if cost_of(steps) >= 0 else ()


def _moves(tiers: Tiers, start: Decimal, end: Decimal) -> Iterator[tuple[int, Decimal]]:
    """(tier, signed quantity) of each tier that lies between two levels; what lies below zero is in the first."""
    low, high, sign = min(start, end), max(start, end), 1 if end > start else -1
    lower: Decimal | None = None
    for index, (bound, _, _) in enumerate(tiers):
        first = low if lower is None else max(low, lower)
        last = high if bound is None else min(high, bound)
        if last > first:
            yield index, sign * (last - first)
        lower = bound
