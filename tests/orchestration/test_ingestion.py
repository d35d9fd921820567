"""What lands anywhere is loaded by one run, whatever became of a single file."""

import dagster as dg
import fsspec
import pytest

from integrations.events.landing_zones import LocalZone, RemoteZone
from orchestration import paths
from orchestration.defs.ingestion import assets
from orchestration.resources import WarehouseResource, resources
from tests.feeds import company, event, lines

TIME = "2026-10-05T09:00:00+02:00"


@pytest.fixture
def memory(monkeypatch):
    """A landing zone in memory that takes precedence over the folder."""
    file_system = fsspec.filesystem("memory")
    file_system.store.clear()
    file_system.pseudo_dirs[:] = [""]
    monkeypatch.setenv("LANDING_URL", "memory://landing")
    return file_system


@pytest.fixture
def ingest(pipeline):
    """Load what waits of two feeds, as a run of the ingestion does."""
    chosen = [assets.companies, assets.usage_events]
    return lambda: dg.materialize(chosen, resources=resources, instance=pipeline.instance)


def test_a_url_takes_precedence_over_a_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("USAGE_PRICING_LOCAL", str(tmp_path))
    monkeypatch.delenv("LANDING_FOLDER", raising=False)
    monkeypatch.delenv("LANDING_URL", raising=False)
    assert paths.landing() == str(tmp_path / "landing")
    monkeypatch.setenv("LANDING_FOLDER", "/srv/in")
    assert paths.landing() == "/srv/in"
    monkeypatch.setenv("LANDING_URL", "s3://bucket/in")
    assert paths.landing() == "s3://bucket/in"


def test_a_file_that_can_not_be_fetched_keeps_no_other_waiting_and_is_tried_again(
    pipeline, ingest, memory, monkeypatch
):
    pipeline.land("companies", "folder.ndjson", lines(company("nobody")))
    memory.pipe_file("/landing/companies/c.ndjson", lines(company()).encode())
    for name in ("a", "b"):
        memory.pipe_file(f"/landing/events/{name}.ndjson", lines(event(name, TIME)).encode())
    copy = RemoteZone._copy

    def break_off(zone, remote, local):
        if remote.name == "a.ndjson":
            raise ConnectionResetError("the line was cut")
        copy(zone, remote, local)

    with monkeypatch.context() as broken:
        broken.setattr(RemoteZone, "_copy", break_off)
        ingest()
    assert pipeline.rows("select event_id from raw.usage_events") == [("b",)]
    assert pipeline.rows("select company_key from raw.company_ids") == [("acme",)]
    ingest()
    assert pipeline.rows("select event_id from raw.usage_events order by 1") == [("a",), ("b",)]


def test_many_small_files_need_no_more_connections_than_one(pipeline, ingest, monkeypatch):
    opened = []
    connect = WarehouseResource.connect

    def counted(db):
        opened.append(db)
        return connect(db)

    monkeypatch.setattr(WarehouseResource, "connect", counted)
    needed = []
    for start, count in ((0, 1), (1, 8)):
        pipeline.land("companies", f"{start}.ndjson", lines(company(f"company-{start}")))
        for i in range(start, start + count):
            pipeline.land("events", f"{i}.ndjson", lines(event(str(i), TIME, key="company-0")))
        opened.clear()
        ingest()
        needed.append(len(opened))
    assert pipeline.value("select count(*) from raw.usage_events") == 9
    assert needed[0] == needed[1] > 0


def test_a_local_zone_is_made_ready_and_a_remote_one_left_alone(tmp_path, memory):
    LocalZone(tmp_path / "a/b").create()
    assert (tmp_path / "a/b").is_dir()
    RemoteZone("memory://landing", memory, "/landing").create()
    assert not memory.exists("/landing")
