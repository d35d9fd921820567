"""Parts of periods: shares, changes of plan, minimum amounts, and rounded quantities."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

from ml.rating.aggregations import billable, round_quantity
from ml.rating.contract import period_terms
from ml.rating.proration import (
    capped_credit,
    cycles,
    days_30_360,
    local_days,
    plan_change,
    share_of_period,
)
from ml.rating.rate import MINIMUM_SPEND, spend_adjustments
from tests.conformance.charges import CURRENCIES, one_charge_plan
from tests.conformance.reading import Unsupported, decimal, fraction_sum, only

__all__ = ["KINDS"]

Values = Mapping[str, Any]
CALENDAR = {"calendar_days_inclusive", "days_inclusive_of_change_day"}


def ratio(params: Values, usage: Values) -> Values:
    """The share of a period, its last day included."""
    only("proration_ratio", params, {"convention", "round_to"})
    only("its usage", usage, {"start", "end_inclusive", "period_days"})
    _convention(params, CALENDAR)
    start, end = _day(usage["start"]), _day(usage["end_inclusive"]) + timedelta(days=1)
    period_start = end - timedelta(days=int(usage["period_days"]))
    return {
        "ratio": share_of_period(
            "calendar_days_inclusive", start, end, min(period_start, start), max(end, period_start)
        )
    }


def fixed_30(params: Values, usage: Values) -> Values:
    """Days of 30/360 over a month of 30."""
    _convention(params, {"30/360"})
    only("its usage", usage, {"start", "end"})
    return {"ratio": Fraction(days_30_360(_day(usage["start"]), _day(usage["end"])), 30)}


def cycle_count(params: Values, usage: Values) -> Values:
    """Billing cycles between two dates, or the sum of the parts that the case writes down."""
    _convention(params, {"days_in_cycle"})
    only("its usage", usage, {"expr", "start", "end", "billing_day"})
    if "expr" in usage:
        return {"cycles": fraction_sum(usage["expr"])}
    return {"cycles": cycles(_day(usage["start"]), _day(usage["end"]), int(usage["billing_day"]))}


def change(params: Values, usage: Values) -> Values:
    """A change of plan within a period that was billed in advance."""
    only("proration_change", params, {"convention", "ratio", "round_to"})
    only("its usage", usage, {"old_total", "new_total", "change", "period", "original_paid", "previous_credits"})
    _convention(params, CALENDAR)
    if params.get("round_to", 2) not in CURRENCIES:
        raise Unsupported(f"no currency has {params['round_to']} decimals")
    start, last = map(_day, usage["period"])
    end = last + timedelta(days=1)
    share = share_of_period("calendar_days_inclusive", _day(usage["change"]), end, start, end)
    if "ratio" in params and Fraction(params["ratio"]) != share:
        raise ValueError(f"the share is {share}, the case says {params['ratio']}")
    found = plan_change(
        decimal(usage["old_total"]),
        decimal(usage["new_total"]),
        share,
        CURRENCIES[params.get("round_to", 2)],
        paid=decimal(usage["original_paid"]) if "original_paid" in usage else None,
        credited=decimal(usage.get("previous_credits")),
    )
    return {"credit": found.credit, "charge": found.charge, "net": found.net}


def credit(params: Values, usage: Values) -> Values:
    """The credit that may be given."""
    only("credit_cap", params, {"round_to"})
    only("its usage", usage, {"potential", "original_paid", "previous_credits"})
    given = (decimal(usage.get(name)) for name in ("potential", "original_paid", "previous_credits"))
    return {"amount": capped_credit(*given)}


def minimum(params: Values, usage: Values) -> Values:
    """What is missing to a prorated minimum, in minor units; what is booked is rounded, `precise` is not."""
    only("minimum_spend", params, {"minimum_cents", "ratio", "round_to"})
    only("its usage", usage, {"used_cents"})
    plan = one_charge_plan({"model": "flat", "amount": 0}, {})
    plan = plan.model_copy(update={"minimum_spend": decimal(params["minimum_cents"])})
    terms = period_terms(plan, share=Fraction(params.get("ratio", "1")))
    missing = spend_adjustments(terms, decimal(usage.get("used_cents")), is_final=True).get(MINIMUM_SPEND, 0)
    return {"true_up_cents": missing, "precise": missing}


def days(params: Values, usage: Values) -> Values:
    """Local calendar dates between two instants."""
    only("local_calendar_days", params, {"timezone"})
    start, end = (datetime.fromisoformat(usage[name]) for name in ("start", "end"))
    return {"days": local_days(start, end, params["timezone"])}


def rounding(params: Values, usage: Values) -> Values:
    """A quantity rounded before it is priced."""
    only("quantity_rounding", params, {"fn", "precision"})
    return {"quantity": round_quantity(decimal(usage["quantity"]), params["fn"], int(params.get("precision") or 0))}


def negative(params: Values, usage: Values) -> Values:
    """What is invoiced of a period's total."""
    only("stripe_negative", params, ())
    return {"quantity": billable(decimal(usage["quantity"]))}


def _convention(params: Values, known: set[str]) -> None:
    if params.get("convention") not in known:
        raise Unsupported(f"the convention {params.get('convention')} is not one of {', '.join(sorted(known))}")


def _day(text: str) -> date:
    return date.fromisoformat(text)


KINDS = {
    "proration_ratio": ratio,
    "proration_fixed_30": fixed_30,
    "proration_cycles": cycle_count,
    "proration_change": change,
    "credit_cap": credit,
    "minimum_spend": minimum,
    "local_calendar_days": days,
    "quantity_rounding": rounding,
    "stripe_negative": negative,
}
