from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.recommendation.custom import custom_pricing


def test_the_median_minutes_are_committed_at_the_price_that_reaches_the_floor():
    # Minutes 800, 1000, 1500: committed 1000, billed on average (1000 + 1000 + 1500) / 3 = 1166.67.
    # Floor 0.85 x 100 = 85; 85 / 1166.67 = 0.07286, rounded up to 0.073; expected 0.073 x 1166.67 = 85.17.
    offer = custom_pricing(np.array([800, 1000, 1500]) * 60, Decimal("100"), "EUR")
    assert offer is not None
    assert offer["included_minutes"] == 1000
    assert offer["price_per_minute"] == "0.073"
    assert offer["minimum_monthly_amount"] == "73.00"
    assert offer["expected_cost"] == "85.17"
    assert (offer["monthly_base_fee"], offer["currency"]) == ("0.00", "EUR")


@pytest.mark.parametrize(("seconds", "best"), [([0.0], "10"), ([600.0], "0")])
def test_there_is_no_offer_without_usage_or_below_a_free_option(seconds, best):
    assert custom_pricing(seconds, Decimal(best), "EUR") is None


@given(
    st.lists(st.integers(60, 10**6), min_size=1, max_size=20),
    st.decimals("0.01", "5000", places=2, allow_nan=False),
)
def test_the_expected_cost_is_never_below_the_floor(seconds, best):
    offer = custom_pricing(seconds, best, "EUR")
    assert offer is not None
    billed = np.maximum(np.array(seconds) / 60, offer["included_minutes"]).mean()
    assert float(offer["price_per_minute"]) * billed >= float(best) * 0.85 - 1e-6
    assert Decimal(offer["expected_cost"]) >= Decimal(offer["floor_amount"])
