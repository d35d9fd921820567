from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.rating.credit_terms import AutoRecharge, Every, Mode, Settlement, recharge_due, recurring_grants, settle
from ml.rating.credits import (
    BurnDown,
    Debit,
    Grant,
    burn_down,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 30
END = START + timedelta(days=DAYS)
ZERO = Decimal(0)


def on(day: float) -> datetime:
    return START + timedelta(days=day)


def grant(grant_id: str = "g", amount: int | str = 100, **overrides: Any) -> Grant:
    terms: dict[str, Any] = {"priority": 1, "kind": "paid", "effective_at": START, "expires_at": None}
    return Grant(grant_id=grant_id, amount=Decimal(amount), **terms | overrides)


def debits(*used: tuple[float, int | str]) -> list[Debit]:
    return [Debit(on(day), Decimal(amount)) for day, amount in used]


def left(burn: BurnDown) -> dict[str, int]:
    return {grant_id: int(balance) for grant_id, balance in burn.balance.items()}


moments = st.integers(0, DAYS + 5).map(on)
credit_amounts = st.decimals("0.01", 100, places=2)


@st.composite
def grants_of(draw: st.DrawFn, grant_id: str) -> Grant:
    effective = draw(moments)
    lasts = draw(st.none() | st.integers(1, DAYS))
    return grant(
        grant_id,
        draw(credit_amounts.map(str)),
        priority=draw(st.integers(1, 3)),
        effective_at=effective,
        expires_at=None if lasts is None else effective + timedelta(days=lasts),
        voided_at=draw(st.none() | moments),
    )


@st.composite
def wallets(draw: st.DrawFn) -> list[Grant]:
    return [draw(grants_of(f"g{index}")) for index in range(draw(st.integers(0, 5)))]


usages = st.lists(st.builds(Debit, moments, credit_amounts), max_size=10)


def summed(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"priority": 1}, {"priority": 2}),
        ({"priority": 1, "expires_at": None}, {"priority": 2, "expires_at": on(2)}),
        ({"expires_at": on(10)}, {"expires_at": on(20)}),
        ({"expires_at": on(10)}, {"expires_at": None}),
        ({"expires_at": on(10), "effective_at": on(0.5)}, {"expires_at": on(20)}),
        ({"effective_at": START}, {"effective_at": on(0.5)}),
        ({"kind": "paid"}, {"kind": "promotional"}),
        ({"kind": "promotional"}, {"kind": "paid"}),
    ],
)
def test_grants_burn_by_priority_then_expiry_then_age_then_id(first: dict[str, Any], second: dict[str, Any]) -> None:
    wallet = [grant("b", **second), grant("a", **first)]
    burn = burn_down(wallet, debits((1, 120)), on(1.5))
    assert left(burn) == {"a": 0, "b": 80}
    assert burn.overage == 0


def test_age_counts_before_the_id() -> None:
    wallet = [grant("a", effective_at=on(0.5)), grant("b")]
    assert left(burn_down(wallet, debits((1, 120)), END)) == {"a": 80, "b": 0}


def test_usage_without_grants_is_overage() -> None:
    burn = burn_down([], debits((1, 50)), END)
    assert (burn.overage, burn.balance, burn.total_balance) == (50, {}, 0)


def test_a_grant_burns_from_its_effective_instant_on() -> None:
    burn = burn_down([grant(effective_at=on(2))], debits((1, 10), (2, 20), (3, 30)), END)
    assert left(burn) == {"g": 50}
    assert [amount for _, amount in burn.uncovered] == [10, 0, 0]


def test_a_grant_does_not_burn_at_the_instant_of_its_expiry() -> None:
    just_before = on(2) - timedelta(microseconds=1)
    used = [Debit(just_before, Decimal(30)), Debit(on(2), Decimal(20))]
    burn = burn_down([grant(expires_at=on(2))], used, END)
    assert (burn.burned["g"], burn.expired["g"], burn.voided["g"], burn.overage) == (30, 70, 0, 20)


def test_the_rest_of_a_voided_grant_is_lost_and_later_usage_is_overage() -> None:
    burn = burn_down([grant(voided_at=on(2))], debits((1, 50), (2, 50)), END)
    assert left(burn) == {"g": 0}
    assert (burn.voided["g"], burn.expired["g"], burn.overage) == (50, 0, 50)


