"""How plans are chosen: what the past has taught about it, and how honest its probabilities were."""

from alembic import op

revision = "0015"
down_revision = "0014"

STATEMENTS: tuple[str, ...] = (
    """
    create table ml.choice_policies (
        as_of date not null,
        currency text not null,
        product text not null,
        history_days integer not null,
        segment text not null check (segment in ('regular', 'intermittent')),
        known_at timestamptz not null,
        family text not null check (family in ('last_month', 'scenarios', 'analogues')),
        min_saving_share double precision not null,
        min_probability double precision not null,
        count_cases integer not null,
        count_origins integer not null,
        policy jsonb not null,
        primary key (as_of, currency, product, history_days, segment)
    )
    """,
    "comment on table ml.choice_policies is"
    " 'One row per as-of date, currency, product, days of history and segment: the way of choosing plans that has done"
    " best by then, how its probabilities are calibrated, and the bounds of a change.'",
    """
    create table ml.recommendation_reliability (
        as_of date not null,
        currency text not null,
        product text not null,
        history_days integer not null,
        decile integer not null check (decile between 1 and 10),
        known_at timestamptz not null,
        switches integer not null,
        mean_probability double precision,
        observed_frequency double precision,
        gap double precision,
        is_shown boolean not null,
        primary key (as_of, currency, product, history_days, decile)
    )
    """,
    "comment on table ml.recommendation_reliability is"
    " 'One row per as-of date, currency, product, days of history and decile of the probability: how often switches of"
    " the past really were cheaper.'",
    """
    create table ml.forecast_models (
        as_of date not null,
        known_at timestamptz not null,
        meter text not null,
        segment text not null,
        history_days integer not null,
        content bytea not null,
        primary key (as_of, known_at, meter, segment, history_days)
    )
    """,
    "comment on table ml.forecast_models is"
    " 'One row per as-of date, instant, meter, segment and days of history: the model by which such series are forecast"
    " that day; forgotten after a week.'",
    "alter table ml.replay_contents drop constraint replay_contents_kind_check",
    """
    alter table ml.replay_contents add constraint replay_contents_kind_check
        check (kind in ('model', 'catalogue', 'policies', 'analogues'))
    """,
)


def upgrade() -> None:
    """Add the tables, and what else a recommendation is computed from."""
    for statement in STATEMENTS:
        op.execute(statement)
