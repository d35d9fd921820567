"""Time of day: the same usage costs more or less by the local hour in which it happens."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ml.rating.charges.per_unit import PerUnit
from ml.rating.meters import TIMES_OF_DAY
from ml.rating.terms import Amount, MeterName, Terms, Units, problems_at

__all__ = ["TimeOfDay"]


class Band(Terms):
    """What a unit costs at one `time` of the day, beyond the units `included` at that time."""

    time: str
    unit_price: Amount
    included: Units = Decimal(0)


class TimeOfDay(Terms):
    """A price for each part of the day; together they are the whole of it, so that all usage has one price.

    The parts are meters of their own, counted in the company's local time (business and after hours, peak and
    off-peak), so that rating it is rating a per-unit charge for each.
    """

    model: Literal["time_of_day"] = "time_of_day"
    meter: MeterName
    per: Annotated[int, Field(ge=1)] = 1
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _bands_are_the_whole_day(self) -> Self:
        problems_at("bands", self._problems())
        return self

    def parts(self) -> tuple[PerUnit, ...]:
        """The charge of each band."""
        meters = next(split for split in TIMES_OF_DAY[self.meter] if split.keys() == {band.time for band in self.bands})
        return tuple(
            PerUnit(meter=meters[band.time], per=self.per, unit_price=band.unit_price, included=band.included)
            for band in self.bands
        )

    def _problems(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        splits = TIMES_OF_DAY.get(self.meter, ())
        if not splits:
            yield (("meter",), f"{self.meter} is not counted by time of day; use one of {', '.join(TIMES_OF_DAY)}")
            return
        times = [band.time for band in self.bands]
        if len(set(times)) < len(times) or not any(split.keys() == set(times) for split in splits):
            ways = " or ".join(" and ".join(split) for split in splits)
            yield (("bands",), f"the times are {', '.join(times)}; give each of {ways} once, so that the day is whole")
