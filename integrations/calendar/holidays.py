"""Public holidays of countries: which years of which country are missing, and the rows that fill them."""

from collections.abc import Iterable
from typing import Any

from psycopg import Connection

__all__ = ["missing_years", "public_holidays"]

LANGUAGE = "en_US"  # named, since by default the machine's own language decides
MISSING = """
    with

    first as (
        select extract(year from least(
            (select min((activated_at at time zone time_zone)::date) from raw.companies),
            (select min(usage_date) from ops.usage_date_state)
        ))::integer as year
    ),

    years as (select generate_series(first.year, %s) as year from first),

    countries as (select distinct country from raw.companies)

    select countries.country, years.year from countries cross join years
    where not exists (
        select from raw.holidays
        where holidays.country = countries.country
            and holidays.holiday_date >= make_date(years.year, 1, 1)
            and holidays.holiday_date < make_date(years.year + 1, 1, 1)
    )
    order by countries.country, years.year
"""


def missing_years(connection: Connection, last: int) -> list[tuple[str, int]]:
    """Each country of a company with each year without holidays, from the first activation or usage to year `last`."""
    return connection.execute(MISSING, [last]).fetchall()


def public_holidays(years: Iterable[tuple[str, int]]) -> tuple[list[dict[str, Any]], list[str]]:
    """The holidays that hold in the whole of a country, in English, those of one date joined by "; ".

    Args:
        years: pairs of a country, ISO 3166 alpha-2, and a year.

    Returns:
        Rows of `raw.holidays` (country, holiday_date, name), and the countries that are not known, which have none.
    """
    years = list(years)
    if not years:
        return [], []
    from holidays import country_holidays

    rows: list[dict[str, Any]] = []
    unknown: set[str] = set()
    for country, year in years:
        try:
            found = country_holidays(country, years=year, language=LANGUAGE)
        except NotImplementedError:
            unknown.add(country)
            continue
        rows += [
            {"country": country, "holiday_date": day, "name": name}
            for day, name in sorted(found.items())
            if day.year == year
        ]
    return rows, sorted(unknown)
