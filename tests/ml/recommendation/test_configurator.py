"""What the configurator shows, against figures computed by hand."""

from datetime import date
from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.contract import Contract
from ml.recommendation.configurator import Habits, simulate
from ml.recommendation.month_factors import month_factors
from ml.recommendation.pricing_model import PricingModel

PLANS = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
QUARTER = Habits(after_hours_share=Decimal("0.25"))
SUMMER = tuple(map(Decimal, ["0"] * 6 + ["2"] * 6))


@pytest.mark.parametrize(
    ("terms", "minutes", "cost"),
    [
        ({}, 500, "49.00"),
        ({}, 501, "49.12"),
        ({}, 1200, "133.00"),
        ({"overage_price": None}, 1200, "119.00"),
        ({"monthly_base_fee": "19.90", "included_minutes": 0, "overage_price": "0.099"}, 333, "52.87"),
        ({"type": "usage_based"}, 1200, "120.00"),
        ({"type": "usage_based", "price_per_minute": "0.085"}, Decimal("687.5"), "58.44"),
        ({"type": "flat_rate"}, 5000, "49.00"),
        ({"type": "tiered"}, 1200, "155.00"),
        ({"type": "tiered"}, 2500, "275.00"),
        ({"type": "time_based"}, 1000, "87.50"),
        ({"type": "usage_based"}, 0, "0.00"),
        ({"type": "usage_based", "currency": "JPY", "price_per_minute": 15}, 3, "45"),
    ],
)
def test_a_month_of_each_type_costs_what_its_terms_say(terms, minutes, cost):
    assert str(simulate(terms, minutes, habits=QUARTER).monthly_cost) == cost


def test_the_default_is_the_hybrid_model_and_its_form_holds_what_other_types_use():
    model = PricingModel()
    assert (model.type, model.monthly_base_fee, model.included_minutes) == ("hybrid", Decimal("49.00"), 500)
    assert (model.price_per_minute, model.overage_price) == (Decimal("0.10"), Decimal("0.12"))


def test_it_costs_what_the_plan_of_the_price_list_costs():
    for minutes in (0, 499, 500, 1375, 5000):
        assert simulate({}, minutes).bill.total == simulate(PLANS["hybrid"], minutes).bill.total


def test_twelve_months_are_billed_one_by_one_and_a_season_costs_what_it_exceeds():
    # 500 minutes a month are included; six months of 1,000 and six of 0 cost 6 x 109 + 6 x 49.
    flat, seasonal = simulate({}, 500), simulate({}, 500, habits=Habits(factors=SUMMER))
    assert (flat.annual_cost, seasonal.annual_cost) == (Decimal("588.00"), Decimal("948.00"))
    assert seasonal.minutes == (0,) * 6 + (1000,) * 6
    assert seasonal.costs == (Decimal("49.00"),) * 6 + (Decimal("109.00"),) * 6
    assert seasonal.monthly_cost == Decimal("49.00")
    assert simulate({}, 500, include_seasonality=False, habits=Habits(factors=SUMMER)) == flat


def test_savings_are_against_the_present_plan_with_all_that_it_charges():
    # per_minute: 49 + 700 x 0.15 + 10 x 2; in twelve months of which six have 2,400 minutes: 6 x 354 + 6 x 69.
    habits = Habits(other_usage={"appointments": 10}, factors=SUMMER)
    found = simulate({}, 1200, habits=habits, current=PLANS["per_minute"])
    assert (found.current_monthly_cost, found.monthly_savings) == (Decimal("174.00"), Decimal("41.00"))
    assert found.current_annual_cost == 6 * Decimal("354.00") + 6 * Decimal("69.00")
    assert found.annual_savings == found.current_annual_cost - 6 * Decimal("277.00") - 6 * Decimal("49.00")
    assert simulate({}, 1200).monthly_savings is None


def test_a_contract_is_compared_as_it_was_agreed():
    agreed = Contract(PLANS["per_minute"])
    assert simulate({}, 1200, current=agreed).monthly_savings == Decimal("21.00")
    assert simulate(agreed, 1200).monthly_cost == Decimal("154.00")


def test_peak_minutes_are_priced_by_their_share():
    habits = Habits(peak_share=Decimal("0.7"))
    plan = PLANS["nebenzeit"]
    prices = {band.time: band.unit_price for charge in plan.charges for band in getattr(charge, "bands", ())}
    expected = plan.monthly_base_fee + 700 * prices["peak"] + 300 * prices["off_peak"]
    assert simulate(plan, 1000, habits=habits).monthly_cost == expected


