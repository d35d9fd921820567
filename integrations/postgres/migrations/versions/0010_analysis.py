"""The full analysis: forecasts by day, their accuracy, anomalies, limits, peers and the risk of churn."""

from alembic import op

revision = "0010"
down_revision = "0009"

STATEMENTS: tuple[str, ...] = (
    """
    alter table ml.usage_forecasts
        add column model text not null default 'level',
        add column seed bigint not null default 0,
        add column p50_quantity double precision,
        add column daily jsonb not null default '{}',
        add column reason text
    """,
    "comment on column ml.usage_forecasts.daily is 'From as_of on, one number a day: expected, p10, p50 and p90'",
    """
    create table ml.forecast_accuracy (
        as_of date not null,
        meter text not null,
        segment text not null,
        history_days integer not null,
        horizon_days integer not null,
        model text not null,
        known_at timestamptz not null,
        count_series integer not null,
        count_cutoffs integer not null,
        wape double precision,
        mase double precision,
        pinball_loss double precision,
        coverage_80 double precision,
        is_chosen boolean not null,
        primary key (as_of, meter, segment, history_days, model)
    )
    """,
    "comment on table ml.forecast_accuracy is"
    " 'One row per as-of date, meter, segment, days of history and model: how far it was off on windows before.'",
    """
    create table ml.usage_anomalies (
        company_id bigint not null,
        meter text not null,
        usage_date date not null,
        as_of date not null,
        known_at timestamptz not null,
        kind text not null check (kind in ('outage', 'drop', 'burst')),
        severity text not null check (severity in ('info', 'notice', 'warning')),
        quantity double precision not null,
        expected_quantity double precision not null,
        low_quantity double precision not null,
        high_quantity double precision not null,
        score double precision not null,
        reason jsonb not null,
        primary key (company_id, meter, usage_date)
    )
    """,
    "comment on table ml.usage_anomalies is"
    " 'One row per company, meter and usage date that was not as its past lets expect.'",
    """
    create table ml.limit_forecasts (
        company_id bigint not null,
        meter text not null,
        as_of date not null,
        known_at timestamptz not null,
        period_start date not null,
        period_end date not null,
        limit_quantity double precision not null,
        used_quantity double precision not null,
        expected_quantity double precision not null,
        expected_utilisation double precision,
        reach_probability double precision not null,
        expected_reach_date date,
        primary key (company_id, meter, as_of)
    )
    """,
    "comment on table ml.limit_forecasts is"
    " 'One row per company, meter with a limit and as-of date: whether and when the period will reach it.'",
    """
    create table ml.peer_benchmarks (
        as_of date not null,
        industry text not null,
        volume_category text not null,
        measure text not null,
        known_at timestamptz not null,
        count_companies integer not null,
        p25 double precision not null,
        median double precision not null,
        p75 double precision not null,
        primary key (as_of, industry, volume_category, measure)
    )
    """,
    "comment on table ml.peer_benchmarks is"
    " 'One row per as-of date, industry, volume category and measure, of no fewer than five companies.'",
    """
    create table ml.churn_risks (
        company_id bigint not null,
        as_of date not null,
        known_at timestamptz not null,
        probability double precision,
        level text check (level in ('low', 'medium', 'high')),
        factors jsonb not null,
        reason text,
        primary key (company_id, as_of)
    )
    """,
    "comment on table ml.churn_risks is"
    " 'One row per company and as-of date: how probable it is that it won''t be used in the 30 days that follow.'",
    """
    alter table ml.business_characteristics
        add column growth_low double precision,
        add column growth_high double precision,
        add column efficiency_score double precision,
        add column definitions_version integer not null default 1
    """,
)


def upgrade() -> None:
    """Add the tables and columns; what was analysed before stays as it is."""
    for statement in STATEMENTS:
        op.execute(statement)
