"""What a contract includes, allows and opens: allowances of a period, limits on usage, features behind a plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from ml.rating.charges import Priced
from ml.rating.charges.tiers import TieredCharge
from ml.rating.contract import Contract
from ml.rating.money import EXACT
from ml.rating.plan import Feature, Limit, Plan
from ml.rating.spans import Span, agreements_of
from ml.rating.usage import Quantity, check_meters, exact_quantity

__all__ = [
    "Allowance",
    "Breach",
    "allowances",
    "breaches",
    "can_access_feature",
    "check_limits",
    "check_usage_limits",
    "get_available_features",
]

Agreed = Plan | Contract
Used = Mapping[str, Quantity]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a usage period includes and allows of a meter, in its units; None is nothing, or no limit."""

    meter: str
    included: Decimal | None
    limit: Decimal | None
    on_breach: Literal["warn", "block"] | None


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that usage lies above: by how much, in units of the meter, and what the plan wants done."""

    meter: str
    used: Decimal
    limit: Decimal
    on_breach: Literal["warn", "block"]

    @property
    def excess(self) -> Decimal:
        """How far the usage lies above the limit."""
        return self.used - self.limit


def allowances(spans: Iterable[Span], usage_period: date) -> list[Allowance]:
    """What a usage period includes and allows, by meter: included units in proportion to the days on which each
    agreement holds, limits as they are at the period's end."""
    spans = list(spans)
    if not spans:
        return []
    included: dict[str, Decimal] = {}
    for agreement in agreements_of(spans).values():
        for charge in agreement.terms(usage_period).charges:
            free = _included(charge)
            if free:
                included[charge.meter] = included.get(charge.meter, Decimal(0)) + free
    limits = {limit.meter: limit for limit in spans[-1].contract.own_plan.limits}
    return [_allowance(meter, included.get(meter), limits.get(meter)) for meter in sorted({*included, *limits})]


def check_limits(agreed: Agreed, usage: Used) -> bool:
    """Whether the usage of a period (by meter, in its units) lies within every limit of the plan."""
    return not breaches(agreed, usage)


def check_usage_limits(agreed: Agreed, usage: Used) -> dict[str, bool]:
    """Of each meter that the plan limits, whether its usage lies within the limit; the limit itself does."""
    beyond = {breach.meter for breach in breaches(agreed, usage)}
    return {limit.meter: limit.meter not in beyond for limit in _plan(agreed).limits}


def breaches(agreed: Agreed, usage: Used) -> list[Breach]:
    """The limits that the usage lies above, in the order of the plan. Raises ValueError for an unknown meter."""
    check_meters(usage)
    found = []
    for limit in _plan(agreed).limits:
        used = exact_quantity(limit.meter, usage.get(limit.meter, 0))
        if used > _quantity(limit):
            found.append(Breach(limit.meter, used, _quantity(limit), limit.on_breach))
    return found


def get_available_features(agreed: Agreed) -> list[str]:
    """The names of the features that the plan and the booked add-ons grant, in alphabetical order."""
    return sorted(name for name, feature in _features(agreed).items() if feature.enabled)


def can_access_feature(agreed: Agreed, feature: str, used: int = 0) -> bool:
    """Whether a feature may be used once more in this period, after `used` times; one that nobody grants may not."""
    granted = _features(agreed).get(feature)
    if granted is None or not granted.enabled:
        return False
    return granted.usage_limit is None or used < granted.usage_limit


def _features(agreed: Agreed) -> dict[str, Feature]:
    """The plan's features by name; what an add-on grants it grants without a limit."""
    plan = _plan(agreed)
    booked = agreed.add_ons if isinstance(agreed, Contract) else {}
    added = (name for add_on in plan.add_ons if booked.get(add_on.key) for name in add_on.features)
    return {feature.name: feature for feature in plan.features} | {name: Feature(name=name) for name in added}


def _plan(agreed: Agreed) -> Plan:
    return agreed.own_plan if isinstance(agreed, Contract) else agreed


def _allowance(meter: str, included: Decimal | None, limit: Limit | None) -> Allowance:
    if limit is None:
        return Allowance(meter, included, None, None)
    return Allowance(meter, included, _quantity(limit), limit.on_breach)


def _quantity(limit: Limit) -> Decimal:
    return EXACT.multiply(limit.up_to, Decimal(limit.per))


def _included(charge: Priced) -> Decimal:
    """Units that cost nothing: included ones, or the first tiers if they are free."""
    if isinstance(charge, TieredCharge):
        free = Decimal(0)
        for tier in charge.tiers:
            if tier.unit_price or tier.flat_fee or tier.up_to is None:
                break
            free = charge.bound_of(tier) or free
        return free
    return EXACT.multiply(getattr(charge, "included", Decimal(0)), Decimal(charge.per))
