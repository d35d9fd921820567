"""Daily usage of many series up to one day each, aligned at their ends."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Bools, Floats, Ints
from ml.analysis.windows import weekday_of

__all__ = ["WEEK", "History", "future_slots", "past_slots"]

WEEK = 7


def past_slots(days: int) -> Ints:
    """Slot [d] of each day of the past: 0 is the weekday of the first day ahead."""
    return np.arange(-days, 0) % WEEK


def future_slots(horizon: int) -> Ints:
    """Slot [h] of each day ahead."""
    return np.arange(horizon) % WEEK


@dataclass(frozen=True, slots=True)
class History:
    """Daily usage of s series over the d days before each one's own end.

    `quantity` [s, d]: zero or more, zero where not observed. `observed` [s, d]: days that were complete and on which
    the company was active; a zero there is a day without usage. `ends` [s]: the first day ahead.
    `special` [s, d + a]: public holidays of the past and of the next a days, None where no calendar is known.
    `ages` [s]: days since each one's activation at its end, None where it is not known.
    Series that end on different weekdays share arrays, since weekdays are counted from the end ("slots").
    """

    quantity: Floats
    observed: Bools
    ends: npt.NDArray[np.datetime64]
    special: Bools | None = None
    ages: Ints | None = None

    def __post_init__(self) -> None:
        if not ((self.quantity >= 0) & np.isfinite(self.quantity)).all():
            raise ValueError("a history has a missing, infinite or negative quantity; mark days not observed.")

    @property
    def days(self) -> int:
        """Days d that the arrays reach back."""
        return int(self.quantity.shape[1])

    @property
    def lengths(self) -> Ints:
        """Observed days [s]."""
        return np.asarray(self.observed.sum(axis=1), dtype=np.int64)

    @property
    def ordinary(self) -> Bools:
        """Observed days that are no holiday [s, d]; all observed ones where nothing else is left."""
        if self.special is None:
            return self.observed
        kept = self.observed & ~self.special[:, : self.days]
        return np.where(kept.any(axis=1, keepdims=True), kept, self.observed)

    def special_ahead(self, horizon: int) -> Bools:
        """Holidays [s, h] among the days ahead; those beyond the calendar are taken as ordinary."""
        ahead = np.zeros((len(self.ends), horizon), dtype=bool)
        if self.special is not None:
            known = self.special[:, self.days : self.days + horizon]
            ahead[:, : known.shape[1]] = known
        return ahead

    def in_slots(self, weekday_factors: Floats) -> Floats:
        """Factors by weekday [7], Monday first, as factors by slot [s, 7]."""
        return np.asarray(weekday_factors[(weekday_of(self.ends)[:, None] + np.arange(WEEK)) % WEEK])

    def weeks_of_age(self, horizon: int) -> Ints:
        """Whole weeks [s, d + horizon] since the activation, by day; very many where the age is not known."""
        if self.ages is None:
            return np.full((1, self.days + horizon), np.iinfo(np.int64).max)
        return (self.ages[:, None] + np.arange(-self.days, horizon)) // WEEK

    def last(self, days: int) -> "History":
        """Only the `days` before the ends."""
        cut = max(self.days - days, 0)
        special = None if self.special is None else self.special[:, cut:]
        return replace(self, quantity=self.quantity[:, cut:], observed=self.observed[:, cut:], special=special)

    def before(self, age: int) -> "History":
        """The same series as they were known `age` days earlier; the calendar goes on."""
        kept = self.days - age
        ages = None if self.ages is None else self.ages - age
        quantity, observed = self.quantity[:, :kept], self.observed[:, :kept]
        return History(quantity, observed, self.ends - age, self.special, ages)

    def rows(self, chosen: Ints | Bools) -> "History":
        """Only the series in these rows."""
        special = None if self.special is None else self.special[chosen]
        ages = None if self.ages is None else self.ages[chosen]
        return History(self.quantity[chosen], self.observed[chosen], self.ends[chosen], special, ages)
