"""Drawn plans for the property tests: every charge model, any tiers, discounts and bounds."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ml.rating.charges import MODELS
from ml.rating.meters import METERS
from ml.rating.plan import Plan

PRICES = st.decimals("0", "20", places=4)
BOUNDS = st.decimals("0.001", "3000", places=3)
PERCENTS = st.decimals("0", "100", places=2)
DRAWN_METERS = ["calls", "call_seconds", "appointments", "ai_queries", "revenue"]
TOTALS = ["per_unit", "graduated", "volume", "package", "percentage", "graduated_percentage", "flat", "dynamic"]
"""The models whose price depends on a period's total alone."""


def tiers(draw: st.DrawFn, **price: st.SearchStrategy[Decimal]) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(BOUNDS, max_size=4)))
    (name,) = price
    return [{"up_to": bound, name: draw(price[name]), "flat_fee": draw(PRICES)} for bound in [*bounds, None]]


def model_terms(draw: st.DrawFn, model: str) -> dict[str, Any]:
    zero = st.sampled_from(["none", "first_tier"])
    included = draw(st.just(Decimal(0)) | BOUNDS)
    match model:
        case "per_unit":
            return {"unit_price": draw(PRICES), "included": included}
        case "graduated" | "volume":
            return {"tiers": tiers(draw, unit_price=PRICES), "zero_usage_flat": draw(zero)}
        case "graduated_percentage":
            return {"tiers": tiers(draw, rate_percent=PERCENTS), "zero_usage_flat": draw(zero)}
        case "package":
            rounding = draw(st.sampled_from(["up", "down", "nearest"]))
            return {
                "package_price": draw(PRICES),
                "package_size": draw(BOUNDS),
                "included": included,
                "round": rounding,
            }
        case "percentage":
            return {"rate_percent": draw(PERCENTS), "included": included}
        case "flat":
            return {"amount": draw(PRICES), "due": draw(st.sampled_from(["always", "when_used"]))}
        case "dynamic":
            return {"multiplier": draw(PRICES)}
    raise AssertionError(f"no terms are drawn for {model}")


def bounds(draw: st.DrawFn) -> dict[str, Any]:
    low, high = sorted([draw(PRICES), draw(PRICES)])
    return {
        "discount_percent": draw(st.just(Decimal(0)) | PERCENTS),
        "minimum": draw(st.none() | st.just(low)),
        "maximum": draw(st.none() | st.just(high)),
    }


@st.composite
def charges(draw: st.DrawFn, meter: str, models: list[str]) -> dict[str, Any]:
    model = draw(st.sampled_from(models))
    head = {"model": model, "meter": meter, "per": draw(st.sampled_from([1, 7, 60]))}
    body = model_terms(draw, model.removesuffix("_per_bucket"))
    bucket = {"bucket": draw(st.sampled_from(["day", "week"]))} if model.endswith("_per_bucket") else {}
    return {**head, **body, **bucket, **bounds(draw)}


@st.composite
def plans(draw: st.DrawFn, models: list[str] | None = None) -> Plan:
    """A plan of up to three charges, of these models or of all."""
    meters = draw(st.lists(st.sampled_from(DRAWN_METERS), unique=True, max_size=3))
    low, high = sorted([draw(PRICES), draw(PRICES)])
    return Plan.model_validate(
        {
            "plan_key": "drawn",
            "version": 1,
            "name": "Drawn",
            "currency": draw(st.sampled_from(["EUR", "JPY", "KWD"])),
            "monthly_base_fee": draw(st.just(Decimal(0)) | PRICES),
            "charges": [draw(charges(meter, models or list(MODELS))) for meter in meters],
            "minimum_spend": draw(st.none() | st.just(low)),
            "maximum_spend": draw(st.none() | st.just(high + 30)),
            "discounts": draw(st.just([]) | PERCENTS.map(lambda percent: [{"percent": percent}])),
            "option": "standard",
            "valid_from": "2024-01-01",
        }
    )


__all__ = ["DRAWN_METERS", "METERS", "TOTALS", "plans"]
