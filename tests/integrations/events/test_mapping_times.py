import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.events.mapping_times import TimeReader, check_format, localise, zone_of

BERLIN = ZoneInfo("Europe/Berlin")
GAP, OVERLAP = map(datetime.fromisoformat, ("2026-03-29T02:00", "2026-10-25T02:00"))  # the hours that begin then
EARLY, LATE = map(datetime.fromisoformat, ("1970-01-01", "2068-01-01"))
FORMATS = ["%Y%m%d%H%M%S", "%d.%m.%y %H:%M", "%m/%d/%Y", "%H:%M:%S on %d-%m-%Y", "%y-%m-%d at %H"]


def read(text, *formats, zone=UTC):
    return TimeReader(formats).read(text, zone)[0]


@pytest.mark.parametrize(
    ("local", "utc", "is_shifted"),
    [
        ("2026-11-02T09:30", "2026-11-02T08:30", False),
        ("2026-03-29T01:59", "2026-03-29T00:59", False),
        ("2026-03-29T02:00", "2026-03-29T01:00", True),
        ("2026-03-29T02:30", "2026-03-29T01:30", True),
        ("2026-03-29T02:59:59", "2026-03-29T01:59:59", True),
        ("2026-03-29T03:00", "2026-03-29T01:00", False),
        ("2026-10-25T02:00", "2026-10-25T00:00", False),
        ("2026-10-25T02:59:59", "2026-10-25T00:59:59", False),
        ("2026-10-25T03:00", "2026-10-25T02:00", False),
    ],
)
def test_a_gap_is_shifted_forward_and_an_ambiguous_time_is_the_first(local, utc, is_shifted):
    instant = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert localise(datetime.fromisoformat(local), BERLIN) == (instant, is_shifted)


@given(st.datetimes(EARLY.replace(year=1990), LATE))
def test_a_local_time_comes_back_from_utc_unless_it_did_not_exist(local):
    instant, is_shifted = localise(local, BERLIN)
    back = instant.astimezone(BERLIN).replace(tzinfo=None)
    assert back - local == (timedelta(hours=1) if is_shifted else timedelta(0))


@given(st.timedeltas(timedelta(0), timedelta(hours=1) - timedelta(microseconds=1)))
def test_all_of_the_hour_left_out_is_shifted_and_all_of_the_hour_repeated_is_its_first(into):
    assert localise(GAP + into, BERLIN) == ((GAP + into).replace(tzinfo=UTC) - timedelta(hours=1), True)
    assert localise(OVERLAP + into, BERLIN) == ((OVERLAP + into).replace(tzinfo=UTC) - timedelta(hours=2), False)


@given(st.datetimes(EARLY, LATE), st.sampled_from(FORMATS))
def test_what_is_written_in_digits_is_read_as_strptime_reads_it(time, written):
    text = time.strftime(written)
    assert read(text, written) == datetime.strptime(text, written).replace(tzinfo=UTC)


@given(st.from_regex(r"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2} ?[0-9]{1,2}:[0-9]{1,2}", fullmatch=True))
def test_what_strptime_refuses_is_refused_and_what_it_takes_is_taken(text):
    written = "%d.%m.%y %H:%M"
    try:
        expected = datetime.strptime(text, written).replace(tzinfo=UTC)
    except ValueError:
        expected = None
    try:
        found = read(text, written)
    except ValueError:
        found = None
    assert found == expected


