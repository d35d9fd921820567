"""A source is judged by its own habit: how long it is silent, and how much a weekday of it brings."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from integrations.expectations.source_health import (
    ACTIVITY,
    COLUMNS,
    as_table,
    is_unusual,
    judge_freshness,
    judge_volume,
)
from integrations.postgres.warehouse import read_frame

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NEWEST = date(2026, 11, 19)  # over in every zone at NOON


def activity(*rows):
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.assign(
        usage_date=pd.to_datetime(frame["usage_date"]), received_at=pd.to_datetime(frame["received_at"], utc=True)
    )


def deliveries(*hours_ago, source="phone"):
    return [(source, NEWEST, NOON - timedelta(hours=hours), 10) for hours in hours_ago]


def days(counts, source="phone"):
    """The newest complete day has counts[0] events, the day before it counts[1], ...; the day after it has begun."""
    past = [(source, NEWEST - timedelta(days=back), NOON, count) for back, count in enumerate(counts) if count]
    return [*past, (source, NEWEST + timedelta(days=1), NOON, 5)]


def freshness(*rows, now=NOON):
    return judge_freshness(activity(*rows), now).iloc[0]


def volume(*rows, now=NOON):
    return judge_volume(activity(*rows), now).iloc[0]


@pytest.mark.parametrize(
    ("hours_ago", "limit", "verdict"),
    [
        ((26, 27, 28, 29, 30), 26, "as usual"),
        ((26.1, 27, 28, 29, 30), 26, "silent"),
        ((48, 72, 96, 120), 48, "as usual"),
        ((48.1, 72.1, 96.1, 120.1), 48, "silent"),
        ((14 * 24, 21 * 24, 28 * 24, 35 * 24), 14 * 24, "as usual"),
    ],
)
def test_a_silence_is_too_long_above_twice_the_longest_usual_gap_and_26_hours(hours_ago, limit, verdict):
    judged = freshness(*deliveries(*hours_ago))
    assert (judged["verdict"], judged["limit_hours"]) == (verdict, pytest.approx(limit))
    assert judged["silence_hours"] == pytest.approx(hours_ago[0])


def test_a_stream_that_never_pauses_for_an_hour_has_a_habit_too():
    minutes = [26.5 + minute / 60 for minute in range(0, 600, 5)]
    assert freshness(*deliveries(*minutes))["verdict"] == "silent"


def test_files_that_arrive_together_are_one_delivery():
    weekly = [hours + minutes / 60 for hours in (170, 338, 506, 674) for minutes in range(50)]
    assert freshness(*deliveries(*weekly))["verdict"] == "as usual"


def test_one_gap_that_is_out_of_habit_does_not_make_a_habit():
    daily = [30 + 24 * day for day in range(25)]
    assert freshness(*deliveries(*daily, daily[-1] + 200))["limit_hours"] == pytest.approx(48)


def test_without_a_habit_no_silence_is_too_long():
    assert freshness(*deliveries(700, 720, 740))["verdict"] == "too little history"


def test_each_source_has_a_habit_of_its_own():
    judged = judge_freshness(activity(*deliveries(40, 41, 42, 43), *deliveries(40, 80, 120, 160, source="till")), NOON)
    assert dict(zip(judged["source"], judged["verdict"], strict=True)) == {"phone": "silent", "till": "as usual"}
    assert is_unusual(judged)
    assert not is_unusual(judged[judged["source"] == "till"])


WEEK = [0, 1000, 900, 20, 400, 1100, 1050]


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        (1000, "as usual"),
        (500, "as usual"),
        (499, "far below"),
        (1500, "as usual"),
        (1501, "far above"),
        (0, "far below"),
    ],
)
def test_a_day_is_held_against_the_same_weekdays(events, verdict):
    judged = volume(*days([events, *WEEK[1:], 1000, *WEEK[1:], 990, *WEEK[1:], 1000, *WEEK[1:], 1010]))
    assert (judged["usage_date"], judged["events"], judged["usual"], judged["verdict"]) == (
        NEWEST,
        events,
        1000,
        verdict,
    )


def test_a_source_that_swings_is_allowed_to():
    swinging = [200, *WEEK[1:], 1000, *WEEK[1:], 600, *WEEK[1:], 1400, *WEEK[1:], 1000]
    assert volume(*days(swinging))["verdict"] == "as usual"


def test_one_odd_week_does_not_change_what_is_usual():
    assert volume(*days([1000, *WEEK[1:], 50_000, *WEEK[1:], 1000, *WEEK[1:], 1010, *WEEK[1:], 990]))["usual"] == 1005


def test_few_events_vary_by_chance():
    four_a_week = [4, *[0] * 6] * 4
    assert volume(*days([0, *four_a_week[1:], 4]))["verdict"] == "as usual"


def test_two_same_weekdays_are_too_little_history():
    known = [10, *WEEK[1:], 1000, *WEEK[1:], 1000]
    assert volume(*days(known))["verdict"] == "too little history"
    assert volume(*days([*known, *WEEK[1:], 1000]))["verdict"] == "far below"


def test_a_day_is_complete_when_it_is_over_everywhere_and_a_later_one_has_begun():
    history = [1000] * 30
    assert volume(*days(history), now=NOON - timedelta(minutes=1))["usage_date"] == NEWEST - timedelta(days=1)
    assert volume(*days(history)[:-1])["usage_date"] == NEWEST - timedelta(days=1)
    assert volume(*days(history))["usage_date"] == NEWEST


def test_a_source_without_a_complete_day_has_too_little_history():
    judged = volume(("phone", NEWEST + timedelta(days=1), NOON, 3))
    assert (judged["usage_date"], judged["verdict"]) == (None, "too little history")


def test_the_table_shows_what_is_unusual_first_and_stays_short():
    rows = [row for number in range(60) for row in deliveries(1, 2, 3, 4, source=f"s{number:02d}")]
    text = as_table(judge_freshness(activity(*rows, *deliveries(100, 101, 102, 103, source="z|late")), NOON))
    _, _, first, *others = text.splitlines()
    assert first == "| z\\|late | 2026-11-16 08:00 UTC | 100 | 26 | silent |"
    assert len(others) == 49 + 2
    assert others[-1] == "and 11 more sources"


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="lacks received_at, events"):
        judge_volume(pd.DataFrame({"source": [], "usage_date": []}), NOON)


def test_the_query_reads_recent_partitions_only_and_counts_by_receipt(connection, feeds, loaded):
    since = {"since": date(2026, 11, 1)}
    found = read_frame(connection, ACTIVITY, since)
    assert found.drop(columns="usage_date").values.tolist() == [["/phone", pd.Timestamp(NOON), 5]]
    assert judge_volume(found, NOON)["verdict"].tolist() == ["too little history"]
    connection.execute(
        "create table raw.archived partition of raw.usage_events for values from ('1999-01-01') to ('2000-01-01')"
    )
    plan = "\n".join(row[0] for row in connection.execute(f"explain {ACTIVITY}".encode(), since))
    assert "usage_events_20261102" in plan
    assert "archived" not in plan


def test_no_activity_is_nothing_unusual(connection):
    found = read_frame(connection, ACTIVITY, {"since": date(2026, 11, 1)})
    for judged in (judge_freshness(found, NOON), judge_volume(found, NOON)):
        assert judged.empty
        assert not is_unusual(judged)
        assert as_table(judged).startswith("| source |")
