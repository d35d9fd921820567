from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.contract import Contract
from ml.rating.plan import Plan
from ml.rating.rate import rate
from ml.rating.rerate import BookedLine, RatedLine, due_lines
from ml.rating.spans import Version, spans_of
from ml.rating.steps import Step
from ml.rating.usage import Item, Usage
from tests.ml.rating.drawn_plans import DRAWN_METERS, plans

DEFAULT = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
PERIOD = date(2025, 3, 1)
DAYS = [date(2025, 3, day) for day in (1, 2, 3, 17, 31)]
BOUND = 500 * 60
ID = attrgetter("line_id")
Totals = dict[tuple[date, str], int]

snapshots = st.dictionaries(st.tuples(st.sampled_from(DAYS), st.sampled_from(DRAWN_METERS)), st.integers(0, 90_000))


def due(plan: Plan, usage: Totals, booked: Iterable[BookedLine] = (), **options: Any) -> list[RatedLine]:
    rows = [(usage_date, meter, quantity) for (usage_date, meter), quantity in usage.items()]
    return due_lines(spans_of([Version(PERIOD, Contract(plan))], PERIOD), rows, booked, 7, PERIOD, **options)


def book(plan: Plan, *states: Totals) -> list[RatedLine]:
    booked: list[RatedLine] = []
    for usage in states:
        booked += due(plan, usage, booked)
    return booked


def calls(*quantities: int) -> Totals:
    return {(usage_date, "call_seconds"): quantity for usage_date, quantity in zip(DAYS, quantities, strict=False)}


def brief(lines: Iterable[BookedLine]) -> list[tuple[str, int, int, str, int]]:
    return [(line.charge, line.usage_date.day, int(line.quantity), str(line.amount), line.seq) for line in lines]


def period_usage(usage: Totals) -> dict[str, Usage]:
    items: dict[str, list[Item]] = defaultdict(list)
    for (usage_date, meter), quantity in sorted(usage.items()):
        items[meter].append(Item(Decimal(quantity), usage_date))
    return {meter: Usage(tuple(parts)) for meter, parts in items.items()}


def repriced(plan: Plan, **overrides: Any) -> Plan:
    return Plan.model_validate({**plan.terms(), "version": plan.version + 1} | overrides)


def test_first_usage_gives_a_line_per_charge_and_date_in_date_order() -> None:
    usage = {**calls(600, BOUND), (DAYS[1], "appointments"): 2, (DAYS[1], "calls"): 40}
    assert brief(due(DEFAULT["per_minute"], dict(reversed(usage.items())))) == [
        ("base_fee", 1, 1, "49.00", 0),
        ("call_seconds", 1, 600, "0.00", 0),
        ("call_seconds", 2, BOUND, "1.50", 0),
        ("appointments", 2, 2, "4.00", 0),
    ]


def test_a_line_carries_its_plan_period_and_currency_its_steps_and_an_id_of_facts() -> None:
    (line,) = due(DEFAULT["volumen-usd"], calls(60))
    assert line == RatedLine(
        line_id="r2:7:2025-03:volumen-usd:v1:call_seconds:2025-03-01:0",
        company_id=7,
        terms_key="volumen-usd:v1",
        plan_key="volumen-usd",
        plan_version=1,
        usage_period=PERIOD,
        invoice_period=PERIOD,
        charge="call_seconds",
        meter="call_seconds",
        unit="second",
        usage_date=PERIOD,
        quantity=Decimal(60),
        amount=Decimal("0.15"),
        currency="USD",
        seq=0,
        detail=(Step(Decimal(60), Decimal("0.15"), 60, tier=1),),
        corrects=None,
    )


def test_a_line_that_crosses_a_tier_shows_both_parts() -> None:
    booked = due(DEFAULT["volumen"], calls(BOUND - 60))
    (line,) = due(DEFAULT["volumen"], calls(BOUND - 60, 180), booked)
    assert [(step.tier, step.quantity, step.unit_price) for step in line.detail] == [
        (1, Decimal(60), Decimal("0.15")),
        (2, Decimal(120), Decimal("0.12")),
    ]
    assert line.last_step == line.detail[-1]
    assert line.amount == Decimal("0.39")


def test_a_second_run_on_the_same_usage_has_nothing_to_book() -> None:
    usage = {**calls(600, BOUND), (DAYS[1], "appointments"): 2}
    booked = book(DEFAULT["per_minute"], usage)
    assert due(DEFAULT["per_minute"], usage, booked) == []


def test_late_usage_is_priced_by_the_tier_that_the_period_has_reached() -> None:
    booked = book(DEFAULT["volumen"], calls(0, BOUND))
    late = due(DEFAULT["volumen"], calls(600, BOUND), booked)
    assert brief(late) == [("call_seconds", 1, 600, "1.20", 0)]


def test_a_usage_date_that_vanished_is_taken_back() -> None:
    booked = book(DEFAULT["combined"], calls(600, 1200))
    lines = due(DEFAULT["combined"], calls(600), booked)
    assert brief(lines) == [("call_seconds", 2, -1200, "-2.00", 1)]
    assert lines[0].line_id == "r2:7:2025-03:combined:v1:call_seconds:2025-03-02:1"


