import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from ml.analysis.characteristics import describe_companies
from ml.analysis.patterns import find_patterns
from ml.analysis.projection import project_usage
from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.rate import rate
from ml.recommendation.recommend_all import recommend_companies
from ml.recommendation.simulation import CurrencyMismatchError

START = pd.Timestamp("2024-03-04")
CATALOGUE = load_catalogue(default_catalogue(), "default.yaml")


@pytest.fixture
def analysed():
    """Three companies with 30 equal days: 687.5 minutes and 87 appointments; 3000 minutes half at night; silence."""
    hours = {1: {10: (1375, 0)}, 2: {10: (3000, 0), 22: (3000, 1)}}
    rows = [
        {"company_id": company, "day": day, "local_hour": hour, "total_seconds": seconds, "after_hours_calls": night}
        for company, by_hour in hours.items()
        for hour, (seconds, night) in by_hour.items()
        for day in range(30)
    ]
    hourly = pd.DataFrame(rows).assign(total_calls=1, successful_bookings=1, failed_bookings=0)
    hourly["usage_date"] = START + pd.to_timedelta(hourly["day"], unit="D")
    windows = pd.DataFrame(
        {"company_id": [1, 2, 3], "window_start": START, "window_end": START + pd.Timedelta(days=30)}
    )
    activity = pd.DataFrame(
        columns=["company_id", "unique_customers", "returning_customers", "distinct_services", "total_revenue"]
    )
    daily = {1: {"call_seconds": 1375, "business_hours_call_seconds": 1375, "appointments": 2.9}}
    daily[2] = {"call_seconds": 6000, "business_hours_call_seconds": 3000, "after_hours_call_seconds": 3000}
    meters = pd.DataFrame(
        [
            {"company_id": company, "meter": meter, "usage_date": START + pd.Timedelta(days=day), "quantity": quantity}
            for company, by_meter in daily.items()
            for meter, quantity in by_meter.items()
            for day in range(30)
        ]
    )
    characteristics = describe_companies(hourly, windows, activity)
    return characteristics, find_patterns(hourly, windows), project_usage(meters, windows, paths=40)


def companies(*rows):
    return pd.DataFrame(rows, columns=["company_id", "currency", "plan_key", "plan_version"])


def test_the_costs_of_a_steady_company_are_those_of_the_rating(analysed):
    (result,) = recommend_companies(companies((1, "EUR", "per_minute", 1)), *analysed, CATALOGUE)
    cost = {option["plan_key"]: Decimal(option["expected_cost"]) for option in result.reasoning["options"]}
    usage = {"call_seconds": 41250, "business_hours_call_seconds": 41250, "appointments": 87}
    for plan in CATALOGUE:
        if plan.plan_key in cost:
            assert cost[plan.plan_key] == rate(plan, usage).total, plan.plan_key
    assert (result.action, result.recommended_plan.plan_key) == ("switch", "hybrid")
    assert [plan.plan_key for plan in result.alternatives] == ["volumen", "zeitbasiert"]
    assert result.projected_savings == Decimal("251.13") - Decimal("71.50")
    assert result.confidence == 0.75


def test_what_a_switch_saves_is_an_insight_and_nothing_speaks_against_staying(analysed):
    asked = companies((1, "EUR", "per_minute", 1), (2, "EUR", "flatrate", 1), (3, "EUR", "hybrid", 1))
    results = recommend_companies(asked, *analysed, CATALOGUE)
    insights = [{found["code"]: found["numbers"] for found in result.reasoning["insights"]} for result in results]
    assert insights[0]["savings"] == {
        "amount": str(results[0].projected_savings),
        "currency": "EUR",
        "plan_name": results[0].recommended_plan.name,
    }
    for result, found in zip(results, insights, strict=True):
        assert ("savings" in found) == (result.action == "switch")
        assert "projected_month" in found
    assert results[2].action == "stay"


def test_all_plans_on_sale_are_options_and_the_rules_say_what_the_usage_suggests(analysed):
    asked = companies((1, "EUR", "hybrid", 1), (2, "EUR", "hybrid", 1))
    first, second = (result.reasoning for result in recommend_companies(asked, *analysed, CATALOGUE))
    offered = {"volumen", "hybrid", "flatrate", "zeitbasiert", "per_minute", "per_appointment", "package", "combined"}
    assert {option["plan_key"] for option in first["options"]} == offered
    suggested = [{rule["option"] for rule in found["rules"] if rule["holds"]} for found in (first, second)]
    assert "volume" not in suggested[0]
    assert {"volume", "time_based"} <= suggested[1]


