"""Forecasts say how far their like were off, and loads are found by the time at which they were received."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS: tuple[str, ...] = (
    """
    alter table ml.usage_forecasts
        add column segment text,
        add column history_days integer,
        add column judged_as_of date,
        add column wape double precision,
        add column coverage_80 double precision,
        add column accuracy_reason text default 'not_judged_yet'
    """,
    "comment on column ml.usage_forecasts.wape is"
    " 'Error / usage, by day, of the forecasts given to such series in the backtest of judged_as_of'",
    "comment on column ml.usage_forecasts.coverage_80 is"
    " 'Share of the days of that backtest that lay between p10 and p90'",
    "create index on raw.loads (received_at)",
)


def upgrade() -> None:
    """Add the columns; forecasts that are there were not judged."""
    for statement in STATEMENTS:
        op.execute(statement)
