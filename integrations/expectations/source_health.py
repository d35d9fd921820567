"""Whether each source of events still delivers, as often and as much as it used to. No database and no clock."""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd

from integrations.markdown import table

__all__ = ["ACTIVITY", "DAYS_READ", "as_table", "is_unusual", "judge_freshness", "judge_volume"]

DAYS_READ = 35
"""Usage dates before these are not read: a source that is silent for longer counts as given up."""
ACTIVITY = """
    select events.source, events.usage_date, loads.received_at, count(*) as events
    from raw.usage_events as events inner join raw.loads as loads on loads.load_id = events.load_id
    where events.usage_date >= %(since)s group by 1, 2, 3
"""
"""One row per source, usage date and receipt, with the number of events; reads the partitions from `since` on."""

COLUMNS = ("source", "usage_date", "received_at", "events")
FEWEST_GAPS = 3
SHORTEST_SILENCE_HOURS = 26.0
FEWEST_SAME_WEEKDAYS = 3
LAST_ZONE = timedelta(hours=12)
WEEK = timedelta(days=7)
LONGEST_TABLE = 50
NORMAL, TOO_LITTLE = "as usual", "too little history"


def judge_freshness(activity: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """One row per source: whether it is silent for longer than its own habit explains.

    Receipts within one clock hour are one delivery. A silence is too long above twice the 95th percentile of the
    gaps between deliveries, and never below 26 hours; it takes three gaps to know a habit.

    Args:
        activity: as `ACTIVITY` reads it.
        now: the instant at which the pipeline stands.

    Returns:
        source, last_received_at, silence_hours, limit_hours (NaN while unknown) and verdict (`as usual`, `silent` or
        `too little history`).
    """
    rows = []
    for source, found in _by_source(activity):
        last = found["received_at"].max()
        deliveries = found["received_at"].dt.floor("h").drop_duplicates().sort_values()
        gaps = deliveries.diff().dropna() / pd.Timedelta(hours=1)
        silence = (now - last) / timedelta(hours=1)
        limit, verdict = np.nan, TOO_LITTLE
        if len(gaps) >= FEWEST_GAPS:
            limit = max(2 * float(np.quantile(gaps, 0.95)), SHORTEST_SILENCE_HOURS)
            verdict = "silent" if silence > limit else NORMAL
        rows.append((source, last, silence, limit, verdict))
    return pd.DataFrame(rows, columns=["source", "last_received_at", "silence_hours", "limit_hours", "verdict"])


def judge_volume(activity: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """One row per source: whether its newest complete day has about as many events as the same weekdays before it.

    A day is complete when it is over in every time zone and the source has sent usage of a later one. The usual is the
    median of the same weekdays since the source's first day; a count is far off outside three times the largest of
    1.4826 x MAD (a robust standard deviation), the root of the usual (chance), and a sixth of it (half to 1.5 times
    the usual is never far off). It takes three same weekdays to know a usual.

    Args:
        activity: as `ACTIVITY` reads it.
        now: the instant at which the pipeline stands.

    Returns:
        source, usage_date (of the newest complete day, None without one), events, usual, low, high (NaN while unknown)
        and verdict (`as usual`, `far below`, `far above` or `too little history`).
    """
    over = (now - LAST_ZONE).date() - timedelta(days=1)
    rows = [(source, *_judge_day(found, over)) for source, found in _by_source(activity)]
    return pd.DataFrame(rows, columns=["source", "usage_date", "events", "usual", "low", "high", "verdict"])


def as_table(judged: pd.DataFrame) -> str:
    """The verdicts as a table in Markdown, what is unusual first, at most fifty sources."""
    ranked = judged.assign(rank=judged["verdict"].isin([NORMAL, TOO_LITTLE])).sort_values(["rank", "source"])
    shown = ranked.drop(columns="rank").head(LONGEST_TABLE)
    header = [name.replace("_", " ") for name in shown.columns]
    text = table(header, ([_cell(value) for value in row] for row in shown.itertuples(index=False)))
    return text if len(judged) <= LONGEST_TABLE else f"{text}\n\nand {len(judged) - LONGEST_TABLE:,} more sources"


def is_unusual(judged: pd.DataFrame) -> bool:
    """Tell whether somebody should look at any of the sources."""
    return not judged["verdict"].isin([NORMAL, TOO_LITTLE]).all()


def _by_source(activity: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    missing = [name for name in COLUMNS if name not in activity.columns]
    if missing:
        raise ValueError(f"the activity of sources lacks {', '.join(missing)}; read it with ACTIVITY")
    return [(str(source), found) for source, found in activity.groupby("source", sort=True)]


def _judge_day(found: pd.DataFrame, over: date) -> tuple[date | None, float, float, float, float, str]:
    sums = found.groupby(found["usage_date"].dt.date)["events"].sum()
    counts: dict[date, int] = dict(zip(sums.index, sums, strict=True))
    first, newest = min(counts), min(max(counts) - timedelta(days=1), over)
    if newest < first:
        return None, np.nan, np.nan, np.nan, np.nan, TOO_LITTLE
    events = counts.get(newest, 0)
    before = range(1, (newest - first).days // WEEK.days + 1)
    same_weekdays = np.array([counts.get(newest - weeks * WEEK, 0) for weeks in before], dtype=float)
    if len(same_weekdays) < FEWEST_SAME_WEEKDAYS:
        return newest, events, np.nan, np.nan, np.nan, TOO_LITTLE
    usual = float(np.median(same_weekdays))
    deviation = 1.4826 * float(np.median(np.abs(same_weekdays - usual)))
    margin = 3 * max(deviation, np.sqrt(max(usual, 1)), usual / 6)
    low, high = max(usual - margin, 0.0), usual + margin
    verdict = "far below" if events < low else "far above" if events > high else NORMAL
    return newest, events, usual, low, high, verdict


def _cell(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:,.0f}"
    return "" if value is None else str(value)
