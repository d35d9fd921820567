import json
from decimal import Decimal

import pytest

from ml.recommendation.choice import decide, recommend
from ml.recommendation.choosers.calibration import Calibration
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.gate import Gate
from ml.recommendation.options import option_rules
from ml.recommendation.simulation import CurrencyMismatchError

HONEST = Policy("scenarios", Calibration((0.0, 1.0), (0.0, 1.0), 10**15, 1e15), Gate(0.05, 0.75))
"""So much evidence that a share of scenarios is the probability."""


@pytest.fixture
def decided(make_simulation):
    def run(*costs, current=0, **kwargs):
        simulation = make_simulation(*costs)
        company = {"company_id": 7, "currency": "EUR", "current_plan": simulation.plans[current]}
        result = decide(company, simulation, **({"policy": HONEST} | kwargs))
        json.dumps([result.reasoning, result.custom_pricing], allow_nan=False)
        return result

    return run


def test_a_switch_saves_the_difference_of_the_expected_costs(decided):
    result = decided([100.0, 110.0], [60.004, 80.0], [90.0, 90.0], [95.0, 95.0])
    assert (result.action, result.recommended_plan.plan_key) == ("switch", "b")
    assert result.projected_savings == Decimal("35.00")
    assert result.projected_revenue_impact == Decimal("-35.00")
    assert [plan.plan_key for plan in result.alternatives] == ["c", "d"]
    assert result.confidence == 1
    assert result.custom_pricing is None


def test_staying_saves_nothing_and_says_what_would_change_it(decided):
    result = decided([100.0, 100.0], [97.0, 105.0])
    assert (result.action, result.recommended_plan.plan_key) == ("stay", "a")
    assert (result.projected_savings, result.projected_revenue_impact) == (Decimal("0.00"), Decimal("0.00"))
    assert result.projected_revenue_impact.is_signed() is False
    change = result.reasoning["what_would_change_it"]
    assert change["closest_option"] == {"plan_key": "b", "plan_version": 1}
    assert change["missing_saving_share"] == 0.06
    assert change["missing_probability"] == 0.25


def test_the_usage_at_which_another_option_would_save_enough_is_named(make_simulation):
    simulation = make_simulation([100.0], [120.0])
    simulation.scaled[1, -9:] = 80.0  # from 2 times the usage on
    company = {"company_id": 7, "currency": "EUR", "current_plan": simulation.plans[0]}
    change = decide(company, simulation).reasoning["what_would_change_it"]
    assert change["at_other_usage"] == {"usage_factor": 2.0, "plan_key": "b", "plan_version": 1}


def test_the_reasoning_states_every_option_by_rank_and_how_sure_that_is(decided):
    reasoning = decided([100.0, 120.0], [50.0, 70.0]).reasoning
    assert [option["plan_key"] for option in reasoning["options"]] == ["b", "a"]
    first = reasoning["options"][0]
    assert (first["rank"], first["expected_cost"], first["expected_saving"]) == (1, "60.00", "50.00")
    assert (first["p10_cost"], first["p90_cost"], first["plan_version"]) == ("52.00", "68.00", 1)
    assert (first["worst_cost"], first["max_regret"], first["probability_cheaper"]) == ("70.00", "0.00", 1.0)
    confidence = reasoning["confidence"]
    assert (confidence["calibration"], confidence["family"], confidence["scenario_share"]) == (
        "isotonic",
        "scenarios",
        1.0,
    )
    assert reasoning["second_opinion"] | {"rule": ""} == {
        "plan_key": "b",
        "plan_version": 1,
        "rule": "",
        "max_regret": "0.00",
        "agrees": True,
    }
    assert reasoning["thresholds"]["min_saving_share"] == 0.05
    assert reasoning["usage"]["call_seconds"]["expected"] == 600
    assert reasoning["what_would_change_it"] is None


def test_without_evidence_the_reasoning_says_that_odds_are_assumed(decided):
    confidence = decided([100.0], [50.0], policy=None).reasoning["confidence"]
    assert (confidence["calibration"], confidence["switches_seen"], confidence["value"]) == ("assumed", 0, 0.75)


