from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.contract import Contract, Overrides, contract_problems, period_terms
from ml.rating.money import EXACT
from ml.rating.rate import exact_total, rate
from ml.rating.steps import cost_of

PLANS = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
PLATFORM = PLANS["platform"]
NOVEMBER = date(2026, 11, 1)
TEMPORARY = {"key": "temporary_users", "first_month": NOVEMBER}


def overrides(**own):
    return Overrides.model_validate(own)


def test_the_platform_costs_what_its_price_list_says():
    bill = rate(PLATFORM, {"seats": 15, "api_calls_standard": 1_200_000, "ai_queries": 150})
    amounts = {line.charge: str(line.amount) for line in bill.lines}
    assert (amounts["seats"], amounts["api_calls_standard"], amounts["ai_queries"]) == ("75.00", "1.00", "5.00")


def test_booked_add_ons_are_lines_of_their_own():
    bill = rate(Contract(PLATFORM, add_ons={"enterprise_connector": 3, "white_label": 1}), {})
    fees = [(line.charge, line.quantity, str(line.amount)) for line in bill.lines if line.meter is None]
    assert fees == [
        ("base_fee", 1, "299.00"),
        ("add_on:enterprise_connector", 3, "150.00"),
        ("add_on:white_label", 1, "100.00"),
    ]


def test_paying_by_the_year_takes_its_discount_off_the_base_fee_alone():
    yearly = rate(Contract(PLATFORM, "year", {"white_label": 1}), {})
    assert [str(line.amount) for line in yearly.lines[:2]] == ["269.10", "100.00"]
    assert [step.kind for step in yearly.lines[0].detail] == ["usage", "discount"]


@pytest.mark.parametrize(
    ("months", "period", "amount"),
    [
        (1, NOVEMBER, "37.50"),
        (3, date(2027, 1, 1), "37.50"),
        (3, date(2027, 2, 1), "75.00"),
        (1, date(2026, 10, 1), "75.00"),
    ],
)
def test_temporary_users_cost_half_for_the_months_that_are_booked(months, period, amount):
    own = overrides(seasonal=[{**TEMPORARY, "months": months}])
    bill = rate(period_terms(Contract(PLATFORM, overrides=own), period), {"seats": 15})
    assert {line.charge: str(line.amount) for line in bill.lines}["seats"] == amount


def test_holiday_traffic_costs_a_quarter_more():
    own = overrides(seasonal=[{"key": "holiday_traffic", "first_month": NOVEMBER, "months": 2}])
    terms = period_terms(Contract(PLATFORM, overrides=own), NOVEMBER)
    assert exact_total(terms, {"api_calls_standard": 3_000_000}) - 299 == Decimal("12.5")


def test_discounts_are_taken_off_what_the_others_left_and_a_maximum_holds_after_them(make_plan):
    charge = {"model": "per_unit", "meter": "calls", "unit_price": 10, "discount_percent": 50, "maximum": 80}
    plan = make_plan(charge, discounts=[{"percent": 20}], monthly_base_fee="10")
    bill = rate(plan, {"calls": 10})
    assert [str(line.amount) for line in bill.lines] == ["8.00", "40.00"]
    assert [str(line.amount) for line in rate(plan, {"calls": 100}).lines] == ["8.00", "80.00"]


def test_a_minimum_is_owed_when_the_period_is_final_and_not_before(make_plan):
    plan = make_plan({"model": "per_unit", "meter": "calls", "unit_price": 1, "minimum": 20}, minimum_spend="50")
    assert rate(plan, {"calls": 3}, is_final=False).total == 3
    assert [(line.charge, line.amount) for line in rate(plan, {"calls": 3}).lines] == [
        ("calls", 20),
        ("minimum_spend", 30),
    ]


def test_a_maximum_of_the_whole_is_a_line_that_takes_the_rest_off(make_plan):
    plan = make_plan({"model": "per_unit", "meter": "calls", "unit_price": 1}, maximum_spend="50")
    assert [(line.charge, line.amount) for line in rate(plan, {"calls": 70}, is_final=False).lines] == [
        ("calls", 70),
        ("maximum_spend", -20),
    ]


def test_terms_of_its_own_give_a_contract_a_key_of_its_own():
    plain, own = Contract(PLATFORM), Contract(PLATFORM, overrides=overrides(monthly_base_fee="99"))
    assert plain.terms_key == "platform:v1"
    assert own.terms_key.startswith("platform:v1:")
    assert own.terms_key == Contract(PLATFORM, "year", {"white_label": 1}, own.overrides).terms_key
    assert rate(own, {}).total == 99


@pytest.mark.parametrize(
    ("contract", "sentence"),
    [
        (Contract(PLANS["platform-payg"], "year"), "billing_interval: plan platform-payg v1 can't be paid by the year"),
        (Contract(PLATFORM, add_ons={"white_label": 2}), "add_ons.white_label: 2 is not between 1 and 1"),
        (Contract(PLATFORM, add_ons={"ai_workflow": 0}), "add_ons.ai_workflow: 0 is not between 1 and any number"),
        (
            Contract(
                PLATFORM,
                overrides=overrides(seasonal=[{"key": "temporary_users", "first_month": NOVEMBER, "months": 4}]),
            ),
            "overrides.seasonal: temporary_users is for 1 to 3 months, not 4",
        ),
    ],
)
def test_what_a_plan_does_not_offer_is_one_sentence(contract, sentence):
    assert list(contract_problems(contract)) == [sentence]


def test_what_a_plan_offers_is_no_problem():
    own = overrides(seasonal=[{**TEMPORARY, "months": 3}])
    assert list(contract_problems(Contract(PLATFORM, "year", {"white_label": 1}, own))) == []


@given(st.fractions(0, 1), st.sampled_from(sorted(PLANS)))
def test_fees_of_two_parts_of_a_period_add_up_to_those_of_the_whole(share, key):
    contract = Contract(PLANS[key], add_ons={add_on.key: 1 for add_on in PLANS[key].add_ons})
    parts = [fee for part in (share, 1 - share) for fee in period_terms(contract, share=Fraction(part)).fees]
    with localcontext(EXACT):
        whole = sum(cost_of(fee.steps) for fee in period_terms(contract).fees)
        assert sum(cost_of(fee.steps) for fee in parts) == pytest.approx(whole, abs=Decimal("1e-40"))


def test_a_maximum_that_is_a_tie_of_half_a_cent_rounds_up_whatever_is_used(make_plan):
    charge = {"model": "per_unit", "meter": "calls", "per": 60, "unit_price": "0.07", "maximum": "20.125"}
    assert {str(rate(make_plan(charge), {"calls": used}).total) for used in range(20_000, 20_200)} == {"20.13"}
