"""Each archetype shows its nature in the events, whatever the size of the world."""

from collections import defaultdict
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from ml.synthetic.archetypes import ARCHETYPES, open_hours, weekly_rates

BY_KEY = {archetype.key: archetype for archetype in ARCHETYPES}


@pytest.fixture(scope="module")
def calls(world) -> pd.DataFrame:
    companies = {company.key: company for company in world.summary.companies}
    rows = []
    for event in world.valid_events:
        if event["type"] == "call":
            company, local = companies[event["subject"]], datetime.fromisoformat(event["time"])
            is_open = open_hours(BY_KEY[company.archetype])[local.weekday(), local.hour]
            data = event["data"]
            rows.append(
                (
                    company.archetype,
                    company.key,
                    company.activated_at,
                    company.time_zone,
                    local.date().isoformat(),
                    local.hour,
                    data["duration_seconds"],
                    data["outcome"],
                    not is_open,
                )
            )
    names = ["archetype", "company", "activated_at", "zone", "date", "hour", "seconds", "outcome", "after_hours"]
    return pd.DataFrame(rows, columns=names)


def fortnights(calls: pd.DataFrame, archetype: str) -> list[int]:
    """Calls in every window of 14 whole days after the activation, for every company of the archetype."""
    sums = []
    for _, rows in calls[calls.archetype == archetype].groupby("company"):
        first = max(
            "2026-10-01", (datetime.fromisoformat(rows.activated_at.iloc[0]) + timedelta(days=1)).date().isoformat()
        )
        days = pd.date_range(first, "2026-11-14").strftime("%Y-%m-%d")
        daily = rows.groupby("date").size().reindex(days, fill_value=0)
        sums += daily.rolling(14).sum().dropna().astype(int).tolist()
    return sums


def mean_seconds(calls: pd.DataFrame, archetype: str) -> pd.Series:
    return calls[calls.archetype == archetype].groupby("company").seconds.mean()


def test_every_archetype_occurs_in_both_zones(calls):
    assert set(zip(calls.archetype, calls.zone, strict=True)) == {
        (key, zone) for key in BY_KEY for zone in ("Europe/Berlin", "America/New_York")
    }


def test_a_medical_practice_makes_many_short_calls(calls):
    assert min(fortnights(calls, "medical_practice")) > 100
    assert mean_seconds(calls, "medical_practice").max() < 180


def test_a_consultant_makes_few_long_calls(calls):
    assert 0 < max(fortnights(calls, "consultant")) < 30
    assert mean_seconds(calls, "consultant").min() > 300


def test_an_emergency_service_works_mostly_after_hours_and_round_the_clock(calls):
    rows = calls[calls.archetype == "emergency_service"]
    assert rows.groupby("company").after_hours.mean().min() > 0.45
    assert set(rows.hour) == set(range(24))


def test_a_salon_works_beyond_its_hours_but_not_mostly(calls):
    share = calls[calls.archetype == "salon"].groupby("company").after_hours.mean()
    assert share.between(0.1, 0.3).all()


def test_a_call_centre_is_larger_than_all_others_and_flat(calls):
    per_day = calls.groupby(["archetype", "company"]).size() / calls.groupby(["archetype", "company"]).date.nunique()
    median = per_day.groupby("archetype").median()
    assert median.idxmax() == "call_centre"
    hours = calls[(calls.archetype == "call_centre") & calls.hour.between(8, 20)].groupby("hour").size()
    assert hours.max() / hours.min() < 1.6


def test_a_startup_grows(calls):
    rows = calls[(calls.archetype == "startup") & (calls.activated_at < "2026-10-01")]
    by_week = rows.groupby(pd.to_datetime(rows.date).dt.isocalendar().week).size()
    assert by_week.loc[45] > 2 * by_week.loc[41]


def test_calls_succeed_more_often_in_business_hours(calls):
    rate = (
        calls.assign(success=calls.outcome == "success").groupby(["archetype", "after_hours"]).success.mean().unstack()
    )
    big = rate.drop(index="consultant")
    assert (big[False] > big[True]).all()


@pytest.mark.parametrize(("zone", "change"), [("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-11-01")])
def test_the_day_follows_local_time_through_the_change_of_the_clock(calls, zone, change):
    rows = calls[(calls.zone == zone) & (calls.archetype == "medical_practice")]
    before, after = (
        part.hour.value_counts(normalize=True).reindex(range(24), fill_value=0)
        for part in (rows[rows.date < change], rows[rows.date > change])
    )
    shifted = np.roll(after.to_numpy(), -1)
    assert np.abs(before - after).sum() < 0.15
    assert np.abs(before - shifted).sum() > 3 * np.abs(before - after).sum()


def test_the_offset_written_is_the_one_of_the_zone(world):
    offsets = defaultdict(set)
    for event in world.valid_events:
        offsets[event["subject"].rsplit("-", 1)[-1], event["time"][:10]].add(event["time"][19:])
    zones = {company.key.rsplit("-", 1)[-1]: company.time_zone for company in world.summary.companies}
    expected = {
        "Europe/Berlin": ("2026-10-25", "+02:00", "+01:00"),
        "America/New_York": ("2026-11-01", "-04:00", "-05:00"),
    }
    for (number, day), found in offsets.items():
        change, summer, winter = expected[zones[number]]
        assert found <= ({summer} if day < change else {winter} if day > change else {summer, winter})


def test_ramp_lets_a_new_company_start_small(calls):
    rows = calls[(calls.archetype == "call_centre") & (calls.activated_at > "2026-10-02")]
    for _, company in rows.groupby("company"):
        daily = company.groupby("date").size()
        assert daily.iloc[1:4].mean() < 0.9 * daily.iloc[8:].mean()


@pytest.mark.parametrize("archetype", ARCHETYPES, ids=lambda archetype: archetype.key)
def test_the_weekly_rates_are_one_call_a_day_with_the_share_after_hours(archetype):
    rates = weekly_rates(archetype)
    assert rates.shape == (7, 24)
    assert rates.sum() == pytest.approx(7)
    assert rates[~open_hours(archetype)].sum() / 7 == pytest.approx(archetype.after_hours_share)
