from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.charges import MODELS
from ml.rating.plan import Plan
from ml.rating.rate import exact_total
from ml.rating.twin import NoTwinError, monthly_cost, monthly_costs
from tests.ml.rating.drawn_plans import DRAWN_METERS, TOTALS, plans

DEFAULT = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
USAGE = st.fixed_dictionaries({}, optional=dict.fromkeys(DRAWN_METERS, st.integers(-5, 500_000)))


@given(plans(TOTALS), USAGE)
def test_the_float_twin_equals_the_unrounded_decimal_total(plan: Plan, usage: dict[str, int]) -> None:
    cost = monthly_cost(plan, {meter: np.array([quantity, 0.0]) for meter, quantity in usage.items()})
    assert cost.flat[0] == pytest.approx(float(exact_total(plan, usage)), rel=1e-6, abs=1e-9)
    if usage:
        assert cost[1] == pytest.approx(float(exact_total(plan, {})), rel=1e-6, abs=1e-9)


@given(plans(TOTALS), st.sampled_from(range(-1, 2)))
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


@given(st.lists(plans(TOTALS), min_size=2, max_size=4), USAGE)
def test_many_plans_at_once_cost_what_each_costs_alone(many: list[Plan], usage: dict[str, int]) -> None:
    scenarios = {meter: np.array([[quantity, 2.0 * quantity]]) for meter, quantity in usage.items()}
    together = monthly_costs(many, scenarios)
    for plan, costs in zip(many, together, strict=True):
        np.testing.assert_allclose(costs, monthly_cost(plan, scenarios), rtol=1e-9, atol=1e-9)


@given(st.integers(1, 9), st.sampled_from(["round", "ceil", "floor"]), st.integers(0, 10**6))
def test_a_rounded_quantity_is_rounded_alike(per: int, how: str, quantity: int) -> None:
    terms = {"meter": "calls", "per": per, "quantity_rounding": {"how": how, "precision": 1}}
    one = repriced(charges=[{"model": "per_unit", "unit_price": "0.3", **terms}])
    cost = monthly_cost(one, {"calls": np.array([float(quantity)])})
    assert cost.item() == pytest.approx(float(exact_total(one, {"calls": quantity})), rel=1e-9)


@pytest.mark.parametrize("quantity", [0, 1, 9, 10, 11, 20, 21])
@pytest.mark.parametrize("how", ["up", "down", "nearest"])
def test_packages_are_counted_alike_at_their_bounds(quantity: int, how: str) -> None:
    terms = {"model": "package", "meter": "calls", "package_price": "5", "package_size": "0.1", "round": how}
    one = repriced(charges=[{**terms, "per": 100, "included": "0.01"}])
    cost = monthly_cost(one, {"calls": np.array([float(quantity)])})
    assert cost.item() == float(exact_total(one, {"calls": quantity}))


def test_more_scenarios_than_a_block_are_all_priced() -> None:
    seconds = np.arange(20_000.0)
    costs = monthly_cost(DEFAULT["combined"], {"call_seconds": seconds})
    np.testing.assert_allclose(costs, seconds * 0.10 / 60)


def test_a_price_per_event_or_bucket_has_no_twin_and_says_which_plan() -> None:
    bucketed = {"model": "package_per_bucket", "meter": "calls", "package_price": 1, "package_size": 10}
    per_event = {"model": "percentage", "meter": "payments", "rate_percent": 1, "fixed_per_event": 1}
    for charge, reason in ((bucketed, "package_per_bucket of calls depends on each day"), (per_event, "single events")):
        with pytest.raises(NoTwinError, match=f"plan combined v1: .*{reason}"):
            monthly_cost(repriced(charges=[charge]), {})


def repriced(**overrides: object) -> Plan:
    return Plan.model_validate({**DEFAULT["combined"].terms(), **overrides})


def test_the_drawn_plans_cover_every_charge_model() -> None:
    without_twin = {model for model in MODELS if model.endswith("_per_bucket")}
    assert set(MODELS) - without_twin == set(TOTALS), "let tests/ml/rating/drawn_plans.py draw the new model too"
