"""Every shard comes back with its counts, or the run fails and says which did not."""

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.shards import ALL_COMPANIES, ShardsMissing, run_shards, split, total
from tests.orchestration.shard_work import (
    die_on_two,
    fail_on_two,
    return_nothing_on_two,
    say_how_many_threads,
    say_who,
    shards,
    wait_until,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setenv("ANALYSIS_WORKERS", "1")


@pytest.fixture
def two_processes(monkeypatch):
    monkeypatch.setenv("ANALYSIS_WORKERS", "2")


@given(st.sets(st.integers(1, 10_000), max_size=50), st.integers(1, 60))
def test_shards_have_so_many_companies_each_and_every_id_is_in_one(ids, size):
    found = split(list(ids), size)
    inside = [sorted(ids & {i for i in ids if i in part}) for part in found]
    assert [i for part in inside for i in part] == sorted(ids)
    assert all(len(part) == size for part in inside[:-1])
    assert (found[0].start, found[-1].stop) == (0, ALL_COMPANIES.stop)
    assert all(one.stop == other.start for one, other in pairwise(found))
    assert len(found) == max(1, -(-len(ids) // size))


@pytest.mark.parametrize(("workers", "count"), [("1", 8), ("4", 7)])
def test_one_worker_or_few_shards_start_no_process(monkeypatch, workers, count):
    monkeypatch.setenv("ANALYSIS_WORKERS", workers)
    found = run_shards(say_who, shards(count))
    assert [counts["process"] for counts in found] == [os.getpid()] * count


def test_counts_come_back_in_the_order_of_the_shards_from_other_processes_of_one_thread(two_processes):
    told = []
    found = run_shards(say_how_many_threads, shards(8), told.append)
    assert [counts["first"] for counts in found] == list(range(8))
    assert {counts["threads"] for counts in found} == {1}
    assert os.getpid() not in {counts["process"] for counts in found}
    assert [line.split(":")[0] for line in told] == [f"{done} of 8 shards" for done in range(1, 9)]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_shard_that_fails_is_named_with_its_cause_and_the_others_are_processed(monkeypatch, workers):
    monkeypatch.setenv("ANALYSIS_WORKERS", workers)
    told = []
    expected = r"1 of 8 shards did not come back: companies 2 to 2 as of 2026-10-15\. .*ValueError: two is odd"
    with pytest.raises(ShardsMissing, match=expected) as failure:
        run_shards(fail_on_two, shards(8), told.append)
    assert failure.value.missing == [shards(8)[2]]
    assert isinstance(failure.value.__cause__, ValueError)
    assert sum("'first'" in line for line in told) == 7


def test_a_shard_without_counts_did_not_come_back(here):
    with pytest.raises(ShardsMissing, match=r"1 of 4 shards .* companies 2 to 2 .*They returned no counts"):
        run_shards(return_nothing_on_two, shards(4))


def test_a_process_that_dies_fails_the_run_and_the_shard_is_named(two_processes):
    with pytest.raises(ShardsMissing, match=r"companies 2 to 2 .*BrokenProcessPool") as failure:
        run_shards(die_on_two, shards(8))
    assert shards(8)[2] in failure.value.missing


def test_many_missing_shards_are_counted_and_not_all_listed():
    error = ShardsMissing(shards(12), 20, None)
    assert str(error).startswith("12 of 20 shards")
    assert str(error).count("as of") == 10


def test_what_is_shown_of_a_shard_holds_no_password():
    shard = shards(2)[1]
    assert str(shard) == "companies 1 on as of 2026-10-15"
    assert "secret" not in repr(shard)


def test_counts_are_added_up_by_name():
    assert total([{"rows": 2}, {"rows": 3, "companies": 1}]) == {"shards": 2, "companies": 1, "rows": 5}


@pytest.mark.parametrize("given_workers", ["0", "two", "-1", "1.5"])
def test_a_number_of_workers_that_makes_no_sense_is_refused_by_name(monkeypatch, given_workers):
    monkeypatch.setenv("ANALYSIS_WORKERS", given_workers)
    with pytest.raises(ValueError, match="ANALYSIS_WORKERS"):
        run_shards(say_who, shards(2))


@pytest.fixture
def driver(tmp_path):
    """A process that runs shards of a second in two others, in a group of its own, once both have begun."""
    code = f"from tests.orchestration.shard_work import drive; drive({str(tmp_path)!r})"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ANALYSIS_WORKERS": "2"},
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    with process:
        wait_until(lambda: len(list(tmp_path.glob("begun-*"))) >= 2)
        yield process
        process.kill()


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def workers_of(folder: Path) -> set[int]:
    return {int(path.name.rsplit("-", 1)[1]) for path in folder.glob("begun-*")}


@pytest.mark.long
def test_an_interruption_lets_running_shards_end_and_starts_no_others(driver, tmp_path):
    os.killpg(driver.pid, signal.SIGINT)
    _, errors = driver.communicate(timeout=30)
    assert driver.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    begun, ended = (len(list(tmp_path.glob(f"{what}-*"))) for what in ("begun", "ended"))
    assert begun == ended < 8
    assert not any(map(is_alive, workers_of(tmp_path)))


@pytest.mark.long
def test_a_driver_that_is_killed_leaves_no_process_behind(driver, tmp_path):
    driver.kill()
    wait_until(lambda: not any(map(is_alive, workers_of(tmp_path))))
