"""The public holidays of the companies' countries, and the figures that other systems know about the business."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS: tuple[str, ...] = (
    """
    create table raw.holidays (
        country char(2) not null,
        holiday_date date not null,
        name text not null,
        primary key (country, holiday_date)
    )
    """,
    "comment on table raw.holidays is 'One row per country and public holiday of the whole country.'",
    """
    create table raw.kpis (
        month date not null check (extract(day from month) = 1),
        kpi text not null,
        unit text not null,
        received_at timestamptz not null,
        value numeric(20, 6) not null,
        load_id bigint not null,
        primary key (month, kpi, unit, received_at)
    )
    """,
    "comment on table raw.kpis is 'One row per month, figure, unit and receipt, as another system told it.'",
)


def upgrade() -> None:
    """Create both tables."""
    for statement in STATEMENTS:
        op.execute(statement)
