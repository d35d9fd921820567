"""Designs that differ in what a test is about."""

from collections.abc import Callable
from typing import Any

import pytest

from ml.experiments.design import Design

DECLARED: dict[str, Any] = {
    "key": "cheaper-minutes",
    "name": "Cheaper minutes",
    "variant_a": {"price_per_minute": "0.12"},
    "variant_b": {"price_per_minute": "0.10"},
    "metrics": ["acceptance"],
    "baseline": 0.4,
    "minimum_effect": 0.15,
    "companies_per_week": 20,
}


@pytest.fixture
def make_design() -> Callable[..., Design]:
    def make(**override: Any) -> Design:
        return Design.model_validate(DECLARED | override)

    return make


@pytest.fixture
def revenue_design(make_design: Callable[..., Design]) -> Callable[..., Design]:
    def make(**override: Any) -> Design:
        declared = {"metrics": ["monthly_revenue"], "standard_deviation": 60, "minimum_effect": 20}
        return make_design(**{**declared, "observation_days": 61, **override})

    return make
