"""Each thing that the linter finds, on the smallest price list that has it, and not on the one beside it."""

from decimal import Decimal
from typing import Any

import pytest

from ml.rating.catalogue import default_catalogue
from ml.rating.lint import Finding, Point, lint, lint_text
from ml.rating.plan import Plan
from tests.ml.rating.price_lists import per_unit, plan, tiered

VOLUME = tiered("volume", (500, "0.15"), (1000, "0.12"), (None, "0.11"))
MINUTES = {"meter": "call_seconds", "per": 60}
BLOCK = {"limits": [{**MINUTES, "up_to": 500, "on_breach": "block"}]}
FEATURE = {"features": [{"name": "leads"}]}


def written(*plans: Plan) -> list[str]:
    return [f"{finding} ({finding.severity}: {finding.code})" for finding in lint(plans)]


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


DEARER = ("dear", per_unit("calls", "0.20"), per_unit("leads", "0.20"))
CHEAPER = ("cheap", per_unit("calls", "0.10"), per_unit("leads", "0.10"))


@pytest.mark.parametrize(
    ("bad", "sentence", "good"),
    [
        (
            [plan("a", per_unit("calls", 1), per_unit("leads", 1)), plan("b", per_unit("calls", 2))],
            "plan b v1, charges: leads is charged by plan a v1, but is neither charged nor included here, so it is "
            "free; add a charge, at price 0 if that is meant (error: gap)",
            [
                plan("a", per_unit("calls", 1), per_unit("leads", "0.1")),
                plan("b", per_unit("calls", "0.5"), per_unit("leads", 1)),
            ],
        ),
        (
            [
                plan("a", per_unit("call_seconds", 1)),
                plan("b", per_unit("peak_call_seconds", 9), monthly_base_fee=1, is_sellable=False),
            ],
            "plan b v1, charges: call_seconds is charged by plan a v1, but here only peak_call_seconds is, the rest is "
            "free; add a charge, at price 0 if that is meant (error: gap)",
            [
                plan("a", per_unit("call_seconds", 1)),
                plan("b", per_unit("peak_call_seconds", 9), per_unit("off_peak_call_seconds", "0.1")),
            ],
        ),
        (
            [plan("a", per_unit("call_seconds", 1), per_unit("after_hours_call_seconds", 1))],
            "plan a v1, charges[1]: after_hours_call_seconds counts usage that charges[0] charges as call_seconds; "
            "charge it once (error: overlap)",
            [plan("a", per_unit("business_hours_call_seconds", 1), per_unit("after_hours_call_seconds", 1))],
        ),
        (
            [plan("a", per_unit("api_calls_standard", 1), per_unit("api_calls", 1))],
            "plan a v1, charges[1]: api_calls counts usage that charges[0] charges as api_calls_standard; "
            "charge it once (error: overlap)",
            [plan("a", per_unit("api_calls_standard", 1), per_unit("api_calls_real_time", 1))],
        ),
        (
            [plan("a", per_unit("calls", "1.0")), plan("b", per_unit("calls", 1), valid_from="2025-01-01")],
            "plan b v1: its terms are those of plan a v1; keep one of the two (warning: same_terms)",
            [plan("a", per_unit("calls", 1)), plan("b", per_unit("calls", 2), **FEATURE)],
        ),
        (
            [plan("a"), plan("a", version=2)],
            "plan a v2, valid_from: it starts on 2024-01-01, and v1 not before it, on 2024-01-01, so that v1 is never "
            "in force; let each version start after the one before it (error: unreachable_version)",
            [plan("a"), plan("a", version=2, valid_from="2024-01-02")],
        ),
        (
            [plan("a"), plan("a", version=2, currency="USD", valid_from="2025-01-01")],
            "plan a v2, currency: it is in USD, and v1 in EUR; give the plan in another currency a plan_key of its own "
            "(error: mixed_currencies)",
            [plan("a"), plan("a-usd", currency="USD")],
        ),
        (
            [plan("a"), plan("a-usd", currency="USD"), plan("b", monthly_base_fee=5, **FEATURE)],
            "plan b v1, currency: phone is sold in USD, too, but this plan only in EUR (warning: missing_currency)",
            [plan("a"), plan("a-usd", currency="USD"), plan("b", product="web")],
        ),
        (
            [plan("a", tiered("graduated", (500, "0.15"), (None, "0.12")), **BLOCK)],
            "plan a v1, charges[0].tiers[1]: it starts above 500 minutes (call_seconds), but limits[0] blocks what "
            "lies above 500 minutes (call_seconds), so that no usage reaches it (warning: unreachable_tier)",
            [plan("a", tiered("graduated", (499, "0.15"), (None, "0.12")), **BLOCK)],
        ),
        (
            [plan("a", tiered("graduated", (500, "0.10"), (None, "0.08"), maximum=50))],
            "plan a v1, charges[0].tiers[1]: at its start, 500 minutes (call_seconds), the charge costs its maximum of "
            "50.00 EUR already, so that its price never matters (warning: unreachable_tier)",
            [plan("a", tiered("graduated", (500, "0.10"), (None, "0.08"), maximum=51))],
        ),
        (
            [plan("a", tiered("graduated", (500, "0.10"), (None, "0.1")))],
            "plan a v1, charges[0].tiers[1]: it costs what the tier before it (charges[0].tiers[0]) does; "
            "one tier is enough (warning: mergeable_tier)",
            [plan("a", tiered("graduated", (500, "0.10"), (None, "0.11")))],
        ),
        (
            [plan(*DEARER), plan(*CHEAPER)],
            "plan dear v1: no usage makes it the cheapest, plan cheap v1 always costs less; it comes closest at "
            "1 lead, with 0.20 EUR beside 0.10 EUR of plan cheap v1 (warning: dominated)",
            [plan(*DEARER, **FEATURE), plan(*CHEAPER)],
        ),
    ],
)
def test_each_fault_is_one_sentence_and_its_mending_ends_it(bad: list[Plan], sentence: str, good: list[Plan]) -> None:
    assert written(*bad) == [sentence]
    assert written(*good) == []


