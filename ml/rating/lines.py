"""Lines of the ledger: what stands in the books, what is added to them, and how a line gets its name."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar

from ml.rating.steps import Step

__all__ = ["BookedLine", "Change", "Place", "RatedLine", "by_date", "grouped", "numbered", "taken_back"]

T = TypeVar("T")
K = TypeVar("K")


@dataclass(frozen=True, kw_only=True)
class BookedLine:
    """A line that stands in the books: `quantity` in units of the meter and `amount` are what it added.

    `terms_key` names the terms it was rated by (`Contract.terms_key`); fees and bounds have no meter.
    """

    line_id: str
    terms_key: str
    plan_key: str
    plan_version: int
    charge: str
    meter: str | None
    unit: str
    usage_date: date
    quantity: Decimal
    amount: Decimal
    currency: str
    seq: int


@dataclass(frozen=True, kw_only=True)
class RatedLine(BookedLine):
    """A line to be booked; its id is a function of facts, so that booking it twice is booking it once.

    `detail` holds the steps that it adds. `corrects` names the line of the closed usage period that this one corrects.
    """

    company_id: int
    usage_period: date
    invoice_period: date
    detail: tuple[Step, ...]
    corrects: str | None

    @property
    def last_step(self) -> Step | None:
        """The step that the last unit fell into, whose tier and unit price are the line's; None without units."""
        return next((step for step in reversed(self.detail) if step.quantity), None)


@dataclass(frozen=True)
class Change:
    """What a line adds to a charge on one date."""

    charge: str
    usage_date: date
    quantity: Decimal
    amount: Decimal
    unit: str
    meter: str | None = None
    detail: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Place:
    """Whose books a line goes to, for which usage period, and on which invoice."""

    company_id: int
    usage_period: date
    invoice_period: date


def taken_back(booked: Iterable[BookedLine]) -> Iterator[Change]:
    """Lines that undo what was booked, per charge and date."""
    for (charge, day), lines in grouped(booked, key=lambda line: (line.charge, line.usage_date)).items():
        quantity = sum((line.quantity for line in lines), Decimal(0))
        amount = sum((line.amount for line in lines), Decimal(0))
        if quantity or amount:
            yield Change(charge, day, -quantity, -amount, lines[0].unit, lines[0].meter)


def numbered(
    terms_key: str,
    plan: tuple[str, int],
    currency: str,
    changes: Sequence[Change],
    booked: Sequence[BookedLine],
    place: Place,
) -> Iterator[RatedLine]:
    """Changes as lines, each with the next free number of its charge and date.

    A line of another invoice than the usage period's own names the first line of its charge and date, or else of its
    charge, as the one that it corrects.
    """
    is_correction = place.invoice_period != place.usage_period
    by_place = grouped(booked, key=lambda line: (line.charge, line.usage_date))
    by_charge = grouped(booked, key=lambda line: line.charge)
    for change in changes:
        same_date = by_place.get((change.charge, change.usage_date), [])
        seq = max((line.seq + 1 for line in same_date), default=0)
        corrected = min(same_date or by_charge.get(change.charge, []), key=lambda line: line.seq, default=None)
        facts = place.company_id, f"{place.usage_period:%Y-%m}", terms_key, change.charge, f"{change.usage_date}", seq
        yield RatedLine(
            line_id=":".join(["r2", *map(str, facts)]),
            terms_key=terms_key,
            plan_key=plan[0],
            plan_version=plan[1],
            charge=change.charge,
            meter=change.meter,
            unit=change.unit,
            usage_date=change.usage_date,
            quantity=change.quantity,
            amount=change.amount,
            currency=currency,
            seq=seq,
            company_id=place.company_id,
            usage_period=place.usage_period,
            invoice_period=place.invoice_period,
            detail=change.detail,
            corrects=corrected.line_id if is_correction and corrected else None,
        )


def by_date(lines: Iterable[BookedLine]) -> tuple[dict[date, Decimal], dict[date, Decimal]]:
    """Booked quantity and amount by usage date."""
    quantities: dict[date, Decimal] = defaultdict(Decimal)
    amounts: dict[date, Decimal] = defaultdict(Decimal)
    for line in lines:
        quantities[line.usage_date] += line.quantity
        amounts[line.usage_date] += line.amount
    return quantities, amounts


def grouped(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """The items by their key, both in the order in which they came."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
