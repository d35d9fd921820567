"""Which usage dates are old enough for the archive."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from integrations.postgres.usage_partitions import month_of

__all__ = ["dates_to_archive", "retention_days"]

DEFAULT_DAYS = 90


def retention_days(settings: Mapping[str, str]) -> int:
    """How many days raw events are kept in the database (RAW_RETENTION_DAYS).

    Raises:
        ValueError: when it is no positive number.
    """
    written = settings.get("RAW_RETENTION_DAYS") or str(DEFAULT_DAYS)
    if not written.isdigit() or int(written) < 1:
        raise ValueError(f"RAW_RETENTION_DAYS is {written!r}; set it to a number of days, such as {DEFAULT_DAYS}.")
    return int(written)


def dates_to_archive(partitions: Iterable[date], unbuilt: Iterable[date], today: date, days: int) -> list[date]:
    """The dates of whole calendar months that ended at least `days` days ago and are built.

    A monthly mart is rebuilt from all events of its month, so a month goes as a whole; and one that still has to be
    built stays as a whole.

    Args:
        partitions: dates whose events are in the database.
        unbuilt: dates that must not go: the marts lag behind them, or somebody has just brought them back.
        today: the date of the pipeline's clock.
        days: how long raw events are kept.
    """
    waiting = {month_of(day) for day in unbuilt}
    end = month_of(today - timedelta(days=days))
    return sorted(day for day in partitions if day < end and month_of(day) not in waiting)
