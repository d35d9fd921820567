from datetime import date

import pytest

from ml.recommendation.options import Needs, option_rules, options_for, what_is_missing

TRAITS = {"volume_category": "medium", "has_unique_patterns": False}
HOURLY = {"pattern_strength": 0.5, "after_hours_ratio": 0.1}


@pytest.fixture
def catalogue(make_plan):
    kinds = ("volume", "flat_rate", "hybrid", "time_based", "standard")
    return [make_plan(f"{kind}_plan", option=kind) for kind in kinds]


def keys(plans):
    return [plan.plan_key for plan in plans]


def holding(traits, hourly):
    return {rule["option"] for rule in option_rules(TRAITS | traits, HOURLY | hourly) if rule["holds"]}


def test_every_plan_on_sale_is_an_option_whatever_the_rules_suggest(catalogue):
    assert keys(options_for(catalogue)) == sorted(keys(catalogue))


def test_hybrid_and_standard_plans_are_always_suggested():
    assert holding({}, {}) == {"hybrid", "standard"}


@pytest.mark.parametrize(("category", "suggested"), [("low", False), ("medium", False), ("high", True)])
def test_the_volume_plan_is_for_high_volume(category, suggested):
    assert ("volume" in holding({"volume_category": category}, {})) == suggested


@pytest.mark.parametrize(("strength", "suggested"), [(None, False), (0.8, False), (0.800001, True), (1, True)])
def test_the_flat_rate_is_for_a_pattern_strength_above_0_8(strength, suggested):
    assert ("flat_rate" in holding({}, {"pattern_strength": strength})) == suggested


@pytest.mark.parametrize(("ratio", "suggested"), [(None, False), (0.2, False), (0.200001, True)])
def test_the_time_based_plan_is_for_an_after_hours_ratio_above_0_20(ratio, suggested):
    assert ("time_based" in holding({}, {"after_hours_ratio": ratio})) == suggested


def test_the_current_plan_is_an_option_even_when_its_sale_has_ended(catalogue, make_plan):
    old = make_plan("old", is_sellable=False)
    assert "old" in keys(options_for([*catalogue, old], current_plan=old))


def test_trials_and_plans_off_sale_are_not_offered(catalogue, make_plan):
    others = [make_plan("trial", is_trial=True), make_plan("retired", is_sellable=False)]
    assert keys(options_for(catalogue + others)) == sorted(keys(catalogue))


def test_only_plans_of_the_companys_currency_are_offered(catalogue, make_plan):
    dollars = make_plan("dollars", currency="USD")
    assert "dollars" not in keys(options_for([*catalogue, dollars], currency="EUR"))
    assert keys(options_for([*catalogue, dollars], current_plan=dollars)) == ["dollars"]


def test_only_the_newest_version_on_sale_is_offered_beside_the_current_one(make_plan):
    versions = [make_plan("hybrid", version=version) for version in (2, 3, 1)]
    options = options_for(versions, current_plan=versions[2])
    assert [plan.version for plan in options] == [1, 3]


def test_a_version_is_offered_from_its_first_day_on(make_plan):
    versions = [make_plan("hybrid", version=1), make_plan("hybrid", version=2, valid_from="2024-06-01")]
    offered = [options_for(versions, on=date(2024, month, day)) for month, day in ((5, 31), (6, 1))]
    assert [[plan.version for plan in options] for options in offered] == [[1], [2]]


def test_every_rule_states_its_value_and_threshold():
    rules = {rule["option"]: rule for rule in option_rules(TRAITS | {"has_unique_patterns": True}, HOURLY)}
    assert rules["time_based"] == {
        "option": "time_based",
        "rule": "after_hours_ratio above",
        "value": 0.1,
        "threshold": 0.2,
        "holds": False,
    }
    assert rules["custom"]["holds"]


@pytest.mark.parametrize(("used", "is_missing"), [(500.0, False), (500.5, True)])
def test_a_limit_that_stops_usage_must_lie_above_the_months_high(make_plan, used, is_missing):
    plan = make_plan(limits=[{"meter": "emails", "up_to": 500, "on_breach": "block"}])
    found = what_is_missing(plan, Needs(usage={"emails": used}))
    assert bool(found) == is_missing
    if found:
        assert found == [{"reason": "limit_exceeded", "name": "emails", "allowed": 500.0, "needed": 500.5}]


def test_a_limit_counts_in_its_priced_units_and_one_that_warns_stops_nobody(make_plan):
    limit = {"meter": "call_seconds", "up_to": 100, "per": 60}
    seconds = Needs(usage={"call_seconds": 6001.0})
    assert what_is_missing(make_plan(limits=[limit | {"on_breach": "block"}]), seconds)
    assert not what_is_missing(make_plan(limits=[limit | {"on_breach": "warn"}]), seconds)


def test_a_feature_that_an_add_on_of_the_plan_grants_is_there_to_be_booked(make_plan):
    label = {"key": "label", "name": "White label", "monthly_fee": "5", "features": ["white_label"]}
    needs = Needs(frozenset({"white_label"}))
    assert what_is_missing(make_plan(add_ons=[label]), needs) == []
    assert [lack["name"] for lack in what_is_missing(make_plan(), needs)] == ["white_label"]


def test_features_in_use_must_be_granted_and_their_limits_suffice(make_plan):
    features = [{"name": "leads"}, {"name": "scoring", "enabled": False}, {"name": "emails", "usage_limit": 10}]
    plan = make_plan(features=features)
    assert what_is_missing(plan, Needs(frozenset({"leads", "emails"}), {"emails": 10.0})) == []
    missing = what_is_missing(plan, Needs(frozenset({"scoring"}), {"emails": 11.0}))
    assert [(item["reason"], item["name"]) for item in missing] == [
        ("feature_missing", "scoring"),
        ("limit_exceeded", "emails"),
    ]
