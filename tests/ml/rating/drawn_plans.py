"""Drawn plans for the property tests: every charge model, any tiers."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ml.rating.catalogue import METERS, Plan

PRICES = st.decimals("0", "20", places=4)
BOUNDS = st.decimals("0.001", "3000", places=3)


@st.composite
def charges(draw: st.DrawFn, meter: str) -> dict[str, Any]:
    model = draw(st.sampled_from(["per_unit", "graduated", "volume"]))
    head = {"model": model, "meter": meter, "per": draw(st.sampled_from([1, 7, 60]))}
    if model == "per_unit":
        return {**head, "unit_price": draw(PRICES), "included": draw(st.just(Decimal(0)) | BOUNDS)}
    bounds = sorted(draw(st.sets(BOUNDS, max_size=4)))
    tiers = [{"up_to": bound, "unit_price": draw(PRICES), "flat_fee": draw(PRICES)} for bound in [*bounds, None]]
    return {**head, "tiers": tiers, "zero_usage_flat": draw(st.sampled_from(["none", "first_tier"]))}


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    meters = draw(st.lists(st.sampled_from(list(METERS)), unique=True, max_size=3))
    return Plan.model_validate(
        {
            "plan_key": "drawn",
            "version": 1,
            "name": "Drawn",
            "currency": draw(st.sampled_from(["EUR", "JPY", "KWD"])),
            "monthly_base_fee": draw(st.just(Decimal(0)) | PRICES),
            "charges": [draw(charges(meter)) for meter in meters],
            "option": "standard",
            "valid_from": "2024-01-01",
        }
    )
