import os
from pathlib import Path

import pytest
import yaml

from integrations.events.landing import LandingFile, landing_files, load_file, pending_files
from orchestration.catalogue import PRICES
from tests.feeds import PLANS, company, subscription
from tests.integrations.events.conftest import NOW
from tests.integrations.events.test_loader import calls
from tests.integrations.events.test_mapping import MAPPING
from tests.integrations.postgres.processes import at_the_same_time

MAPPED = "call;day;time;site;customer;seconds;result\n17;02.11.2026;09:30:00;main;acme;90;OK\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    landing = tmp_path / "landing"
    landing.mkdir()
    return landing


@pytest.fixture
def land(write, folder):
    return lambda name, *content: write(f"{folder.name}/{name}", *content)


@pytest.fixture
def pending(known, folder):
    """The names of the files that wait."""
    return lambda: [file.name for file in pending_files(known, landing_files(folder))]


@pytest.fixture
def load_all(known, folder):
    """Load what waits; gives status and message of each load."""

    def load():
        files = pending_files(known, landing_files(folder))
        reports = [load_file(known, file, NOW, PRICES) for file in files]
        return [(report.file_name, report.status) for report in reports if report.is_new]

    return load


def names(folder):
    return [(file.feed, file.name) for file in landing_files(folder)]


def test_what_names_companies_comes_before_what_names_their_usage(folder, land):
    for feed in ("events", "subscriptions", "branches", "companies", "plans"):
        land(f"{feed}/a.ndjson")
    assert [feed for feed, _ in names(folder)] == ["companies", "branches", "plans", "subscriptions", "events"]


def test_files_of_a_feed_come_in_the_order_of_their_paths(folder, land):
    for name in ("b.ndjson", "10/a.ndjson", "a.ndjson", "09/z.ndjson"):
        land(f"events/{name}")
    assert [name for _, name in names(folder)] == ["09/z.ndjson", "10/a.ndjson", "a.ndjson", "b.ndjson"]


def test_hidden_files_and_folders_are_left_alone_with_all_that_is_no_file_of_a_feed(folder, land):
    for name in (
        "events/.a.ndjson.part",
        "events/.rsync/b.ndjson",
        "other/c.ndjson",
        "d.ndjson",
        "events/mapping.yaml",
    ):
        land(name)
    (folder / "events/empty").mkdir()
    (folder / "events/broken").symlink_to(folder / "nowhere")
    assert names(folder) == []


def test_an_empty_landing_folder_is_empty_and_a_missing_one_is_an_error(folder):
    assert landing_files(folder) == []
    with pytest.raises(FileNotFoundError, match=r"landing/gone does not exist.*LANDING_FOLDER"):
        landing_files(folder / "gone")
    (folder / "file").touch()
    with pytest.raises(FileNotFoundError):
        landing_files(folder / "file")


def test_a_folder_that_can_not_be_read_is_not_taken_for_an_empty_one(server_home):
    landing = server_home / "landing"
    locked = landing / "events" / "locked"
    locked.mkdir(parents=True)
    (locked / "a.ndjson").touch()
    locked.chmod(0)

    def look():
        with pytest.raises(PermissionError):
            landing_files(landing)

    try:
        at_the_same_time(look, uid=65_534 if os.geteuid() == 0 else None)
    finally:
        locked.chmod(0o755)


def test_a_mapping_explains_the_events_beside_it_and_no_others(folder, land):
    for name in (
        "events/x.csv",
        "events/pbx/mapping.yaml",
        "events/pbx/y.csv",
        "companies/mapping.yaml",
        "companies/z",
    ):
        land(name)
    assert {file.name: file.mapping and file.mapping.parent.name for file in landing_files(folder)} == {
        "x.csv": None,
        "pbx/y.csv": "pbx",
        "z": None,
    }


def test_every_feed_is_loaded_by_its_own_reader(known, land, load_all):
    land("companies/c.ndjson", company("third"))
    land("branches/b.ndjson", {"company": "third", "branch": "x", "name": "X", "valid_from": "2026-10-01T00:00:00Z"})
    land("plans/p.yaml", PLANS)
    land("subscriptions/s.ndjson", subscription("third"))
    land("events/e.ndjson", calls(1))
    land("events/pbx/mapping.yaml", yaml.safe_dump(MAPPING))
    land("events/pbx/m.csv", MAPPED)
    files = ["c.ndjson", "b.ndjson", "p.yaml", "s.ndjson", "e.ndjson", "pbx/m.csv"]
    assert load_all() == [(name, "published") for name in files]
    found = known.execute("select count_inserted, count_rejected from raw.loads where file_name = any(%s)", [files])
    assert sorted(found.fetchall()) == [(1, 0)] * 5 + [(2, 0)]


def test_a_file_waits_until_it_is_loaded(land, pending, load_all):
    land("events/a.ndjson", calls(1))
    assert pending() == ["a.ndjson"]
    load_all()
    assert pending() == []


