"""Which meter events are owed: a day's rated total less what was planned for it, so planning twice adds nothing."""

import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from integrations.stripe.meter_event_request import (
    PlannedMeterEvent,
    event_timestamp,
    meter_event_body,
    meter_event_key,
)

__all__ = [
    "MeterEventPlan",
    "PlannedMeterEvent",
    "UnbillableUsage",
    "event_timestamp",
    "meter_event_body",
    "meter_event_key",
    "plan_meter_events",
]

MAX_AGE_DAYS = 34
RATED = ("company_id", "company_key", "meter", "usage_date", "quantity", "time_zone")
PLANNED = ("company_id", "meter", "usage_date", "seq", "quantity", "state")
Day = tuple[int, str, date]


@dataclass(frozen=True)
class UnbillableUsage:
    """A delta that can't be sent, and why; it needs a person or a correction on an invoice."""

    company_id: int
    company_key: str
    meter: str
    usage_date: date
    quantity: Decimal | int
    reason: str


@dataclass(frozen=True)
class MeterEventPlan:
    """Events to send and usage that can't be, each by usage date, company and meter."""

    events: list[PlannedMeterEvent]
    unbillable: list[UnbillableUsage]


def plan_meter_events(
    rated: Iterable[Mapping[str, Any]],
    planned: Iterable[Mapping[str, Any]],
    event_names: Mapping[str, str] | None = None,
    *,
    from_date: date | None = None,
    today: date | None = None,
) -> MeterEventPlan:
    """The deltas between the rated day totals and the rows planned for the same destination that were not rejected.

    `rated`: company_id, company_key, meter, usage_date, quantity, time_zone (IANA), stripe_customer_id (or None);
    a day whose usage vanished must come with quantity 0, a day that is absent is left alone.
    `planned`: company_id, meter, usage_date, seq, quantity, state. `event_names`: by meter, default `usage_<meter>`.
    Unbillable with the reason: no Stripe customer, a fraction of a unit, a usage date before `from_date`, or one more
    than 34 days before `today` (Stripe takes 35). Raises ValueError for missing columns, a day given twice, and what is
    malformed.
    """
    totals = _totals_by_day(rated)
    sent, last_seq = _planned_by_day(planned)
    events: list[PlannedMeterEvent] = []
    unbillable: list[UnbillableUsage] = []
    for day, row in sorted(totals.items(), key=lambda item: (item[0][2], item[0])):
        delta = _exact(row["quantity"]) - sent[day]
        if not delta:
            continue
        if reason := _why_not(row, day[2], from_date, today):
            unbillable.append(UnbillableUsage(day[0], row["company_key"], day[1], day[2], delta, reason))
        else:
            events.append(_event(row, day, last_seq[day] + 1, int(delta), event_names or {}))
    _refuse_shared_keys(events)
    return MeterEventPlan(events, unbillable)


def _event(row: Mapping[str, Any], day: Day, seq: int, delta: int, event_names: Mapping[str, str]) -> PlannedMeterEvent:
    company_id, meter, usage_date = day
    return PlannedMeterEvent(
        key=meter_event_key(meter, row["company_key"], usage_date, seq),
        company_id=company_id,
        meter=meter,
        usage_date=usage_date,
        seq=seq,
        quantity=delta,
        event_name=event_names.get(meter, f"usage_{meter}"),
        stripe_customer_id=row["stripe_customer_id"],
        timestamp=event_timestamp(usage_date, row["time_zone"]),
    )


def _exact(quantity: Decimal | int) -> Decimal | int:
    return quantity if isinstance(quantity, Decimal) else operator.index(quantity)


def _why_not(row: Mapping[str, Any], usage_date: date, from_date: date | None, today: date | None) -> str | None:
    if not row.get("stripe_customer_id"):
        return "the company has no Stripe customer; give its stripe_customer_id in the companies feed"
    if row["quantity"] != int(row["quantity"]):
        return f"{row['quantity']} is not a whole number, and only whole ones can be reported; bill it on an invoice"
    if from_date and usage_date < from_date:
        return f"used on {usage_date}, before the go-live date {from_date}"
    if today and usage_date < today - timedelta(days=MAX_AGE_DAYS):
        return f"used on {usage_date}, more than {MAX_AGE_DAYS} days before {today}; correct it on an invoice"
    return None


def _totals_by_day(rated: Iterable[Mapping[str, Any]]) -> dict[Day, Mapping[str, Any]]:
    totals: dict[Day, Mapping[str, Any]] = {}
    for row in rated:
        _require(row, RATED, "rated usage")
        day = _day(row)
        if day in totals:
            raise ValueError(f"rated usage holds {_name(day)} twice; give one total per company, meter and date")
        totals[day] = row
    return totals


def _planned_by_day(planned: Iterable[Mapping[str, Any]]) -> tuple[Counter[Day], Counter[Day]]:
    """Per day, the quantity planned and not rejected, and the highest sequence number ever used."""
    sent: Counter[Day] = Counter()
    last_seq: Counter[Day] = Counter()
    for row in planned:
        _require(row, PLANNED, "planned meter events")
        day = _day(row)
        last_seq[day] = max(last_seq[day], int(row["seq"]))
        sent[day] += int(row["quantity"]) if row["state"] != "rejected" else 0
    return sent, last_seq


def _day(row: Mapping[str, Any]) -> Day:
    usage_date = row["usage_date"]
    return int(row["company_id"]), row["meter"], usage_date.date() if isinstance(usage_date, datetime) else usage_date


def _require(row: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
    missing = [name for name in names if row.get(name) is None]
    if missing:
        raise ValueError(f"{what}: a row lacks {', '.join(missing)}: {dict(row)}")


def _refuse_shared_keys(events: list[PlannedMeterEvent]) -> None:
    shared = [key for key, count in Counter(event.key for event in events).items() if count > 1]
    if shared:
        raise ValueError(f"two companies share the key {', '.join(shared)}; rename one, or Stripe drops one's usage")


def _name(day: Day) -> str:
    return f"company {day[0]}, meter {day[1]}, {day[2]}"