def test_the_base_fee_is_booked_once_per_period_even_without_usage() -> None:
    booked = due(DEFAULT["hybrid"], {})
    assert brief(booked) == [("base_fee", 1, 1, "49.00", 0)]
    assert due(DEFAULT["hybrid"], {}, booked) == []


def test_a_plan_without_base_fee_and_usage_has_nothing_to_book() -> None:
    assert due(DEFAULT["volumen"], {}) == []


def test_cents_are_rounded_from_the_cumulative_amount_and_never_drift() -> None:
    booked = book(DEFAULT["combined"], calls(3), calls(3, 3), calls(3, 3, 3), calls(3, 3, 3, 3))
    assert [str(line.amount) for line in booked] == ["0.01", "0.00", "0.01", "0.00"]


def test_other_terms_take_back_what_was_booked_and_book_anew() -> None:
    usage = calls(600, 1200)
    booked = book(DEFAULT["combined"], usage)
    charges = [{"model": "per_unit", "meter": "call_seconds", "per": 60, "unit_price": "0.08"}]
    lines = due(repriced(DEFAULT["combined"], charges=charges), usage, booked)
    assert [(line.plan_version, *brief([line])[0]) for line in lines] == [
        (2, "call_seconds", 1, 600, "0.80", 0),
        (2, "call_seconds", 2, 1200, "1.60", 0),
        (1, "call_seconds", 1, -600, "-1.00", 1),
        (1, "call_seconds", 2, -1200, "-2.00", 1),
    ]


def test_more_usage_under_volume_prices_may_book_a_credit() -> None:
    tiers = [{"up_to": 15, "unit_price": 10}, {"unit_price": 5}]
    plan = repriced(DEFAULT["combined"], charges=[{"model": "volume", "meter": "call_seconds", "tiers": tiers}])
    assert [str(line.amount) for line in book(plan, calls(15), calls(16))] == ["150.00", "-70.00"]


def test_the_flat_fee_of_a_period_without_usage_is_booked_on_its_first_day() -> None:
    charge = {"model": "graduated", "meter": "calls", "tiers": [{"unit_price": 1, "flat_fee": 2}]}
    plan = repriced(DEFAULT["combined"], charges=[{**charge, "zero_usage_flat": "first_tier"}])
    booked = due(plan, {})
    assert brief(booked) == [("calls", 1, 0, "2.00", 0)]
    assert brief(due(plan, {(DAYS[3], "calls"): 3}, booked)) == [("calls", 17, 3, "3.00", 0)]


@settings(deadline=None, max_examples=50)
@given(plans(), st.lists(snapshots, min_size=1, max_size=5))
def test_booking_in_any_steps_with_any_corrections_sums_to_rating_once(plan: Plan, states: list[Totals]) -> None:
    booked = book(plan, *states)
    booked += due(plan, states[-1], booked, is_final=True)
    bill = rate(plan, period_usage(states[-1]))
    assert sum(line.amount for line in booked) == bill.total
    for line in bill.lines:
        own = [booked_line for booked_line in booked if booked_line.charge == line.charge]
        assert sum(booked_line.amount for booked_line in own) == line.amount
        assert line.meter is None or sum(booked_line.quantity for booked_line in own) == line.quantity


@settings(deadline=None, max_examples=50)
@given(plans(), snapshots, st.permutations(range(25)))
def test_usage_that_arrives_row_by_row_in_any_order_sums_to_rating_once(
    plan: Plan, usage: Totals, order: list[int]
) -> None:
    rows = list(usage.items())
    shuffled = [rows[index] for index in order if index < len(rows)]
    booked = book(plan, *(dict(shuffled[:count]) for count in range(len(shuffled) + 1)))
    assert sum(line.amount for line in booked) == rate(plan, period_usage(usage), is_final=False).total


@settings(deadline=None, max_examples=50)
@given(plans(), plans(), snapshots, snapshots)
def test_books_follow_a_change_of_terms_and_usage_together(old: Plan, new: Plan, first: Totals, last: Totals) -> None:
    new = new.model_copy(update={"currency": old.currency, "plan_key": "other"})
    booked = book(old, first)
    booked += due(new, last, booked)
    assert sum(line.amount for line in booked) == rate(new, period_usage(last), is_final=False).total
    assert due(new, last, booked) == []


@settings(deadline=None, max_examples=50)
@given(plans(), st.lists(snapshots, min_size=1, max_size=5))
def test_ids_are_unique_and_number_the_lines_of_a_charge_and_date(plan: Plan, states: list[Totals]) -> None:
    booked = book(plan, *states)
    assert len({line.line_id for line in booked}) == len(booked)
    by_place: dict[tuple[str, date], list[int]] = defaultdict(list)
    for line in booked:
        by_place[line.charge, line.usage_date].append(line.seq)
    assert all(numbers == list(range(len(numbers))) for numbers in by_place.values())
    assert due(plan, states[-1], booked) == []


