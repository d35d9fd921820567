"""Experiments on prices: what was declared, who was assigned to what, and what each look showed."""

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS: tuple[str, ...] = (
    """
    create table ml.pricing_experiments (
        experiment_id bigint generated always as identity primary key,
        experiment_key text not null unique,
        experiment_name varchar(100) not null,
        variant_a jsonb not null,
        variant_b jsonb not null,
        metrics_tracked jsonb not null,
        design jsonb not null,
        start_date date not null,
        end_date date,
        status text not null default 'planned' check (status in ('planned', 'active', 'completed', 'cancelled')),
        winner char(1) check (winner in ('a', 'b')),
        statistical_significance numeric(7, 6) check (statistical_significance between 0 and 1),
        created_at timestamptz not null,
        started_at timestamptz,
        ended_at timestamptz,
        check (winner is null or status = 'completed'),
        check ((started_at is not null) >= (status in ('active', 'completed'))),
        check ((ended_at is not null) = (status in ('completed', 'cancelled')))
    )
    """,
    "comment on table ml.pricing_experiments is"
    " 'One row per experiment: two variants, and the design that was declared before it began.'",
    "comment on column ml.pricing_experiments.start_date is 'Planned, or once it is active the date (UTC) it began on'",
    "comment on column ml.pricing_experiments.winner is 'Null unless the declared rule was met: no difference shown'",
    "comment on column ml.pricing_experiments.statistical_significance is"
    " 'The p-value of the whole test, by the stage-wise ordering of its looks; null until it is completed'",
    """
    create table ml.experiment_assignments (
        company_id bigint not null,
        experiment_id bigint not null references ml.pricing_experiments (experiment_id),
        arm char(1) not null check (arm in ('a', 'b')),
        stratum text not null,
        position integer not null check (position >= 0),
        assigned_at timestamptz not null,
        primary key (company_id, experiment_id)
    )
    """,
    "create index on ml.experiment_assignments (experiment_id)",
    "comment on table ml.experiment_assignments is"
    " 'One row per company and experiment: its variant, for good; append-only.'",
    """
    create table ml.experiment_looks (
        experiment_id bigint not null references ml.pricing_experiments (experiment_id),
        number integer not null check (number >= 1),
        step integer not null check (step >= 1),
        taken_at timestamptz not null,
        count_a integer not null,
        count_b integer not null,
        information_fraction double precision not null,
        sample_ratio_p_value numeric(7, 6) not null,
        is_final boolean not null,
        outcome text not null check (outcome in ('continue', 'winner', 'no_difference', 'sample_ratio_mismatch')),
        effect double precision,
        effect_low double precision,
        effect_high double precision,
        p_value numeric(7, 6),
        stop_at numeric(7, 6),
        results jsonb not null default '[]',
        primary key (experiment_id, number)
    )
    """,
    "comment on table ml.experiment_looks is 'One row per look: what it showed, and what followed; append-only.'",
    "comment on column ml.experiment_looks.effect is 'b minus a of the first metric, with a repeated interval'",
    "comment on column ml.experiment_looks.p_value is 'As if this were the only look; it stops the test at stop_at'",
    "comment on column ml.experiment_looks.results is 'All metrics: sums and values of both arms, effect, interval'",
    # Both tables are the operators' own and not spread over machines, so they may have triggers.
    """
    create function ml.keep_experiment() returns trigger language plpgsql as $$
    begin
        if tg_op = 'DELETE' then
            if old.status <> 'planned' then
                raise exception 'experiment % is %; what was begun is kept', old.experiment_key, old.status;
            end if;
            return old;
        end if;
        if new.status <> old.status and (old.status, new.status) not in (
            ('planned', 'active'), ('planned', 'cancelled'), ('active', 'completed'), ('active', 'cancelled')
        ) then
            raise exception 'experiment % is % and can''t become %', old.experiment_key, old.status, new.status;
        end if;
        if old.status in ('completed', 'cancelled') then
            raise exception 'experiment % is %; it can''t be changed any more', old.experiment_key, old.status;
        end if;
        if old.status = 'active' and (
            new.experiment_id, new.experiment_key, new.experiment_name, new.variant_a, new.variant_b,
            new.metrics_tracked, new.design, new.start_date, new.created_at, new.started_at
        ) is distinct from (
            old.experiment_id, old.experiment_key, old.experiment_name, old.variant_a, old.variant_b,
            old.metrics_tracked, old.design, old.start_date, old.created_at, old.started_at
        ) then
            raise exception 'experiment % is active; what was declared can''t be changed', old.experiment_key;
        end if;
        return new;
    end
    $$
    """,
    "create trigger keep before update or delete on ml.pricing_experiments"
    " for each row execute function ml.keep_experiment()",
    """
    create function ml.keep_look() returns trigger language plpgsql as $$
    begin
        raise exception 'look % of experiment % is kept as it was taken', old.number, old.experiment_id;
    end
    $$
    """,
    "create trigger keep before update or delete on ml.experiment_looks for each row execute function ml.keep_look()",
)


def upgrade() -> None:
    """Create the tables, and let the database hold what must not change."""
    for statement in STATEMENTS:
        op.execute(statement)