@pytest.mark.parametrize("content", [calls(1), calls(1) + "bad\n" * 12, calls(1).encode("utf-16")])
def test_what_was_published_held_or_failed_waits_no_more(land, pending, load_all, content):
    land("events/a.ndjson", content)
    assert len(load_all()) == 1
    assert pending() == []


def test_a_file_that_was_only_touched_is_looked_at_once_and_changes_nothing(known, land, pending, load_all, stored):
    path = land("events/a.ndjson", calls(1))
    load_all()
    os.utime(path, (1_790_000_000, 1_790_000_000))
    assert pending() == ["a.ndjson"]
    assert load_all() == []
    assert pending() == []
    assert stored() == [("1", 120)]


def test_a_file_that_grew_is_loaded_again_and_only_what_is_new_counts(land, load_all, stored):
    land("events/a.ndjson", calls(1))
    load_all()
    land("events/a.ndjson", calls(1, 2))
    assert load_all() == [("a.ndjson", "published")]
    assert [id for id, _ in stored()] == ["1", "2"]


def test_a_failed_file_keeps_nobody_waiting_and_is_tried_again_when_it_changed(land, pending, load_all, stored):
    land("events/a.ndjson", calls(1).encode("utf-16"))
    land("events/b.ndjson", calls(2))
    assert load_all() == [("a.ndjson", "failed"), ("b.ndjson", "published")]
    assert pending() == []
    land("events/a.ndjson", calls(1))
    assert pending() == ["a.ndjson"]
    assert load_all() == [("a.ndjson", "published")]
    assert [id for id, _ in stored()] == ["1", "2"]


def test_a_failed_file_is_tried_again_when_its_permissions_changed(land, pending, load_all):
    path = land("events/a.ndjson", calls(1).encode("utf-16"))
    load_all()
    path.chmod(0o640)
    assert pending() == ["a.ndjson"]
    assert load_all() == [("a.ndjson", "failed")]
    assert pending() == []


@pytest.mark.parametrize(
    "mapping", ["time_zone: [", yaml.safe_dump({**MAPPING, "delimiter": ","})], ids=["YAML", "delimiter"]
)
def test_a_file_that_failed_by_its_mapping_is_tried_again_when_that_is_mended(land, pending, load_all, mapping):
    land("events/pbx/mapping.yaml", mapping)
    land("events/pbx/m.csv", MAPPED)
    assert load_all() == [("pbx/m.csv", "failed")]
    assert pending() == []
    land("events/pbx/mapping.yaml", yaml.safe_dump(MAPPING))
    assert load_all() == [("pbx/m.csv", "published")]
    assert pending() == []


def test_a_broken_mapping_is_named_and_keeps_other_folders_going(known, land, load_all):
    land("events/a.ndjson", calls(1))
    land("events/pbx/mapping.yaml", yaml.safe_dump({**MAPPING, "time_zone": "Mars/Olympus"}))
    land("events/pbx/m.csv", MAPPED)
    assert load_all() == [("a.ndjson", "published"), ("pbx/m.csv", "failed")]
    (message,) = known.execute("select message from raw.loads where status = 'failed'").fetchone()
    assert message.startswith("pbx/m.csv was not read: mapping.yaml: time_zone: ")
    assert "Mars/Olympus" in message


def test_a_file_loaded_before_its_mapping_broke_stays_as_it_was(known, land, load_all):
    land("events/pbx/mapping.yaml", yaml.safe_dump(MAPPING))
    path = land("events/pbx/m.csv", MAPPED)
    load_all()
    land("events/pbx/mapping.yaml", "time_zone: [")
    os.utime(path, (1_790_000_000, 1_790_000_000))
    assert load_all() == []
    assert known.execute("select status from raw.loads where file_name = 'pbx/m.csv'").fetchall() == [("published",)]


def test_files_of_one_name_in_two_folders_are_two_files(land, pending, load_all, stored):
    for day in (1, 2):
        path = land(f"events/2026-11-0{day}/part.ndjson", calls(day))
        os.utime(path, (1_790_000_000, 1_790_000_000))
    assert load_all() == [("2026-11-01/part.ndjson", "published"), ("2026-11-02/part.ndjson", "published")]
    assert [id for id, _ in stored()] == ["1", "2"]
    assert pending() == []


def test_copies_of_one_file_in_two_folders_do_not_wait_in_turns(land, pending, load_all):
    for day, modified in ((1, 1_790_000_000), (2, 1_790_000_001)):
        os.utime(land(f"events/{day}/part.ndjson", calls(1)), (modified, modified))
    load_all()
    assert pending() == []


def test_a_single_file_is_known_by_its_own_name(known, land):
    path = land("events/sub/a.ndjson", calls(1))
    assert load_file(known, LandingFile("events", path), NOW, PRICES).file_name == "a.ndjson"
    assert pending_files(known, [LandingFile("events", path)]) == []


def test_a_file_that_vanished_before_its_load_is_reported(known, land):
    path = land("events/a.ndjson", calls(1))
    path.unlink()
    report = load_file(known, LandingFile("events", path, name="a.ndjson"), NOW, PRICES)
    assert (report.status, report.message) == ("failed", "a.ndjson can't be read: No such file or directory")
