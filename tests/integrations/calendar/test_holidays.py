"""Public holidays: their rows, the years that are missing, and countries that nobody knows."""

from datetime import UTC, date, datetime

from integrations.calendar.holidays import missing_years, public_holidays
from integrations.events.feeds import load_feed
from integrations.postgres.usage_dates import mark_dirty
from integrations.postgres.warehouse import append_rows
from tests.feeds import company, lines

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_country_has_its_holidays_of_each_year_in_english():
    rows, unknown = public_holidays([("DE", 2025), ("DE", 2026), ("US", 2026)])
    assert unknown == []
    assert {"country": "DE", "holiday_date": date(2026, 10, 3), "name": "German Unity Day"} in rows
    assert {(row["country"], row["holiday_date"].year) for row in rows} == {("DE", 2025), ("DE", 2026), ("US", 2026)}
    assert len({(row["country"], row["holiday_date"]) for row in rows}) == len(rows)


def test_a_holiday_that_is_observed_in_the_year_before_stays_in_that_year():
    rows, _ = public_holidays([("US", 2021)])
    assert date(2021, 12, 31) in [row["holiday_date"] for row in rows]
    assert date(2021, 12, 31) not in [row["holiday_date"] for row in public_holidays([("US", 2022)])[0]]


def test_an_unknown_country_is_told_and_the_others_keep_their_holidays():
    rows, unknown = public_holidays([("QQ", 2025), ("QQ", 2026), ("DE", 2026)])
    assert unknown == ["QQ"]
    assert {row["country"] for row in rows} == {"DE"}


def test_years_are_missing_from_the_first_activation_or_usage_to_the_last_year_until_they_are_there(
    connection, tmp_path
):
    def load(name, *companies):
        path = tmp_path / name
        path.write_text(lines(*companies))
        load_feed(connection, "companies", path, NOW)

    assert missing_years(connection, 2027) == []
    load("1.ndjson", company(activated_at="2026-01-01T00:30:00+01:00"))
    assert missing_years(connection, 2027) == [("DE", 2026), ("DE", 2027)]
    assert append_rows(connection, "raw.holidays", public_holidays(missing_years(connection, 2027))[0]) > 10
    assert missing_years(connection, 2027) == []
    assert missing_years(connection, 2028) == [("DE", 2028)]

    load("2.ndjson", company("york", country="GB"))
    assert missing_years(connection, 2027) == [("GB", 2026), ("GB", 2027)]
    mark_dirty(connection, [date(2025, 7, 1)])
    assert missing_years(connection, 2027) == [("DE", 2025), ("GB", 2025), ("GB", 2026), ("GB", 2027)]
