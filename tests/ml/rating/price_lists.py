"""Small price lists for the tests of the linter: everything that a test does not care about is filled in."""

from typing import Any

from ml.rating.plan import Plan

__all__ = ["per_unit", "plan", "tiered"]


def plan(key: str, *charges: dict[str, Any], **overrides: Any) -> Plan:
    head = {"plan_key": key, "version": 1, "name": key.title(), "currency": "EUR", "option": "standard"}
    return Plan.model_validate({**head, "valid_from": "2024-01-01", "charges": charges, **overrides})


def per_unit(meter: str, unit_price: Any, **overrides: Any) -> dict[str, Any]:
    return {"model": "per_unit", "meter": meter, "unit_price": unit_price, **overrides}


def tiered(model: str, *tiers: tuple[Any, Any], **overrides: Any) -> dict[str, Any]:
    """Minutes in tiers of (up_to, unit_price)."""
    written = [{"up_to": up_to, "unit_price": price} for up_to, price in tiers]
    return {"model": model, "meter": "call_seconds", "per": 60, "tiers": written, **overrides}