def test_a_price_list_that_cannot_be_loaded_is_judged_as_far_as_it_can_be_read() -> None:
    broken = default_catalogue().replace('unit_price: "0.15", included: 500', 'unit_price: "-1"', 1)
    cliff = broken.replace("model: graduated", "model: volume", 1).replace("currency: EUR", "currency: EUS", 2)
    findings = lint_text(cliff.replace("currency: EUS", "currency: EUR", 1), "prices.yaml")
    assert [(finding.plan, finding.path, finding.code) for finding in findings] == [
        ("plan hybrid v1", "currency", "invalid"),
        ("plan per_minute v1", "charges[0].unit_price", "invalid"),
        ("plan per_minute-usd v1", "charges[0].unit_price", "invalid"),
        *(
            (f"plan {key} v1", f"charges[0].tiers[{n}]", "cliff")
            for key in ("volumen", "volumen-usd")
            for n in (1, 2, 3)
        ),
    ]
    assert {finding.severity for finding in findings[:3]} == {"error"}


def test_a_text_that_is_no_price_list_is_one_finding() -> None:
    assert list(map(str, lint_text("plans: []", "x"))) == [
        "a catalogue is one key `plans:` with a list of at least one plan"
    ]


def test_the_shipped_price_list_has_no_errors_and_only_warnings_that_are_true() -> None:
    findings = lint_text(default_catalogue(), "default.yaml")
    assert {(finding.plan, finding.severity, finding.code) for finding in findings} == {
        (f"plan {key} v1", "warning", "dominated")
        for key in ("per_minute", "combined", "per_minute-usd", "combined-usd")
    }
