import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest
import yaml

from integrations.events.landing import load_file, pending_files
from integrations.events.landing_zones import LocalZone, RemoteZone, ZoneError, landing_zone
from orchestration.catalogue import PRICES
from tests.feeds import company
from tests.integrations.events.conftest import NOW
from tests.integrations.events.test_landing import MAPPED
from tests.integrations.events.test_loader import calls
from tests.integrations.events.test_mapping import MAPPING

SECRET_URL = "memory://somebody:pass@word@landing/zone?token=abc"


@pytest.fixture
def memory():
    """The files in memory, as fsspec keeps them for the whole process."""
    file_system = fsspec.filesystem("memory")
    file_system.store.clear()
    file_system.pseudo_dirs[:] = [""]
    return file_system


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The folder in which copies are made."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture(params=["memory", "local"])
def zone(request, memory, tmp_path) -> RemoteZone:
    """An empty zone that is read through fsspec."""
    if request.param == "memory":
        memory.mkdir("/landing")
        return landing_zone("memory://landing")
    (tmp_path / "landing").mkdir()
    return RemoteZone(f"file://{tmp_path}/landing", fsspec.filesystem("file"), f"{tmp_path}/landing")


@pytest.fixture
def land(zone):
    """Put a file into the zone; `at` is the second of its modification."""

    def put(name: str, content: str = "", at: int = 1_790_000_000) -> None:
        path = f"{zone.root}/{name}"
        zone.file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
        zone.file_system.pipe_file(path, content.encode())
        if zone.url.startswith("file"):
            os.utime(path, (at, at))
        else:
            zone.file_system.store[path].modified = datetime.fromtimestamp(at, UTC)

    return put


@pytest.fixture
def load_all(known, zone, temporary):
    """Load what waits; gives name and status of each new load."""

    def load():
        reports = []
        for file in pending_files(known, zone.files()):
            with zone.fetch(file) as fetched:
                reports.append(load_file(known, fetched, NOW, PRICES))
        assert not list(temporary.iterdir())
        return [(report.file_name, report.status) for report in reports if report.is_new]

    return load


def test_files_are_listed_as_in_a_local_folder(zone, land):
    for name in (
        *("events/b.ndjson", "events/2/a.ndjson", "companies/c.ndjson", "other/d.ndjson", "e.ndjson"),
        *("events/.f.part", "events/.rsync/g.ndjson", "events/pbx/mapping.yaml", "events/pbx/h.csv"),
        "companies/mapping.yaml",
    ):
        land(name)
    assert [(file.feed, file.name, file.mapping and file.mapping.parent.name) for file in zone.files()] == [
        ("companies", "c.ndjson", None),
        ("events", "2/a.ndjson", None),
        ("events", "b.ndjson", None),
        ("events", "pbx/h.csv", "pbx"),
    ]


def test_every_feed_is_loaded_once(known, land, load_all, stored):
    land("companies/c.ndjson", '{"company": "x"}\n')
    land("events/a.ndjson", calls(1))
    land("events/pbx/mapping.yaml", yaml.safe_dump(MAPPING))
    land("events/pbx/m.csv", MAPPED)
    assert load_all() == [("c.ndjson", "published"), ("a.ndjson", "published"), ("pbx/m.csv", "published")]
    assert load_all() == []
    assert [id for id, _ in stored()] == ["1", "17-02.11.2026"]


def test_a_file_that_was_only_touched_changes_nothing_and_one_that_grew_is_loaded(land, load_all, zone, known, stored):
    land("events/a.ndjson", calls(1))
    load_all()
    land("events/a.ndjson", calls(1), at=1_790_000_001)
    assert [file.name for file in pending_files(known, zone.files())] == ["a.ndjson"]
    assert load_all() == []
    assert pending_files(known, zone.files()) == []
    land("events/a.ndjson", calls(1, 2), at=1_790_000_002)
    assert load_all() == [("a.ndjson", "published")]
    assert [id for id, _ in stored()] == ["1", "2"]


