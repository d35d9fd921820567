"""Quantities as people say them: 501 minutes, where a meter counts seconds and a price is for 60 of them."""

from decimal import Decimal

from ml.rating.meters import METERS
from ml.rating.money import EXACT

__all__ = ["named_quantity", "number_text", "priced_unit", "quantity_text"]

TIMES = {60: "minute", 3600: "hour", 86400: "day"}


def priced_unit(meter: str, per: int) -> str:
    """What one price is for, e.g. `minute`, `appointment` or `1,000,000 calls`."""
    unit = METERS[meter].unit
    if unit == "second" and per in TIMES:
        return TIMES[per]
    return unit if per == 1 else f"{per:,} {_plural(unit)}"


def quantity_text(meter: str, used: Decimal, per: int) -> str:
    """A quantity of a meter (given in its unit), in minutes or hours where it is priced by them: `501 minutes`."""
    unit = METERS[meter].unit
    if unit == "second" and per in TIMES:
        used, unit = EXACT.divide(used, Decimal(per)), TIMES[per]
    return f"{number_text(used)} {unit if used == 1 else _plural(unit)}"


def named_quantity(meter: str, used: Decimal, per: int) -> str:
    """The same with the meter's name behind it, unless the unit says it already: `501 minutes (call_seconds)`."""
    text = quantity_text(meter, used, per)
    return text if _plural(METERS[meter].unit) == meter else f"{text} ({meter})"


def number_text(number: Decimal) -> str:
    """A number with as few decimals as it needs, at most 6."""
    whole, _, decimals = f"{round(number, 6):,f}".partition(".")
    return f"{whole}.{rest}" if (rest := decimals.rstrip("0")) else whole


def _plural(unit: str) -> str:
    return f"{unit[:-1]}ies" if unit.endswith("ry") else f"{unit}s"
