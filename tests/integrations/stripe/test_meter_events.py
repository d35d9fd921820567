from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.stripe.meter_events import plan_meter_events

DAY = date(2026, 11, 10)


def rated(quantity, **overrides):
    row = {
        "company_id": 1,
        "company_key": "acme",
        "meter": "calls",
        "usage_date": DAY,
        "quantity": quantity,
        "time_zone": "Europe/Berlin",
        "stripe_customer_id": "cus_1",
    }
    return row | overrides


def planned(quantity, seq=1, state="accepted", **overrides):
    row = {"company_id": 1, "meter": "calls", "usage_date": DAY, "seq": seq, "quantity": quantity, "state": state}
    return row | overrides


def as_row(event, state="accepted"):
    return planned(
        event.quantity, event.seq, state, meter=event.meter, usage_date=event.usage_date, company_id=event.company_id
    )


def deltas(rated_rows, planned_rows=(), **options):
    return [(event.seq, event.quantity) for event in plan_meter_events(rated_rows, planned_rows, **options).events]


def test_the_first_event_carries_the_whole_day():
    (event,) = plan_meter_events([rated(1000)], []).events
    assert (event.company_id, event.meter, event.usage_date, event.seq, event.quantity) == (1, "calls", DAY, 1, 1000)
    assert (event.event_name, event.stripe_customer_id) == ("usage_calls", "cus_1")


@pytest.mark.parametrize(
    ("total", "rows", "expected"),
    [
        (1200, [planned(1000)], [(2, 200)]),
        (900, [planned(1000), planned(200, 2)], [(3, -300)]),
        (1200, [planned(1000), planned(200, 2)], []),
        (0, [], []),
        (0, [planned(1000)], [(2, -1000)]),
        (1000, [planned(1000, state="rejected")], [(2, 1000)]),
        (1000, [planned(1000, state="sending")], []),
        (1000, [planned(1000, state="verify")], []),
        (1000, [planned(600), planned(999, 2, "rejected")], [(3, 400)]),
        (1000, [planned(1000, usage_date=DAY - timedelta(days=1))], [(1, 1000)]),
        (1000, [planned(1000, meter="appointments")], [(1, 1000)]),
        (1000, [planned(1000, company_id=2)], [(1, 1000)]),
    ],
)
def test_the_delta_is_the_day_total_less_what_was_not_rejected(total, rows, expected):
    assert deltas([rated(total)], rows) == expected


def test_a_day_that_is_absent_is_left_alone():
    assert deltas([], [planned(1000)]) == []


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(["accepted", "sending", "dry_run", "rejected"])), max_size=12
    )
)
def test_whatever_happens_the_events_that_count_add_up_to_the_last_total(history):
    rows, keys = [], []
    for total, state in history:
        plan = plan_meter_events([rated(total)], rows)
        keys += [event.key for event in plan.events]
        rows += [as_row(event, state) for event in plan.events]
        if state != "rejected":
            assert sum(row["quantity"] for row in rows if row["state"] != "rejected") == total
            assert plan_meter_events([rated(total)], rows).events == []
    assert len(set(keys)) == len(keys)


def test_event_names_can_be_given_per_meter():
    plan = plan_meter_events([rated(1), rated(1, meter="appointments")], [], {"calls": "telephone"})
    assert [event.event_name for event in plan.events] == ["usage_appointments", "telephone"]


def test_events_come_by_date_company_and_meter():
    rows = [
        rated(1, usage_date=DAY - timedelta(days=back), company_id=c, company_key=str(c), meter=m)
        for m in "ba"
        for c in (2, 1)
        for back in (0, 1)
    ]
    order = [(event.usage_date, event.company_id, event.meter) for event in plan_meter_events(rows, []).events]
    assert order == sorted(order)
    assert len(order) == 8


@pytest.mark.parametrize(
    ("overrides", "options", "reason"),
    [
        ({"stripe_customer_id": None}, {}, "no Stripe customer"),
        ({"stripe_customer_id": ""}, {}, "no Stripe customer"),
        ({}, {"from_date": DAY + timedelta(days=1)}, "before the go-live date 2026-11-11"),
        ({}, {"today": DAY + timedelta(days=35)}, "more than 34 days before"),
    ],
)
def test_usage_that_cannot_be_sent_is_returned_with_the_reason(overrides, options, reason):
    plan = plan_meter_events([rated(5, **overrides)], [planned(2)], **options)
    (left,) = plan.unbillable
    assert plan.events == []
    assert (left.company_id, left.company_key, left.meter, left.usage_date, left.quantity) == (
        1,
        "acme",
        "calls",
        DAY,
        3,
    )
    assert reason in left.reason


@pytest.mark.parametrize("options", [{"from_date": DAY}, {"today": DAY + timedelta(days=34)}])
def test_the_first_live_day_and_the_last_day_in_time_are_billed(options):
    assert deltas([rated(5)], **options) == [(1, 5)]


def test_usage_that_is_settled_is_not_called_unbillable():
    assert plan_meter_events([rated(0, stripe_customer_id=None)], []).unbillable == []


def test_dates_may_come_as_midnights():
    midnight = datetime(2026, 11, 10)  # noqa: DTZ001
    assert deltas([rated(5, usage_date=midnight)], [planned(2)]) == [(2, 3)]


def test_missing_columns_of_a_row_are_named_all_at_once():
    with pytest.raises(ValueError, match="rated usage: a row lacks company_key, time_zone"):
        plan_meter_events([rated(1, company_key=None, time_zone=None)], [])
    with pytest.raises(ValueError, match="planned meter events: a row lacks seq, state"):
        plan_meter_events([], [planned(1, seq=None, state=None)])


def test_a_day_given_twice_is_refused_since_it_would_count_double():
    with pytest.raises(ValueError, match="company 1, meter calls, 2026-11-10 twice"):
        plan_meter_events([rated(1), rated(2)], [])


def test_two_companies_under_one_key_are_refused_since_stripe_would_drop_one():
    with pytest.raises(ValueError, match="share the key u1:calls"):
        plan_meter_events([rated(1), rated(1, company_id=2)], [])


def test_a_quantity_with_a_fraction_is_refused():
    with pytest.raises(TypeError, match="float"):
        plan_meter_events([rated(1.5)], [])
