"""What may become of a recommendation, to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from ml.recommendation.lifecycle import OPEN, TRANSITIONS, Verdict, judge_change

EXPIRES_AT = datetime(2026, 11, 14, 12, tzinfo=UTC)
IN_TIME = EXPIRES_AT - timedelta(seconds=1)
TOO_LATE = "its time ran out at 2026-11-14 12:00 UTC"


@pytest.mark.parametrize("wanted", ["viewed", "accepted", "rejected"])
def test_a_pending_one_may_be_viewed_accepted_and_rejected(wanted):
    assert judge_change("pending", EXPIRES_AT, wanted, IN_TIME) == Verdict(wanted)


@pytest.mark.parametrize("wanted", ["accepted", "rejected"])
def test_one_that_was_looked_at_may_be_accepted_and_rejected(wanted):
    assert judge_change("viewed", EXPIRES_AT, wanted, IN_TIME) == Verdict(wanted)


@pytest.mark.parametrize("status", ["viewed", "accepted", "rejected", "expired"])
@pytest.mark.parametrize("now", [IN_TIME, EXPIRES_AT])
def test_looking_again_changes_nothing_unless_its_time_has_run_out(status, now):
    left = "expired" if status == "viewed" and now == EXPIRES_AT else status
    assert judge_change(status, EXPIRES_AT, "viewed", now) == Verdict(left)


@pytest.mark.parametrize("status", ["accepted", "rejected", "expired"])
@pytest.mark.parametrize("wanted", ["accepted", "rejected"])
@pytest.mark.parametrize("now", [IN_TIME, EXPIRES_AT])
def test_a_decision_is_final(status, wanted, now):
    assert judge_change(status, EXPIRES_AT, wanted, now) == Verdict(status, f"it is {status} already")


@pytest.mark.parametrize("status", OPEN)
@pytest.mark.parametrize("wanted", ["accepted", "rejected"])
def test_from_the_moment_of_its_end_on_it_expires_instead(status, wanted):
    assert judge_change(status, EXPIRES_AT, wanted, EXPIRES_AT) == Verdict("expired", TOO_LATE)


@pytest.mark.parametrize(("status", "wanted"), [("lost", "viewed"), ("pending", "expired"), ("pending", "pending")])
def test_what_does_not_exist_or_nobody_can_want_is_an_error(status, wanted):
    with pytest.raises(ValueError, match="use "):
        judge_change(status, EXPIRES_AT, wanted, IN_TIME)


def test_every_status_is_reached_and_only_open_ones_are_left():
    assert set().union(*TRANSITIONS.values()) == TRANSITIONS.keys() - {None}
    assert {status for status, after in TRANSITIONS.items() if after and status} == set(OPEN)
