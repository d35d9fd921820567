from datetime import date

import pytest

from integrations.messaging.planning import plan_notifications


def result(number=1, **overrides):
    row = {
        "key": f"day-7:company-{number}",
        "company_id": number,
        "company_key": f"company-{number}",
        "activated_on": date(2026, 11, 7),
        "due_on": date(2026, 11, 14),
        "locale": "de",
        "recipient": "a@b.invalid",
    }
    return row | overrides


def plan(results, already=(), go_live=None, kind="first_insights", **options):
    return plan_notifications(results, set(already), go_live, kind=kind, **options)


def test_planning_carries_company_locale_and_recipient():
    (planned,) = plan([result()])
    assert (planned.key, planned.kind, planned.company_id, planned.company_key) == (
        "day-7:company-1",
        "first_insights",
        1,
        "company-1",
    )
    assert (planned.locale, planned.recipient, planned.state, planned.reason) == ("de", "a@b.invalid", "planned", None)


def test_locale_and_recipient_may_be_unknown():
    (planned,) = plan([{name: value for name, value in result(recipient="").items() if name != "locale"}])
    assert (planned.locale, planned.recipient) == ("en", None)


def test_planning_again_plans_nothing():
    first = plan([result(1), result(2)])
    assert [planned.key for planned in first] == ["day-7:company-1", "day-7:company-2"]
    assert plan([result(1), result(2)], already={planned.key for planned in first}) == []


def test_a_company_gets_a_mail_for_each_of_its_results():
    second = result(key="week:2026-11-28:company-1")
    assert [planned.key for planned in plan([result(), second], kind="recommendation")] == [
        "day-7:company-1",
        "week:2026-11-28:company-1",
    ]
    (planned,) = plan([result(), second], already={"day-7:company-1"}, kind="recommendation")
    assert planned.key == "week:2026-11-28:company-1"


def test_plans_come_in_key_order_whatever_the_order_of_results():
    assert plan([result(2), result(1)]) == plan([result(1), result(2)])


@pytest.mark.parametrize(
    ("activated_on", "state"),
    [(date(2026, 11, 6), "suppressed"), (date(2026, 11, 7), "planned")],
)
def test_companies_from_before_the_go_live_date_are_suppressed_with_the_reason(activated_on, state):
    (planned,) = plan([result(activated_on=activated_on)], go_live=date(2026, 11, 7))
    assert planned.state == state
    expected = "activated on 2026-11-06, before the go-live date 2026-11-07" if state == "suppressed" else None
    assert planned.reason == expected


@pytest.mark.parametrize(("today", "state"), [(date(2026, 11, 17), "planned"), (date(2026, 11, 18), "suppressed")])
def test_a_mail_more_than_three_days_late_is_suppressed(today, state):
    (planned,) = plan([result()], today=today)
    assert planned.state == state


def test_missing_columns_are_named_all_at_once():
    with pytest.raises(ValueError, match="lack activated_on, company_id, company_key, due_on, key"):
        plan([{"locale": "de"}])


def test_a_key_given_twice_is_refused():
    with pytest.raises(ValueError, match="more than one row for day-7:company-1"):
        plan([result(), result()])
