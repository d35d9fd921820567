from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.money import round_money
from ml.rating.proration import (
    Convention,
    PlanChange,
    capped_credit,
    cycles,
    days_30_360,
    local_days,
    plan_change,
    prorated,
    share_of_period,
)

CONVENTIONS: tuple[Convention, ...] = get_args(Convention)
HALF_OF_MARCH = Fraction(17, 31)

days = st.dates(date(2019, 1, 1), date(2030, 12, 31))
conventions = st.sampled_from(CONVENTIONS)
amounts = st.decimals(0, 10**9, places=10)


@st.composite
def cut_periods(draw: st.DrawFn) -> list[date]:
    start = draw(days)
    length = draw(st.integers(2, 400))
    cuts = draw(st.lists(st.integers(0, length), max_size=5))
    return [start + timedelta(days=day) for day in sorted([0, length, *cuts])]


def day(text: str) -> date:
    return date.fromisoformat(text)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def shares(convention: Convention, cuts: list[date]) -> list[Fraction]:
    return [share_of_period(convention, start, end, cuts[0], cuts[-1]) for start, end in pairwise(cuts)]


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2023-02-23", "2023-03-15", 22),
        ("2024-02-23", "2024-03-15", 22),
        ("2023-05-23", "2023-06-15", 22),
        ("2023-05-15", "2023-05-23", 8),
        ("2023-02-01", "2023-03-01", 30),
        ("2024-02-28", "2024-03-01", 3),
        ("2023-01-31", "2023-02-28", 28),
        ("2023-03-30", "2023-03-31", 0),
        ("2023-03-15", "2023-03-31", 15),
        ("2023-03-31", "2023-04-01", 1),
        ("2023-01-01", "2024-01-01", 360),
        ("2023-05-15", "2023-05-15", 0),
    ],
)
def test_every_month_has_30_days_under_30_360(start: str, end: str, count: int) -> None:
    assert days_30_360(day(start), day(end)) == count


@pytest.mark.parametrize(
    ("convention", "start", "end", "share"),
    [
        ("calendar_days_inclusive", "2024-01-15", "2024-02-01", Fraction(17, 31)),
        ("days_in_cycle", "2024-01-31", "2024-02-01", Fraction(1, 31)),
        ("30/360", "2024-01-15", "2024-02-01", Fraction(16, 30)),
        ("30/360", "2024-01-31", "2024-02-01", Fraction(1, 30)),
        ("30/360", "2024-01-01", "2024-02-01", Fraction(1)),
    ],
)
def test_a_part_of_january_is_counted_by_its_convention(
    convention: Convention, start: str, end: str, share: Fraction
) -> None:
    assert share_of_period(convention, day(start), day(end), day("2024-01-01"), day("2024-02-01")) == share


