"""Each thing that the linter finds, on the smallest price list that has it, and not on the one beside it."""

import pytest

from ml.rating.catalogue import default_catalogue
from ml.rating.lint import lint, lint_text
from ml.rating.plan import Plan
from tests.ml.rating.price_lists import per_unit, plan, tiered

MINUTES = {"meter": "call_seconds", "per": 60}
BLOCK = {"limits": [{**MINUTES, "up_to": 500, "on_breach": "block"}]}
FEATURE = {"features": [{"name": "leads"}]}


def written(*plans: Plan) -> list[str]:
    return [f"{finding} ({finding.severity}: {finding.code})" for finding in lint(plans)]


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