def test_each_alternative_says_why_it_is_not_advised(decided):
    def why_not(*costs):
        result = decided(*costs)
        told = {option["plan_key"]: option["why_not"] for option in result.reasoning["alternatives"]}
        return result.recommended_plan.plan_key, told

    gamble = [0.0] * 6 + [140.0] * 4
    assert why_not([100.0] * 10, [80.0] * 10, [90.0] * 10) == ("b", {"a": "dearer", "c": "not_cheaper"})
    assert why_not([100.0] * 10, gamble, [80.0] * 10) == ("a", {"b": "odds_too_low", "c": "not_best_ranked"})
    assert why_not([100.0, 100.0], [98.0, 98.0]) == ("a", {"b": "saving_too_small"})


def test_the_usage_at_which_the_ranking_flips_is_between_the_points_that_were_priced(make_simulation):
    simulation = make_simulation([100.0], [150.0])
    # 100 x usage against 80 + 60 x usage: equal at twice the usage of... 80 / 40.
    simulation.scaled[1] = 80 + 60 * simulation.scaled[0] / 100
    company = {"company_id": 7, "currency": "EUR", "current_plan": simulation.plans[0]}
    (point,) = decide(company, simulation).reasoning["switch_points"]
    assert point["usage_factor"] == 2.0
    assert point["usage"] == {"call_seconds": 1200.0}
    assert (point["cheapest_below"]["plan_key"], point["cheapest_above"]["plan_key"]) == ("a", "b")


def test_rules_and_insights_are_handed_on(decided):
    traits = {"volume_category": "high", "has_unique_patterns": False}
    rules = option_rules(traits, {"pattern_strength": 0.9, "after_hours_ratio": 0.0})
    reasoning = decided([1.0], [2.0], rules=rules, insights=[{"code": "peak_hours"}]).reasoning
    assert [rule["option"] for rule in reasoning["rules"] if rule["holds"]][:2] == ["volume", "flat_rate"]
    assert reasoning["insights"] == [{"code": "peak_hours"}]


def test_unique_patterns_add_a_custom_offer_at_the_floor_of_the_cheapest_option(decided):
    rules = [{"option": "custom", "holds": True}]
    offer = decided([100.0, 100.0], [80.0, 80.0], rules=rules).custom_pricing
    assert offer["floor_amount"] == "68.00"
    assert offer["included_minutes"] == 10


def test_a_custom_offer_is_measured_at_the_catalogue_and_not_at_a_trial(make_simulation, make_plan):
    simulation = make_simulation([10.0], [80.0], plans=(make_plan("trial", is_trial=True), make_plan("x")))
    company = {"company_id": 7, "currency": "EUR", "current_plan": simulation.plans[0]}
    offer = decide(company, simulation, rules=[{"option": "custom", "holds": True}]).custom_pricing
    assert offer is not None
    assert offer["floor_amount"] == "68.00"


def test_plans_of_another_currency_are_refused(make_plan):
    company = {"company_id": 1, "currency": "EUR", "current_plan": make_plan()}
    with pytest.raises(CurrencyMismatchError, match="EUR and USD"):
        recommend(company, [make_plan("dollars", currency="USD")], {"calls": [1.0]})
    with pytest.raises(CurrencyMismatchError, match="EUR and USD"):
        recommend(company | {"currency": "USD"}, [make_plan()], {"calls": [1.0]})


def test_usage_without_paths_is_refused(make_plan):
    company = {"company_id": 1, "currency": "EUR", "current_plan": make_plan()}
    with pytest.raises(ValueError, match="the same number of paths"):
        recommend(company, [], {})
    with pytest.raises(ValueError, match="the same number of paths"):
        recommend(company, [], {"calls": [1.0], "appointments": [1.0, 2.0]})


def test_the_order_of_the_options_does_not_matter(make_plan):
    plans = [make_plan(key, monthly_base_fee=fee) for key, fee in [("x", "30"), ("y", "30"), ("z", "40")]]
    company = {"company_id": 1, "currency": "EUR", "current_plan": make_plan("now", monthly_base_fee="60")}
    forth, back = (recommend(company, options, {"calls": [1.0, 2.0]}) for options in (plans, plans[::-1]))
    assert forth == back
    assert (forth.recommended_plan.plan_key, forth.projected_savings) == ("x", Decimal("30.00"))