@pytest.mark.parametrize("billing_day", range(1, 29))
def test_each_cycle_has_30_days_under_30_360(billing_day: int) -> None:
    starts = [date(2023 + month // 12, month % 12 + 1, billing_day) for month in range(24)]
    assert {days_30_360(start, end) for start, end in pairwise(starts)} == {30}


@given(conventions, cut_periods())
def test_the_parts_of_a_period_add_up_to_exactly_one(convention: Convention, cuts: list[date]) -> None:
    parts = shares(convention, cuts)
    assert sum(parts) == 1
    assert min(parts) >= 0


@given(conventions, st.integers(2019, 2030), st.integers(1, 12))
def test_the_days_of_a_month_add_up_to_exactly_one(convention: Convention, year: int, month: int) -> None:
    end = date(year + month // 12, month % 12 + 1, 1)
    length = (end - date(year, month, 1)).days
    assert sum(shares(convention, [end - timedelta(days=left) for left in range(length, -1, -1)])) == 1


@given(conventions, cut_periods(), amounts)
def test_the_prorated_amounts_add_up_to_the_whole(convention: Convention, cuts: list[date], amount: Decimal) -> None:
    with localcontext(prec=60):
        parts = sum(prorated(amount, share) for share in shares(convention, cuts))
        assert abs(parts - amount) < Decimal("1e-40")


def test_an_amount_is_multiplied_before_it_is_divided() -> None:
    third = prorated(Decimal("0.03"), Fraction(1, 6))
    assert third == Decimal("0.005")
    assert round_money(third, "EUR") == Decimal("0.01")


def test_proration_does_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext(prec=3):
        assert prorated(Decimal("123456.78"), Fraction(1, 2)) == Decimal("61728.39")
        change = plan_change(Decimal("123456.78"), Decimal("100000.01"), Fraction(1), "EUR")
        assert str(change.credit) == "-123456.78"
        assert str(change.net) == "-23456.77"


@pytest.mark.parametrize(
    ("start", "end"), [("2023-12-31", "2024-01-05"), ("2024-01-05", "2024-02-02"), ("2024-01-05", "2024-01-04")]
)
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_span_that_is_no_part_of_the_period_is_refused(convention: Convention, start: str, end: str) -> None:
    with pytest.raises(ValueError, match="is no part of the period"):
        share_of_period(convention, day(start), day(end), day("2024-01-01"), day("2024-02-01"))


def test_a_period_without_days_has_no_parts() -> None:
    with pytest.raises(ValueError, match="has no days under 30/360"):
        share_of_period("30/360", day("2024-01-30"), day("2024-01-31"), day("2024-01-30"), day("2024-01-31"))


def test_an_unknown_convention_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match="'actual/365' is no convention; use one of calendar_days_inclusive, 30/360, d"
    ):
        share_of_period("actual/365", *[day("2024-01-01")] * 4)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "billing_day", "count"),
    [
        ("2011-01-01", "2011-02-27", 15, Fraction(14, 31) + 1 + Fraction(12, 28)),
        ("2012-02-01", "2012-02-15", 1, Fraction(14, 29)),
        ("2011-02-07", "2011-02-15", 7, Fraction(8, 28)),
        ("2023-01-31", "2023-02-28", 31, Fraction(1)),
        ("2023-02-28", "2023-03-31", 31, Fraction(1)),
        ("2023-02-27", "2023-03-01", 31, Fraction(1, 28) + Fraction(1, 31)),
        ("2024-02-28", "2024-02-29", 30, Fraction(1, 30)),
        ("2023-12-31", "2024-12-31", 31, Fraction(12)),
        ("2023-05-15", "2023-05-15", 15, Fraction(0)),
    ],
)
def test_a_part_of_a_cycle_counts_by_the_days_of_that_cycle(
    start: str, end: str, billing_day: int, count: Fraction
) -> None:
    assert cycles(day(start), day(end), billing_day) == count


@given(st.lists(days, min_size=3, max_size=3).map(sorted), st.integers(1, 31))
def test_cycles_add_up_wherever_a_span_is_cut(cuts: list[date], billing_day: int) -> None:
    start, cut, end = cuts
    assert cycles(start, cut, billing_day) + cycles(cut, end, billing_day) == cycles(start, end, billing_day)


@pytest.mark.parametrize("billing_day", [0, 32, -1])
def test_a_billing_day_that_no_month_has_is_refused(billing_day: int) -> None:
    with pytest.raises(ValueError, match=f"billing day {billing_day} is no day of a month"):
        cycles(day("2024-01-01"), day("2024-02-01"), billing_day)


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    start, end = day("2024-01-02"), day("2024-01-01")
    with pytest.raises(ValueError, match=r"ends \(2024-01-01\) before it starts \(2024-01-02\)"):
        days_30_360(start, end)
    with pytest.raises(ValueError, match="before it starts"):
        cycles(start, end, 1)
    with pytest.raises(ValueError, match="before it starts"):
        local_days(instant("2024-01-01T02:00Z"), instant("2024-01-01T01:00Z"), "UTC")


@pytest.mark.parametrize(
    ("zone", "start", "end", "count"),
    [
        ("Asia/Tokyo", "2024-07-15T12:30Z", "2024-07-16T08:15Z", 1),
        ("Europe/Paris", "2024-12-30T00:00Z", "2025-01-02T00:00Z", 3),
        ("Australia/Sydney", "2024-04-06T00:00Z", "2024-04-08T00:00Z", 2),
        ("America/New_York", "2024-03-10T05:00Z", "2024-03-11T04:00Z", 1),
        ("America/New_York", "2024-11-03T04:00Z", "2024-11-04T04:59Z", 0),
        ("Europe/Berlin", "2024-05-01T08:00Z", "2024-05-01T17:00Z", 0),
        ("Europe/Berlin", "2024-05-01T21:59Z", "2024-05-01T22:00Z", 1),
    ],
)
def test_local_days_are_dates_and_not_blocks_of_24_hours(zone: str, start: str, end: str, count: int) -> None:
    assert local_days(instant(start), instant(end), zone) == count


