"""Charge models: the cost of a total, of steps towards it, of its buckets and of its events."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import Any

from ml.rating.contract import Contract
from ml.rating.plan import Plan
from ml.rating.rate import exact_total
from ml.rating.rerate import RatedLine, due_lines
from ml.rating.spans import Version, spans_of
from ml.rating.usage import Item, Usage
from tests.conformance.reading import Unsupported, decimal, decimals, only

__all__ = ["KNOWN_BOUNDS", "bounds_of", "compute", "cost", "one_charge_plan"]

Values = Mapping[str, Any]
PERIOD = date(2025, 3, 1)
CURRENCIES = {0: "JPY", 2: "EUR", 3: "KWD"}
KNOWN_BOUNDS = {"minimum", "maximum", "discount_pct", "round_to", "minimum_on", "base"}
USAGE = {"quantity", "cumulative", "buckets", "windows", "events", "event_units", "event_prorated", "already_billed"}


def compute(model: str, params: Values, usage: Values, expected: Collection[str]) -> Values:
    """The cost of a case of one charge.

    Its model is a base model, perhaps with `_delta`, `_per_bucket`, `_prorated`, `_prorated_events`, `_rebill` or
    `_plus_base` behind it.
    """
    base = model
    for ending in ("_delta", "_per_bucket", "_prorated_events", "_prorated", "_rebill", "_plus_base", "_minmax"):
        base = base.removesuffix(ending)
    if base not in TERMS:
        raise Unsupported(f"there is no model {model}")
    if base == "percentage":
        return {"amount": cost(one_charge_plan(TERMS[base](params), params), _events(params, usage))}
    only(f"usage of {model}", usage, USAGE | {"already_invoiced"})
    terms = TERMS[base](params)
    if "buckets" in usage or "windows" in usage:
        terms["model"] = f"{terms['model']}_per_bucket"
        return {"amount": cost(one_charge_plan(terms, params), decimals(usage.get("buckets", usage.get("windows"))))}
    plan = one_charge_plan(terms, params)
    if "cumulative" in usage:
        return {"amounts": list(_steps(plan, params, decimals(usage["cumulative"])))}
    booked = decimal(usage.get("already_invoiced", usage.get("already_billed", params.get("already_billed"))))
    found: dict[str, Any] = {"amount": cost(plan, _usage(params, usage)) - booked}
    if "per_event" in expected:
        found["per_event"] = list(_steps(plan, params, list(accumulate(decimals(usage["events"])))))
    return found


def cost(plan: Plan, usage: Usage | Sequence[Decimal] | Decimal) -> Decimal:
    """Unrounded cost of the usage of the plan's one meter."""
    (charge,) = plan.charges
    return exact_total(plan, {charge.meter: usage})


def one_charge_plan(terms: Values, params: Values, currency: str = "EUR") -> Plan:
    """A plan of one charge, with the bounds that the case names."""
    meter = "payments" if "percent" in terms["model"] or terms["model"] == "dynamic" else "calls"
    charge = {"meter": meter, **terms, **bounds_of(params)}
    head = {"plan_key": "case", "version": 1, "name": "Case", "currency": currency, "option": "standard"}
    fee = decimal(params.get("base"))
    return Plan.model_validate({**head, "valid_from": PERIOD, "monthly_base_fee": fee, "charges": [charge]})


def bounds_of(params: Values) -> dict[str, Any]:
    """Minimum, maximum and discount of a charge."""
    names = {"minimum": "minimum", "maximum": "maximum", "discount_pct": "discount_percent"}
    return {ours: decimal(params[theirs]) for theirs, ours in names.items() if params.get(theirs) is not None}


def _steps(plan: Plan, params: Values, cumulative: Sequence[Decimal]) -> Iterator[Decimal]:
    """What each step of a cumulative quantity adds: as booked lines where the case rounds, else unrounded."""
    (charge,) = plan.charges
    if "round_to" not in params:
        costs = [
            rate_unrounded(plan, {charge.meter: quantity}, is_last=index == len(cumulative))
            for index, quantity in enumerate(cumulative, 1)
        ]
        yield from (after - before for before, after in zip([Decimal(0), *costs], costs, strict=False))
        return
    if params["round_to"] not in CURRENCIES:
        raise Unsupported(f"no currency is booked at {params['round_to']} decimals")
    plan = plan.model_copy(update={"currency": CURRENCIES[params["round_to"]]})
    spans = spans_of([Version(PERIOD, Contract(plan))], PERIOD)
    booked: list[RatedLine] = []
    for index, quantity in enumerate(cumulative, 1):
        rows = [(PERIOD, charge.meter, quantity)]
        lines = due_lines(spans, rows, booked, 7, PERIOD, is_final=index == len(cumulative))
        booked += lines
        yield sum((line.amount for line in lines), Decimal(0))


