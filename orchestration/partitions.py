"""Usage dates as partitions: one per local calendar day, up to the day after tomorrow in UTC, for those ahead of it."""

import os
from datetime import date, timedelta

import dagster as dg

FIRST_USAGE_DATE = date.fromisoformat(os.environ.get("FIRST_USAGE_DATE", "2020-01-01"))

usage_dates = dg.DailyPartitionsDefinition(start_date=FIRST_USAGE_DATE.isoformat(), end_offset=2)


def dates_of(context: dg.AssetExecutionContext) -> list[date]:
    """The usage dates that a run covers, one or a range."""
    first, last = (
        date.fromisoformat(key) for key in (context.partition_key_range.start, context.partition_key_range.end)
    )
    return [first + timedelta(days=i) for i in range((last - first).days + 1)]


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags that make one run cover all usage dates from `first` to `last`, both included."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def contiguous_ranges(dates: list[date]) -> list[tuple[date, date]]:
    """Group dates into ranges without gaps, as (first, last), both included."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(dates):
        if ranges and day - ranges[-1][1] <= timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
