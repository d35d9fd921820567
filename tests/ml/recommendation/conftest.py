"""Factories: plans that differ in what a test is about, and simulations with given costs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ml.rating.plan import Plan
from ml.recommendation.simulation import USAGE_FACTORS, Simulation


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    def make(plan_key: str = "basic", **override: Any) -> Plan:
        fields: dict[str, Any] = {
            "version": 1,
            "name": plan_key.title(),
            "currency": "EUR",
            "monthly_base_fee": "50.00",
            "charges": [],
            "option": "standard",
            "is_sellable": True,
            "is_trial": False,
            "valid_from": "2024-01-01",
        }
        return Plan.model_validate({"plan_key": plan_key} | fields | override)

    return make


@pytest.fixture
def make_simulation(make_plan: Callable[..., Plan]) -> Callable[..., Simulation]:
    """A simulation of plans a, b, c... from their costs per path, each scaling with the usage."""

    def make(*costs: list[float], plans: tuple[Plan, ...] | None = None) -> Simulation:
        matrix = np.array(costs, dtype=float)
        low, high = np.quantile(matrix, (0.1, 0.9), axis=1)
        expected = matrix.mean(axis=1)
        return Simulation(
            plans=plans or tuple(make_plan(chr(ord("a") + row)) for row in range(len(costs))),
            usage={"call_seconds": np.full(matrix.shape[1], 600.0)},
            usage_spread={"call_seconds": {"expected": 600.0, "p10": 600.0, "p50": 600.0, "p90": 600.0}},
            costs=matrix,
            expected=expected,
            low=low,
            high=high,
            scaled=expected[:, None] * USAGE_FACTORS,
        )

    return make
