"""How numbers, money, dates and hours are written in the reader's locale (babel's CLDR data)."""

import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_time, get_day_names
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal, format_percent

__all__ = ["LANGUAGES", "Formats", "as_amount", "as_currency", "as_date", "as_decimal"]

LANGUAGES = ("en", "de")


class Formats:
    """Writes values in one locale; a locale in no known language (`LANGUAGES`) falls back to English."""

    def __init__(self, locale: str | None) -> None:
        self.locale = _known_locale(locale)
        self.language = self.locale.language

    def money(self, amount: Decimal, currency: str) -> str:
        """`Decimal("1234.5")`, `EUR` -> `1.234,50 €` (de) or `€1,234.50` (en)."""
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is no currency; give its ISO 4217 code, such as EUR")
        return format_currency(amount, currency, locale=self.locale)

    def number(self, value: Decimal) -> str:
        """A quantity as whole units, half rounded up: `1234.5` -> `1.235` (de)."""
        return format_decimal(_whole(value), locale=self.locale)

    def percent(self, ratio: Decimal) -> str:
        """A ratio (0.234 -> `23 %`); below ten percent with one decimal, since 0.4 % is not nothing."""
        digits = Decimal("0.01") if abs(ratio) >= Decimal("0.1") else Decimal("0.001")
        rounded = ratio.quantize(digits, ROUND_HALF_UP)
        return format_percent(rounded, locale=self.locale, decimal_quantization=False)

    def day(self, day: date) -> str:
        """`14. November 2026`, `November 14, 2026`."""
        return format_date(day, "long", locale=self.locale)

    def period(self, start: date, end: date) -> str:
        """The days of the half-open window [start, end), named by its first and its last day."""
        if end <= start:
            raise ValueError(f"the window [{start}, {end}) holds no day; its end must lie after its start")
        return format_interval(start, end - timedelta(days=1), "yMMMd", locale=self.locale)

    def weekday(self, number: int) -> str:
        """The name of a weekday, 0 is Monday."""
        return str(get_day_names("wide", locale=self.locale)[number])

    def hour_ranges(self, hours: Collection[int]) -> str:
        """Hours of day joined to ranges, also across midnight: {9, 10, 14} -> `09:00–11:00, 14:00–15:00`."""
        known = set(hours)
        starts = [hour for hour in sorted(known) if (hour - 1) % 24 not in known] or [0]
        ranges = []
        for start in starts:
            end = start + 1
            while end % 24 in known and end < start + 24:
                end += 1
            ranges.append(f"{self._clock(start)}–{self._clock(end % 24)}")
        return format_list(ranges, locale=self.locale)

    def plural(self, value: Decimal) -> str:
        """The CLDR plural category of a quantity as `number` writes it: `one` or `other` in German and English."""
        return self.locale.plural_form(_whole(value))

    def _clock(self, hour: int) -> str:
        return format_time(time(hour), "short", locale=self.locale).replace("\u202f", "\u00a0")


def as_decimal(value: object) -> Decimal:
    """A finite Decimal of an int, float or decimal string; anything else raises ValueError."""
    if not isinstance(value, int | float | str | Decimal):
        raise ValueError(f"{value!r} is no number")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is no finite number")
    return number


def as_amount(value: object) -> Decimal:
    """Money as an exact Decimal; a float raises ValueError, like what is no number."""
    if isinstance(value, float):
        raise ValueError(f"{value!r} is a float; give money as a decimal string")
    return as_decimal(value)


def as_currency(value: object) -> str:
    """An ISO 4217 code as it is; anything else raises ValueError."""
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper()):
        raise ValueError(f"{value!r} is no ISO 4217 code, such as EUR")
    return value


def as_date(value: object) -> date:
    """The calendar date of an ISO date or timestamp, in the timestamp's own zone; anything else raises ValueError."""
    try:
        return datetime.fromisoformat(str(value)).date()
    except ValueError:
        raise ValueError(f"{value!r} is no ISO date; write 2026-11-01") from None


def _whole(value: Decimal) -> int:
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


def _known_locale(tag: str | None) -> Locale:
    try:
        locale = Locale.parse((tag or "").replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en")
    return locale if locale.language in LANGUAGES else Locale("en")
