"""What was used of one meter in a period: a total, and where a price depends on it, the parts that it is made of."""

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Literal

from ml.rating.meters import METERS

__all__ = [
    "Bucket",
    "Item",
    "Quantity",
    "Usage",
    "UsageRow",
    "check_meters",
    "exact_quantity",
    "projected_quantity",
    "usage_by_meter",
    "usage_of",
]

Bucket = Literal["day", "week", "month"]
Quantity = Decimal | int
UsageRow = tuple[date, str, "Quantity | tuple[Quantity, ...]"]
"""(usage date, meter, quantity), or in the place of the quantity those of the date's single events."""


@dataclass(frozen=True, slots=True)
class Item:
    """One event, or the total of one date, in units of the meter.

    `billed` is the prorated quantity, where only a part of the period is priced (a seat that came on its 20th day);
    None prices the quantity itself.
    """

    quantity: Decimal
    usage_date: date | None = None
    billed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """The usage of one meter in one period, in the order in which it happened."""

    items: tuple[Item, ...] = ()

    @property
    def quantity(self) -> Decimal:
        """The total in units of the meter, which chooses the tier; negative totals count as none."""
        return max(sum((item.quantity for item in self.items), Decimal(0)), Decimal(0))

    @property
    def billed(self) -> Decimal:
        """The quantity that is priced: the prorated one where there is one."""
        billed = (item.quantity if item.billed is None else item.billed for item in self.items)
        return max(sum(billed, Decimal(0)), Decimal(0))

    @property
    def is_prorated(self) -> bool:
        """Whether any part of it is priced for less than the whole period."""
        return any(item.billed is not None for item in self.items)

    def buckets(self, size: Bucket) -> Iterator["Usage"]:
        """The usage of each day, ISO week or month that has any, in order; items without a date are one bucket each."""
        undated = [Usage((item,)) for item in self.items if item.usage_date is None]
        dated = [(_start_of(item.usage_date, size), item) for item in self.items if item.usage_date is not None]
        yield from undated
        for _, group in groupby(sorted(dated, key=operator.itemgetter(0)), key=operator.itemgetter(0)):
            yield Usage(tuple(item for _, item in group))


def usage_of(meter: str, given: Quantity | Usage | Iterable[Quantity]) -> Usage:
    """Usage from what callers have: a total, the quantities of single events, or a `Usage`."""
    if isinstance(given, Usage):
        return given
    quantities = [given] if isinstance(given, Decimal | int) or not isinstance(given, Iterable) else given
    return Usage(tuple(Item(exact_quantity(meter, quantity)) for quantity in quantities))


def usage_by_meter(rows: Iterable[UsageRow]) -> dict[str, dict[date, tuple[Item, ...]]]:
    """The items of each meter and date.

    Raises ValueError for an unknown meter and for a date and meter that is there twice, TypeError for quantities that
    are floats and for dates with a time: a timestamp at midnight is unequal to its date, and would be booked beside it.
    """
    used: dict[str, dict[date, tuple[Item, ...]]] = {}
    for usage_date, meter, given in rows:
        check_meters([meter])
        dates = used.setdefault(meter, {})
        if usage_date in dates:
            raise ValueError(f"usage of {meter} on {usage_date} is there twice; pass one total per date and meter")
        if isinstance(usage_date, datetime):
            raise TypeError(f"usage date {usage_date} has a time of day; pass a plain date")
        dates[usage_date] = tuple(Item(item.quantity, usage_date, item.billed) for item in usage_of(meter, given).items)
    return used


def check_meters(meters: Iterable[str]) -> None:
    """Raise ValueError that names every meter which is not in `METERS`: a misspelt one would cost nothing."""
    unknown = sorted(set(meters) - METERS.keys())
    if unknown:
        raise ValueError(f"usage names unknown meters: {', '.join(unknown)}; use some of {', '.join(METERS)}")


def exact_quantity(meter: str, quantity: Quantity) -> Decimal:
    """The quantity as a Decimal; integers of numpy are taken, floats raise TypeError, since a bill must be exact."""
    if isinstance(quantity, Decimal):
        return quantity
    try:
        return Decimal(operator.index(quantity))
    except TypeError:
        kind = type(quantity).__name__
        raise TypeError(f"usage of {meter} is a {kind} ({quantity!r}); pass an int or a Decimal") from None


def _start_of(day: date, size: Bucket) -> date:
    if size == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if size == "month" else day


def projected_quantity(quantity: Decimal, elapsed_days: Decimal, days_in_period: Decimal) -> Decimal:
    """A whole period's quantity if it goes on as so far: quantity x days_in_period / elapsed_days.

    It is what `marts.fct_billing_period_usage` says of the current period. Raises ValueError unless
    0 < elapsed_days <= days_in_period.
    """
    if not 0 < elapsed_days <= days_in_period:
        raise ValueError(f"{elapsed_days} days elapsed of {days_in_period}; give more than 0 and at most all of them.")
    return quantity * days_in_period / elapsed_days
