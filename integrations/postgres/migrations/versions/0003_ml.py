"""Schema ml: what was learnt about each company, and what was recommended."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS: tuple[str, ...] = (
    """
    create table ml.usage_patterns (
        company_id bigint not null,
        pattern_type text not null check (pattern_type in ('hourly', 'daily', 'weekly', 'seasonal')),
        as_of date not null,
        known_at timestamptz not null,
        window_start date not null,
        window_end date not null,
        pattern_data jsonb not null,
        confidence_score numeric(3, 2) not null,
        detected_at timestamptz not null,
        valid_until timestamptz,
        primary key (company_id, pattern_type, as_of)
    )
    """,
    """
    create table ml.business_characteristics (
        company_id bigint not null,
        as_of date not null,
        known_at timestamptz not null,
        window_start date not null,
        window_end date not null,
        business_type text not null,
        volume_category text not null,
        growth_trajectory text,
        growth_per_week double precision,
        seasonality_factor double precision,
        customer_behaviour text,
        service_complexity text,
        has_unique_patterns boolean not null,
        calls_per_14_days double precision not null,
        average_call_seconds double precision,
        after_hours_ratio double precision,
        primary key (company_id, as_of)
    )
    """,
    """
    create table ml.usage_forecasts (
        company_id bigint not null,
        meter text not null,
        as_of date not null,
        known_at timestamptz not null,
        horizon_days integer not null,
        expected_quantity double precision not null,
        p10_quantity double precision not null,
        p90_quantity double precision not null,
        primary key (company_id, meter, as_of)
    )
    """,
    """
    create table ml.usage_insights (
        company_id bigint not null,
        milestone_day integer not null,
        as_of date not null,
        known_at timestamptz not null,
        window_start date not null,
        window_end date not null,
        totals jsonb not null,
        findings jsonb not null,
        generated_at timestamptz not null,
        primary key (company_id, milestone_day)
    )
    """,
    """
    create table ml.pricing_recommendations (
        company_id bigint not null,
        recommendation_id bigint generated always as identity,
        recommendation_key text not null,
        recommendation_type text not null check (recommendation_type in ('initial', 'adjustment', 'optimization')),
        action text not null check (action in ('switch', 'stay')),
        current_plan_id bigint references raw.plans (plan_id),
        recommended_plan_id bigint references raw.plans (plan_id),
        alternatives jsonb not null,
        custom_pricing jsonb,
        reasoning jsonb not null,
        confidence_score numeric(3, 2) not null,
        projected_savings numeric(12, 2) not null,
        projected_revenue_impact numeric(12, 2) not null,
        currency char(3) not null,
        status text not null default 'pending'
            check (status in ('pending', 'viewed', 'accepted', 'rejected', 'expired')),
        as_of date not null,
        known_at timestamptz not null,
        input_series jsonb not null,
        generated_at timestamptz not null,
        expires_at timestamptz not null,
        actioned_at timestamptz,
        primary key (company_id, recommendation_id),
        unique (company_id, recommendation_key)
    )
    """,
)


def upgrade() -> None:
    """Create the tables of the analysis."""
    for statement in STATEMENTS:
        op.execute(statement)
