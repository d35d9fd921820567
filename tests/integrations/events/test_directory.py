from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest

from integrations.events.directory import Directory, opening_minutes
from integrations.events.directory_rows import DirectoryCache, read_directory
from integrations.events.feeds import load_feed
from integrations.events.landing import LandingFile, load_file
from integrations.events.ledger import Arrival, record_failure
from orchestration.catalogue import PRICES
from tests.feeds import company, event

START = datetime(2026, 10, 1, tzinfo=UTC)
HOURS = {"mon": ["09:00", "17:00"]}


def row(valid_from=START, received_at=START, company_id=1, key="acme", **fields):
    return {
        "company_id": company_id,
        "company_key": key,
        "valid_from": valid_from,
        "received_at": received_at,
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "business_hours": HOURS,
        **fields,
    }


@pytest.mark.parametrize(
    ("hours", "minutes"),
    [
        (["09:00", "17:30"], (540, 1050)),
        (["9:05", "09:06"], (545, 546)),
        (["00:00", "24:00"], (0, 1440)),
        (["10:00", "10:00"], (600, 600)),
        (None, (0, 0)),
    ],
)
def test_opening_hours_become_minutes_of_the_day(hours, minutes):
    assert opening_minutes({"wed": hours})[2] == minutes


def test_a_weekday_that_is_not_named_is_closed():
    assert opening_minutes({"sun": ["10:00", "12:00"]}) == (*[(0, 0)] * 6, (600, 720))


@pytest.mark.parametrize(
    "hours",
    [
        ["17:00", "09:00"],
        ["09:00", "24:01"],
        ["09:75", "17:00"],
        ["09:-5", "17:00"],
        ["-1:00", "17:00"],
        ["9", "17"],
        ["09:00"],
        ["09:00", "12:00", "17:00"],
        ["09:00:00", "17:00:00"],
        ["nine", "five"],
        ["٠٩:٠٠", "17:00"],
        "09:00-17:00",
        [9, 17],
        [None, None],
        9,
        {"from": "09:00", "to": "17:00"},
    ],
)
def test_hours_that_can_not_be_read_are_refused_with_their_weekday(hours):
    with pytest.raises(ValueError, match=r"^business_hours\.tue must"):
        opening_minutes({"tue": hours})


def test_an_unknown_weekday_is_named():
    with pytest.raises(ValueError, match="names Monday, funday; use mon, tue"):
        opening_minutes({"Monday": None, "funday": None})


def test_a_company_is_as_it_was_described_at_the_time():
    later = START + timedelta(days=10)
    directory = Directory.from_rows([row(later, time_zone="America/New_York"), row()], [])
    zones = [directory.company("acme", START + timedelta(days=d)).zone for d in (-5, 0, 9, 10, 99)]
    assert [zone.key for zone in zones] == ["Europe/Berlin"] * 3 + ["America/New_York"] * 2


def test_a_version_holds_from_its_very_instant_on():
    later = START + timedelta(days=10)
    directory = Directory.from_rows([row(), row(later, currency="USD")], [])
    assert directory.company("acme", later - timedelta(microseconds=1)).currency == "EUR"
    assert directory.company("acme", later).currency == "USD"


def test_of_two_descriptions_of_one_time_the_last_received_is_right():
    corrected = row(received_at=START + timedelta(hours=1), currency="CHF")
    assert Directory.from_rows([corrected, row()], []).company("acme", START).currency == "CHF"


def test_an_unknown_company_is_none():
    assert Directory.from_rows([row()], []).company("other", START) is None


def test_branches_belong_to_their_company():
    directory = Directory.from_rows([row()], [{"company_id": 1, "branch_key": "main", "branch_id": 4}])
    assert directory.branches(1) == {"main": 4}
    assert directory.branches(2) == {}


def test_what_the_feeds_said_can_be_looked_up(known, write):
    later = company(time_zone="Asia/Kolkata", valid_from="2026-11-01T00:00:00Z")
    load_feed(known, "companies", write("later.ndjson", later), START)
    directory = read_directory(known)
    assert directory.company("acme", datetime(2026, 10, 31, tzinfo=UTC)).zone == ZoneInfo("Europe/Berlin")
    found = directory.company("acme", datetime(2026, 11, 1, tzinfo=UTC))
    assert found.zone == ZoneInfo("Asia/Kolkata")
    assert "main" in directory.branches(found.company_id)


@pytest.fixture
def reads():
    """Every reading of the directory that the cache has caused."""
    return []


@pytest.fixture
def cache(reads):
    def read(connection):
        reads.append(connection)
        return read_directory(connection)

    return DirectoryCache(read)


def test_many_files_of_events_read_the_directory_once(known, write, cache, reads):
    for number in range(3):
        path = write(f"{number}.ndjson", event(str(number), "2026-09-30T09:00:00+02:00"))
        report = load_file(known, LandingFile("events", path), START, PRICES, directory=cache)
        assert report.inserted == 1
    assert len(reads) == 1


def test_a_load_of_companies_or_of_branches_is_seen_at_once(known, write, cache):
    assert cache(known).company("new", START) is None
    load_feed(known, "companies", write("new.ndjson", company("new")), START)
    found = cache(known).company("new", START)
    branch = {"company": "new", "branch": "b", "name": "B", "valid_from": "2026-10-01T00:00:00Z"}
    load_feed(known, "branches", write("branch.ndjson", branch), START)
    assert "b" in cache(known).branches(found.company_id)


def test_a_load_that_is_committed_after_a_later_one_has_failed_is_seen(known, database_url, write, cache):
    with psycopg.connect(database_url, autocommit=True) as other, other.transaction():
        load_feed(other, "companies", write("slow.ndjson", company("slow")), START)
        arrival = Arrival.of("companies", write("broken.ndjson", "x"), None, START)
        record_failure(known, arrival, START, "broken.ndjson was not read")
        assert cache(known).company("slow", START) is None
    assert cache(known).company("slow", START) is not None