def test_what_comes_first_takes_the_rest_of_a_grant() -> None:
    wallet = [
        grant("expired", voided_at=on(3), expires_at=on(2)),
        grant("voided", voided_at=on(2), expires_at=on(3)),
        grant("both", voided_at=on(2), expires_at=on(2)),
    ]
    burn = burn_down(wallet, [], END)
    assert burn.expired == {"expired": 100, "voided": 0, "both": 100}
    assert burn.voided == {"expired": 0, "voided": 100, "both": 0}


def test_a_grant_that_is_voided_beforehand_never_burns() -> None:
    burn = burn_down([grant(effective_at=on(2), voided_at=on(1))], debits((2, 5)), END)
    assert (burn.granted["g"], burn.voided["g"], burn.overage) == (100, 100, 5)


def test_a_grant_of_the_future_is_not_granted_yet() -> None:
    burn = burn_down([grant(effective_at=on(2))], [], on(2) - timedelta(seconds=1))
    assert (burn.granted["g"], burn.balance["g"], burn.total_balance) == (0, 0, 0)


def test_the_state_at_an_instant_knows_its_grants_but_not_yet_its_usage() -> None:
    wallet = [grant("new", effective_at=on(2)), grant("old", expires_at=on(2))]
    burn = burn_down(wallet, debits((1, 10), (2, 20), (3, 40)), on(2))
    assert left(burn) == {"new": 100, "old": 0}
    assert (burn.burned["old"], burn.expired["old"]) == (10, 90)
    assert [debit.at for debit, _ in burn.uncovered] == [on(1)]


def test_the_timeline_holds_the_balance_from_each_instant_on() -> None:
    wallet = [grant("a", 100, expires_at=on(4)), grant("b", 30, effective_at=on(2))]
    burn = burn_down(wallet, debits((3, 20), (1, 50), (3, 5), (5, 40)), on(6))
    balances = [(0, 100), (1, 50), (2, 80), (3, 55), (4, 30), (5, 0), (6, 0)]
    assert burn.timeline == tuple((on(day), Decimal(balance)) for day, balance in balances)


def test_overage_is_told_for_each_debit_in_order_of_time() -> None:
    burn = burn_down([grant(amount=60)], debits((3, 20), (1, 50), (2, 30)), END)
    assert [(debit.at, amount) for debit, amount in burn.uncovered] == [(on(1), 0), (on(2), 20), (on(3), 20)]
    assert burn.overage == 40


def test_usage_of_one_instant_burns_in_the_order_given() -> None:
    burn = burn_down([grant(amount=60)], debits((1, 50), (1, 30)), END)
    assert [amount for _, amount in burn.uncovered] == [0, 20]


def test_instants_are_ordered_by_time_and_not_by_the_clock_on_the_wall() -> None:
    once = datetime(2026, 10, 25, 2, 50, tzinfo=ZoneInfo("Europe/Berlin"))
    again = once.replace(minute=10, fold=1)
    burn = burn_down([grant(expires_at=again)], [Debit(once, Decimal(40))], again + timedelta(days=1))
    assert (burn.burned["g"], burn.expired["g"]) == (40, 60)
    with pytest.raises(ValueError, match="is not after effective_at"):
        grant(effective_at=again, expires_at=once)


def test_credits_do_not_depend_on_the_callers_decimal_context() -> None:
    with localcontext(prec=3):
        burn = burn_down([grant(amount="123456.789")], debits((1, "0.001"), (2, "200000.001")), END)
        assert burn.burned["g"] == Decimal("123456.789")
        assert burn.overage == Decimal("76543.213")


@given(wallets(), usages, moments)
def test_credits_are_conserved_and_never_below_zero(wallet: list[Grant], used: list[Debit], until: datetime) -> None:
    burn = burn_down(wallet, used, until)
    for each in wallet:
        key = each.grant_id
        kept = [burn.balance[key], burn.burned[key], burn.expired[key], burn.voided[key]]
        assert burn.granted[key] == sum(kept) == (each.amount if each.effective_at <= until else 0)
        assert min(kept) >= 0
    assert burn.timeline[-1] == (until, summed(burn.balance.values()))
    assert min(balance for _, balance in burn.timeline) >= 0
    assert [at for at, _ in burn.timeline] == sorted({at for at, _ in burn.timeline})


@given(wallets(), usages, moments)
def test_all_usage_is_either_burned_or_overage(wallet: list[Grant], used: list[Debit], until: datetime) -> None:
    burn = burn_down(wallet, used, until)
    due = summed(debit.amount for debit in used if debit.at < until)
    assert summed(burn.burned.values()) + burn.overage == due
    assert all(0 <= amount <= debit.amount for debit, amount in burn.uncovered)


