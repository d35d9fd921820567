from datetime import date
from decimal import Decimal

import pytest

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.contract import Contract, Overrides
from ml.rating.limits import (
    Allowance,
    Breach,
    allowances,
    breaches,
    can_access_feature,
    check_limits,
    check_usage_limits,
    get_available_features,
)
from ml.rating.spans import Version, spans_of

PLANS = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
STARTER = PLANS["starter"]
OCTOBER = date(2026, 10, 1)


@pytest.mark.parametrize(("emails", "within"), [(0, True), (500, True), (501, False)])
def test_the_limit_itself_is_allowed_and_one_more_is_not(emails, within):
    assert check_limits(STARTER, {"emails": emails}) is within
    assert check_usage_limits(STARTER, {"emails": emails}) == {"emails": within, "ai_responses": True, "leads": True}


def test_a_breach_says_by_how_much_and_what_the_plan_wants_done():
    found = breaches(STARTER, {"emails": 530, "leads": 51})
    assert found == [
        Breach("emails", Decimal(530), Decimal(500), "block"),
        Breach("leads", Decimal(51), Decimal(50), "warn"),
    ]
    assert found[0].excess == 30


def test_a_plan_without_limits_allows_everything():
    assert check_limits(PLANS["enterprise"], {"emails": 10**9})
    assert check_usage_limits(PLANS["enterprise"], {"emails": 10**9}) == {}


def test_a_limit_of_the_company_s_own_takes_the_place_of_the_plan_s():
    own = Overrides.model_validate({"limits": [{"meter": "emails", "up_to": 1000}, {"meter": "exports", "up_to": 2}]})
    contract = Contract(STARTER, overrides=own)
    assert check_limits(contract, {"emails": 1000})
    assert [breach.meter for breach in breaches(contract, {"emails": 1001, "exports": 3})] == ["emails", "exports"]


def test_an_unknown_meter_is_an_error_and_not_within_limits():
    with pytest.raises(ValueError, match="usage names unknown meters: mails"):
        check_limits(STARTER, {"mails": 1})


def test_features_are_those_of_the_plan_and_of_booked_add_ons():
    assert get_available_features(STARTER) == ["ai_responses", "email_processing"]
    booked = Contract(PLANS["platform"], add_ons={"white_label": 1, "ai_workflow": 0})
    assert get_available_features(booked) == ["natural_language_queries", "white_label", "workflows"]


@pytest.mark.parametrize(
    ("feature", "used", "may"),
    [
        ("email_processing", 10**6, True),
        ("ai_responses", 99, True),
        ("ai_responses", 100, False),
        ("lead_scoring", 0, False),
        ("teleportation", 0, False),
    ],
)
def test_a_feature_opens_for_whom_it_is_granted_until_its_limit_is_used_up(feature, used, may):
    assert can_access_feature(STARTER, feature, used) is may


def test_a_feature_of_the_company_s_own_opens_what_the_plan_withholds():
    own = Overrides.model_validate({"features": [{"name": "lead_scoring", "usage_limit": 1}]})
    assert can_access_feature(Contract(STARTER, overrides=own), "lead_scoring")
    assert not can_access_feature(Contract(STARTER, overrides=own), "lead_scoring", used=1)


def test_allowances_are_in_units_of_the_meter_and_free_first_tiers_are_included():
    spans = spans_of([Version(OCTOBER, Contract(PLANS["platform"]))], OCTOBER)
    assert allowances(spans, OCTOBER) == [
        Allowance("ai_queries", Decimal(100), None, None),
        Allowance("api_calls_standard", Decimal(1_000_000), None, None),
        Allowance("seats", Decimal(10), None, None),
    ]
    assert allowances([], OCTOBER) == []


def test_what_is_included_is_in_proportion_and_limits_are_those_at_the_end():
    first, last = Contract(PLANS["hybrid"]), Contract(PLANS["package"])
    spans = spans_of([Version(OCTOBER, first), Version(date(2026, 10, 11), last)], OCTOBER)
    minutes = {own.meter: own.included for own in allowances(spans, OCTOBER)}
    assert minutes["call_seconds"] == pytest.approx(Decimal(60 * (500 * 10 + 1000 * 21)) / 31)
    assert minutes["appointments"] == pytest.approx(Decimal(50 * 21) / 31)
