"""The lifecycle of recommendations: one open per company, an audit that nothing can pass by, reviews, and replays."""

from alembic import op

revision = "0013"
down_revision = "0012"

CHANGES = (
    ("", "pending"),
    ("pending", "viewed"),
    *((status, end) for status in ("pending", "viewed") for end in ("accepted", "rejected", "expired")),
)

STATEMENTS: tuple[str, ...] = (
    """
    create unique index one_open_per_company on ml.pricing_recommendations (company_id)
        where status in ('pending', 'viewed')
    """,
    f"""
    create table ml.recommendation_transitions (
        company_id bigint not null,
        recommendation_key text not null,
        from_status text,
        to_status text not null,
        actor text not null,
        at timestamptz not null,
        reason text,
        primary key (company_id, recommendation_key, to_status),
        foreign key (company_id, recommendation_key)
            references ml.pricing_recommendations (company_id, recommendation_key),
        constraint is_allowed check ((coalesce(from_status, ''), to_status) in ({", ".join(map(str, CHANGES))}))
    )
    """,
    "comment on table ml.recommendation_transitions is"
    " 'One row per company, recommendation and status that it reached: the audit, written by a trigger alone.'",
    """
    insert into ml.recommendation_transitions
    select company_id, recommendation_key, null, 'pending', 'migration', generated_at, null
    from ml.pricing_recommendations
    """,
    """
    insert into ml.recommendation_transitions
    select company_id, recommendation_key, 'pending', status, 'migration', coalesce(actioned_at, now()), null
    from ml.pricing_recommendations where status <> 'pending'
    """,
    """
    create function ml.record_transition() returns trigger language plpgsql as $$
    begin
        insert into ml.recommendation_transitions values (
            new.company_id,
            new.recommendation_key,
            case when tg_op = 'UPDATE' then old.status end,
            new.status,
            coalesce(nullif(current_setting('app.actor', true), ''), current_user),
            coalesce(nullif(current_setting('app.at', true), '')::timestamptz, now()),
            nullif(current_setting('app.reason', true), '')
        );
        return null;
    end
    $$
    """,
    """
    create trigger records_creation after insert on ml.pricing_recommendations
        for each row execute function ml.record_transition()
    """,
    """
    create trigger records_transition after update on ml.pricing_recommendations
        for each row when (old.status is distinct from new.status) execute function ml.record_transition()
    """,
    """
    create function ml.keep_transitions() returns trigger language plpgsql as $$
    begin
        raise restrict_violation using
            message = 'ml.recommendation_transitions is an audit: nothing in it is changed, deleted or made by hand.',
            hint = 'Change the status of the recommendation; its transition is then recorded.';
    end
    $$
    """,
    """
    create trigger keeps_rows before update or delete or truncate on ml.recommendation_transitions
        for each statement execute function ml.keep_transitions()
    """,
    """
    create trigger keeps_out before insert on ml.recommendation_transitions
        for each row when (pg_trigger_depth() = 0) execute function ml.keep_transitions()
    """,
    """
    create table ml.recommendation_reviews (
        company_id bigint not null,
        as_of date not null,
        known_at timestamptz not null,
        occasion text not null check (occasion in ('week', 'usage')),
        meters_out_of_range jsonb not null,
        outcome text not null check (outcome in ('recommended', 'nothing_new', 'offered_before', 'not_advised')),
        recommended_plan_id bigint references raw.plans (plan_id),
        recommendation_key text,
        primary key (company_id, as_of)
    )
    """,
    "comment on table ml.recommendation_reviews is"
    " 'One row per company and date as of which its plan was looked at again, after its first recommendation.'",
    """
    create table ml.replay_contents (
        content_hash text primary key,
        kind text not null check (kind in ('model', 'catalogue')),
        content bytea not null,
        stored_at timestamptz not null
    )
    """,
    "comment on table ml.replay_contents is"
    " 'One row per forecast model or catalogue that a recommendation was computed from, by the hash of its content.'",
    "alter table ml.pricing_recommendations add column versions jsonb not null default '{}'",
    "comment on column ml.pricing_recommendations.versions is"
    " 'From which models, catalogue and definitions it was computed; empty where it can''t be computed again'",
)


def upgrade() -> None:
    """Add the audit, with what is known of the past, and the tables of reviews and replays."""
    for statement in STATEMENTS:
        op.execute(statement)