def test_a_plan_that_lacks_what_a_company_uses_is_not_offered(analysed, make_plan):
    stops = [{"meter": "call_seconds", "up_to": 687, "per": 60, "on_breach": "block"}]
    recording = [{"name": "recording"}]
    cheap = [
        make_plan("limited", monthly_base_fee="1", limits=stops, features=recording),
        make_plan("bare", monthly_base_fee="2"),
        make_plan("full", monthly_base_fee="3", features=recording),
    ]
    asked = companies((1, "EUR", "per_minute", 1)).assign(features=[["recording"]])
    own = [plan for plan in CATALOGUE if plan.plan_key == "per_minute"]
    (result,) = recommend_companies(asked, *analysed, [*own, *cheap])
    missing = {
        plan["plan_key"]: [lack["reason"] for lack in plan["missing"]] for plan in result.reasoning["not_offered"]
    }
    assert missing == {"bare": ["feature_missing"], "limited": ["limit_exceeded"]}
    assert result.recommended_plan.plan_key == "full"


def test_a_trial_ends_in_the_cheapest_plan(analysed):
    (result,) = recommend_companies(companies((1, "EUR", "trial", 1)), *analysed, CATALOGUE)
    assert (result.action, result.recommended_plan.plan_key) == ("switch", "hybrid")
    assert result.reasoning["decision"]["reason"] == "trial_ends"


def test_currencies_are_decided_apart_and_in_the_order_asked(analysed):
    asked = companies((2, "USD", "hybrid-usd", 1), (1, "EUR", "per_minute", 1), (3, "USD", "package-usd", 1))
    results = recommend_companies(asked, *analysed, CATALOGUE)
    assert [result.company_id for result in results] == [2, 1, 3]
    for result in results:
        currencies = {result.recommended_plan.currency, *(plan.currency for plan in result.alternatives)}
        assert currencies == {result.currency}
        json.dumps([result.reasoning, result.custom_pricing], allow_nan=False)


def test_a_plan_in_another_currency_than_the_company_is_refused(analysed):
    with pytest.raises(CurrencyMismatchError, match="EUR and USD"):
        recommend_companies(companies((1, "EUR", "hybrid-usd", 1)), *analysed, CATALOGUE)


def test_companies_and_plans_that_are_missing_are_named(analysed):
    with pytest.raises(ValueError, match=r"companies not analysed: \[9\]"):
        recommend_companies(companies((9, "EUR", "hybrid", 1)), *analysed, CATALOGUE)
    with pytest.raises(ValueError, match=r"plans not in the catalogue: \[\('hybrid', 7\)\]"):
        recommend_companies(companies((1, "EUR", "hybrid", 7)), *analysed, CATALOGUE)
    with pytest.raises(ValueError, match="companies lacks the columns plan_key, plan_version"):
        recommend_companies(pd.DataFrame({"company_id": [1], "currency": ["EUR"]}), *analysed, CATALOGUE)


def test_who_else_is_asked_for_changes_nothing(analysed):
    asked = companies((1, "EUR", "per_minute", 1), (2, "EUR", "hybrid", 1), (3, "EUR", "package", 1))
    together = recommend_companies(asked, *analysed, CATALOGUE)
    turned = recommend_companies(asked[::-1], *analysed, CATALOGUE[::-1])
    assert together == turned[::-1]
    alone = [recommend_companies(asked[row : row + 1], *analysed, CATALOGUE)[0] for row in range(3)]
    assert [(item.recommended_plan, item.projected_savings, item.confidence) for item in together] == [
        (item.recommended_plan, item.projected_savings, item.confidence) for item in alone
    ]


def test_a_switch_has_passed_both_bounds_of_the_gate(analysed):
    asked = companies((1, "EUR", "package", 1), (2, "EUR", "package", 1))
    for result in recommend_companies(asked, *analysed, CATALOGUE):
        chosen = next(option for option in result.reasoning["options"] if option["is_recommended"])
        assert np.isclose(float(chosen["expected_saving"]), float(result.projected_savings))
        assert result.action == "stay" or (chosen["saving_share"] >= 0.05 and result.confidence >= 0.7)
