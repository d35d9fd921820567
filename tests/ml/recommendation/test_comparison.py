"""Tables of offers and their switch points, against figures computed by hand and against every single minute."""

from decimal import Decimal
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.rate import exact_total
from ml.recommendation.comparison import compare, minutes_grid
from ml.recommendation.configurator import Habits, usage_of_seconds
from ml.recommendation.pricing_model import PricingModel, plan_of
from ml.recommendation.simulation import CurrencyMismatchError

PLANS = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
HYBRID, USAGE = PricingModel(), PricingModel(type="usage_based")


def switches(found) -> list[tuple[int, int, int]]:
    return [(switch.minutes, switch.before, switch.after) for switch in found.switches]


def test_the_grid_has_the_steps_of_the_slider_and_the_own_average():
    assert minutes_grid() == list(range(0, 5001, 100))
    assert minutes_grid(1375)[13:16] == [1300, 1375, 1400]


def test_each_row_has_the_costs_and_marks_the_cheapest():
    found = compare([HYBRID, USAGE], [0, 490, 500, 1000])
    assert [(row.minutes, row.costs, row.cheapest) for row in found.rows] == [
        (0, (Decimal("49.00"), Decimal("0.00")), 1),
        (490, (Decimal("49.00"), Decimal("49.00")), 1),
        (500, (Decimal("49.00"), Decimal("50.00")), 0),
        (1000, (Decimal("109.00"), Decimal("100.00")), 1),
    ]
    assert found.currency == "EUR"


def test_switches_are_found_to_the_minute():
    # 0.10 x 490 = 49, so from 491 on the base fee is cheaper; 49 + 0.12 (m - 500) = 0.10 m at m = 550.
    assert switches(compare([HYBRID, USAGE])) == [(491, 1, 0), (551, 0, 1)]


def test_a_flat_rate_wins_at_the_end_and_tiers_are_followed():
    # Tiers: 0.15, from 501 on 0.12, from 1001 on 0.10, from 2001 on 0.08: 235 + 0.08 (m - 2000) = 400 at m = 4062.5.
    flat = PricingModel(type="flat_rate", monthly_base_fee=Decimal(400))
    assert switches(compare([PLANS["volumen"], flat])) == [(4063, 0, 1)]


def test_of_equal_ones_the_first_stays():
    assert {row.cheapest for row in compare([HYBRID, PLANS["hybrid"]]).rows} == {0}
    assert switches(compare([PLANS["hybrid"], HYBRID])) == []


def test_other_usage_and_times_of_day_count():
    habits = Habits(after_hours_share=Decimal("0.25"), other_usage={"appointments": 10})
    timed = PricingModel(type="time_based")
    found = compare([PLANS["combined"], timed], [100], habits)
    assert found.rows[0].costs == (Decimal("30.00"), Decimal("8.75"))
    with pytest.raises(ValueError, match="give after_hours_share"):
        compare([HYBRID, timed])


prices = st.decimals("0.001", "0.3", places=3)
models = st.builds(
    PricingModel,
    type=st.sampled_from(["usage_based", "flat_rate", "hybrid", "tiered", "time_based"]),
    monthly_base_fee=st.decimals(0, 40, places=3),
    included_minutes=st.integers(0, 150),
    price_per_minute=prices,
    overage_price=st.none() | prices,
    after_hours_price=prices,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(models, min_size=1, max_size=4), st.decimals(0, 1, places=4))
def test_at_every_minute_the_marked_offer_is_the_cheapest_exactly(offers, share):
    habits = Habits(after_hours_share=share)
    found = compare(offers, range(0, 201, 8), habits)
    starts = {switch.minutes: switch for switch in found.switches}
    cheapest = found.rows[0].cheapest
    for minutes in range(201):
        usage = usage_of_seconds(minutes * 60, habits)
        costs = [exact_total(plan_of(offer), usage) for offer in offers]
        if minutes in starts:
            assert costs[starts[minutes].after] < costs[starts[minutes].before]
            assert starts[minutes].before == cheapest
            cheapest = starts[minutes].after
        assert costs[cheapest] == min(costs)
        if not minutes % 8:
            assert found.rows[minutes // 8].cheapest == cheapest


@pytest.mark.parametrize(("offers", "minutes"), [([], [1]), ([HYBRID], []), ([HYBRID], [-1, 5])])
def test_nothing_to_compare_is_refused(offers, minutes):
    with pytest.raises(ValueError, match="give at least one offer, and minutes of 0 or more"):
        compare(offers, minutes)


def test_currencies_do_not_meet():
    with pytest.raises(CurrencyMismatchError):
        compare([HYBRID, PLANS["hybrid-usd"]])


def test_the_whole_table_comes_in_a_fraction_of_the_time_that_a_page_has():
    offers = [HYBRID, USAGE, *(PLANS[key] for key in ("volumen", "flatrate", "per_minute", "package", "combined"))]
    compare(offers)
    start = perf_counter()
    compare(offers)
    assert perf_counter() - start < 0.2
