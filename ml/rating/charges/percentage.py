"""Percentage: a share of the money that a meter counts, with what is free and bounded per event."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml.rating.charges.curve import Curve, NoTwinError, curve, hinge
from ml.rating.money import EXACT
from ml.rating.steps import Step
from ml.rating.terms import Amount, ChargeTerms, Percent, Units, problems_at
from ml.rating.usage import Usage

__all__ = ["Percentage", "breakdown", "curve_of"]


class Percentage(ChargeTerms):
    """`rate_percent` of the quantity and `fixed_per_event`, each event clamped to its minimum and maximum.

    Free are the first `free_events` events and the first `included` money of the period; where both are given, the
    stricter limit wins. The event that crosses the free volume is paid, for the part beyond it.
    """

    model: Literal["percentage"] = "percentage"
    rate_percent: Percent
    included: Units = Decimal(0)
    fixed_per_event: Amount = Decimal(0)
    free_events: Annotated[int, Field(ge=0)] = 0
    event_minimum: Amount | None = None
    event_maximum: Amount | None = None

    scales = ("included",)

    @model_validator(mode="after")
    def _events_are_not_rounded(self) -> Self:
        if self.is_per_event and self.quantity_rounding:
            sentence = "a price per event can't round the period's total; leave quantity_rounding out"
            problems_at("percentage", [(("quantity_rounding",), sentence)])
        return self

    @property
    def is_per_event(self) -> bool:  # type: ignore[override]
        """Whether the price depends on single events and not on their sum alone."""
        bounds = self.event_minimum, self.event_maximum
        return bool(self.fixed_per_event or self.free_events) or bounds != (None, None)


def breakdown(charge: Percentage, usage: Usage) -> tuple[Step, ...]:
    """The free and the paid money; of prices per event, each item of the usage is one event."""
    events = [item.quantity for item in usage.items] if charge.is_per_event else [usage.quantity]
    total = free = bounds = Decimal(0)
    count_paid = 0
    for number, event in enumerate(events, 1):
        beyond = event - _free_part(charge, number, total, event)
        total += event
        free += event - beyond
        if _is_free(charge, number, total):
            continue
        count_paid += 1
        price = EXACT.multiply(beyond, charge.rate_percent) / 100 + charge.fixed_per_event
        bounds += _clamped(charge, price) - price
    steps = (
        Step(free, Decimal(0), 100, kind="included"),
        Step(total - free, charge.rate_percent, 100, charge.fixed_per_event * count_paid),
        Step.adjusting("event_bounds", bounds),
    )
    return tuple(step for step in steps if step.quantity or step.flat_fee)


def curve_of(charge: Percentage) -> Curve:
    """Float twin of `breakdown`; prices per event have none and raise NoTwinError."""
    if charge.is_per_event:
        raise NoTwinError(f"the percentage of {charge.meter} depends on single events, not on a period's total")
    return curve([hinge(charge.included, charge.rate_percent / 100)])


def _free_part(charge: Percentage, number: int, before: Decimal, event: Decimal) -> Decimal:
    """How much of an event is free; `before` is the money of the events that came earlier."""
    if charge.free_events and number > charge.free_events:
        return Decimal(0)
    if charge.included:
        return max(min(event, charge.included - before), Decimal(0))
    return event if charge.free_events else Decimal(0)


def _is_free(charge: Percentage, number: int, total: Decimal) -> bool:
    if not charge.free_events and not charge.included:
        return False
    within_count = not charge.free_events or number <= charge.free_events
    return within_count and (not charge.included or total <= charge.included)


def _clamped(charge: Percentage, price: Decimal) -> Decimal:
    if charge.event_minimum is not None:
        price = max(price, charge.event_minimum)
    return price if charge.event_maximum is None else min(price, charge.event_maximum)