def rate_unrounded(plan: Plan, usage: Mapping[str, Decimal], is_last: bool) -> Decimal:
    """Unrounded cost; a minimum is owed on the last line only."""
    if is_last:
        return exact_total(plan, usage)
    open_charges = tuple(charge.model_copy(update={"minimum": None}) for charge in plan.charges)
    return exact_total(plan.model_copy(update={"charges": open_charges, "minimum_spend": None}), usage)


def _usage(params: Values, usage: Values) -> Usage:
    if "event_units" in usage:
        pairs = zip(decimals(usage["event_units"]), decimals(usage["event_prorated"]), strict=True)
        return Usage(tuple(Item(units, None, billed) for units, billed in pairs))
    if params.get("full_units") is not None:
        return Usage((Item(decimal(params["full_units"]), None, decimal(usage["quantity"])),))
    return Usage((Item(decimal(usage["quantity"])),))


def _events(params: Values, usage: Values) -> Usage:
    """Single events, or what running totals of the first of them tell: the rest is spread evenly over the others."""
    only("usage of percentage", usage, {"quantity", "events_count", "running_total", "events"})
    if "events" in usage:
        return Usage(tuple(map(Item, decimals(usage["events"]))))
    totals = decimals(usage.get("running_total") or [])
    count, quantity = int(usage.get("events_count", 1)), decimal(usage["quantity"])
    events = [after - before for before, after in zip([Decimal(0), *totals], totals, strict=False)][:count]
    rest = quantity - sum(events, Decimal(0))
    others = count - len(events)
    return Usage(tuple(map(Item, [*events, *([rest / others] * others if others else [])])))


def _tiers(params: Values, price: str, ours: str) -> list[dict[str, Any]]:
    for tier in params["tiers"]:
        only("a tier", tier, {"up_to", price, "flat"})
    return [
        {"up_to": tier["up_to"], ours: decimal(tier[price]), "flat_fee": decimal(tier.get("flat"))}
        for tier in params["tiers"]
    ]


def _tiered(model: str, price: str, ours: str) -> Callable[[Values], dict[str, Any]]:
    def terms(params: Values) -> dict[str, Any]:
        only(model, params, {"tiers", "zero_usage_flat", "full_units", *KNOWN_BOUNDS})
        zero = params.get("zero_usage_flat") or "none"
        return {"model": model, "tiers": _tiers(params, price, ours), "zero_usage_flat": zero}

    return terms


def _per_unit(params: Values) -> dict[str, Any]:
    only("per_unit", params, {"unit", "included", "full_units", *KNOWN_BOUNDS})
    return {"model": "per_unit", "unit_price": decimal(params["unit"]), "included": decimal(params.get("included"))}


def _package(params: Values) -> dict[str, Any]:
    only("package", params, {"package_amount", "package_size", "free_units", "round", *KNOWN_BOUNDS})
    return {
        "model": "package",
        "package_price": decimal(params["package_amount"]),
        "package_size": decimal(params["package_size"]),
        "included": decimal(params.get("free_units")),
        "round": params.get("round") or "up",
    }


def _percentage(params: Values) -> dict[str, Any]:
    own = {"rate_pct", "fixed_per_event", "free_events", "free_units", "per_event_min", "per_event_max"}
    only("percentage", params, own | KNOWN_BOUNDS)
    optional = {"event_minimum": params.get("per_event_min"), "event_maximum": params.get("per_event_max")}
    return {
        "model": "percentage",
        "rate_percent": decimal(params["rate_pct"]),
        "fixed_per_event": decimal(params.get("fixed_per_event")),
        "free_events": int(params.get("free_events") or 0),
        "included": decimal(params.get("free_units")),
        **{name: decimal(value) for name, value in optional.items() if value is not None},
    }


def _discounted(params: Values) -> dict[str, Any]:
    only("discount_then_max", params, {"unit", "already_billed", *KNOWN_BOUNDS})
    return {"model": "per_unit", "unit_price": decimal(params["unit"])}


def _committed(params: Values) -> dict[str, Any]:
    only("window_commitment", params, {"unit", "commitment", "overage_factor", "true_up", *KNOWN_BOUNDS})
    commitment = {
        "amount": decimal(params["commitment"]),
        "overage_factor": decimal(params.get("overage_factor"), "1"),
        "true_up": bool(params.get("true_up")),
    }
    return {"model": "per_unit", "unit_price": decimal(params["unit"]), "commitment": commitment}


TERMS: dict[str, Callable[[Values], dict[str, Any]]] = {
    "per_unit": _per_unit,
    "graduated": _tiered("graduated", "unit", "unit_price"),
    "volume": _tiered("volume", "unit", "unit_price"),
    "graduated_percentage": _tiered("graduated_percentage", "rate_pct", "rate_percent"),
    "package": _package,
    "percentage": _percentage,
    "discount_then_max": _discounted,
    "window_commitment": _committed,
}
