from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.charges import breakdown
from ml.rating.plan import Plan
from ml.rating.rate import exact_total, rate
from ml.rating.steps import Step
from ml.rating.twin import monthly_cost
from ml.rating.usage import projected_quantity, usage_of

DEFAULT = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}


def plan(*charges: dict[str, Any], **overrides: Any) -> Plan:
    head = {"plan_key": "p", "version": 1, "name": "P", "currency": "EUR", "option": "standard"}
    return Plan.model_validate({**head, "valid_from": "2024-01-01", "charges": charges, **overrides})


@pytest.mark.parametrize(
    ("plan_key", "seconds", "appointments", "total"),
    [
        ("volumen", 1200 * 60, 0, "155.00"),
        ("volumen", 0, 0, "0.00"),
        ("volumen", 2001 * 60, 9, "235.08"),
        ("combined", 41250, 87, "242.75"),
        ("per_minute", 41250, 87, "251.13"),
        ("per_minute", 1375 * 60, 174, "528.25"),
        ("per_appointment", 41250, 87, "435.00"),
        ("package", 1375 * 60, 174, "516.00"),
        ("hybrid", 700 * 60, 5, "73.00"),
        ("hybrid", 500 * 60, 5, "49.00"),
        ("flatrate", 10**7, 10**4, "1490.00"),
        ("per_minute-usd", 41250, 87, "251.13"),
    ],
)
def test_a_default_plan_costs_what_the_price_list_says(
    plan_key: str, seconds: int, appointments: int, total: str
) -> None:
    bill = rate(DEFAULT[plan_key], {"call_seconds": seconds, "appointments": appointments})
    assert str(bill.total) == total
    assert bill.currency == ("USD" if plan_key.endswith("-usd") else "EUR")


def test_the_time_based_plan_prices_business_hours_and_after_hours_apart() -> None:
    usage = {"business_hours_call_seconds": 6000, "after_hours_call_seconds": 3000, "call_seconds": 9000}
    bill = rate(DEFAULT["zeitbasiert"], usage)
    assert [(line.charge, line.amount) for line in bill.lines] == [
        ("base_fee", Decimal("9.00")),
        ("business_hours_call_seconds", Decimal("14.00")),
        ("after_hours_call_seconds", Decimal("3.50")),
        ("appointments", Decimal("0.00")),
    ]


def test_a_bill_has_a_line_per_charge_with_meter_quantity_and_unit() -> None:
    bill = rate(DEFAULT["per_minute"], {"call_seconds": 41250, "appointments": 87})
    assert [(line.charge, line.meter, line.quantity, line.unit, line.amount) for line in bill.lines] == [
        ("base_fee", None, 1, "month", Decimal("49.00")),
        ("call_seconds", "call_seconds", 41250, "second", Decimal("28.13")),
        ("appointments", "appointments", 87, "appointment", Decimal("174.00")),
    ]
    assert bill.lines[1].detail == (
        Step(Decimal(30000), Decimal(0), 60, kind="included"),
        Step(Decimal(11250), Decimal("0.15"), 60),
    )


def test_the_total_is_the_sum_of_rounded_lines_and_not_the_rounded_sum() -> None:
    halves = plan(
        {"model": "per_unit", "meter": "calls", "unit_price": "0.005"},
        {"model": "per_unit", "meter": "appointments", "unit_price": "0.005"},
    )
    usage = {"calls": 1, "appointments": 1}
    assert rate(halves, usage).total == Decimal("0.02")
    assert exact_total(halves, usage) == Decimal("0.010")


@pytest.mark.parametrize(("quantity", "cost"), [("500", "75.00"), ("500.5", "75.06"), ("1000", "135.00")])
def test_a_fraction_above_a_bound_falls_into_the_next_tier(quantity: str, cost: str) -> None:
    usage = {"call_seconds": Decimal(quantity) * 60}
    assert rate(DEFAULT["volumen"], usage).total == Decimal(cost)


def test_half_a_minute_above_the_bound_is_billed_by_the_tier_500_to_1000() -> None:
    steps = breakdown(DEFAULT["volumen"].charges[0], usage_of("call_seconds", 30030))
    assert [(step.quantity, step.unit_price) for step in steps] == [(30000, Decimal("0.15")), (30, Decimal("0.12"))]