def test_a_file_that_failed_is_tried_again_when_it_or_its_mapping_changed(land, load_all):
    land("events/pbx/mapping.yaml", "time_zone: [")
    land("events/pbx/m.csv", MAPPED)
    assert load_all() == [("pbx/m.csv", "failed")]
    assert load_all() == []
    land("events/pbx/m.csv", MAPPED, at=1_790_000_001)
    assert load_all() == [("pbx/m.csv", "failed")]
    land("events/pbx/mapping.yaml", yaml.safe_dump(MAPPING), at=1_790_000_002)
    assert load_all() == [("pbx/m.csv", "published")]


def test_a_copy_is_gone_after_a_failure_too(zone, land, temporary):
    land("events/a.ndjson", calls(1))
    (file,) = zone.files()

    def load_and_fail():
        with zone.fetch(file) as fetched:
            assert (fetched.path.name, fetched.path.read_text()) == ("a.ndjson", calls(1))
            assert temporary in fetched.path.parents
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        load_and_fail()
    assert not list(temporary.iterdir())


def test_a_file_that_vanished_before_it_was_fetched_is_named(zone, land, temporary):
    land("events/a.ndjson", calls(1))
    (file,) = zone.files()
    zone.file_system.rm(f"{zone.root}/events/a.ndjson")
    with pytest.raises(ZoneError, match=r"does not give a\.ndjson: FileNotFoundError"), zone.fetch(file):
        pass
    assert not list(temporary.iterdir())


def test_an_empty_zone_is_empty_and_a_missing_one_is_an_error(zone):
    assert zone.files() == []
    zone.file_system.rm(zone.root, recursive=True)
    with pytest.raises(
        ZoneError, match=r"The landing zone \w+://.*landing does not exist\. Create it, or set LANDING_URL"
    ):
        zone.files()


def test_a_prefix_of_a_bucket_may_be_empty_but_the_bucket_must_exist(memory):
    zone = RemoteZone("memory://bucket/prefix", memory, "bucket/prefix")
    with pytest.raises(ZoneError, match="does not exist"):
        zone.files()
    memory.mkdir("/bucket")
    assert zone.files() == []


def test_a_listing_that_the_driver_keeps_does_not_hide_what_lands_later(zone, land, monkeypatch):
    kept = {}
    listed = type(zone.file_system).ls
    monkeypatch.setattr(zone.file_system, "invalidate_cache", kept.clear)
    monkeypatch.setattr(
        zone.file_system, "ls", lambda path, detail: kept.setdefault(path, listed(zone.file_system, path, detail))
    )
    for name in ("a", "b"):
        land(f"events/{name}")
        assert zone.files()[-1].name == name


def test_a_folder_that_can_not_be_read_is_not_taken_for_an_empty_one(zone, land, monkeypatch):
    land("events/locked/a.ndjson")
    original = type(zone.file_system).ls

    def ls(file_system, path, **options):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return original(file_system, path, **options)

    monkeypatch.setattr(type(zone.file_system), "ls", ls)
    with pytest.raises(ZoneError, match="can't be read: PermissionError"):
        zone.files()


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_an_error_names_the_zone_and_tells_no_secret(memory, monkeypatch, error):
    def fail(*_, **__):
        raise error(f"no route to {SECRET_URL} as somebody with pass@word")

    monkeypatch.setattr(memory, "ls", fail)
    zone = RemoteZone(SECRET_URL, memory, "/landing/zone")
    with pytest.raises(ZoneError, match=r"memory://landing/zone can't be read: .* no route to ") as caught:
        zone.files()
    assert not any(secret in str(caught.value) for secret in ("somebody", "pass", "word", "abc"))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_missing_driver_is_named_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(
        ZoneError, match=r"LANDING_URL s3://bucket/in needs a driver that is not installed: Install s3fs"
    ):
        landing_zone("s3://bucket/in")


def test_an_unknown_kind_of_url_is_an_error():
    with pytest.raises(ZoneError, match=r"LANDING_URL smoke://signals can't be used: .*smoke"):
        landing_zone("smoke://signals")


@pytest.mark.parametrize("url", ["{}", "file://{}"])
def test_a_local_folder_is_read_where_it_lies(tmp_path, url):
    zone = landing_zone(url.format(tmp_path / "new"))
    assert zone == LocalZone(tmp_path / "new")
    zone.create()
    (tmp_path / "new/companies").mkdir()
    (tmp_path / "new/companies/c.ndjson").write_text(str(company()))
    (file,) = zone.files()
    with zone.fetch(file) as fetched:
        assert fetched is file
