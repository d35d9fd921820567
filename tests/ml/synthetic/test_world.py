"""The world as its reader sees it: files, reference feeds and the truth about them."""

import hashlib
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml.synthetic import write_world

SMALL: dict[str, Any] = {"companies": 6, "days": 5, "events": 1500}
REASONS = {
    "malformed_json",
    "missing_field",
    "invalid_field",
    "naive_time",
    "negative_duration",
    "unknown_company",
    "currency_mismatch",
    "conflict",
}


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def usage_of(events: list[dict[str, Any]]) -> pd.DataFrame:
    """Company, local date, calls, seconds, appointments, summed from the events themselves."""
    rows = [
        (
            event["subject"],
            event["time"][:10],
            event["type"] == "call",
            event["data"].get("duration_seconds", 0),
            event["type"] == "appointment",
        )
        for event in events
    ]
    frame = pd.DataFrame(rows, columns=["company", "usage_date", "calls", "call_seconds", "appointments"])
    return frame.groupby(["company", "usage_date"]).sum().astype("int64").sort_index()


def test_the_same_arguments_give_the_same_bytes_and_another_seed_gives_others(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_world(tmp_path / name, seed=seed, held_file=True, **SMALL)
    assert digests(tmp_path / "a") == digests(tmp_path / "b")
    other = digests(tmp_path / "c")
    events = {path: digest for path, digest in digests(tmp_path / "a").items() if "/events/" in path}
    assert events
    assert not {path for path, digest in events.items() if other.get(path) == digest}


@pytest.mark.parametrize("name", ["world", "small_world"])
def test_every_line_meets_the_fate_that_the_truth_foretells(name, request):
    written = request.getfixturevalue(name)
    found: dict[str, Counter[str]] = {}
    for path, _, _, fate in written.fates:
        found.setdefault(path, Counter())[fate] += 1
    told = {
        file.path: Counter({"valid": file.valid, "duplicate": file.duplicates, **file.rejected})
        for file in written.summary.files
    }
    assert {path: +counts for path, counts in told.items()} == found
    assert all(file.lines == found[file.path].total() for file in written.summary.files)


def test_the_totals_of_the_truth_are_the_sums_of_its_files(world):
    summary = world.summary
    assert summary.events_read == sum(file.lines for file in summary.files)
    assert summary.events_read == summary.unique_valid + summary.duplicates + sum(summary.rejected.values())
    assert set(summary.rejected) == REASONS
    assert all(summary.rejected.values())
    assert summary.unique_valid == sum(company.events for company in summary.companies)


@pytest.mark.parametrize("name", ["world", "small_world"])
def test_the_daily_truth_is_what_the_unique_valid_events_add_up_to(name, request):
    written = request.getfixturevalue(name)
    truth = pd.read_csv(written.folder / "truth_daily.csv")
    pd.testing.assert_frame_equal(truth, written.summary.daily_truth, check_dtype=False)
    found = usage_of(written.valid_events)
    pd.testing.assert_frame_equal(truth.set_index(["company", "usage_date"]).sort_index(), found)


def test_truth_json_holds_the_summary(small_world):
    stored = json.loads((small_world.folder / "truth.json").read_text())
    summary = small_world.summary
    assert stored["events_read"] == summary.events_read
    assert stored["rejected"] == summary.rejected
    assert [company["key"] for company in stored["companies"]] == [company.key for company in summary.companies]
    assert [file["path"] for file in stored["files"]] == [file.path for file in summary.files]


def test_files_are_listed_in_the_order_of_their_names(world):
    paths = [file.path for file in world.summary.files]
    assert paths == sorted(paths)
    assert {path.rsplit(".", 1)[-1] for path in paths} == {"gz", "zst", "ndjson"}


def test_an_event_arrives_on_the_utc_day_after_its_usage_or_up_to_four_days_later(world):
    last, delays = world.summary.last_arrival, Counter()
    for _, arrival, event, fate in world.fates:
        if fate == "valid":
            happened = datetime.fromisoformat(event["time"]).astimezone(UTC)
            delays[(date.fromisoformat(arrival) - happened.date()).days] += 1
            assert arrival <= last
    assert set(delays) == {1, 2, 3, 4, 5}
    assert delays.total() - delays[1] == world.summary.late


def test_usage_begins_after_the_activation_and_the_world_has_whole_local_days(world):
    activated = {row["company"]: datetime.fromisoformat(row["activated_at"]) for row in world.feed("companies")}
    times = [(event["subject"], datetime.fromisoformat(event["time"])) for event in world.valid_events]
    assert all(time > activated[company] for company, time in times)
    local_dates = {time.date() for _, time in times}
    assert local_dates == {date(2026, 10, 1) + timedelta(days=day) for day in range(45)}


def test_a_company_is_known_before_its_first_event_arrives(world):
    known_on = {row["company"]: row["arrived_on"] for row in world.feed("companies")}
    for feed in ("branches", "subscriptions"):
        assert {row["company"]: row["arrived_on"] for row in world.feed(feed)} == known_on
    assert all(arrival > known_on[event["subject"]] for _, arrival, event, fate in world.fates if fate == "valid")


def test_valid_events_bear_the_fields_of_the_contract(world):
    branches = {(row["company"], row["branch"]) for row in world.feed("branches")}
    for event in world.valid_events:
        assert list(event) == ["specversion", "id", "source", "type", "subject", "time", "data"]
        assert (event["specversion"], event["source"]) == ("1.0", f"/phone/{event['subject']}")
        data = event["data"]
        assert (event["subject"], data["branch"]) in branches
        assert data["customer"].startswith("c-")
        if event["type"] == "call":
            assert (data["duration_seconds"] == 0) == (data["outcome"] == "missed")
            assert data["outcome"] in {"success", "failure", "missed"}
            assert data["channel"] in {"direct", "referral", "search", "campaign"}
        else:
            assert event["type"] == "appointment"
            assert ("revenue" in data) == (data["outcome"] == "completed")
            assert data["outcome"] in {"completed", "cancelled", "no_show"}
            assert round(data.get("revenue", 0), 2) == data.get("revenue", 0) >= 0


def test_about_one_appointment_follows_each_successful_call(world):
    events = world.valid_events
    successes = sum(event["data"]["outcome"] == "success" for event in events)
    appointments = sum(event["type"] == "appointment" for event in events)
    assert 0.9 < appointments / successes <= 1


def test_customers_return(world):
    calls = Counter((e["subject"], e["data"]["customer"]) for e in world.valid_events if e["type"] == "call")
    assert sum(count > 1 for count in calls.values()) / len(calls) > 0.3
    assert max(calls.values()) > 10 * sum(calls.values()) / len(calls)


@pytest.mark.parametrize("name", ["world", "small_world"])
def test_the_world_has_about_the_size_asked_for(name, request):
    written = request.getfixturevalue(name)
    wanted = {"world": 80_000, "small_world": 3000}[name]
    assert written.summary.unique_valid == pytest.approx(wanted, rel=0.06)


def test_the_held_file_is_one_fifth_broken_and_its_events_come_in_no_other_file(small_world):
    held = small_world.summary.held
    assert held.path.rsplit("/", 1)[-1].startswith("held-usage-")
    assert sum(held.rejected.values()) / held.lines == pytest.approx(0.2)
    homes: dict[tuple[str, str], set[str]] = {}
    waiting = []
    for path, _, event, fate in small_world.fates:
        if fate in ("valid", "duplicate", "conflict"):
            homes.setdefault((event["source"], event["id"]), set()).add(path)
        if path == held.path and fate == "valid":
            waiting.append(event)
    assert len(waiting) == held.valid
    assert all(homes[event["source"], event["id"]] == {held.path} for event in waiting)
    truth = pd.read_csv(small_world.folder / "truth_held_daily.csv").set_index(["company", "usage_date"]).sort_index()
    pd.testing.assert_frame_equal(truth, usage_of(waiting))


def test_without_a_held_file_nothing_speaks_of_one(world):
    assert world.summary.held is None
    assert not list(world.folder.rglob("*held*"))


def test_the_catalogue_is_written_as_given_and_plans_come_from_the_keys(tmp_path):
    write_world(tmp_path, catalogue="plans: []\n", plan_keys={"EUR": ["one"], "USD": ["two"]}, **SMALL)
    assert (tmp_path / "arrivals/2026-10-01/plans/plans.yaml").read_text() == "plans: []\n"
    rows = [
        json.loads(line) for path in tmp_path.rglob("subscriptions*.ndjson") for line in path.read_text().splitlines()
    ]
    assert {row["plan"] for row in rows} == {"one", "two"}


def test_progress_rises_to_one(tmp_path):
    shares: list[float] = []
    write_world(tmp_path, progress=shares.append, **SMALL)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > SMALL["days"]


@pytest.mark.parametrize(("name", "value"), [("companies", 0), ("days", 1), ("events", 0)])
def test_a_world_of_nothing_is_refused(tmp_path, name, value):
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        write_world(tmp_path, **(SMALL | {name: value}))


def test_a_folder_that_holds_a_world_is_refused(tmp_path):
    write_world(tmp_path, **SMALL)
    with pytest.raises(FileExistsError, match="already holds a world"):
        write_world(tmp_path, **SMALL)


@pytest.mark.parametrize(("companies", "days"), [(1, 2), (2, 2), (7, 3), (13, 9)])
def test_the_smallest_worlds_are_still_whole(tmp_path, companies, days):
    summary = write_world(tmp_path, companies=companies, days=days, events=200)
    assert len(summary.companies) == companies
    assert summary.unique_valid == sum(company.events for company in summary.companies)
