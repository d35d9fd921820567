"""Marts with the columns that experiments read, a design, and decisions of the companies in it."""

from datetime import UTC, datetime, timedelta

from psycopg import Connection

# The columns that are read, as the marts have them.
MARTS = """
    create table marts.dim_companies (
        company_id bigint primary key, company_key text, currency text, time_zone text, plan_key text,
        subscription_status text, lifecycle_day integer
    );
    create table marts.fct_recommendations (
        company_id bigint, generated_at timestamptz, actioned_at timestamptz, is_decided boolean, is_accepted boolean
    );
    create table marts.subscriptions_history (
        company_id bigint, status text, valid_from timestamptz, first_date date, last_date date
    );
    create table marts.fct_rated_lines (company_id bigint, currency text, usage_period date, amount numeric(20, 6))
"""
BEGIN = datetime(2026, 11, 10, 12, tzinfo=UTC)
DECLARED = {
    "key": "cheaper",
    "name": "Cheaper minutes",
    "variant_a": {"price": "0.12"},
    "variant_b": {"price": "0.10"},
    "metrics": ["acceptance", "trial_conversion"],
    "baseline": 0.3,
    "minimum_effect": 0.3,
    "companies_at_start": 200,
    "looks": 2,
    "observation_days": 30,
}


def add_companies(connection: Connection, first: int, last: int, **override) -> None:
    """Companies `first` up to before `last`, on the hybrid plan and billed in EUR unless said otherwise."""
    row = {"currency": "EUR", "plan_key": "hybrid", "subscription_status": "active", "lifecycle_day": 20, **override}
    for number in range(first, last):
        connection.execute(
            "insert into marts.dim_companies values (%s, %s, %s, 'Europe/Berlin', %s, %s, %s)",
            [number, f"c-{number}", *row.values()],
        )


def decide(connection: Connection, rates: dict[str, int], at: datetime = BEGIN + timedelta(days=3)) -> None:
    """A decision of each assigned company; of ten with the variant, `rates` accept."""
    arms = connection.execute("select arm, company_id from ml.experiment_assignments order by company_id").fetchall()
    for arm, rate in rates.items():
        for place, company in enumerate(company for its, company in arms if its == arm):
            connection.execute(
                "insert into marts.fct_recommendations values (%s, %s, %s, true, %s)",
                [company, at - timedelta(days=1), at, place % 10 < rate],
            )
