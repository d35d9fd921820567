"""What the rating engine reads of the periods that are due: terms, usage, and what stands in the books."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from ml.rating.contract import Contract
from ml.rating.lines import BookedLine, RatedLine
from ml.rating.rerate import due_lines
from ml.rating.spans import Span, Version, next_period, spans_of
from ml.rating.usage import UsageRow
from orchestration.catalogue import contract_of
from orchestration.rating.periods import ADDITIVE, Due, Period

__all__ = ["first_open", "lines_due", "spans_due", "wanted"]

WANTED = "unnest(%(companies)s::bigint[], %(periods)s::date[]) as wanted (company_id, usage_period)"
USAGE = f"""
    select daily.company_id, wanted.usage_period, daily.usage_date, daily.meter, sum(daily.quantity) as quantity
    from {WANTED}
    inner join marts.fct_meter_usage_daily as daily
        on wanted.company_id = daily.company_id
        and daily.usage_date >= wanted.usage_period
        and daily.usage_date < (wanted.usage_period + interval '1 month')::date
    where daily.meter = any(%(additive)s) and daily.usage_date >= %(first)s and daily.usage_date < %(end)s
    group by daily.company_id, wanted.usage_period, daily.usage_date, daily.meter
"""
EVENTS = f"""
    select events.company_id, wanted.usage_period, events.usage_date, events.meter,
        array_agg(events.quantity order by events.occurred_at, events.source, events.event_id) as quantities
    from {WANTED}
    inner join intermediate.int_priced_events as events
        on wanted.company_id = events.company_id
        and events.usage_date >= wanted.usage_period
        and events.usage_date < (wanted.usage_period + interval '1 month')::date
    where events.usage_date >= %(first)s and events.usage_date < %(end)s
    group by events.company_id, wanted.usage_period, events.usage_date, events.meter
"""
TOTALS = f"""
    select monthly.company_id, monthly.usage_month as usage_period, monthly.meter, monthly.quantity
    from {WANTED}
    inner join marts.fct_meter_usage_monthly as monthly
        on wanted.company_id = monthly.company_id and wanted.usage_period = monthly.usage_month
    where not monthly.meter = any(%(additive)s)
"""
BOOKED = f"""
    select booked.company_id, booked.usage_period, line_id, terms_key, plan_key, plan_version, charge, meter, unit,
        usage_date, quantity, amount, currency, seq
    from {WANTED}
    inner join billing.rated_usage as booked
        on wanted.company_id = booked.company_id and wanted.usage_period = booked.usage_period
    order by booked.company_id, booked.rated_at, booked.line_id
"""
VERSIONS = """
    select history.company_id, history.first_date, history.status, history.billing_interval, history.add_ons,
        history.overrides, history.plan_key, history.plan_version, plans.terms
    from marts.subscriptions_history as history
    inner join raw.plans as plans
        on history.plan_key = plans.plan_key and history.plan_version = plans.version
    where history.company_id = any(%(companies)s) and history.first_date <= history.last_date
    order by history.company_id, history.first_date
"""


def lines_due(connection: Connection, due: Sequence[Due]) -> list[RatedLine]:
    """The lines that bring the ledger to what the usage of these periods costs; none where nothing changed.

    A company without a subscription owes nothing, and usage of dates before or after it neither.
    """
    if not due:
        return []
    parameters = wanted(due)
    agreed = list(spans_due(connection, due))
    usage = _usage(connection, agreed)
    totals = {}
    for row in _rows(connection, TOTALS, parameters):
        totals.setdefault((row["company_id"], row["usage_period"]), {})[row["meter"]] = row["quantity"]
    booked: dict[Period, list[BookedLine]] = defaultdict(list)
    for row in _rows(connection, BOOKED, parameters):
        booked[row.pop("company_id"), row.pop("usage_period")].append(BookedLine(**row))
    closed = {row[0] for row in connection.execute("select usage_period from billing.closed_periods")}
    lines: list[RatedLine] = []
    for one, spans in agreed:
        rows = usage[one.period] + _on_last_span(spans, totals.get(one.period, {}))
        lines += due_lines(
            spans,
            rows,
            booked[one.period],
            *one.period,
            is_final=one.is_over,
            invoice_period=first_open(one.usage_period, closed),
        )
    return lines


def first_open(usage_period: date, closed: Iterable[date]) -> date:
    """The first invoice period, from the usage period on, that is not closed."""
    closed = set(closed)
    while usage_period in closed:
        usage_period = next_period(usage_period)
    return usage_period


def spans_due(connection: Connection, due: Sequence[Due]) -> Iterator[tuple[Due, list[Span]]]:
    """Each of the periods with the terms that hold on its dates."""
    contracts: dict[tuple[Any, ...], Contract] = {}
    versions: dict[int, list[Version]] = defaultdict(list)
    for row in _rows(connection, VERSIONS, {"companies": sorted({one.company_id for one in due})}):
        contract = None
        if row["status"] != "cancelled":
            key = row["plan_key"], row["plan_version"], str((row["billing_interval"], row["add_ons"], row["overrides"]))
            contract = contracts.setdefault(key, contracts.get(key) or contract_of(row["terms"], row))
        versions[row["company_id"]].append(Version(row["first_date"], contract))
    for one in due:
        yield one, spans_of(versions[one.company_id], one.usage_period)


def wanted(due: Sequence[Due]) -> dict[str, Any]:
    """The parameters of queries over these periods (`WANTED`)."""
    periods = [one.usage_period for one in due]
    return {
        "companies": [one.company_id for one in due],
        "periods": periods,
        "additive": ADDITIVE,
        "first": min(periods, default=None),
        "end": next_period(max(periods)) if periods else None,
    }


def _usage(connection: Connection, agreed: Sequence[tuple[Due, Sequence[Span]]]) -> dict[Period, list[UsageRow]]:
    """What adds up, by date and meter: the day's total, or its single events where one of the period's terms prices
    them."""
    by_event = {one.period: meters for one, spans in agreed if (meters := _priced_by_event(spans))}
    usage: dict[Period, list[UsageRow]] = defaultdict(list)
    for row in _rows(connection, USAGE, wanted([one for one, _ in agreed])):
        period = row["company_id"], row["usage_period"]
        if row["meter"] not in by_event.get(period, ()):
            usage[period].append((row["usage_date"], row["meter"], row["quantity"]))
    if not by_event:
        return usage
    for row in _rows(connection, EVENTS, wanted([one for one, _ in agreed if one.period in by_event])):
        period = row["company_id"], row["usage_period"]
        if row["meter"] in by_event[period]:
            usage[period].append((row["usage_date"], row["meter"], tuple(row["quantities"])))
    return usage


def _priced_by_event(spans: Iterable[Span]) -> set[str]:
    """The meters whose single events a price depends on."""
    charges = (charge for span in spans for charge in span.contract.own_plan.priced_charges)
    return {charge.meter for charge in charges if charge.is_per_event}


def _on_last_span(spans: Sequence[Span], totals: Mapping[str, Decimal]) -> list[UsageRow]:
    """What does not add up over days belongs to the terms at the end of the period, and stands on their first date."""
    return [(spans[-1].start, meter, quantity) for meter, quantity in totals.items()] if spans else []


def _rows(connection: Connection, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(query.encode(), parameters).fetchall()
