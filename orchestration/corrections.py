"""What a correction would change, before it is made: days, units, amounts and recommendations.

Nothing here computes usage, money or advice in a way of its own. The correction is made in a transaction, the marts of
the company are rebuilt in it by the models' own SQL, the rating and recommendation engines read them as they always
do, and all of it is rolled back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from pathlib import Path

import psycopg
from psycopg import Connection, sql

from integrations.events.frames import Frame, replace_frame
from integrations.events.ledger import LoadReport
from integrations.events.mapping import SourceMapping
from integrations.postgres.locks import WRITER_LOCK, exclusive
from ml.analysis.characteristics import describe_companies
from ml.analysis.patterns import find_patterns
from ml.recommendation.recommend_all import recommend_companies
from orchestration import dbt
from orchestration.analysis_inputs import ANALYSIS_DAYS, read_activity, read_inputs
from orchestration.forecasts import project
from orchestration.rating.inputs import lines_due
from orchestration.rating.periods import periods_due
from orchestration.recommendations import read_plans, with_current_plan
from orchestration.resources import has_marts

MODELS = (
    "int_meter_values",
    "int_meter_levels",
    "int_priced_events",
    "fct_conversion",
    "fct_usage_hourly",
    "fct_usage_daily",
    "fct_meter_usage_daily",
)
Window = tuple[date, date]
EVENTS = """
    select usage_date, sum(before)::bigint, sum(after)::bigint from (
        select usage_date, 1 as before, 0 as after from raw.replaced_events where replaced_by = %(load_id)s
        union all
        select usage_date, 0, 1 from raw.usage_events where load_id = %(load_id)s
    ) as events group by usage_date order by usage_date
"""
UNITS = """
    select usage_date, meter, sum(quantity) from marts.fct_meter_usage_daily
    where company_id = %s and usage_date between %s and %s group by usage_date, meter
"""
ADVISED = """
    select recommendation_key, as_of, known_at from ml.pricing_recommendations
    where company_id = %s and as_of > %s and as_of - %s <= %s order by as_of
"""


@dataclass(frozen=True)
class Figures:
    """A company's figures at one moment; amounts are what its ledger still lacks, per usage period and currency."""

    units: Mapping[tuple[date, str], Decimal]
    amounts: Mapping[tuple[date, str], Decimal]
    advice: Mapping[str, str]


@dataclass(frozen=True)
class Effect:
    """What a correction would change.

    Attributes:
        load: the report of the load that would be made.
        events: (usage date, events before, events after).
        units: (usage date, meter, before, after), where they differ.
        amounts: (usage period, currency, difference), where there is one.
        advice: (recommendation, before, after), where they differ; computed anew both times.
    """

    load: LoadReport
    events: list[tuple[date, int, int]]
    units: list[tuple[date, str, Decimal, Decimal]]
    amounts: list[tuple[date, str, Decimal]]
    advice: list[tuple[str, str, str]]


def effect_of(url: str, frame: Frame, path: Path, now: datetime, mapping: SourceMapping | None = None) -> Effect:
    """What replacing a time frame by a file would change; nothing is stored.

    Raises:
        FrameRefused: when the file can't stand for the frame.
    """
    with exclusive(url, WRITER_LOCK), psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction(force_rollback=True):
            load = replace_frame(connection, frame, path, now, mapping)
            events = connection.execute(EVENTS, {"load_id": load.load_id}).fetchall() if load.is_new else []
        dates = [*frame.dates, *map(date.fromisoformat, load.usage_dates)]  # a void reaches beyond its own frame
        window = min(dates), max(dates)
        models = dbt.compiled(MODELS, url, now, window) if load.is_new and has_marts(connection) else []
        with connection.transaction(force_rollback=True):
            before = _figures(connection, frame, window, now, models)
            replace_frame(connection, frame, path, now, mapping)
            after = _figures(connection, frame, window, now, models)
            return Effect(load, events, *differences(before, after))


