"""The graph as it is: what changes here shows in review."""

import pytest

HISTORY = [
    "marts/dim_companies",
    "marts/fct_event_lateness",
    "marts/fct_meter_usage_daily",
    "marts/fct_usage_daily",
    "raw/holidays",
]
ASSETS = {
    "billing/meter_events": ["billing/rated_usage"],
    "billing/rated_usage": [
        "intermediate/int_priced_events",
        "marts/dim_companies",
        "marts/fct_meter_usage_daily",
        "marts/fct_meter_usage_monthly",
        "marts/subscriptions_history",
        "raw/plans",
    ],
    "intermediate/int_meter_levels": ["marts/billable_meters", "raw/companies", "raw/usage_events"],
    "intermediate/int_meter_values": ["marts/billable_meters", "raw/usage_events"],
    "intermediate/int_priced_events": ["marts/billable_meters", "raw/usage_events"],
    "marts/billable_meters": [],
    "marts/companies_history": ["raw/companies"],
    "marts/daily_usage_summary": ["marts/fct_meter_usage_daily"],
    "marts/dim_branches": ["raw/branches", "raw/companies"],
    "marts/dim_companies": ["marts/fct_usage_daily", "raw/companies", "raw/subscriptions"],
    "marts/dim_dates": ["raw/companies", "raw/holidays"],
    "marts/dim_meters": ["marts/billable_meters"],
    "marts/dim_plans": ["raw/plans"],
    "marts/fct_acceptance": ["marts/fct_recommendations"],
    "marts/fct_accepted_savings": ["marts/fct_recommendations", "raw/companies"],
    "marts/fct_billing_period_usage": [
        "billing/rated_usage",
        "marts/billable_meters",
        "marts/fct_meter_usage_monthly",
        "marts/fct_rated_lines",
        "marts/fct_usage_daily",
        "raw/companies",
    ],
    "marts/fct_conversion": ["raw/companies", "raw/usage_events"],
    "marts/fct_costs": ["marts/fct_rated_lines", "marts/fct_usage_monthly"],
    "marts/fct_customers_daily": ["intermediate/int_meter_values", "marts/fct_usage_daily"],
    "marts/fct_event_lateness": ["raw/companies", "raw/usage_events"],
    "marts/fct_geography": [
        "intermediate/int_meter_values",
        "marts/fct_usage_monthly",
        "raw/branches",
        "raw/companies",
    ],
    "marts/fct_kpis": [
        "marts/billable_meters",
        "marts/fct_meter_usage_monthly",
        "marts/fct_mrr_movements",
        "marts/fct_usage_daily",
        "marts/kpi_definitions",
        "raw/companies",
        "raw/kpis",
        "raw/subscriptions",
    ],
    "marts/fct_meter_usage_daily": [
        "intermediate/int_meter_levels",
        "intermediate/int_meter_values",
        "marts/billable_meters",
        "marts/fct_usage_daily",
        "raw/usage_events",
    ],
    "marts/fct_meter_usage_monthly": ["intermediate/int_meter_values", "marts/fct_meter_usage_daily"],
    "marts/fct_mrr_movements": ["marts/fct_rated_lines"],
    "marts/fct_peer_benchmarks": ["marts/billable_meters", "marts/fct_meter_usage_monthly", "raw/companies"],
    "marts/fct_price_sensitivity": ["marts/fct_rated_lines", "marts/fct_usage_daily", "raw/companies"],
    "marts/fct_rated_lines": ["billing/rated_usage", "raw/plans"],
    "marts/fct_recommendation_regret": ["ml/pricing_recommendations", "ml/recommendation_regret"],
    "marts/fct_recommendations": [
        "ml/pricing_recommendations",
        "ml/recommendation_regret",
        "ml/recommendation_reviews",
        "raw/companies",
        "raw/plans",
    ],
    "marts/fct_statements": ["billing/rated_usage", "marts/fct_rated_lines"],
    "marts/fct_usage_daily": [
        "intermediate/int_meter_values",
        "marts/fct_usage_hourly",
        "raw/branches",
        "raw/companies",
        "raw/subscriptions",
    ],
    "marts/fct_usage_heatmap": ["marts/fct_usage_daily", "marts/fct_usage_hourly"],
    "marts/fct_usage_history": [
        "intermediate/int_meter_values",
        "marts/billable_meters",
        "marts/fct_meter_usage_daily",
        "marts/fct_meter_usage_monthly",
        "marts/fct_usage_daily",
        "raw/companies",
        "raw/plans",
        "raw/subscriptions",
        "raw/usage_events",
    ],
    "marts/fct_usage_hourly": ["raw/usage_events"],
    "marts/fct_usage_monthly": ["intermediate/int_meter_values", "marts/fct_usage_daily"],
    "marts/fct_usage_summary": ["intermediate/int_meter_values", "marts/fct_usage_daily", "raw/companies"],
    "marts/fct_usage_weekly": ["intermediate/int_meter_values", "marts/fct_usage_daily"],
    "marts/fct_value": ["marts/minutes_saved", "raw/usage_events"],
    "marts/kpi_definitions": [],
    "marts/kpi_monthly": ["marts/fct_mrr_movements", "raw/companies", "raw/kpis", "raw/subscriptions"],
    "marts/minutes_saved": [],
    "marts/plans_history": ["raw/plans"],
    "marts/subscriptions_history": ["raw/companies", "raw/plans", "raw/subscriptions"],
    "messaging/notifications": ["ml/pricing_recommendations", "ml/recommendation_reviews", "ml/usage_insights"],
    "ml/business_characteristics": [
        "intermediate/int_meter_values",
        "marts/dim_companies",
        "marts/fct_conversion",
        "marts/fct_meter_usage_daily",
        "marts/fct_usage_daily",
        "marts/fct_usage_hourly",
    ],
    "ml/churn_risks": ["marts/fct_event_lateness", "marts/fct_usage_daily"],
    "ml/peer_benchmarks": [
        "intermediate/int_meter_values",
        "marts/dim_companies",
        "marts/fct_conversion",
        "marts/fct_meter_usage_daily",
        "marts/fct_usage_daily",
        "marts/fct_usage_hourly",
    ],
    "ml/pricing_recommendations": [
        "ml/business_characteristics",
        "ml/choice_policies",
        "ml/limit_forecasts",
        "ml/usage_anomalies",
        "ml/usage_forecasts",
        "ml/usage_patterns",
        "raw/plans",
        "raw/subscriptions",
    ],
    "ml/recommendation_regret": [
        "marts/fct_event_lateness",
        "marts/fct_meter_usage_daily",
        "marts/fct_usage_daily",
        "ml/pricing_recommendations",
        "ml/recommendation_reviews",
        "raw/plans",
    ],
    "ml/recommendation_reviews": [
        "marts/dim_companies",
        "marts/fct_meter_usage_daily",
        "marts/fct_usage_daily",
        "ml/business_characteristics",
        "ml/choice_policies",
        "ml/limit_forecasts",
        "ml/pricing_recommendations",
        "ml/usage_anomalies",
        "ml/usage_forecasts",
        "ml/usage_patterns",
        "raw/plans",
        "raw/subscriptions",
    ],
    "ml/usage_anomalies": [
        "marts/billable_meters",
        "marts/dim_companies",
        "marts/fct_event_lateness",
        "marts/fct_meter_usage_daily",
        "marts/fct_usage_daily",
        "raw/holidays",
    ],
    "ml/usage_forecasts": HISTORY,
    "ml/forecast_accuracy": HISTORY,
    "ml/choice_policies": sorted([*HISTORY, "raw/plans", "raw/subscriptions"]),
    "ml/recommendation_reliability": sorted([*HISTORY, "raw/plans", "raw/subscriptions"]),
    "ml/limit_forecasts": sorted(["billing/rated_usage", *HISTORY]),
    "ml/usage_insights": [
        "ml/business_characteristics",
        "ml/limit_forecasts",
        "ml/usage_anomalies",
        "ml/usage_forecasts",
        "ml/usage_patterns",
    ],
    "ml/usage_patterns": ["marts/dim_companies", "marts/fct_meter_usage_daily", "marts/fct_usage_hourly"],
    "raw/branches": ["raw/companies"],
    "raw/companies": [],
    "raw/holidays": ["raw/companies"],
    "raw/kpis": [],
    "raw/plans": [],
    "raw/subscriptions": ["raw/companies", "raw/plans"],
    "raw/usage_events": ["raw/branches", "raw/companies"],
}
JOBS = {
    "billing_sync_job",
    "choice_policies_job",
    "daily_analysis_job",
    "day_14_recommendations_job",
    "day_7_insights_job",
    "forecast_accuracy_job",
    "ingestion_job",
    "recommendation_regret_job",
    "replay_rejected_job",
    "retention_job",
    "source_health_job",
    "usage_marts_job",
}
SENSORS = {
    "billing_sync_sensor",
    "changed_usage_dates_sensor",
    "day_14_recommendations_sensor",
    "day_7_insights_sensor",
    "landing_files_sensor",
    "load_alert_sensor",
    "run_failure_alert_sensor",
}
SCHEDULES = {
    "daily_analysis_schedule",
    "daily_retention_schedule",
    "hourly_source_health_schedule",
    "hourly_usage_marts_schedule",
    "weekly_accuracy_schedule",
    "weekly_choice_policies_schedule",
    "weekly_regret_schedule",
}