@given(plans(), snapshots)
def test_the_order_of_usage_rows_and_booked_lines_does_not_matter(plan: Plan, usage: Totals) -> None:
    booked = book(plan, {key: quantity // 2 for key, quantity in usage.items()})
    backwards = due(plan, dict(reversed(usage.items())), reversed(booked))
    assert sorted(backwards, key=ID) == sorted(due(plan, usage, booked), key=ID)


def test_the_lines_of_one_charge_come_in_date_order() -> None:
    lines = due(DEFAULT["volumen"], dict(reversed(calls(60, 60, 60, 60).items())))
    assert all(earlier.usage_date < later.usage_date for earlier, later in pairwise(lines))


def test_one_date_and_meter_twice_is_an_error_and_not_a_sum() -> None:
    with pytest.raises(ValueError, match="usage of call_seconds on 2025-03-01 is there twice"):
        due_lines([], [(PERIOD, "call_seconds", 1), (PERIOD, "call_seconds", 2)], [], 7, PERIOD)


def test_an_unknown_meter_is_an_error_and_not_unbilled() -> None:
    with pytest.raises(ValueError, match="usage names unknown meters: minutes"):
        due(DEFAULT["volumen"], {(PERIOD, "minutes"): 1})


def test_a_plan_of_another_currency_takes_back_each_in_its_own() -> None:
    booked = due(DEFAULT["combined"], calls(60))
    lines = due(DEFAULT["combined-usd"], calls(60), booked)
    assert [(line.currency, str(line.amount)) for line in lines] == [("USD", "0.10"), ("EUR", "-0.10")]


def test_a_timestamp_does_not_pass_for_a_usage_date() -> None:
    midnight = datetime(2025, 3, 1)  # noqa: DTZ001
    with pytest.raises(TypeError, match="usage date 2025-03-01 00:00:00 has a time of day; pass a plain date"):
        due(DEFAULT["volumen"], {(midnight, "call_seconds"): 1})


def test_numpy_integers_are_taken_and_floats_are_refused() -> None:
    (line,) = due(DEFAULT["volumen"], {(PERIOD, "call_seconds"): np.int64(60)})  # type: ignore[dict-item]
    assert (line.quantity, type(line.quantity)) == (60, Decimal)
    with pytest.raises(TypeError, match=r"usage of call_seconds is a float \(60\.0\); pass an int or a Decimal"):
        due(DEFAULT["volumen"], {(PERIOD, "call_seconds"): 60.0})  # type: ignore[dict-item]


@settings(deadline=None, max_examples=50)
@given(plans(), st.lists(snapshots, min_size=2, max_size=5), st.integers(1, 4))
def test_a_closed_period_never_changes_and_is_corrected_exactly_once(
    plan: Plan, states: list[Totals], closing: int
) -> None:
    first, later = states[:closing], states[closing:]
    booked = book(plan, *first)
    booked += due(plan, first[-1], booked, is_final=True)
    at_closing = sum(line.amount for line in booked)
    assert at_closing == rate(plan, period_usage(first[-1])).total
    corrections: list[RatedLine] = []
    for usage in later:
        for _ in range(2):  # a second run finds nothing more
            new = due(plan, usage, [*booked, *corrections], is_final=True, invoice_period=date(2025, 4, 1))
            corrections += new
        assert new == []
        assert at_closing + sum(line.amount for line in corrections) == rate(plan, period_usage(usage)).total
    known = {line.line_id for line in [*booked, *corrections]}
    charged = {line.charge for line in booked}
    assert all(line.invoice_period == date(2025, 4, 1) and line.usage_period == PERIOD for line in corrections)
    assert all(line.corrects in known for line in corrections if line.charge in charged)


def test_a_day_without_usage_owes_its_commitment_once_the_period_is_over() -> None:
    commitment = {"amount": 2, "overage_factor": 3}
    charge = {"model": "per_unit_per_bucket", "meter": "calls", "unit_price": 1, "commitment": commitment}
    plan = repriced(DEFAULT["combined"], charges=[charge])
    usage: Totals = {(DAYS[0], "calls"): 5}
    booked = due(plan, usage)
    assert sum(line.amount for line in booked) == 2 + 3 * 3
    assert sum(line.amount for line in due(plan, usage, booked, is_final=True)) == 2 * 30


@pytest.mark.parametrize("charge", ["calls", "appointments"])
def test_a_correction_of_a_charge_that_was_never_booked_names_no_line(charge: str) -> None:
    booked = due(DEFAULT["combined"], {(DAYS[0], "appointments"): 1})
    plan = repriced(
        DEFAULT["combined"],
        version=1,
        charges=[
            {"model": "per_unit", "meter": "calls", "unit_price": 1},
            {"model": "per_unit", "meter": "appointments", "unit_price": "2.00"},
        ],
    )
    usage: Totals = {(DAYS[0], "appointments"): 1, (DAYS[1], charge): 3}
    (line,) = due(plan, usage, booked, invoice_period=date(2025, 4, 1))
    assert line.corrects == (booked[0].line_id if charge == "appointments" else None)
