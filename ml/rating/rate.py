"""A plan and a period's usage in, a bill out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ml.rating.catalogue import Plan
from ml.rating.charges import amount, breakdown
from ml.rating.money import round_money
from ml.rating.steps import Step
from ml.rating.terms import METERS, check_meters, exact_quantity

__all__ = ["BASE_FEE", "Bill", "Line", "exact_total", "rate"]

BASE_FEE = "base_fee"


@dataclass(frozen=True)
class Line:
    """One charge of a bill: `charge` is `base_fee` or the meter, `quantity` counts `unit`s, `amount` is rounded."""

    charge: str
    meter: str | None
    quantity: Decimal
    unit: str
    amount: Decimal
    detail: tuple[Step, ...]


@dataclass(frozen=True)
class Bill:
    """The lines of one period in one currency, without tax."""

    currency: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines, each of which is rounded."""
        return sum((line.amount for line in self.lines), round_money(Decimal(0), self.currency))


def rate(plan: Plan, usage: Mapping[str, Decimal | int]) -> Bill:
    """The bill of one period, with a line for the base fee (unless it is 0) and one for each charge of the plan.

    `usage` holds the period's quantity by meter, in the meter's unit (time in seconds). A meter that is missing was not
    used; meters that the plan does not charge are ignored; an unknown one raises ValueError, a float TypeError.
    """
    check_meters(usage)
    return Bill(plan.currency, tuple(_lines(plan, usage)))


def exact_total(plan: Plan, usage: Mapping[str, Decimal | int]) -> Decimal:
    """What the period costs before any line is rounded; what `ml.rating.twin.monthly_cost` computes in floats."""
    check_meters(usage)
    charged = (amount(charge, exact_quantity(charge.meter, usage.get(charge.meter, 0))) for charge in plan.charges)
    return sum(charged, plan.monthly_base_fee)


def _lines(plan: Plan, usage: Mapping[str, Decimal | int]) -> Iterator[Line]:
    fee = plan.monthly_base_fee
    if fee:
        detail = (Step(Decimal(1), fee),)
        yield Line(BASE_FEE, None, Decimal(1), "month", round_money(fee, plan.currency), detail)
    for charge in plan.charges:
        quantity = exact_quantity(charge.meter, usage.get(charge.meter, 0))
        cost = round_money(amount(charge, quantity), plan.currency)
        yield Line(charge.meter, charge.meter, quantity, METERS[charge.meter], cost, breakdown(charge, quantity))