@given(wallets(), grants_of("more"), usages)
def test_more_credits_never_give_more_overage(wallet: list[Grant], more: Grant, used: list[Debit]) -> None:
    assert burn_down([*wallet, more], used, END).overage <= burn_down(wallet, used, END).overage


@given(wallets(), usages, moments, moments)
def test_burning_in_two_steps_equals_burning_at_once(
    wallet: list[Grant], used: list[Debit], one: datetime, other: datetime
) -> None:
    cut, until = sorted([one, other])
    whole = burn_down(wallet, used, until)
    known = [each for each in wallet if each.effective_at <= cut]
    first = burn_down(known, [debit for debit in used if debit.at < cut], cut)
    second = burn_down(wallet, [debit for debit in used if debit.at >= cut], until, after=first)
    for field in ("until", "granted", "balance", "burned", "expired", "voided"):
        assert getattr(second, field) == getattr(whole, field)
    assert first.uncovered + second.uncovered == whole.uncovered
    assert second.timeline[0][0] >= cut
    assert dict(whole.timeline).items() <= (dict(first.timeline) | dict(second.timeline)).items()


@given(wallets(), usages, st.randoms())
def test_the_order_of_grants_does_not_matter(wallet: list[Grant], used: list[Debit], random: Any) -> None:
    shuffled = random.sample(wallet, len(wallet))
    assert burn_down(shuffled, used, END) == burn_down(wallet, used, END)


def test_a_grant_may_be_voided_after_it_burned_in_an_earlier_step() -> None:
    first = burn_down([grant()], debits((1, 30)), on(2))
    second = burn_down([grant(voided_at=on(2))], debits((3, 5)), END, after=first)
    assert (second.burned["g"], second.voided["g"], second.overage) == (30, 70, 5)


@pytest.mark.parametrize(
    ("wallet", "used", "until", "problem"),
    [
        ([grant("a")], [(2.5, 1)], on(2), "2026-01-03 00:00:00.* lie before 2026-01-04 .*, the state to go on from"),
        ([grant("a")], [(5, 1), (1, 1)], END, "2026-01-02 00:00:00.* lie before"),
        ([], [], END, "'a' burned 30 before, but grants 0"),
        ([grant("a", 29)], [], END, "'a' burned 30 before, but grants 29"),
        ([grant("a", effective_at=on(40))], [], END, "'a' burned 30 before, but grants 0"),
    ],
)
def test_a_step_that_does_not_follow_the_state_is_refused(
    wallet: list[Grant], used: list[tuple[float, int]], until: datetime, problem: str
) -> None:
    first = burn_down([grant("a")], debits((1, 30)), on(3))
    with pytest.raises(ValueError, match=problem):
        burn_down(wallet, debits(*used), until, after=first)


