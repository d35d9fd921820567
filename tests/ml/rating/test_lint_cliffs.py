"""Cliffs: at which usage, from what to what, and until when."""

from decimal import Decimal
from typing import Any

import pytest

from ml.rating.lint import Finding, Point, lint
from tests.ml.rating.price_lists import plan, tiered

VOLUME = tiered("volume", (500, "0.15"), (1000, "0.12"), (None, "0.11"))


def test_a_cliff_is_said_with_both_costs_and_from_where_on_it_is_over() -> None:
    first, second = lint([plan("a", VOLUME)])
    assert first == Finding(
        "plan a v1",
        "charges[0].tiers[1]",
        "cliff",
        "warning",
        "at 501 minutes (call_seconds) the cost falls to 60.12 EUR, from 75.00 EUR at 500 minutes (call_seconds); "
        "it is as high again from 625 minutes (call_seconds) on",
        (Point("call_seconds", Decimal(30060), 60),),
    )
    assert first.usage is not None
    assert first.usage[0].quantity == 501
    assert str(second) == (
        "plan a v1, charges[0].tiers[2]: at 1,001 minutes (call_seconds) the cost falls to 110.11 EUR, from 120.00 EUR "
        "at 1,000 minutes (call_seconds); it is as high again from 1,090.91 minutes (call_seconds) on"
    )


@pytest.mark.parametrize(
    ("charge", "sentence"),
    [
        (
            tiered("volume", (500, "0.15"), (600, "0.13"), (None, "0.10")),
            "at 501 minutes (call_seconds) the cost falls to 65.13 EUR, from 75.00 EUR at 500 minutes (call_seconds); "
            "it is as high again from 750 minutes (call_seconds) on",
        ),
        (
            tiered("volume", (500, "0.15"), (None, "0")),
            "at 501 minutes (call_seconds) the cost falls to 0.00 EUR, from 75.00 EUR at 500 minutes (call_seconds); "
            "it never reaches that again",
        ),
        (
            tiered("volume_per_bucket", (500, "0.15"), (None, "0.12")),
            "at 501 minutes (call_seconds) in one day the cost falls to 60.12 EUR, from 75.00 EUR at 500 minutes "
            "(call_seconds); it is as high again from 625 minutes (call_seconds) on",
        ),
        (
            {
                "model": "volume",
                "meter": "appointments",
                "tiers": [{"up_to": 5, "unit_price": "0", "flat_fee": "9"}, {"unit_price": "1"}],
            },
            "at 6 appointments the cost falls to 6.00 EUR, from 9.00 EUR at 5 appointments; "
            "it is as high again from 9 appointments on",
        ),
        (
            tiered("volume", ("500.5", "1"), (None, "0.99"), quantity_rounding={"how": "ceil"}),
            "at 501 minutes (call_seconds) the cost falls to 495.99 EUR, from 500.00 EUR at 500 minutes "
            "(call_seconds); it is as high again from 506 minutes (call_seconds) on",
        ),
    ],
)
def test_a_cliff_may_last_over_several_tiers_or_for_ever(charge: dict[str, Any], sentence: str) -> None:
    assert next(finding.sentence for finding in lint([plan("a", charge)])) == sentence


@pytest.mark.parametrize(
    "terms",
    [
        {"charges": [tiered("graduated", (500, "0.15"), (None, "0.01"))]},
        {"charges": [tiered("volume", (500, "0.15"), (None, "0.16"))]},
        {"charges": [{**VOLUME, "minimum": "900"}]},
        {"charges": [VOLUME], "maximum_spend": "60.12"},
        {
            "charges": [
                {
                    "model": "volume",
                    "meter": "calls",
                    "tiers": [{"up_to": 9, "unit_price": 1}, {"unit_price": 0, "flat_fee": 9}],
                }
            ]
        },
    ],
)
def test_where_more_usage_never_lowers_the_bill_there_is_no_cliff(terms: dict[str, Any]) -> None:
    assert not [finding for finding in lint([plan("a", **terms)]) if finding.code == "cliff"]
