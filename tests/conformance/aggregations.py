"""Aggregations: the quantity of a period from its events."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ml.rating import aggregations as ours
from tests.conformance.reading import decimal, decimals, only

__all__ = ["KINDS"]

Values = Mapping[str, Any]
# Events that a filter leaves out, or that lie before the period, are named by the case itself and stay out.
FILTERED = {"filter", "recurring", "round_to"}


def added_up(params: Values, usage: Values) -> Values:
    """Sum and count; a recurring meter carries on what was there before the period."""
    only("agg_sum", params, FILTERED)
    only("its usage", usage, {"values", "before_period", "excluded"})
    values = decimals(usage["values"])
    carried = sum(decimals(usage.get("before_period") or [])) if params.get("recurring") else 0
    return {"value": ours.total(values, decimal(carried)), "count": ours.count(values)}


def counted(params: Values, usage: Values) -> Values:
    """Number of events."""
    only("agg_count", params, FILTERED)
    only("its usage", usage, {"values", "excluded", "before_period"})
    return {"value": ours.count(usage["values"]), "count": ours.count(usage["values"])}


def highest(params: Values, usage: Values) -> Values:
    """Maximum, 0 without events."""
    only("agg_max", params, FILTERED)
    only("its usage", usage, {"values", "excluded", "before_period"})
    return {"value": ours.highest(decimals(usage["values"])), "count": ours.count(usage["values"])}


def latest(params: Values, usage: Values) -> Values:
    """The value with the latest time."""
    only("agg_latest", params, FILTERED)
    only("its usage", usage, {"events", "excluded"})
    events = [(_instant(at), decimal(value)) for at, value in usage["events"]]
    return {"value": ours.latest(events), "count": ours.count(events)}


def unique(params: Values, usage: Values) -> Values:
    """Different values that are present at the end."""
    only("agg_unique_count", params, FILTERED)
    only("its usage", usage, {"events", "before_period"})
    before = usage.get("before_period") or [] if params.get("recurring") else []
    value = ours.unique_count([(operation, name) for operation, name in [*before, *usage["events"]]])
    return {"value": value, "count": ours.count(usage["events"])}


def weighted(params: Values, usage: Values) -> Values:
    """Mean level over the period."""
    only("agg_weighted_sum", params, {"period_start", "period_days", "initial", "round_to"})
    start = datetime.fromisoformat(params["period_start"])
    end = start + timedelta(days=int(params["period_days"]))
    events = [(datetime.fromisoformat(at), decimal(value)) for at, value in usage["events"]]
    return {"value": ours.weighted_sum(events, start, end, decimal(params.get("initial")))}


def prorated_sum(params: Values, usage: Values) -> Values:
    """A sum in which each event counts from its day on."""
    only("agg_sum_prorated", params, {"period_days", "ceil_to", "round_to"})
    only("its usage", usage, {"carried", "events"})
    period = int(params["period_days"])
    added = [(decimal(value), ours.days_active(int(day.removeprefix("day")), period)) for day, value in usage["events"]]
    return {"value": ours.prorated_sum(decimal(usage.get("carried")), added, period)}


def prorated_unique(params: Values, usage: Values) -> Values:
    """Unique values by the days on which they were there."""
    only("agg_unique_count_prorated", params, {"period_days", "ceil_to", "round_to"})
    only("its usage", usage, {"active_days"})
    return {"value": ours.prorated_unique_count(usage["active_days"], int(params["period_days"]))}


def _instant(text: str) -> datetime:
    """A time, or one relative to t in seconds, such as t-2s."""
    if not text.startswith("t"):
        return datetime.fromisoformat(text)
    seconds = float(text.removeprefix("t").removesuffix("s") or 0)
    return datetime(2025, 3, 1, tzinfo=UTC) + timedelta(seconds=seconds)


KINDS = {
    "agg_sum": added_up,
    "agg_count": counted,
    "agg_max": highest,
    "agg_latest": latest,
    "agg_unique_count": unique,
    "agg_weighted_sum": weighted,
    "agg_sum_prorated": prorated_sum,
    "agg_unique_count_prorated": prorated_unique,
}