@given(
    st.integers(0, 10_000),
    st.lists(st.decimals(0, 3, places=3), min_size=12, max_size=12).filter(lambda factors: sum(factors) > 0),
)
def test_seasons_change_no_sum(minutes, factors):
    found = simulate({"type": "usage_based"}, minutes, habits=Habits(factors=factors))
    assert sum(found.minutes) == pytest.approx(Decimal(12 * minutes), abs=Decimal("1e-20"))
    assert all(month == 0 for month, factor in zip(found.minutes, factors, strict=True) if not factor)


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"type": "gold"}, "Input should be 'usage_based', 'flat_rate', 'hybrid', 'tiered' or 'time_based'"),
        ({"price_per_minute": "0.1234"}, "0.1234 has more than 3 decimals; prices go in steps of 0.001"),
        ({"overage_price": 0.0005}, "0.0005 has more than 3 decimals"),
        ({"price_per_minute": -1}, "greater than or equal to 0"),
        ({"minutes": 5}, "Extra inputs are not permitted"),
        ({"currency": "EURO"}, "should match pattern"),
    ],
)
def test_terms_that_can_not_be_meant_are_refused(terms, sentence):
    with pytest.raises(ValidationError, match=sentence):
        simulate(terms, 100)


@pytest.mark.parametrize("minutes", [-1, Decimal("-0.5"), Decimal("NaN"), Decimal("Infinity")])
def test_negative_and_endless_minutes_are_refused(minutes):
    with pytest.raises(ValueError, match=r"minutes are .*; give 0 or more"):
        simulate({}, minutes)


@pytest.mark.parametrize("minutes", [1.5, True, "100"])
def test_minutes_are_exact(minutes):
    with pytest.raises(TypeError, match="give an int or a Decimal"):
        simulate({}, minutes)


def test_what_can_not_be_compared_or_priced_is_said():
    with pytest.raises(ValueError, match="the offer is in USD, the present plan in EUR"):
        simulate({"currency": "USD"}, 100, current=PLANS["hybrid"])
    with pytest.raises(ValueError, match="configured_time_based prices minutes by the time of day; give after_hours"):
        simulate({"type": "time_based"}, 100)
    with pytest.raises(ValueError, match="nebenzeit prices minutes by the time of day; give peak_share"):
        simulate({}, 100, current=PLANS["nebenzeit"])
    with pytest.raises(ValueError, match=r"after_hours_share is 1.1; give a share from 0 to 1"):
        Habits(after_hours_share=Decimal("1.1"))
    with pytest.raises(ValueError, match="give twelve of 0 or more that are not all 0"):
        Habits(factors=[Decimal(0)] * 12)


def test_an_answer_comes_in_a_fraction_of_the_time_that_a_page_has():
    habits = Habits(factors=tuple(Decimal(month) for month in range(1, 13)))
    simulate({}, 1200, habits=habits, current=PLANS["per_minute"])
    start = perf_counter()
    simulate({}, 1200, habits=habits, current=PLANS["per_minute"])
    assert perf_counter() - start < 0.2


def months(first: date, minutes: list[float]) -> dict[date, float]:
    return {
        date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1): m
        for n, m in enumerate(minutes)
    }


def test_a_year_of_usage_tells_how_months_differ():
    found = month_factors(months(date(2025, 4, 1), [200, 100, 100, 100] * 3))
    # April, August and December have 200 of an average of 125.
    assert found == tuple(Decimal("1.6000" if month in (4, 8, 12) else "0.8000") for month in range(1, 13))


def test_growth_from_year_to_year_is_no_season_and_each_year_counts_alike():
    # A year with all its usage in its second half, after a small one that was even.
    found = month_factors(months(date(2024, 1, 1), [10] * 12 + [0] * 6 + [200] * 6))
    assert found == tuple(map(Decimal, ["0.5000"] * 6 + ["1.5000"] * 6))


@pytest.mark.parametrize("minutes", [{}, months(date(2025, 1, 1), [100.0] * 11), months(date(2025, 1, 1), [0.0] * 12)])
def test_without_a_year_nothing_is_said_about_seasons(minutes):
    assert month_factors(minutes) is None


def test_months_before_a_hole_do_not_count():
    minutes = months(date(2024, 1, 1), [100.0] * 24)
    del minutes[date(2025, 6, 1)]
    assert month_factors(minutes) is None