def test_volume_prices_all_units_by_the_tier_of_the_total_even_where_more_costs_less() -> None:
    tiers = [{"up_to": 500, "unit_price": "0.15"}, {"up_to": None, "unit_price": "0.12", "flat_fee": "1"}]
    volume = plan({"model": "volume", "meter": "call_seconds", "per": 60, "tiers": tiers})
    costs = [rate(volume, {"call_seconds": seconds}).total for seconds in (0, 30000, 30030)]
    assert costs == [Decimal("0.00"), Decimal("75.00"), Decimal("61.06")]


@pytest.mark.parametrize("model", ["graduated", "volume"])
@pytest.mark.parametrize(("rule", "cost"), [("first_tier", "2.00"), ("none", "0.00")])
def test_the_flat_fee_of_a_period_without_usage_follows_the_terms(model: str, rule: str, cost: str) -> None:
    tiers = [{"up_to": 10, "unit_price": "10", "flat_fee": "2"}, {"unit_price": "5", "flat_fee": "3"}]
    charge = {"model": model, "meter": "calls", "tiers": tiers, "zero_usage_flat": rule}
    assert str(rate(plan(charge), {}).total) == cost


def test_two_seconds_of_a_minute_price_are_a_tie_that_rounds_up() -> None:
    minutes = plan({"model": "per_unit", "meter": "call_seconds", "per": 60, "unit_price": "0.15"})
    assert exact_total(minutes, {"call_seconds": 2}) == Decimal("0.005")
    assert rate(minutes, {"call_seconds": 2}).total == Decimal("0.01")


@pytest.mark.parametrize("plan_key", ["volumen", "hybrid", "combined"])
def test_a_negative_total_is_priced_like_no_usage(plan_key: str) -> None:
    negative = rate(DEFAULT[plan_key], {"call_seconds": -3, "appointments": -1})
    assert negative.total == rate(DEFAULT[plan_key], {}).total


@pytest.mark.parametrize("model", ["graduated", "volume"])
def test_a_negative_total_pays_the_flat_fee_of_a_period_without_usage(model: str) -> None:
    tiers = [{"unit_price": "10", "flat_fee": "2"}]
    charge = {"model": model, "meter": "calls", "tiers": tiers, "zero_usage_flat": "first_tier"}
    assert rate(plan(charge), {"calls": -3}).total == Decimal("2.00")
    assert monthly_cost(plan(charge), {"calls": np.array([-3.0])}).tolist() == [2.0]


def test_a_negative_total_is_no_step_of_a_bill() -> None:
    assert breakdown(DEFAULT["hybrid"].charges[0], usage_of("call_seconds", -3)) == ()


def test_a_plan_without_base_fee_has_no_line_for_it() -> None:
    assert [line.charge for line in rate(DEFAULT["combined"], {}).lines] == ["call_seconds", "appointments"]


def test_a_currency_without_decimals_is_rounded_to_whole_units() -> None:
    yen = plan({"model": "per_unit", "meter": "calls", "unit_price": "0.5"}, currency="JPY", monthly_base_fee="100")
    assert str(rate(yen, {"calls": 3}).total) == "102"


def test_an_unknown_meter_is_an_error_and_not_free() -> None:
    with pytest.raises(ValueError, match="usage names unknown meters: call_minutes, minutes; use some of calls"):
        rate(DEFAULT["volumen"], {"minutes": 1, "call_minutes": 1, "calls": 3})


def test_numpy_integers_are_exact_and_floats_are_refused() -> None:
    usage: dict[str, Any] = {"call_seconds": np.int64(72000)}
    assert rate(DEFAULT["volumen"], usage).total == Decimal("155.00")
    with pytest.raises(TypeError, match=r"usage of call_seconds is a float \(1\.5\); pass an int or a Decimal"):
        rate(DEFAULT["volumen"], {"call_seconds": 1.5})  # type: ignore[dict-item]


def test_687_5_minutes_after_15_of_30_days_are_1375_in_the_period() -> None:
    assert projected_quantity(Decimal("687.5"), Decimal(15), Decimal(30)) == 1375


@pytest.mark.parametrize("elapsed", [0, -1, 31])
def test_a_projection_needs_elapsed_days_of_the_period(elapsed: int) -> None:
    with pytest.raises(ValueError, match="days elapsed of 30"):
        projected_quantity(Decimal(1), Decimal(elapsed), Decimal(30))
