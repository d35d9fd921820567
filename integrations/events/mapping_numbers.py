"""Numbers of a foreign table: the units and the notation in which they are written, brought to the event's own."""

import re
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Context, Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Duration", "Money", "Number", "Quantity"]

LONGEST = 40  # characters
EXACT = Context(prec=60)  # more than a number of that length and a factor need, so nothing is ever lost
PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
GROUPED = r"[+-]?(?:[0-9]+|[0-9]{{1,3}}([{other}\u00a0\u202f’' ])[0-9]{{3}}(?:\1[0-9]{{3}})*)(?:{mark}[0-9]+)?"
NOTATIONS = {
    None: PLAIN,
    ".": re.compile(GROUPED.format(mark=r"\.", other=",")),
    ",": re.compile(GROUPED.format(mark=",", other=r"\.")),
}
CLOCKS = {
    "HH:MM:SS": re.compile(r"(?P<minus>-?)(?P<h>[0-9]{1,6}):(?P<m>[0-5][0-9]):(?P<s>[0-5][0-9](?:[.,][0-9]{1,9})?)"),
    "MM:SS": re.compile(r"(?P<minus>-?)(?P<m>[0-9]{1,6}):(?P<s>[0-5][0-9](?:[.,][0-9]{1,9})?)"),
    "HH:MM": re.compile(r"(?P<minus>-?)(?P<h>[0-9]{1,6}):(?P<m>[0-5][0-9])"),
}
FACTORS = {
    None: Decimal(1),
    "milliseconds": Decimal("0.001"),
    "seconds": Decimal(1),
    "minutes": Decimal(60),
    "hours": Decimal(3600),
    "cents": Decimal("0.01"),
    "hundredths": Decimal("0.01"),
    "thousandths": Decimal("0.001"),
    "thousands": Decimal(1000),
    "millions": Decimal(1_000_000),
}
ROUNDINGS = {"half_up": ROUND_HALF_UP, "up": ROUND_UP, "down": ROUND_DOWN}


class Number(BaseModel):
    """How a number is written: with a decimal point and nothing between its digits, unless `decimal_mark` is given.

    With one, digits may also be grouped in threes by the other mark, a blank or an apostrophe.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str | None = None
    decimal_mark: Literal[".", ","] | None = None

    def read(self, text: str) -> Decimal | int:
        """The number in the event's own unit, exactly.

        Raises:
            ValueError: when it is not written like this.
        """
        if len(text) > LONGEST or not NOTATIONS[self.decimal_mark].fullmatch(text):
            unit = f" of {self.unit}" if self.unit else ""
            raise ValueError(f"{text!r} is no number{unit} with the decimal mark {self.decimal_mark or '.'!r}")
        if self.decimal_mark is not None:
            whole, _, fraction = text.partition(self.decimal_mark)
            text = re.sub("[^0-9+-]", "", whole) + "." + fraction
        return EXACT.multiply(Decimal(text), FACTORS[self.unit])


class Quantity(Number):
    """A quantity in the meter's units, or in parts or multiples of them."""

    unit: Literal["hundredths", "thousandths", "thousands", "millions"] | None = None


class Money(Number):
    """An amount of money in the currency's units, or in parts of them."""

    unit: Literal["cents", "thousandths"] | None = None


class Duration(Number):
    """A duration in units of time, or as on a clock.

    Attributes:
        rounding: what becomes of a part of a second: to the nearest second with halves upwards, always `up` since a
            second that has begun counts, or `down`. A negative duration is rounded away from zero: it must stay one, so
            that it is refused.
    """

    unit: Literal["milliseconds", "seconds", "minutes", "hours", "HH:MM:SS", "MM:SS", "HH:MM"] = "seconds"
    rounding: Literal["half_up", "up", "down"] = "half_up"

    def read(self, text: str) -> int:
        """The duration in whole seconds.

        Raises:
            ValueError: when it is not written like this.
        """
        clock = CLOCKS.get(self.unit)
        seconds = _clock_seconds(clock, self.unit, text) if clock else Decimal(super().read(text))
        return int(seconds.to_integral_value(ROUND_UP if seconds < 0 else ROUNDINGS[self.rounding]))


def _clock_seconds(clock: re.Pattern[str], unit: str, text: str) -> Decimal:
    found = clock.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not written like {unit}")
    parts = {"h": "0", "s": "0", **found.groupdict()}
    seconds = int(parts["h"]) * 3600 + int(parts["m"]) * 60 + Decimal(parts["s"].replace(",", "."))
    return -seconds if parts["minus"] else seconds