def test_digits_are_read_without_strptime(monkeypatch):
    reader = TimeReader(("%d.%m.%Y %H:%M:%S",))
    monkeypatch.setattr("integrations.events.mapping_times.datetime", type("Quick", (datetime,), {"strptime": None}))
    assert reader.read("02.11.2026 09:30:00", UTC)[0] == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written", "time"),
    [
        ("1762072200", "epoch_seconds", datetime(2025, 11, 2, 8, 30, tzinfo=UTC)),
        ("1762072200.25", "epoch_seconds", datetime(2025, 11, 2, 8, 30, 0, 250_000, tzinfo=UTC)),
        ("1762072200.9999999", "epoch_seconds", datetime(2025, 11, 2, 8, 30, 0, 999_999, tzinfo=UTC)),
        ("1762072200250", "epoch_milliseconds", datetime(2025, 11, 2, 8, 30, 0, 250_000, tzinfo=UTC)),
        ("1762072200250.5", "epoch_milliseconds", datetime(2025, 11, 2, 8, 30, 0, 250_500, tzinfo=UTC)),
        ("2026-11-02T09:30:00+01:00", "iso8601", datetime(2026, 11, 2, 8, 30, tzinfo=UTC)),
        ("2026-11-02 09:30:00Z", "iso8601", datetime(2026, 11, 2, 9, 30, tzinfo=UTC)),
        ("20261102T0930", "iso8601", datetime(2026, 11, 2, 8, 30, tzinfo=UTC)),
        ("2026-11-02 09:30 -0500", "%Y-%m-%d %H:%M %z", datetime(2026, 11, 2, 14, 30, tzinfo=UTC)),
        ("2 Nov 2026 09:30 PM", "%d %b %Y %I:%M %p", datetime(2026, 11, 2, 20, 30, tzinfo=UTC)),
        ("2/1/2026", "%d/%m/%Y", datetime(2026, 1, 1, 23, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_its_format(text, written, time):
    assert read(text, written, zone=BERLIN) == time


@given(st.integers(0, 10**12))
def test_milliseconds_come_back(milliseconds):
    age = read(str(milliseconds), "epoch_milliseconds") - EARLY.replace(tzinfo=UTC)
    assert age == timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-11-02", "iso8601"),
        ("20261102", "iso8601"),
        ("yesterday: noon", "iso8601"),
        ("1.7e9", "epoch_seconds"),
        ("-5", "epoch_seconds"),
        ("٣", "epoch_seconds"),
        ("9" * 15, "epoch_seconds"),
        ("9" * 16, "epoch_milliseconds"),
        ("", "epoch_seconds"),
        ("31.02.2026", "%d.%m.%Y"),
    ],
)
def test_a_time_that_is_not_in_its_format_is_named_with_it(text, written):
    with pytest.raises(ValueError, match=re.escape(f"time {text!r} is not in the format {written!r}")):
        read(text, written)


def test_the_first_format_that_fits_is_taken():
    either = ("%d/%m/%Y", "%m/%d/%Y")
    assert [read(text, *either).month for text in ("02/11/2026", "02/13/2026")] == [11, 2]
    with pytest.raises(ValueError, match="is not in the format '%d/%m/%Y' or '%m/%d/%Y'"):
        read("13/13/2026", *either)


def test_a_time_without_an_offset_needs_a_zone():
    with pytest.raises(ValueError, match="'2026-11-02T09:30' names no offset from UTC, and no time zone is given"):
        read("2026-11-02T09:30", "iso8601", zone=None)
    assert read("2026-11-02T09:30Z", "iso8601", zone=None) == datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("%d.%m. %H:%M", "does not tell the whole date"),
        ("%Y %H:%M", "does not tell the whole date"),
        ("", "does not tell the whole date"),
        ("%Y-%m-%d %I:%M", "does not tell the hour"),
        ("%Y-%m-%d %M", "does not tell the hour"),
        ("%Y-%m-%d %Z", "has %Z"),
        ("%Y-%m-%d %Q", "can't be used"),
        ("%Y-%m-%d %d", "can't be used"),
        ("%Y-%m-%d %", "can't be used"),
        ("ISO8601", "does not tell the whole date"),
    ],
)
def test_a_format_that_can_not_tell_a_time_is_refused(written, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_format(written)


@pytest.mark.parametrize("written", [*FORMATS, "%j/%Y", "%c", "%d %b %Y %I %p", "iso8601", "epoch_seconds"])
def test_a_format_that_tells_a_time_is_kept(written):
    assert check_format(written) == written


@pytest.mark.parametrize(("name", "hours"), [("+02:00", 2), ("-0330", -3.5), ("+00:00", 0)])
def test_an_offset_is_a_zone(name, hours):
    assert zone_of(name) == timezone(timedelta(hours=hours))


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../UTC", "Europe", "+2", "+02:60", "a" * 5000, "a\0"])
def test_an_unknown_zone_is_named(name):
    with pytest.raises(ValueError, match="is known; use an IANA name like Europe/Berlin, or an offset like"):
        zone_of(name)
