from datetime import date

import pytest

from ml.recommendation.options import option_rules, options_for

TRAITS = {"volume_category": "medium", "has_unique_patterns": False}
HOURLY = {"pattern_strength": 0.5, "after_hours_ratio": 0.1}


@pytest.fixture
def catalogue(make_plan):
    kinds = ("volume", "flat_rate", "hybrid", "time_based", "standard")
    return [make_plan(f"{kind}_plan", option=kind) for kind in kinds]


def keys(plans):
    return [plan.plan_key for plan in plans]


def test_hybrid_and_standard_plans_are_always_options(catalogue):
    assert keys(options_for(TRAITS, HOURLY, catalogue)) == ["hybrid_plan", "standard_plan"]


@pytest.mark.parametrize(("category", "offered"), [("low", False), ("medium", False), ("high", True)])
def test_the_volume_plan_is_for_high_volume(catalogue, category, offered):
    options = options_for(TRAITS | {"volume_category": category}, HOURLY, catalogue)
    assert ("volume_plan" in keys(options)) == offered


@pytest.mark.parametrize(("strength", "offered"), [(None, False), (0.8, False), (0.800001, True), (1, True)])
def test_the_flat_rate_is_for_a_pattern_strength_above_0_8(catalogue, strength, offered):
    options = options_for(TRAITS, HOURLY | {"pattern_strength": strength}, catalogue)
    assert ("flat_rate_plan" in keys(options)) == offered


@pytest.mark.parametrize(("ratio", "offered"), [(None, False), (0.2, False), (0.200001, True)])
def test_the_time_based_plan_is_for_an_after_hours_ratio_above_0_20(catalogue, ratio, offered):
    options = options_for(TRAITS, HOURLY | {"after_hours_ratio": ratio}, catalogue)
    assert ("time_based_plan" in keys(options)) == offered


def test_the_current_plan_is_an_option_even_when_its_sale_has_ended(catalogue, make_plan):
    old = make_plan("old", is_sellable=False)
    assert keys(options_for(TRAITS, HOURLY, [*catalogue, old], current_plan=old))[1] == "old"


def test_trials_and_plans_off_sale_are_not_offered(catalogue, make_plan):
    others = [make_plan("trial", is_trial=True), make_plan("retired", is_sellable=False)]
    assert keys(options_for(TRAITS, HOURLY, catalogue + others)) == ["hybrid_plan", "standard_plan"]


def test_only_plans_of_the_companys_currency_are_offered(catalogue, make_plan):
    dollars = make_plan("dollars", currency="USD")
    assert "dollars" not in keys(options_for(TRAITS, HOURLY, [*catalogue, dollars], currency="EUR"))
    assert keys(options_for(TRAITS, HOURLY, [*catalogue, dollars], current_plan=dollars)) == ["dollars"]


def test_only_the_newest_version_on_sale_is_offered_beside_the_current_one(make_plan):
    versions = [make_plan("hybrid", version=version) for version in (2, 3, 1)]
    options = options_for(TRAITS, HOURLY, versions, current_plan=versions[2])
    assert [plan.version for plan in options] == [1, 3]


def test_a_version_is_offered_from_its_first_day_on(make_plan):
    versions = [make_plan("hybrid", version=1), make_plan("hybrid", version=2, valid_from="2024-06-01")]
    offered = [options_for(TRAITS, HOURLY, versions, on=date(2024, month, day)) for month, day in ((5, 31), (6, 1))]
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
