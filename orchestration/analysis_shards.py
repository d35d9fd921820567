"""What the analysis does with one shard of companies: read its inputs, find, and replace its rows."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import Warehouse, replace_rows
from ml.analysis.characteristics import describe_companies
from ml.analysis.patterns import find_patterns
from orchestration.analysis_inputs import read_activity, read_hourly, read_pooled_profile, read_windows, span
from orchestration.shards import SHARD_COMPANIES, Counts, Shard, split

VALID_FOR = timedelta(days=7)


Pooled = Callable[[Connection, date], Mapping[str, Any]]


def nothing_pooled(connection: Connection, at: date) -> Mapping[str, Any]:
    """For shards that depend on nobody else."""
    return {}


def pooled_hours(known_at: datetime) -> Pooled:
    """What `describe_shard` compares a company with."""
    return lambda connection, at: {"hourly_profile": read_pooled_profile(connection, span(at, known_at))}


def shards_of(
    warehouse: Warehouse,
    dates: Iterable[date],
    known_at: datetime,
    pooled: Pooled = nothing_pooled,
    size: int = SHARD_COMPANIES,
) -> list[Shard]:
    """The companies that are active by each as-of date, split into shards; `pooled` is asked once for each date."""
    shards = []
    with warehouse.connect() as connection:
        for at in dates:
            of_all = pooled(connection, at)
            ids = read_windows(connection, span(at, known_at))["company_id"].tolist()
            shards += [Shard(companies, at, known_at, warehouse.url, of_all) for companies in split(ids, size)]
    return shards


def find_shard_patterns(shard: Shard) -> Counts:
    """Replace the shard's rows of `ml.usage_patterns`."""
    with Warehouse(shard.database_url).connect() as connection:
        over = span(shard.as_of, shard.known_at, shard.companies)
        windows = read_windows(connection, over)
        patterns = find_patterns(read_hourly(connection, over), windows).assign(
            detected_at=shard.known_at, valid_until=shard.known_at + VALID_FOR
        )
        rows = stamp(patterns, windows, shard.as_of, shard.known_at)
        return _counts(windows, replace_rows(connection, "ml.usage_patterns", _key(shard), rows))


def describe_shard(shard: Shard) -> Counts:
    """Replace the shard's rows of `ml.business_characteristics`; `shard.pooled` is that of `pooled_hours`."""
    with Warehouse(shard.database_url).connect() as connection:
        over = span(shard.as_of, shard.known_at, shard.companies)
        windows, activity = read_windows(connection, over), read_activity(connection, over)
        described = describe_companies(
            read_hourly(connection, over), windows, activity, peers=shard.pooled["hourly_profile"]
        )
        rows = stamp(described, windows, shard.as_of, shard.known_at)
        return _counts(windows, replace_rows(connection, "ml.business_characteristics", _key(shard), rows))


def stamp(frame: pd.DataFrame, windows: pd.DataFrame, at: date, known_at: datetime) -> list[dict[str, Any]]:
    """Rows with the window that they speak about and the times that they stand for."""
    rows = frame.merge(windows, on="company_id").to_dict("records")
    return [{**row, "as_of": at, "known_at": known_at} for row in rows]


def _key(shard: Shard) -> dict[str, Any]:
    return {"as_of": shard.as_of, "company_id": shard.companies}


def _counts(windows: pd.DataFrame, rows: int) -> Counts:
    return {"companies": len(windows), "rows": rows}