@pytest.fixture(scope="module")
def repository(local_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USAGE_PRICING_LOCAL", str(local_folder))
        from orchestration.definitions import defs

        yield defs().get_repository_def()


def test_the_assets_and_what_they_read(repository):
    graph = repository.asset_graph
    found = {
        key.to_user_string(): sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        for key in graph.get_all_asset_keys()
    }
    assert found == ASSETS


def test_the_jobs_sensors_and_schedules(repository):
    assert {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")} == JOBS
    assert {sensor.name for sensor in repository.sensor_defs} == SENSORS
    assert {schedule.name for schedule in repository.schedule_defs} == SCHEDULES


def test_every_asset_says_what_it_holds_who_owns_it_and_where_it_belongs(repository):
    graph = repository.asset_graph
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.group_name != "default", key
        assert node.owners, key


def test_what_is_wrong_at_the_raw_boundary_blocks_and_what_is_odd_does_not(repository):
    blocking = {
        key.to_user_string(): repository.asset_graph.get(key).blocking
        for key in repository.asset_graph.asset_check_keys
        if key.asset_key.path[0] == "raw"
    }
    assert blocking == {
        "raw/branches:branches_keep_their_suite": True,
        "raw/companies:companies_keep_their_suite": True,
        "raw/kpis:kpis_keep_their_suite": True,
        "raw/plans:plans_keep_their_suite": True,
        "raw/subscriptions:subscriptions_keep_their_suite": True,
        "raw/usage_events:events_keep_their_suite": True,
        "raw/usage_events:no_load_is_held": True,
        "raw/usage_events:sources_deliver_as_much_as_usual": False,
        "raw/usage_events:sources_deliver_as_often_as_usual": False,
    }
