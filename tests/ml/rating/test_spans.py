from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.contract import Contract, Overrides
from ml.rating.rerate import due_lines
from ml.rating.spans import Version, agreements_of, next_period, spans_of

OCTOBER = date(2026, 10, 1)


@pytest.fixture
def contracts(make_plan):
    call = {"model": "per_unit", "meter": "calls", "unit_price": "1", "included": 31}
    return [Contract(make_plan(call, plan_key=key, monthly_base_fee=fee)) for key, fee in (("a", 31), ("b", 62))]


def day(number: int) -> date:
    return date(2026, 10, number)


def brief(spans):
    return [(span.start.day, (span.end - timedelta(days=1)).day, span.contract.plan.plan_key) for span in spans]


def test_the_day_of_a_change_belongs_to_the_new_contract_and_that_of_the_end_to_the_old_one(contracts):
    a, b = contracts
    versions = [Version(date(2026, 9, 5), a), Version(day(11), b), Version(day(20), None)]
    spans = spans_of(versions, OCTOBER)
    assert brief(spans) == [(1, 10, "a"), (11, 20, "b")]
    assert [span.share for span in spans] == [Fraction(10, 31), Fraction(10, 31)]
    assert spans_of(versions, date(2026, 8, 1)) == spans_of(versions, date(2026, 11, 1)) == []


def test_the_last_version_of_a_date_holds(contracts):
    a, b = contracts
    assert brief(spans_of([Version(day(1), a), Version(day(1), b)], OCTOBER)) == [(1, 31, "b")]


def test_whoever_comes_back_has_a_gap(contracts):
    a, b = contracts
    spans = spans_of([Version(day(1), a), Version(day(5), None), Version(day(10), b)], OCTOBER)
    assert brief(spans) == [(1, 5, "a"), (10, 31, "b")]


def test_without_proration_a_plan_that_held_for_a_day_is_owed_in_full(make_plan):
    plan = make_plan(proration="none", monthly_base_fee="31")
    (span,) = spans_of([Version(day(31), Contract(plan))], OCTOBER)
    assert span.share == 1


@given(
    st.lists(st.integers(1, 31), max_size=6), st.sampled_from(["calendar_days_inclusive", "30/360", "days_in_cycle"])
)
def test_the_shares_of_a_period_without_gaps_add_up_to_one(make_plan, days, convention):
    plans = [Contract(make_plan(plan_key=f"p{number}", proration=convention)) for number in range(2)]
    versions = [Version(date(2026, 9, 1), plans[0])]
    versions += [Version(day(number), plans[index % 2]) for index, number in enumerate(sorted(days))]
    assert sum(span.share for span in spans_of(versions, OCTOBER)) == 1


def test_spans_of_the_same_terms_share_their_allowance(contracts):
    a, b = contracts
    versions = [Version(day(1), a), Version(day(11), b), Version(day(21), a)]
    spans = spans_of(versions, OCTOBER)
    agreement = agreements_of(spans)["a:v1"]
    assert agreement.terms(OCTOBER).charges[0].included == 21
    assert [agreement.holds(day(number)) for number in (10, 11, 21)] == [True, False, True]
    usage = [(day(2), "calls", 20), (day(12), "calls", 15), (day(30), "calls", 5)]
    lines = due_lines(spans, usage, [], 7, OCTOBER)
    paid = [(line.plan_key, line.charge, line.usage_date.day, str(line.amount)) for line in lines if line.amount]
    assert paid == [
        ("a", "base_fee", 1, "10.00"),
        ("a", "base_fee", 21, "11.00"),
        ("a", "calls", 30, "4.00"),
        ("b", "base_fee", 11, "20.00"),
        ("b", "calls", 12, "5.00"),
    ]


def test_a_change_of_add_ons_leaves_the_usage_under_one_allowance(make_plan):
    add_on = {"key": "x", "name": "X", "monthly_fee": "31"}
    call = {"model": "per_unit", "meter": "calls", "unit_price": "1", "included": 31}
    plan = make_plan(call, add_ons=[add_on])
    spans = spans_of([Version(day(1), Contract(plan)), Version(day(11), Contract(plan, add_ons={"x": 2}))], OCTOBER)
    lines = due_lines(spans, [(day(2), "calls", 20), (day(12), "calls", 15)], [], 7, OCTOBER)
    assert [(line.charge, line.usage_date.day, str(line.amount)) for line in lines if line.amount] == [
        ("add_on:x", 11, "42.00"),
        ("calls", 12, "4.00"),
    ]


def test_other_terms_of_the_company_s_own_are_other_terms(contracts):
    a, _ = contracts
    own = Contract(a.plan, overrides=Overrides.model_validate({"monthly_base_fee": "0"}))
    assert len(agreements_of(spans_of([Version(day(1), a), Version(day(11), own)], OCTOBER))) == 2


@pytest.mark.parametrize(
    ("month", "following"), [(date(2026, 12, 1), date(2027, 1, 1)), (date(2027, 2, 1), date(2027, 3, 1))]
)
def test_the_period_after_begins_with_the_next_month(month, following):
    assert next_period(month) == following
