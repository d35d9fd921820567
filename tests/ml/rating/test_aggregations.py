from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.aggregations import (
    Operation,
    Rounding,
    billable,
    count,
    days_active,
    highest,
    latest,
    prorated_sum,
    prorated_unique_count,
    round_quantity,
    total,
    unique_count,
    weighted_sum,
)

START, END = datetime(2023, 8, 1, tzinfo=UTC), datetime(2023, 9, 1, tzinfo=UTC)
ZERO = Decimal(0)

values = st.decimals(-(10**12), 10**12, places=6)
instants = st.integers(0, 31 * 86_400 * 10**6).map(lambda after: START + timedelta(microseconds=after))
changes = st.lists(st.tuples(instants, values), max_size=8)


def decimals(*texts: str) -> list[Decimal]:
    return [Decimal(text) for text in texts]


def after(hours: float, change: str | int) -> tuple[datetime, Decimal]:
    return START + timedelta(hours=hours), Decimal(change)


MORNING = [after(0, 2), after(1, 3), after(1.5, 1), after(2, -4), after(4, -2), after(5, 10), after(5.5, -10)]


def test_a_total_adds_up_the_values_of_the_period() -> None:
    assert total(decimals("12", "12", "12", "12")) == 48
    assert total(decimals("2.5", "-3")) == Decimal("-0.5")
    assert total([]) == 0


def test_a_recurring_total_starts_with_what_was_carried_in() -> None:
    assert total(decimals("12", "12"), carried=Decimal(5)) == 29


def test_sums_do_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext(prec=3):
        assert total(decimals("123456", "0.000001")) == Decimal("123456.000001")
        assert prorated_sum(Decimal("123456"), [(Decimal("0.000002"), 1)], 2) == Decimal("123456.000001")
        assert weighted_sum([after(24 * 15.5, "0.000002")], START, END, Decimal(123456)) == Decimal("123456.000001")


@given(st.lists(values), st.randoms())
def test_the_order_of_events_changes_no_sum_count_or_maximum(drawn: list[Decimal], random: Random) -> None:
    shuffled = random.sample(drawn, len(drawn))
    assert total(shuffled) == total(drawn)
    assert count(shuffled) == count(drawn)
    assert highest(shuffled) == highest(drawn)


def test_a_count_counts_events_and_not_their_values() -> None:
    assert count(decimals("1", "1", "7", "0")) == 4
    assert count(iter(())) == 0


@pytest.mark.parametrize(
    ("carried", "operations", "present"),
    [
        (["a"], [("add", "b")], 2),
        (["a"], [("remove", "a")], 0),
        (["a"], [("add", "a")], 1),
        ([], [("add", "a"), ("add", "a"), ("add", "b")], 2),
        ([], [("add", "a"), ("remove", "a"), ("add", "a")], 1),
        ([], [("remove", "a"), ("add", "a")], 1),
        ([], [("remove", "a")], 0),
        ([], [], 0),
    ],
)
def test_a_unique_count_is_what_is_present_at_the_end(
    carried: list[str], operations: list[tuple[Operation, str]], present: int
) -> None:
    assert unique_count(operations, carried) == present


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(ValueError, match="'delete' of 'a' is no operation; use add or remove"):
        unique_count([("delete", "a")])  # type: ignore[list-item]


def test_the_highest_value_of_nothing_is_zero() -> None:
    assert highest(decimals("9", "12", "9")) == 12
    assert highest([]) == 0


def test_the_highest_of_negative_values_stays_negative() -> None:
    assert highest(decimals("-3", "-1")) == -1


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([after(0, 18), after(24, 14)], 14),
        ([after(24, 14), after(0, 18)], 14),
        ([after(24, 14), after(24, 15), after(0, 18)], 15),
        ([after(0, 18), after(24, -5)], 0),
        ([after(0, -5), after(24, 18)], 18),
        ([], 0),
    ],
)
def test_the_latest_value_goes_by_event_time_and_then_by_order(
    events: list[tuple[datetime, Decimal]], value: int
) -> None:
    assert latest(events) == value


def test_the_latest_value_is_right_in_the_hour_that_comes_twice() -> None:
    before = datetime(2024, 10, 27, 2, 50, tzinfo=ZoneInfo("Europe/Berlin"))
    events = [(before.replace(minute=10, fold=1), Decimal(2)), (before, Decimal(1))]
    assert latest(events) == 2


@pytest.mark.parametrize(
    ("events", "initial", "level"),
    [
        (MORNING, "0", "0.02218"),
        (MORNING, "1000", "1000.02218"),
        ([], "0", "0"),
        ([], "1000", "1000"),
        ([after(0, 3), after(0, 3)], "0", "6"),
        ([after(-24 * 40, 7)], "0", "7"),
        ([after(24 * 31, 7)], "1", "1"),
        ([after(24 * 15.5, 7)], "1", "4.5"),
    ],
)
def test_a_weighted_sum_is_the_mean_level_over_the_period(
    events: list[tuple[datetime, Decimal]], initial: str, level: str
) -> None:
    assert round_quantity(weighted_sum(events, START, END, Decimal(initial)), "round", 5) == Decimal(level)


def test_a_weighted_sum_counts_the_seconds_of_a_day_that_has_23_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, noon = datetime(2024, 3, 31, tzinfo=berlin), datetime(2024, 3, 31, 12, tzinfo=berlin)
    level = weighted_sum([(noon, Decimal(23))], start, datetime(2024, 4, 1, tzinfo=berlin))
    assert level == 12


def test_a_weighted_sum_is_exact_to_the_microsecond() -> None:
    moments = [START + timedelta(microseconds=after) for after in (1, 3)]
    assert weighted_sum([(moments[0], Decimal(3))], START, moments[1]) == 2


