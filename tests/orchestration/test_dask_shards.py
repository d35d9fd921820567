"""Shards on a Dask scheduler: a worker that is killed loses nothing and doubles nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from integrations.postgres.warehouse import Warehouse
from orchestration import shards as module
from orchestration.analysis_shards import find_shard_patterns, shards_of
from orchestration.shards import ShardsMissing, run_shards, total
from tests.orchestration.shard_work import KNOWN_AT, fail_on_two, say_who, shards, slowly, wait_until
from tests.orchestration.usage_world import AS_OF, make_usage

ROOT = Path(__file__).parents[2]
COMPANIES, SIZE, SHARDS = 24, 2, 12
FINGERPRINT = "select md5(string_agg(t::text, '|' order by t::text)), count(*) from ml.usage_patterns as t"


class Cluster:
    """A scheduler on the loopback interface and its workers, each a process of its own that knows no database."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self._log = (folder / "dask.log").open("w")
        self.processes = [self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
        while not self._file.exists():
            assert self.processes[0].poll() is None, (folder / "dask.log").read_text()
            time.sleep(0.05)
        self.address = json.loads(self._file.read_text())["address"]

    def add_worker(self) -> subprocess.Popen[bytes]:
        self.processes.append(self._start("worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"))
        return self.processes[-1]

    def _start(self, what: str, *options: str) -> "subprocess.Popen[bytes]":
        known = {key: value for key, value in os.environ.items() if key not in ("DATABASE_URL", "DASK_SCHEDULER")}
        return subprocess.Popen(
            [sys.executable, "-m", "dask", what, "--scheduler-file", str(self._file), *options],
            cwd=self._file.parent,
            env={**known, "PYTHONPATH": str(ROOT)},
            stdout=self._log,
            stderr=self._log,
        )

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self._log.close()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    cluster = Cluster(tmp_path)
    monkeypatch.setenv("DASK_SCHEDULER", cluster.address)
    yield cluster
    cluster.stop()


def at_work(folder: Path) -> list[str]:
    """The shards that were begun and not ended, each with its process."""
    begun, ended = ({path.name.split("-", 1)[1] for path in folder.glob(f"{what}-*")} for what in ("begun", "ended"))
    return sorted(begun - ended)


@pytest.mark.long
def test_a_worker_that_is_killed_midway_loses_no_shard_and_doubles_no_row(
    cluster, connection, database_url, tmp_path, monkeypatch
):
    make_usage(connection, COMPANIES)
    whole = shards_of(Warehouse(database_url), [AS_OF], KNOWN_AT)
    with monkeypatch.context() as patch:
        patch.delenv("DASK_SCHEDULER")
        run_shards(find_shard_patterns, whole)
    expected = connection.execute(FINGERPRINT).fetchone()
    connection.execute("truncate ml.usage_patterns")

    workers = {worker.pid: worker for worker in (cluster.add_worker(), cluster.add_worker())}
    killed = []

    def kill_one_at_work(line: str) -> None:
        """Once a third is done: a process that has begun a shard and not ended it."""
        if line.startswith("4 of"):
            wait_until(lambda: at_work(tmp_path))
            killed.append(at_work(tmp_path)[0])
            os.kill(int(killed[0].rsplit("-", 1)[1]), signal.SIGKILL)

    parts = shards_of(Warehouse(database_url), [AS_OF], KNOWN_AT, size=SIZE)
    assert len(parts) == SHARDS
    counts = run_shards(partial(slowly, tmp_path, 0.5, find_shard_patterns), parts, kill_one_at_work)

    assert total(counts) == {"shards": SHARDS, "companies": COMPANIES, "rows": COMPANIES * 4}
    assert connection.execute(FINGERPRINT).fetchone() == expected
    (name,) = killed
    number, pid = name.split("-")
    assert workers[int(pid)].wait(10) == -signal.SIGKILL
    assert not (tmp_path / f"ended-{name}").exists()
    assert len(list(tmp_path.glob(f"ended-{number}-*"))) == 1


@pytest.mark.long
def test_a_scheduler_that_is_killed_fails_the_run(cluster, tmp_path):
    cluster.add_worker()
    with pytest.raises(ShardsMissing, match="of 4 shards did not come back"):
        run_shards(partial(slowly, tmp_path, 0.5, say_who), shards(4), lambda _: cluster.processes[0].kill())


def test_a_scheduler_in_this_process_gives_shards_to_its_worker(monkeypatch):
    from distributed import LocalCluster

    with LocalCluster(1, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0") as near:
        monkeypatch.setenv("DASK_SCHEDULER", near.scheduler_address)
        assert [counts["first"] for counts in run_shards(say_who, shards(3))] == [0, 1, 2]
        with pytest.raises(ShardsMissing, match=r"1 of 5 shards .* companies 2 to 2 .*ValueError: two is odd"):
            run_shards(fail_on_two, shards(5))


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER", "tcp://127.0.0.1:9")
    monkeypatch.setattr(module, "SECONDS_FOR_WORKERS", 0.2)
    with pytest.raises(ConnectionError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_shards(say_who, shards(2))


@pytest.mark.long
def test_a_scheduler_without_workers_is_named(cluster, monkeypatch):
    monkeypatch.setattr(module, "SECONDS_FOR_WORKERS", 1)
    with pytest.raises(ConnectionError, match="has no workers"):
        run_shards(say_who, shards(2))
