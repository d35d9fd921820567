"""Recommendations in the database: one open per company, each step in the audit, and of two decisions one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import product

import psycopg
import pytest

from integrations.postgres.schema import create_database, migrate
from ml.recommendation.lifecycle import TRANSITIONS
from orchestration.lifecycle import Changed, ChangeRefused, UnknownRecommendation, change, expire, publish

NOW = datetime(2026, 10, 15, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
EXPIRES_AT = NOW + timedelta(days=30)
AUDIT = """
    select recommendation_key, from_status, to_status, actor, at, reason from ml.recommendation_transitions
    order by at, recommendation_key, from_status nulls first
"""
STATUS = "select recommendation_key, status, actioned_at from ml.pricing_recommendations order by recommendation_id"


def row(key="day-14:acme", company_id=1, **fields):
    return {
        "company_id": company_id,
        "recommendation_key": key,
        "recommendation_type": "initial",
        "action": "switch",
        "alternatives": [],
        "reasoning": {},
        "confidence_score": 0.9,
        "projected_savings": 12,
        "projected_revenue_impact": -12,
        "currency": "EUR",
        "as_of": date(2026, 10, 15),
        "known_at": NOW,
        "input_series": {},
        "generated_at": NOW,
        "expires_at": EXPIRES_AT,
        **fields,
    }


@pytest.fixture
def published(connection):
    assert publish(connection, [row()], NOW) == 1
    return connection


def insert(connection, values):
    """A row as somebody writes it who knows nothing of the lifecycle."""
    plain = {name: "{}" if value == {} else "[]" if value == [] else value for name, value in values.items()}
    places = ", ".join(["%s"] * len(plain))
    statement = f"insert into ml.pricing_recommendations ({', '.join(plain)}) values ({places})"
    connection.execute(statement.encode(), list(plain.values()))


def statuses(connection):
    return dict(connection.execute("select recommendation_key, status from ml.pricing_recommendations").fetchall())


def audit(connection):
    return connection.execute(AUDIT).fetchall()


CREATED = ("day-14:acme", None, "pending", "pipeline", NOW, None)


def test_a_new_one_is_pending_and_its_creation_is_in_the_audit(published):
    assert published.execute(STATUS).fetchall() == [("day-14:acme", "pending", None)]
    assert audit(published) == [CREATED]


def test_publishing_again_changes_nothing_even_after_the_decision(published):
    change(published, "day-14:acme", "rejected", "ann", LATER, "too dear")
    before = published.execute(STATUS).fetchall(), audit(published)
    assert publish(published, [row()], LATER) == 0
    assert (published.execute(STATUS).fetchall(), audit(published)) == before


def test_what_is_viewed_and_accepted_says_by_whom_when_and_why(published):
    assert change(published, "day-14:acme", "viewed", "ann", NOW + timedelta(hours=1)) == Changed("pending", "viewed")
    assert change(published, "day-14:acme", "accepted", "bob", LATER, "cheaper") == Changed("viewed", "accepted")
    assert published.execute(STATUS).fetchall() == [("day-14:acme", "accepted", LATER)]
    assert audit(published) == [
        CREATED,
        ("day-14:acme", "pending", "viewed", "ann", NOW + timedelta(hours=1), None),
        ("day-14:acme", "viewed", "accepted", "bob", LATER, "cheaper"),
    ]


def test_looking_twice_leaves_one_entry(published):
    for _ in range(2):
        change(published, "day-14:acme", "viewed", "ann", LATER)
    assert len(audit(published)) == 2


def test_a_second_decision_is_refused_and_names_the_first(published):
    change(published, "day-14:acme", "rejected", "ann", LATER)
    with pytest.raises(ChangeRefused, match=r"it is rejected already \(by ann, 2026-10-16 12:00 UTC\)"):
        change(published, "day-14:acme", "accepted", "bob", LATER)
    assert statuses(published) == {"day-14:acme": "rejected"}


@pytest.mark.parametrize("wanted", ["accepted", "rejected"])
def test_a_decision_that_comes_too_late_is_refused_and_leaves_it_expired(published, wanted):
    with pytest.raises(ChangeRefused, match="its time ran out at 2026-11-14 12:00 UTC"):
        change(published, "day-14:acme", wanted, "ann", EXPIRES_AT)
    assert published.execute(STATUS).fetchall() == [("day-14:acme", "expired", None)]
    assert audit(published)[1:] == [("day-14:acme", "pending", "expired", "ann", EXPIRES_AT, "time ran out")]


def test_one_that_nobody_knows_is_an_error_that_helps(connection):
    with pytest.raises(UnknownRecommendation, match="recommendations list"):
        change(connection, "day-14:nobody", "accepted", "ann", NOW)


def test_what_is_open_too_long_expires_once(published):
    publish(published, [row("day-14:bolt", 2, expires_at=EXPIRES_AT + timedelta(seconds=1))], NOW)
    assert expire(published, EXPIRES_AT) == 1
    assert expire(published, EXPIRES_AT) == 0
    assert statuses(published) == {"day-14:acme": "expired", "day-14:bolt": "pending"}
    assert audit(published)[-1] == ("day-14:acme", "pending", "expired", "pipeline", EXPIRES_AT, "time ran out")


@pytest.mark.parametrize("seen", [False, True])
def test_a_newer_one_takes_the_place_of_what_is_open_of_its_own_company_alone(published, seen):
    publish(published, [row("day-14:bolt", 2)], NOW)
    if seen:
        change(published, "day-14:acme", "viewed", "ann", NOW)
    publish(published, [row("week:2026-10-22:acme", recommendation_type="optimization")], LATER)
    assert statuses(published) == {
        "day-14:acme": "expired", "day-14:bolt": "pending", "week:2026-10-22:acme": "pending",
    }  # fmt: skip
    assert [entry[3:] for entry in audit(published) if entry[2] == "expired"] == [("pipeline", LATER, "superseded")]
    assert [entry[3:] for entry in audit(published) if entry[0].startswith("week")] == [("pipeline", LATER, None)]


def test_what_had_run_out_before_the_newer_one_came_is_not_said_to_be_superseded(published):
    publish(published, [row("week:2026-11-19:acme")], EXPIRES_AT)
    assert [entry[5] for entry in audit(published) if entry[2] == "expired"] == ["time ran out"]


def test_what_was_decided_stays_beside_a_newer_one(published):
    change(published, "day-14:acme", "accepted", "ann", NOW)
    publish(published, [row("week:2026-10-22:acme")], LATER)
    assert statuses(published) == {"day-14:acme": "accepted", "week:2026-10-22:acme": "pending"}


def test_the_database_itself_holds_no_two_that_are_open(published):
    with pytest.raises(psycopg.errors.UniqueViolation, match="one_open_per_company"):
        insert(published, row("week:2026-10-22:acme"))


def test_of_two_decisions_at_once_the_first_wins_and_the_other_is_told(published, database_url):
    def reject():
        with psycopg.connect(database_url, autocommit=True) as connection:
            change(connection, "day-14:acme", "rejected", "bob", LATER)

    waiting = "select exists (select from pg_locks where not granted)"
    with ThreadPoolExecutor(1) as executor, psycopg.connect(database_url, autocommit=True) as observer:
        with published.transaction():
            change(published, "day-14:acme", "accepted", "ann", LATER)
            second = executor.submit(reject)
            while observer.execute(waiting).fetchone() == (False,):
                assert not second.done()
        with pytest.raises(ChangeRefused, match=r"it is accepted already \(by ann, "):
            second.result()
    assert statuses(published) == {"day-14:acme": "accepted"}


def test_two_writers_at_once_leave_one_open(database_url, connection):
    def write(number):
        with psycopg.connect(database_url, autocommit=True) as own:
            return publish(own, [row(f"week:{number}:acme")], NOW)

    with ThreadPoolExecutor(8) as executor:
        assert sum(executor.map(write, range(8))) == 8
    assert sorted(statuses(connection).values()) == ["expired"] * 7 + ["pending"]


def test_a_change_that_nobody_explained_is_in_the_audit_too(published):
    published.execute("update ml.pricing_recommendations set status = 'accepted'")
    (user,) = published.execute("select current_user").fetchone()
    assert audit(published)[1][1:4] == ("pending", "accepted", user)
    published.execute("update ml.pricing_recommendations set confidence_score = 0.5")
    assert len(audit(published)) == 2


STATUSES = [status for status in TRANSITIONS if status]


@pytest.mark.parametrize(("before", "after"), [pair for pair in product(STATUSES, STATUSES) if len(set(pair)) == 2])
def test_the_database_allows_what_the_rules_allow(published, before, after):
    if before != "pending":
        published.execute("update ml.pricing_recommendations set status = %s", [before])
    if after in TRANSITIONS[before]:
        published.execute("update ml.pricing_recommendations set status = %s", [after])
        return
    with pytest.raises((psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation)):
        published.execute("update ml.pricing_recommendations set status = %s", [after])
    assert statuses(published) == {"day-14:acme": before}


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "pending"])
def test_nothing_begins_but_pending(connection, status):
    with pytest.raises(psycopg.errors.CheckViolation):
        publish(connection, [row(status=status)], NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "update ml.recommendation_transitions set actor = 'nobody'",
        "delete from ml.recommendation_transitions",
        "truncate ml.recommendation_transitions",
        "truncate ml.pricing_recommendations cascade",
        "insert into ml.recommendation_transitions values (1, 'day-14:acme', 'pending', 'viewed', 'x', now(), null)",
    ],
)
def test_the_audit_can_only_grow_by_what_happens(published, statement):
    with pytest.raises(psycopg.errors.RestrictViolation, match="is an audit"):
        published.execute(statement)
    assert audit(published) == [CREATED]


def test_what_has_an_audit_is_not_deleted(published):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        published.execute("delete from ml.pricing_recommendations")


def test_recommendations_from_before_the_audit_are_taken_into_it(server):
    url = server.url("from_before_the_audit")
    create_database(url)
    migrate(url, "0012")
    with psycopg.connect(url, autocommit=True) as connection:
        insert(connection, row("day-14:1", 1))
        insert(connection, row("day-14:2", 2, status="accepted", actioned_at=LATER))
        migrate(url)
        assert audit(connection) == [
            ("day-14:1", None, "pending", "migration", NOW, None),
            ("day-14:2", None, "pending", "migration", NOW, None),
            ("day-14:2", "pending", "accepted", "migration", LATER, None),
        ]