@given(changes, values, st.integers(1, 30))
def test_the_weighted_sums_of_parts_average_to_that_of_the_whole(
    drawn: list[tuple[datetime, Decimal]], initial: Decimal, days: int
) -> None:
    cut = START + timedelta(days=days)
    first, second = weighted_sum(drawn, START, cut, initial), weighted_sum(drawn, cut, END, initial)
    with localcontext(prec=60):
        average = (first * days + second * (31 - days)) / 31
        assert abs(average - weighted_sum(drawn, START, END, initial)) < Decimal("1e-30")


@given(changes, values, st.integers(1, 30))
def test_a_change_before_the_start_is_the_same_as_a_level_carried_in(
    drawn: list[tuple[datetime, Decimal]], initial: Decimal, days: int
) -> None:
    cut = START + timedelta(days=days)
    carried = total((change for at, change in drawn if at < cut), initial)
    within = [(at, change) for at, change in drawn if at >= cut]
    assert weighted_sum(within, cut, END, carried) == weighted_sum(drawn, cut, END, initial)


@given(changes, st.randoms())
def test_the_order_of_changes_does_not_matter(drawn: list[tuple[datetime, Decimal]], random: Random) -> None:
    shuffled = random.sample(drawn, len(drawn))
    assert weighted_sum(shuffled, START, END) == weighted_sum(drawn, START, END)


@pytest.mark.parametrize("end", [START, START - timedelta(days=1)])
def test_a_weighted_sum_needs_a_period(end: datetime) -> None:
    with pytest.raises(ValueError, match="is empty"):
        weighted_sum([], START, end)


def test_a_naive_time_is_refused() -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(ValueError, match="2023-08-01 00:00:00 has no time zone"):
        latest([(naive, ZERO)])
    with pytest.raises(ValueError, match="has no time zone"):
        weighted_sum([(naive, ZERO)], START, END)
    with pytest.raises(ValueError, match="has no time zone"):
        weighted_sum([], naive, END)


@pytest.mark.parametrize(
    ("first", "last", "active"), [(26, None, 6), (1, None, 31), (31, None, 1), (2, 30, 29), (5, 5, 1), (1, 15, 15)]
)
def test_the_days_of_both_events_count_in_full(first: int, last: int | None, active: int) -> None:
    assert days_active(first, 31, last) == active


@pytest.mark.parametrize(("first", "last"), [(0, None), (32, None), (5, 4), (5, 32)])
def test_days_outside_of_the_period_are_refused(first: int, last: int | None) -> None:
    with pytest.raises(ValueError, match="do not lie in order within a period of 31 days"):
        days_active(first, 31, last)


def test_a_prorated_sum_adds_values_by_their_days_to_what_was_carried() -> None:
    prorated = prorated_sum(Decimal(5), [(Decimal(12), days_active(26, 31))] * 2, 31)
    assert round_quantity(prorated, "ceil", 5) == Decimal("9.64517")


@pytest.mark.parametrize(
    ("active", "units"),
    [([31, 21], "1.67742"), ([15], "0.48388"), ([29], "0.93549"), ([31, 0], "1"), ([1, 1, 1], "0.09678"), ([], "0")],
)
def test_a_prorated_unique_count_adds_up_parts_of_the_period(active: list[int], units: str) -> None:
    assert round_quantity(prorated_unique_count(active, 31), "ceil", 5) == Decimal(units)


@given(st.integers(1, 31))
def test_days_that_fill_the_period_are_exactly_one_unit(days: int) -> None:
    assert prorated_unique_count([1] * days, days) == 1


@pytest.mark.parametrize("days", [-1, 32])
def test_active_days_fit_into_the_period(days: int) -> None:
    with pytest.raises(ValueError, match=f"{days} active days do not fit into a period of 31 days"):
        prorated_sum(ZERO, [(Decimal(1), days)], 31)
    with pytest.raises(ValueError, match="do not fit"):
        prorated_unique_count([days], 31)


@pytest.mark.parametrize("period_days", [0, -1])
def test_a_period_without_days_has_no_parts(period_days: int) -> None:
    with pytest.raises(ValueError, match=f"a period of {period_days} days has no parts"):
        prorated_sum(ZERO, [], period_days)


@pytest.mark.parametrize(
    ("quantity", "how", "precision", "rounded"),
    [
        ("123.456", "round", -2, "100"),
        ("123.456", "ceil", 2, "123.46"),
        ("123.456", "ceil", 0, "124"),
        ("123.456", "ceil", -2, "200"),
        ("123.456", "floor", 2, "123.45"),
        ("123.456", "floor", -2, "100"),
        ("150", "round", -2, "200"),
        ("0.5", "round", 0, "1"),
        ("2.5", "round", 0, "3"),
        ("-0.5", "round", 0, "-1"),
        ("-1.5", "ceil", 0, "-1"),
        ("-1.5", "floor", 0, "-2"),
        ("-0.4", "ceil", 0, "0"),
        ("49", "floor", -2, "0"),
    ],
)
def test_quantities_are_rounded_half_up_or_towards_an_infinity(
    quantity: str, how: Rounding, precision: int, rounded: str
) -> None:
    assert str(round_quantity(Decimal(quantity), how, precision)) == rounded


def test_an_unknown_way_to_round_is_refused() -> None:
    with pytest.raises(ValueError, match="'bankers' is no way to round; use one of round, ceil, floor"):
        round_quantity(ZERO, "bankers", 0)  # type: ignore[arg-type]


@pytest.mark.parametrize(("quantity", "billed"), [("-3", "0"), ("0", "0"), ("2.5", "2.5")])
def test_a_negative_period_is_billed_as_nothing(quantity: str, billed: str) -> None:
    assert billable(Decimal(quantity)) == Decimal(billed)
