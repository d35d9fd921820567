from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.catalogue import METERS, Plan, default_catalogue, load_catalogue
from ml.rating.charges import MODELS
from ml.rating.rate import exact_total
from ml.rating.twin import monthly_cost
from tests.ml.rating.drawn_plans import plans

DEFAULT = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
USAGE = st.fixed_dictionaries({}, optional=dict.fromkeys(METERS, st.integers(-5, 500_000)))


@given(plans(), USAGE)
def test_the_float_twin_equals_the_unrounded_decimal_total(plan: Plan, usage: dict[str, int]) -> None:
    cost = monthly_cost(plan, {meter: np.array([quantity, 0.0]) for meter, quantity in usage.items()})
    assert cost.flat[0] == pytest.approx(float(exact_total(plan, usage)), rel=1e-6, abs=1e-12)
    if usage:
        assert cost[1] == pytest.approx(float(exact_total(plan, {})), rel=1e-6, abs=1e-12)


@given(plans(), st.sampled_from(range(-1, 2)))
def test_the_float_twin_changes_tier_exactly_where_the_decimals_do(plan: Plan, beside: int) -> None:
    for charge in plan.charges:
        for tier in getattr(charge, "tiers", ()):
            quantity = (tier.up_to or 0) * charge.per + Decimal(beside) / 1000
            cost = monthly_cost(plan, {charge.meter: np.array(float(quantity))})
            assert float(cost) == pytest.approx(float(exact_total(plan, {charge.meter: quantity})), rel=1e-6, abs=1e-9)


def test_the_result_has_the_common_shape_of_all_usage() -> None:
    usage = {
        "call_seconds": np.full((4, 1), 41250.0),
        "appointments": np.full((1, 3), 87.0),
        "calls": np.ones((2, 1, 1)),
    }
    cost = monthly_cost(DEFAULT["combined"], usage)
    assert cost.shape == (2, 4, 3)
    np.testing.assert_allclose(cost, 242.75)


def test_the_usage_is_left_as_it_was() -> None:
    seconds = np.array([-1.0, 41250.0])
    monthly_cost(DEFAULT["volumen"], {"call_seconds": seconds})
    assert seconds.tolist() == [-1.0, 41250.0]


def test_no_usage_costs_the_base_fee() -> None:
    assert monthly_cost(DEFAULT["hybrid"], {}).item() == 49.0


def test_an_unknown_meter_is_an_error_in_the_twin_too() -> None:
    with pytest.raises(ValueError, match="usage names unknown meters: minutes"):
        monthly_cost(DEFAULT["hybrid"], {"minutes": np.array([1.0])})


def test_the_drawn_plans_cover_every_charge_model() -> None:
    drawn = {"per_unit", "graduated", "volume"}
    assert set(MODELS) == drawn, "let tests/ml/rating/drawn_plans.py draw the new model too"
