"""When a plan is looked at again, and what is worth telling."""

from datetime import date, timedelta

import pytest

from ml.recommendation.occasions import Looked, left_range, outcome_of, review_due

ACTIVATED = date(2026, 10, 1)
DAY_14 = ACTIVATED + timedelta(days=14)
NEVER = {"p10": 0.0, "p50": 0.0, "p90": 0.0}
ASSUMED = {"calls": {"expected": 310, "p10": 270, "p50": 300, "p90": 330}, "appointments": NEVER}


def due(day: int, last: int = 14, out_of_range: int | None = None, has_left: bool = False):
    at = [None if number is None else ACTIVATED + timedelta(days=number) for number in (last, out_of_range, day)]
    return review_due(Looked(ACTIVATED, at[0], at[1]), at[2], has_left)


@pytest.mark.parametrize(("day", "occasion"), [(14, None), (15, None), (20, None), (21, "week"), (22, "week")])
def test_the_first_week_after_day_14_ends_on_day_21_and_a_missed_date_is_made_up_for(day, occasion):
    assert due(day) == occasion


@pytest.mark.parametrize(
    ("last", "day", "occasion"), [(21, 27, None), (21, 28, "week"), (25, 28, "week"), (28, 28, None)]
)
def test_every_week_on_the_weekday_of_the_activation(last, day, occasion):
    assert due(day, last) == occasion


def test_several_missed_weeks_are_one_review():
    assert due(50) == "week"
    assert due(51, last=50) is None


def test_a_run_for_a_date_before_the_last_look_is_due_for_nobody():
    assert due(21, last=28) is None
    assert due(21, last=28, has_left=True) is None


@pytest.mark.parametrize(("day", "occasion"), [(14, None), (15, "usage"), (18, "usage"), (21, "usage")])
def test_usage_that_leaves_the_range_is_due_from_day_15_on(day, occasion):
    assert due(day, last=13, has_left=True) == occasion


@pytest.mark.parametrize(("day", "occasion"), [(23, None), (27, None), (28, "usage")])
def test_usage_that_stays_out_of_range_is_looked_at_with_the_week_only(day, occasion):
    assert due(day, last=22, out_of_range=22, has_left=True) == occasion


def test_usage_that_left_long_ago_and_leaves_again_is_looked_at_again():
    assert due(40, last=36, out_of_range=33, has_left=True) == "usage"
    assert due(39, last=36, out_of_range=33, has_left=True) is None


@pytest.mark.parametrize(("calls", "days", "found"), [
    (270, 30, []), (269.9, 30, ["calls"]), (330, 30, []), (330.1, 30, ["calls"]), (0, 14, ["calls"]), (0, 0, []),
])  # fmt: skip
def test_usage_is_scaled_to_a_month_and_the_bounds_are_in_range(calls, days, found):
    assert left_range({"calls": calls}, days, ASSUMED) == found


@pytest.mark.parametrize(("calls", "found"), [(55.6, []), (55.4, ["calls"]), (84.4, []), (84.6, ["calls"])])
def test_a_week_may_scatter_more_than_a_month(calls, found):
    # 30 x sqrt(30 / 7) = 62.1 around 300 a month: 55.5 to 84.5 in seven days.
    assert left_range({"calls": calls}, 7, ASSUMED) == found


def test_what_was_never_used_leaves_the_range_when_it_is_and_unknown_meters_do_not_count():
    assert left_range({"calls": 70, "appointments": 1, "leads": 9}, 7, ASSUMED) == ["appointments"]


A, B, C = 1, 2, 3
TODAY = date(2026, 12, 30)
DAYS = {days: TODAY - timedelta(days=days) for days in (89, 90)}


@pytest.mark.parametrize(
    ("found", "still_open", "closed", "outcome"),
    [
        (A, None, {}, "nothing_new"),
        (B, None, {}, "recommended"),
        (B, B, {}, "nothing_new"),
        (C, B, {}, "recommended"),
        (A, B, {}, "recommended"),
        (A, A, {}, "nothing_new"),
        (B, A, {}, "recommended"),
        (B, None, {B: DAYS[89]}, "offered_before"),
        (B, None, {B: DAYS[90]}, "recommended"),
        (C, None, {B: DAYS[89]}, "recommended"),
        (B, C, {B: DAYS[89]}, "offered_before"),
        (A, B, {A: DAYS[89]}, "recommended"),
    ],
)
def test_what_is_worth_telling_a_company_on_plan_a(found, still_open, closed, outcome):
    assert outcome_of(found, A, still_open, closed, TODAY) == outcome