def test_a_grant_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="grants are there more than once: a, c"):
        burn_down([grant("c"), grant("a"), grant("b"), grant("a"), grant("c")], [], END)


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"amount": "0"}, "grant 'g': amount 0 is not above 0"),
        ({"amount": "-5"}, "amount -5 is not above 0"),
        ({"amount": "NaN"}, "amount NaN is not above 0"),
        ({"effective_at": START.replace(tzinfo=None)}, "effective_at 2026-01-01 00:00:00 has no time zone"),
        ({"expires_at": END.replace(tzinfo=None)}, "expires_at .* has no time zone"),
        ({"voided_at": END.replace(tzinfo=None)}, "voided_at .* has no time zone"),
        ({"amount": "0", "voided_at": END.replace(tzinfo=None)}, "amount 0 is not above 0; voided_at .* has no time"),
        ({"expires_at": START}, "expires_at .* is not after effective_at"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(overrides: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        grant(**overrides)


def test_a_debit_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="debit: amount 0 is not above 0; at 2026-01-01 00:00:00 has no time zone"):
        Debit(START.replace(tzinfo=None), ZERO)
    with pytest.raises(ValueError, match=r"until .* has no time zone"):
        burn_down([], [], END.replace(tzinfo=None))


def test_ten_thousand_debits_burn_a_thousand_grants_and_nothing_is_lost() -> None:
    wallet = [
        grant(f"g{index}", 9, effective_at=on(index / 50), expires_at=on(index / 50 + 9), priority=index % 3)
        for index in range(1000)
    ]
    found = burn_down(wallet, debits(*((index / 400, 1) for index in range(10_000))), END)
    parts = (found.balance, found.burned, found.expired, found.voided)
    assert sum(sum(part.values()) for part in parts) == 9 * 1000
    assert sum(found.burned.values()) + found.overage == 10_000


@pytest.mark.parametrize(
    ("first_day", "every", "expected"),
    [
        (
            "2025-12-31",
            "month",
            ["2025-12 12-31 01-31", "2026-01 01-31 02-28", "2026-02 02-28 03-31"],
        ),
        ("2025-12-22", "week", ["2025-W52 12-22 12-29", "2026-W01 12-29 01-05", "2026-W02 01-05 01-12"]),
        ("2024-02-29", "year", ["2024 02-29 02-28", "2025 02-28 02-28", "2026 02-28 02-28"]),
    ],
)
def test_a_grant_recurs_on_its_day_or_the_last_of_a_short_month(
    first_day: str, every: Every, expected: list[str]
) -> None:
    first = grant("plan", effective_at=datetime.fromisoformat(first_day).replace(tzinfo=UTC))
    until = datetime(2026, 1, 12, tzinfo=UTC) if every == "week" else datetime(2026, 3, 1, tzinfo=UTC)
    grants = recurring_grants(first, every, until, expires_after_one_period=True)
    assert [f"{each.grant_id} {each.effective_at:%m-%d} {each.expires_at:%m-%d}" for each in grants] == [
        f"plan:{line}" for line in expected
    ]


def test_a_recurring_grant_keeps_its_local_time_through_a_change_of_the_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = grant(effective_at=datetime(2026, 3, 1, tzinfo=berlin))
    march, april = recurring_grants(first, "month", datetime(2026, 5, 1, tzinfo=berlin), expires_after_one_period=True)
    assert march.expires_at == april.effective_at == datetime(2026, 3, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(("lasts", "expiries"), [(None, [None, None]), (10, [on(10), on(41)])])
def test_a_recurring_grant_lasts_as_long_as_the_first_one(lasts: int | None, expiries: list[datetime | None]) -> None:
    first = grant(expires_at=None if lasts is None else on(lasts))
    grants = recurring_grants(first, "month", on(59), expires_after_one_period=False)
    assert [each.expires_at for each in grants] == expiries


def test_recurring_grants_stop_before_the_end_of_a_half_open_window() -> None:
    assert recurring_grants(grant(), "month", START, expires_after_one_period=True) == []
    (only,) = recurring_grants(grant(kind="promotional"), "month", on(31), expires_after_one_period=True)
    assert only == grant("g:2026-01", kind="promotional", expires_at=on(31))


def test_recurring_grants_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"until .* has no time zone"):
        recurring_grants(grant(), "month", END.replace(tzinfo=None), expires_after_one_period=True)
    with pytest.raises(ValueError, match="'g' is voided; void single grants"):
        recurring_grants(grant(voided_at=END), "month", END, expires_after_one_period=True)


@pytest.mark.parametrize(
    ("balance", "recharged", "limit", "due"),
    [
        ("10.01", 0, None, None),
        ("10", 0, None, 50),
        ("0", 99, None, 50),
        ("0", 1, 2, 50),
        ("0", 2, 2, None),
        ("0", 0, 0, None),
    ],
)
def test_a_recharge_is_due_at_the_threshold_until_the_months_limit(
    balance: str, recharged: int, limit: int | None, due: int | None
) -> None:
    rule = AutoRecharge(threshold=Decimal(10), amount=Decimal(50), max_per_month=limit)
    assert recharge_due(rule, Decimal(balance), recharged) == due


@pytest.mark.parametrize(
    ("threshold", "amount", "problem"), [(10, 0, "amount 0 is not above 0"), (-1, 5, "threshold -1 is never reached")]
)
def test_a_recharge_that_makes_no_sense_is_refused(threshold: int, amount: int, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        AutoRecharge(Decimal(threshold), Decimal(amount))


@pytest.mark.parametrize(
    ("mode", "settlement"),
    [("pay_as_you_go", Settlement(Decimal(20), ZERO)), ("prepaid", Settlement(ZERO, Decimal(20)))],
)
def test_pay_as_you_go_bills_the_overage_and_prepaid_refuses_it(mode: Mode, settlement: Settlement) -> None:
    assert settle(mode, burn_down([grant()], debits((1, 120)), END)) == settlement
