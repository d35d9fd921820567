"""What a rule finds, and how rules name plans, fields, money and usage."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from ml.rating.charges import Priced
from ml.rating.charges.time_of_day import TimeOfDay
from ml.rating.contract import period_terms
from ml.rating.money import EXACT, round_money
from ml.rating.plan import Plan
from ml.rating.sentences import Fault
from ml.rating.units import named_quantity

__all__ = ["Finding", "Point", "Severity", "charges_of", "found", "label", "markets", "money", "newest"]

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Point:
    """Usage of a meter: `used` in its unit, priced for `per` of them."""

    meter: str
    used: Decimal
    per: int = 1

    @property
    def quantity(self) -> Decimal:
        """The usage in priced units (e.g. minutes)."""
        return EXACT.divide(self.used, Decimal(self.per))

    def __str__(self) -> str:
        return named_quantity(self.meter, self.used, self.per)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or odd with a plan: `path` is its field in the YAML, `code` names the rule, and `usage`
    holds the usage at which it bites, or None where it does not depend on any."""

    plan: str
    path: str
    code: str
    severity: Severity
    sentence: str
    usage: tuple[Point, ...] | None = None

    def __str__(self) -> str:
        return str(Fault(self.plan, self.path, self.sentence))


def found(plan: Plan, path: str, code: str, severity: Severity, sentence: str, *usage: Point) -> Finding:
    """A finding on a plan."""
    return Finding(label(plan), path, code, severity, sentence, usage or None)


def label(plan: Plan) -> str:
    """`plan volumen v1`."""
    return f"plan {plan.plan_key} v{plan.version}"


def money(amount: Decimal, currency: str) -> str:
    """An amount rounded to the currency's coins: `60.12 EUR`."""
    return f"{round_money(amount, currency):,f} {currency}"


def charges_of(plan: Plan) -> Iterator[tuple[str, Priced]]:
    """Each priced charge with its path, its discounts counted in; of a price by time of day, each band."""
    paths: list[str] = []
    for index, charge in enumerate(plan.charges):
        if isinstance(charge, TimeOfDay):
            paths += [f"charges[{index}].bands[{band}]" for band in range(len(charge.bands))]
        else:
            paths.append(f"charges[{index}]")
    return zip(paths, period_terms(plan).charges, strict=True)


def newest(plans: Iterable[Plan]) -> list[Plan]:
    """The newest version of each plan: older ones can't be edited, and stand beside nothing that is sold."""
    found = {plan.plan_key: plan for plan in sorted(plans, key=lambda plan: plan.version)}
    return list(found.values())


def markets(plans: Iterable[Plan]) -> list[list[Plan]]:
    """The plans that can take each other's place: those of one product and currency."""
    found: dict[tuple[str, str], list[Plan]] = {}
    for plan in newest(plans):
        found.setdefault((plan.product, plan.currency), []).append(plan)
    return list(found.values())
