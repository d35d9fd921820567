"""Cliffs: where more usage costs less, as volume prices do at a tier's bound."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal

from ml.rating.charges import Priced, breakdown
from ml.rating.charges.per_bucket import PerBucket
from ml.rating.charges.tiers import TieredTerms
from ml.rating.contract import PeriodTerms, period_terms
from ml.rating.lints.finding import Finding, Point, charges_of, found, money
from ml.rating.meters import METERS
from ml.rating.money import EXACT, round_money
from ml.rating.plan import Plan
from ml.rating.rate import exact_total
from ml.rating.steps import cost_of
from ml.rating.usage import usage_of

__all__ = ["cliffs"]

LEAST = Decimal("0.000001")
"""The smallest quantity; meters that count have none below 1."""
NOISE = Decimal("1e-15")
FAR = Decimal(10) ** 18
"""Where a cost that has not come back is not waited for any longer."""


def cliffs(plan: Plan) -> Iterator[Finding]:
    """Each bound of a tier above which the charge costs less, by a coin at least, and from where on it does not."""
    terms = replace(period_terms(plan), minimum_spend=None)
    for path, charge in charges_of(plan):
        if isinstance(charge, TieredTerms):
            stairs = Stairs(charge)
            for index in range(1, len(charge.tiers)):
                before, after = stairs.ends[index - 1], stairs.fall_at(index, plan.currency)
                if after is not None and _bill(terms, charge.meter, before) > _bill(terms, charge.meter, after):
                    sentence = _sentence(plan, stairs, index, after)
                    at = Point(charge.meter, after, charge.per)
                    yield found(plan, f"{path}.tiers[{index}]", "cliff", "warning", sentence, at)


def _bill(terms: PeriodTerms, meter: str, used: Decimal) -> Decimal:
    """What a month costs, which may have a maximum of its own."""
    return exact_total(terms, {meter: used})


@dataclass
class Stairs:
    """The cost of a charge with tiers over the usage that can occur: multiples of `grain`, in units of the meter.

    Within a tier, which is `starts[i]` to `ends[i]`, both included, the cost never falls.
    """

    charge: TieredTerms

    def __post_init__(self) -> None:
        charge = self.charge
        self.grain = _grain(charge)
        bounds = [bound for tier in charge.tiers if (bound := charge.bound_of(tier)) is not None]
        self.ends = [self._whole(bound) for bound in bounds]
        self.starts = [Decimal(0), *(end + self.grain for end in self.ends)]

    def cost(self, used: Decimal) -> Decimal:
        """Cost of the charge to 15 decimals: beyond them, repeating decimals would make equal costs differ."""
        charge: Priced = self.charge  # type: ignore[assignment]
        return cost_of(breakdown(charge, usage_of(charge.meter, used))).quantize(NOISE, context=EXACT)

    def fall_at(self, index: int, currency: str) -> Decimal | None:
        """Usage in a tier, one priced unit above its lower bound if possible, that costs less than the bound."""
        end, before = (*self.ends, None)[index], self.ends[index - 1]
        old = round_money(self.cost(before), currency)
        for step in self._steps():
            after = before + step
            if (end is None or after <= end) and round_money(self.cost(after), currency) < old:
                return after
        return None

    def back_at(self, index: int, old: Decimal) -> Decimal | None:
        """From which usage on the cost never lies below `old`, which it does in the tier; None if it always may."""
        high = self.starts[-1]
        while self.cost(high) < old:
            high *= 2
            if high > FAR:
                return None
        ends = [*self.ends, self._whole(high)]
        for tier in reversed(range(index, len(ends))):
            if self.starts[tier] <= ends[tier] and self.cost(self.starts[tier]) < old:
                return self._first(self.starts[tier], ends[tier], old)
        return self.starts[index]

    def _first(self, low: Decimal, high: Decimal, old: Decimal) -> Decimal:
        """The lowest usage of a tier that costs `old`; the next tier's start where only that does."""
        if self.cost(high) < old:
            return high + self.grain
        while high - low > self.grain:
            middle = self._whole((low + high) / 2)
            low, high = (middle, high) if self.cost(middle) < old else (low, middle)
        return high

    def _steps(self) -> list[Decimal]:
        unit = max(Decimal(self.charge.per), self.grain)
        return [unit, *(step for power in range(8, -1, -1) if (step := self.grain * 10**power) < unit)]

    def _whole(self, used: Decimal) -> Decimal:
        return used // self.grain * self.grain


def _grain(charge: TieredTerms) -> Decimal:
    least = Decimal(1) if METERS[charge.meter].aggregation in ("count", "unique_count") else LEAST
    if charge.quantity_rounding is None:
        return least
    return max(least, charge.per * Decimal(1).scaleb(-charge.quantity_rounding.precision))


def _sentence(plan: Plan, stairs: Stairs, index: int, after: Decimal) -> str:
    charge, before = stairs.charge, stairs.ends[index - 1]
    old, less = stairs.cost(before), stairs.cost(after)
    back = stairs.back_at(index, old)
    span = f" in one {charge.bucket}" if isinstance(charge, PerBucket) else ""
    again = "never reaches that again" if back is None else f"is as high again from {_ceiled(stairs, back)} on"
    return (
        f"at {Point(charge.meter, after, charge.per)}{span} the cost falls to {money(less, plan.currency)}, "
        f"from {money(old, plan.currency)} at {Point(charge.meter, before, charge.per)}; it {again}"
    )


def _ceiled(stairs: Stairs, used: Decimal) -> Point:
    """The usage in priced units with two decimals, rounded up."""
    charge = stairs.charge
    step = max(Decimal(charge.per) / 100, stairs.grain)
    return Point(charge.meter, EXACT.divide(used, step).to_integral_value(ROUND_CEILING) * step, charge.per)