def test_an_hour_that_comes_twice_keeps_its_order() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2024, 10, 27, 2, 50, tzinfo=berlin)
    second = datetime(2024, 10, 27, 2, 10, fold=1, tzinfo=berlin)
    assert local_days(first, second, "Europe/Berlin") == 0


@pytest.mark.parametrize("naive", ["start", "end"])
def test_local_days_need_a_time_zone(naive: str) -> None:
    span = {"start": datetime(2024, 5, 1, tzinfo=UTC), "end": datetime(2024, 5, 2, tzinfo=UTC)}
    span[naive] = span[naive].replace(tzinfo=None)
    with pytest.raises(ValueError, match=f"{span[naive]} has no time zone"):
        local_days(span["start"], span["end"], "UTC")


@pytest.mark.parametrize(
    ("old", "new", "credit", "charge", "net"),
    [
        ("10", "20", "-5.48", "10.97", "5.49"),
        ("50", "100", "-27.42", "54.84", "27.42"),
        ("0", "25", "0.00", "13.71", "13.71"),
        ("40", "0", "-21.94", "0.00", "-21.94"),
        ("100", "30", "-54.84", "16.45", "-38.39"),
    ],
)
def test_each_line_of_a_change_is_rounded_before_the_net_is_summed(
    old: str, new: str, credit: str, charge: str, net: str
) -> None:
    change = plan_change(Decimal(old), Decimal(new), HALF_OF_MARCH, "USD")
    assert [str(change.credit), str(change.charge), str(change.net)] == [credit, charge, net]


def test_a_change_is_rounded_to_the_coins_of_its_currency() -> None:
    change = plan_change(Decimal(1000), Decimal(2000), HALF_OF_MARCH, "JPY")
    assert change == PlanChange(credit=Decimal(-548), charge=Decimal(1097))


def test_the_change_day_belongs_to_the_new_plan() -> None:
    period = day("2024-03-01"), day("2024-04-01")
    share = share_of_period("calendar_days_inclusive", day("2024-03-15"), period[1], *period)
    assert share == HALF_OF_MARCH
    assert plan_change(Decimal(10), Decimal(20), share, "USD").charge == Decimal("10.97")


@pytest.mark.parametrize(("credited", "credit"), [("0", "-54.84"), ("50", "-50.00"), ("99.99", "-0.01"), ("120", "0")])
def test_a_change_never_gives_back_more_than_is_left_of_what_was_paid(credited: str, credit: str) -> None:
    change = plan_change(
        Decimal(100), Decimal(30), HALF_OF_MARCH, "USD", paid=Decimal("100.00"), credited=Decimal(credited)
    )
    assert str(change.credit) == credit
    assert change.charge == Decimal("16.45")


@pytest.mark.parametrize(
    ("potential", "paid", "previous", "amount"),
    [("100", "200", "50", "100"), ("100", "200", "180", "20"), ("100", "200", "200", "0"), ("-50", "200", "50", "0")],
)
def test_a_credit_is_capped_and_never_negative(potential: str, paid: str, previous: str, amount: str) -> None:
    assert capped_credit(Decimal(potential), Decimal(paid), Decimal(previous)) == Decimal(amount)


@given(amounts, amounts, st.fractions(0, 1), st.sampled_from(["EUR", "JPY", "KWD"]))
def test_the_lines_of_a_change_have_their_signs_and_add_up(
    old: Decimal, new: Decimal, share: Fraction, currency: str
) -> None:
    change = plan_change(old, new, share, currency)
    assert change.credit <= 0 <= change.charge
    assert change.net == change.credit + change.charge == round_money(change.net, currency)


@pytest.mark.parametrize(
    ("old", "new", "share", "credited", "problem"),
    [
        (-1, 2, HALF_OF_MARCH, 0, "not negative"),
        (1, -2, HALF_OF_MARCH, 0, "not negative"),
        (1, 2, Fraction(32, 31), 0, "share 32/31 of the period does not lie between 0 and 1"),
        (1, 2, Fraction(-1, 31), 0, "does not lie between"),
        (1, 2, HALF_OF_MARCH, 5, "5 was credited before, but what was paid is not given"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    old: int, new: int, share: Fraction, credited: int, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        plan_change(Decimal(old), Decimal(new), share, "EUR", credited=Decimal(credited))
