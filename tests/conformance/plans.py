"""Whole plans, and prices that travel on the event."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ml.rating.charges import breakdown
from ml.rating.plan import Plan
from ml.rating.rate import exact_total
from ml.rating.usage import projected_quantity, usage_of
from tests.conformance.charges import KNOWN_BOUNDS, PERIOD, cost, one_charge_plan
from tests.conformance.reading import decimal, only

__all__ = ["KINDS"]

Values = Mapping[str, Any]
MINUTES = {"per_minute", "overage", "overage_minute"}
INCLUDED = {"included", "package_minutes"}
APPOINTMENTS = {"per_appointment", "overage_appointment"}


def phone_plan(params: Values, usage: Values) -> Values:
    """A plan of a base fee, minutes and appointments, each with what it includes."""
    known = {"base", "package_appointments", *MINUTES, *INCLUDED, *APPOINTMENTS}
    only("a plan", params, known | {"round_to"})
    only("usage of a plan", usage, {"minutes", "appointments"})
    charges = [
        _per_unit("call_seconds", 60, _one(params, MINUTES), _one(params, INCLUDED)),
        _per_unit("appointments", 1, _one(params, APPOINTMENTS), params.get("package_appointments")),
    ]
    head = {"plan_key": "case", "version": 1, "name": "Case", "currency": "EUR", "option": "standard"}
    plan = Plan.model_validate(
        {**head, "valid_from": PERIOD, "monthly_base_fee": decimal(params.get("base")), "charges": charges}
    )
    seconds, appointments = decimal(usage.get("minutes")) * 60, decimal(usage.get("appointments"))
    return {"amount": exact_total(plan, {"call_seconds": seconds, "appointments": appointments})}


def event_priced(params: Values, usage: Values) -> Values:
    """The amount is what the events bear, in minor units of the currency."""
    only("dynamic_event_priced", params, {"currency_minor", "round_to"})
    only("its usage", usage, {"quantity", "precise_total_amount_cents"})
    money = decimal(usage["precise_total_amount_cents"]).scaleb(-int(params.get("currency_minor", 2)))
    return {"amount": cost(one_charge_plan({"model": "dynamic"}, {}), money)}


def multiplied(params: Values, usage: Values) -> Values:
    """The metered value times a factor."""
    only("dynamic_multiplier", params, {"multiplier", *KNOWN_BOUNDS})
    terms = {"model": "dynamic", "multiplier": decimal(params["multiplier"])}
    return {"amount": cost(one_charge_plan(terms, params), decimal(usage["quantity"]))}


def free_quantity(params: Values, usage: Values) -> Values:
    """Of a line and what came before it, the quantities that are paid."""
    only("usage_discount", params, {"free_quantity"})
    only("its usage", usage, {"pre_line", "line"})
    terms = {"model": "per_unit", "unit_price": 1, "included": decimal(params["free_quantity"])}
    (charge,) = one_charge_plan(terms, {}).priced_charges
    before, line = decimal(usage.get("pre_line")), decimal(usage["line"])

    def paid(quantity: Decimal) -> Decimal:
        steps = breakdown(charge, usage_of("calls", quantity))
        return sum((step.quantity for step in steps if step.kind == "usage"), Decimal(0))

    return {"billable_pre": paid(before), "billable_line": paid(before + line) - paid(before)}


def projected(params: Values, usage: Values) -> Values:
    """A period's usage by run rate."""
    only("run_rate", params, {"days_elapsed", "days_in_period", "round_to"})
    figures = decimal(usage["quantity"]), decimal(params["days_elapsed"]), decimal(params["days_in_period"])
    return {"projected": projected_quantity(*figures)}


def _one(params: Values, names: set[str]) -> Any:
    return next((params[name] for name in sorted(names) if name in params), None)


def _per_unit(meter: str, per: int, price: Any, included: Any) -> dict[str, Any]:
    head = {"model": "per_unit", "meter": meter, "per": per}
    return {**head, "unit_price": decimal(price), "included": decimal(included)}


KINDS = {
    **dict.fromkeys(("plan_combined", "plan_per_minute", "plan_per_appointment", "plan_package"), phone_plan),
    "dynamic_event_priced": event_priced,
    "dynamic_multiplier": multiplied,
    "usage_discount": free_quantity,
    "run_rate": projected,
}
