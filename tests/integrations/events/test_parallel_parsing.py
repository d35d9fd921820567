import pytest

from integrations.events import parsing, readers
from tests.feeds import event, lines
from tests.integrations.events.test_loader import TIME, counts, tables

CONTENT = "".join("not json\n" if i % 50 == 7 else lines(event(str(i % 900), TIME, own=i % 900)) for i in range(1000))


@pytest.fixture
def in_parallel(monkeypatch):
    monkeypatch.setattr(readers, "BLOCK_SIZE", 5_000)
    monkeypatch.setattr(parsing, "usable_processes", lambda: 2)


@pytest.mark.usefixtures("in_parallel")
def test_a_long_file_that_several_processes_parse_is_loaded_like_any_other(known, load, write, rejected):
    report = load(write("x.ndjson", CONTENT))
    assert counts(report) == (1000, 882, 98, 20, 0)
    assert rejected() == [("x.ndjson", i + 1, "malformed_json", None) for i in range(7, 1000, 50)]
    assert known.execute("select count(*), count(distinct event_id) from raw.usage_events").fetchone() == (882, 882)


@pytest.mark.usefixtures("in_parallel")
def test_a_parser_that_dies_leaves_nothing(known, load, write, monkeypatch):
    before = tables(known)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(RuntimeError, match="ended unexpectedly; nothing was loaded"):
        load(write("x.ndjson", CONTENT))
    assert tables(known) == before
