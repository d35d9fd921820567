"""Dimensions, histories and reports of one small world: described as it was, and only as far as it was known."""

from datetime import date

import dagster as dg
import pytest

from integrations.events.kpis import KPIS
from integrations.events.landing import LandingFile, load_file
from orchestration.catalogue import PRICES
from orchestration.partitions import range_tags
from tests.dbt_project.reference_world import EVENTS, FIRST, KNOWN_AT_FIRST, LAST, NEW_EVENT, NEWS
from tests.feeds import lines

COMPANIES = """
    select name, currency, time_zone, first_date::text, last_date::text, valid_to is null
    from marts.companies_history where company_key = 'acme' order by valid_from
"""
PLAN_VERSIONS = """
    select version, monthly_base_fee::float, valid_from::text, valid_to::text, is_current
    from marts.dim_plans where plan_key = 'per_minute' order by version
"""
SUBSCRIPTIONS = """
    select status, plan_version, first_date::text, last_date::text
    from marts.subscriptions_history order by valid_from
"""
BRANCHES = """
    select branch_key, branches.name, city, first_date::text
    from marts.dim_branches as branches inner join marts.dim_companies as companies using (company_id)
    where company_key = 'acme' order by branch_id
"""
ALL = (COMPANIES, PLAN_VERSIONS, SUBSCRIPTIONS, BRANCHES)
KPI = "select value::float, source, reason from marts.fct_kpis where usage_month = %s and kpi = %s order by unit"


@pytest.fixture(scope="module")
def seen(module_pipeline, tmp_path_factory):
    """What the marts said at the first instant, when the news lay in the raw tables but came from the future.

    A plan is recommended then, and the reports are built in the same run, which is partitioned for the analysis.
    """
    world, folder = module_pipeline, tmp_path_factory.mktemp("feeds")
    for received_at, feeds in ((FIRST, KNOWN_AT_FIRST), (LAST, NEWS)):
        for feed, content in feeds.items():
            path = folder / f"{feed}-{received_at:%m%d}"
            path.write_text(content)
            with world.connect() as connection:
                report = load_file(connection, LandingFile(feed, path), received_at, PRICES)
            assert (report.status, report.rejected) == ("published", 0), report.message
    world.set_clock(FIRST)
    world.land("events", "events.ndjson", lines(*EVENTS))
    world.tick("landing_files_sensor", "changed_usage_dates_sensor")
    world.driver.run("day_14_recommendations_job", range_tags(date(2026, 10, 14), date(2026, 10, 14)))
    return {query: world.rows(query) for query in ALL}


@pytest.fixture(scope="module")
def world(module_pipeline, seen):
    """Everything is built at the last instant, with the news."""
    world = module_pipeline
    world.set_clock(LAST)
    world.land("events", "news.ndjson", lines(NEW_EVENT))
    world.tick("landing_files_sensor", "changed_usage_dates_sensor", "billing_sync_sensor")
    world.driver.run("daily_analysis_job", partition="2026-10-30")
    return world


def test_what_is_received_later_is_not_known(seen):
    assert seen == {
        COMPANIES: [("Acme", "EUR", "Europe/Berlin", "0001-01-01", "9999-12-31", True)],
        PLAN_VERSIONS: [(1, 49.0, "1990-01-01", None, True)],
        SUBSCRIPTIONS: [("trial", 1, "2026-10-01", "9999-12-31")],
        BRANCHES: [(None, "none", None, None), ("main", "Main", "Berlin", "2026-10-03")],
    }


def test_every_version_holds_until_the_next_one(world):
    assert world.rows(COMPANIES) == [
        ("Acme", "EUR", "Europe/Berlin", "0001-01-01", "2026-10-31", False),
        ("Acme Ltd", "EUR", "Europe/London", "2026-11-01", "9999-12-31", True),
    ]
    assert world.rows(PLAN_VERSIONS) == [
        (1, 49.0, "1990-01-01", "2026-11-01", False),
        (2, 59.0, "2026-11-01", None, True),
    ]
    assert world.rows("select version, last_date::text from marts.plans_history where plan_key = 'per_minute'") == [
        (1, "2026-10-31"),
        (2, "9999-12-31"),
    ]
    assert world.rows(SUBSCRIPTIONS) == [
        ("trial", 1, "2026-10-01", "2026-10-14"),
        ("active", 1, "2026-10-15", "2026-10-31"),
        ("active", 2, "2026-11-01", "2026-11-04"),
        ("cancelled", 2, "2026-11-05", "9999-12-31"),
    ]


def test_a_past_day_finds_the_company_and_the_plan_of_then(world):
    found = world.rows(
        """
        select usage.usage_date::text, companies.name, companies.currency, subscriptions.status, plans.version
        from marts.fct_usage_daily as usage
        inner join marts.companies_history as companies
            on usage.company_id = companies.company_id
            and usage.usage_date between companies.first_date and companies.last_date
        inner join marts.subscriptions_history as subscriptions
            on usage.company_id = subscriptions.company_id
            and usage.usage_date between subscriptions.first_date and subscriptions.last_date
        inner join marts.dim_plans as plans using (plan_id)
        where usage.total_events > 0 and usage.usage_date in ('2026-10-05', '2026-11-03') order by 1
        """
    )
    assert found == [
        ("2026-10-05", "Acme", "EUR", "trial", 1),
        ("2026-11-03", "Acme Ltd", "EUR", "active", 2),
    ]