def differences(
    before: Figures, after: Figures
) -> tuple[list[tuple[date, str, Decimal, Decimal]], list[tuple[date, str, Decimal]], list[tuple[str, str, str]]]:
    """Units, amounts and advice that are not the same, in order."""
    zero = Decimal(0)
    units = [
        (*key, before.units.get(key, zero), after.units.get(key, zero))
        for key in sorted({*before.units, *after.units})
        if before.units.get(key, zero) != after.units.get(key, zero)
    ]
    amounts = [
        (*key, difference)
        for key in sorted({*before.amounts, *after.amounts})
        if (difference := after.amounts.get(key, zero) - before.amounts.get(key, zero))
    ]
    advice = [(key, said, after.advice[key]) for key, said in before.advice.items() if said != after.advice[key]]
    return units, amounts, advice


def _figures(
    connection: Connection, frame: Frame, window: Window, now: datetime, models: Sequence[dbt.Compiled]
) -> Figures:
    row = connection.execute(
        "select company_id from raw.company_ids where company_key = %s", [frame.company]
    ).fetchone()
    if row is None or not models:
        return Figures({}, {}, {})
    company_id = row[0]
    for model in models:
        _rebuild(connection, model, company_id, window)
    units = connection.execute(UNITS, [company_id, *window])
    amounts: dict[tuple[date, str], Decimal] = {}
    for line in lines_due(connection, periods_due(connection, now, company_id)):
        key = line.usage_period, line.currency
        amounts[key] = amounts.get(key, Decimal(0)) + line.amount
    return Figures(
        {(day, meter): quantity for day, meter, quantity in units},
        amounts,
        _advice(connection, company_id, window, now),
    )


def _rebuild(connection: Connection, model: dbt.Compiled, company_id: int, window: Window) -> None:
    """Build a model anew for one company over a window of dates, as a build does for all."""
    table = sql.Identifier(model.schema, model.table)
    source = sql.SQL("({}) as built").format(sql.SQL(model.query))  # type: ignore[arg-type]
    columns = connection.execute(sql.SQL("select * from {} limit 0").format(source)).description or []
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    connection.execute(
        sql.SQL("delete from {} where company_id = %s and usage_date >= %s and (usage_date <= %s or {})").format(
            table,
            sql.SQL(model.carried_rows or "false"),  # type: ignore[arg-type]
        ),
        [company_id, *window],
    )
    connection.execute(
        sql.SQL("insert into {} ({}) select {} from {} where company_id = {}").format(
            table, names, names, source, sql.Literal(company_id)
        )
    )


def _advice(connection: Connection, company_id: int, window: Window, now: datetime) -> dict[str, str]:
    """What would be advised today in the place of each recommendation that read usage of the window."""
    first, last = window
    given = connection.execute(ADVISED, [company_id, first, ANALYSIS_DAYS, last]).fetchall()
    return {key: _advise(connection, company_id, as_of, known_at, now) for key, as_of, known_at in given}


def _advise(connection: Connection, company_id: int, as_of: date, known_at: datetime, now: datetime) -> str:
    plans, _ = read_plans(connection)
    inputs = read_inputs(connection, as_of, now)
    companies = with_current_plan(connection, [company_id], known_at, plans)
    (found,) = recommend_companies(
        companies,
        describe_companies(inputs.hourly, inputs.windows, read_activity(connection, inputs.span)),
        find_patterns(inputs.hourly, inputs.windows),
        project(connection, as_of, now, [company_id]),
        plans,
    )
    return f"{found.action}: {found.recommended_plan.name}, saves {found.projected_savings} {found.currency} a month"


def instant(written: str, zone: tzinfo) -> datetime:
    """A time as people write it: with an offset, or a date that begins at local midnight.

    Raises:
        ValueError: when it is neither.
    """
    try:
        time = datetime.fromisoformat(written)
    except ValueError as error:
        raise ValueError(f"{written} is no time; write 2026-10-01 or 2026-10-01T09:30:00+02:00") from error
    if time.tzinfo is None:
        if len(written) > len("2026-10-01"):
            raise ValueError(f"{written} has no time zone; write it like 2026-10-01T09:30:00+02:00")
        return time.replace(tzinfo=zone)
    return time
