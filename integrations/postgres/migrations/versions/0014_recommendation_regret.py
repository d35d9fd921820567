"""What recommendations came to: each replayed on the usage of the 30 days that followed."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS: tuple[str, ...] = (
    """
    create table ml.recommendation_regret (
        company_id bigint not null,
        recommendation_key text not null,
        as_of date not null,
        known_at timestamptz not null,
        currency char(3) not null,
        recommended_cost numeric(14, 2) not null,
        stay_cost numeric(14, 2),
        best_plan_id bigint not null references raw.plans (plan_id),
        best_cost numeric(14, 2) not null,
        last_month_plan_id bigint not null references raw.plans (plan_id),
        last_month_cost numeric(14, 2) not null,
        single_plan_id bigint not null references raw.plans (plan_id),
        single_plan_cost numeric(14, 2) not null,
        regret numeric(14, 2) not null check (regret >= 0),
        saving numeric(14, 2),
        is_harmed boolean,
        probability numeric(3, 2) not null,
        was_right boolean,
        history_days integer not null,
        primary key (company_id, recommendation_key),
        foreign key (company_id, recommendation_key)
            references ml.pricing_recommendations (company_id, recommendation_key),
        check (regret = recommended_cost - best_cost),
        check (saving = stay_cost - recommended_cost),
        check ((stay_cost is null) = (saving is null) and (stay_cost is null) = (is_harmed is null))
    )
    """,
    "comment on table ml.recommendation_regret is"
    " 'One row per company and recommendation whose 30 days from as_of are over: what they cost with each choice.'",
    "comment on column ml.recommendation_regret.stay_cost is 'Null at the end of a trial, which can''t be kept'",
    "comment on column ml.recommendation_regret.single_plan_id is"
    " 'The one plan that would have been cheapest for all of the same currency, product and month of as_of together;"
    " where it was not open to the company, what was left to it'",
    "comment on column ml.recommendation_regret.was_right is"
    " 'Whether that came true of which the probability was told; null where nothing was told'",
    "comment on column ml.recommendation_regret.history_days is 'Complete days of usage that it was computed from'",
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