def test_a_branch_is_as_it_is_now_and_no_branch_is_one_too(world):
    assert world.rows(BRANCHES) == [(None, "none", None, None), ("main", "New main", "London", "2026-10-03")]
    joined = "from marts.fct_usage_daily inner join marts.dim_branches using (company_id, branch_id)"
    assert world.value(f"select count(*) {joined}") == world.value("select count(*) from marts.fct_usage_daily") > 40
    assert world.rows(f"select distinct name {joined} where total_events > 0 order by 1") == [("New main",), ("none",)]


def test_every_meter_says_how_it_is_added_up(world):
    found = dict(world.rows("select meter, is_additive from marts.dim_meters"))
    assert {name for name, is_additive in found.items() if not is_additive} == {
        "customers",
        "unique_clients",
        "storage_mb",
        "seats",
        "concurrent_sessions_peak",
    }
    assert world.rows(
        "select days_to_period, branches_to_company from marts.dim_meters where meter = 'storage_mb'"
    ) == [("the level at the end of the last day", "the sum of the branches' last levels")]


def test_every_country_has_its_own_calendar_up_to_the_end_of_the_next_year(world):
    found = world.rows(
        "select country, min(calendar_date)::text, max(calendar_date)::text, count(*) filter (where is_holiday) > 0"
        " from marts.dim_dates group by country order by country"
    )
    assert found == [
        ("DE", "2026-01-01", "2027-12-31", True),
        ("GB", "2026-01-01", "2027-12-31", True),
        ("QQ", "2026-01-01", "2027-12-31", False),
    ]
    days = world.rows(
        "select iso_year, iso_week, iso_weekday, month_start::text, quarter, is_weekend, is_holiday, holiday_name"
        " from marts.dim_dates where country = 'DE' and calendar_date in ('2026-10-03', '2027-01-01') order by 1, 2, 3"
    )
    assert days == [
        (2026, 40, 6, "2026-10-01", 4, True, True, "German Unity Day"),
        (2026, 53, 5, "2027-01-01", 1, False, True, "New Year's Day"),
    ]


def test_an_unknown_country_is_told_and_known_years_are_not_looked_up_again(world):
    event = world.instance.get_latest_materialization_event(dg.AssetKey(["raw", "holidays"]))
    found = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    assert found == {"new_rows": 0, "unknown_countries": "QQ"}


def test_a_recommendation_is_reported_with_its_plans_by_key(world):
    found = world.rows(
        "select recommendation_type, current_plan_key, current_plan_version, status, usage_month::text, currency,"
        " is_decided, is_accepted, is_expired, days_to_decision from marts.fct_recommendations"
    )
    assert found == [("initial", "per_minute", 1, "expired", "2026-10-01", "EUR", False, False, True, None)]
    assert world.rows("select usage_month::text, count_recommendations, acceptance_rate from marts.fct_acceptance") == [
        ("2026-10-01", 1, None)
    ]


def test_every_month_has_every_kpi_with_a_value_or_a_reason(world):
    assert world.value("select count(*) from marts.fct_kpis where (value is null) <> (reason is not null)") == 0
    assert world.value("select count(*) from marts.fct_kpis where (value is null) <> (source is null)") == 0
    counts = world.rows("select usage_month::text, count(distinct kpi) from marts.fct_kpis group by 1 order by 1")
    assert counts == [("2026-10-01", 16), ("2026-11-01", 16), ("2026-12-01", 16)]


@pytest.mark.parametrize(
    ("month", "kpi", "found"),
    [
        ("2026-10-01", "trial_to_paid", [(1.0, "pipeline", None)]),
        ("2026-11-01", "trial_to_paid", [(None, None, "There is nothing to divide by.")]),
        ("2026-12-01", "trial_to_paid", [(None, None, "The figure of this month is not final yet.")]),
        ("2026-11-01", "churn_rate", [(1.0, "pipeline", None)]),
        ("2026-10-01", "churn_rate", [(0.75, "feed", None)]),
        ("2026-11-01", "usage_growth", [(-0.666667, "pipeline", None)]),
        ("2026-10-01", "feature_adoption", [(1.0, "pipeline", None)]),
        ("2026-10-01", "time_to_value", [(2.0, "pipeline", None)]),
        ("2026-10-01", "onboarding_completion", [(1.0, "pipeline", None)]),
        ("2026-11-01", "onboarding_completion", [(None, None, "The figure of this month is not final yet.")]),
        ("2026-10-01", "csat", [(4.5, "feed", None)]),
        ("2026-11-01", "csat", [(None, None, "Only the feed kpis could tell it and it has no row.")]),
        ("2026-10-01", "upgrade_rate", [(None, None, "There is nothing to divide by.")]),
        ("2026-11-01", "upgrade_rate", [(0.0, "pipeline", None)]),
        ("2026-11-01", "ltv", [(None, None, "There is nothing to divide by.")]),
        ("2026-12-01", "mrr", [(None, None, "The figure of this month is not final yet.")]),
    ],
)
def test_a_computed_figure_comes_first_then_the_one_that_was_told_then_the_reason(world, month, kpi, found):
    assert world.rows(KPI, month, kpi) == found


def test_revenue_is_what_was_charged_in_currencies_in_which_anything_was(world):
    charged = world.value("select sum(amount)::float from billing.rated_usage where usage_period = '2026-10-01'")
    assert charged > 0
    assert world.rows(KPI, "2026-10-01", "mrr") == [(charged, "pipeline", None), (500.0, "feed", None)]
    assert world.rows(
        "select usage_month::text, mrr::float, arr::float, count_paying, count_trials_converted from marts.kpi_monthly"
        " where usage_month = '2026-10-01'"
    ) == [("2026-10-01", charged, 12 * charged, 1, 1)]


def test_the_feed_and_the_definitions_know_the_same_figures(world):
    assert dict(world.rows("select kpi, unit from marts.kpi_definitions")) == KPIS
