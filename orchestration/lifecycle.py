"""Recommendations are published, viewed, decided and expire; the database writes each step into its audit."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from integrations.postgres.warehouse import append_rows
from ml.recommendation.lifecycle import EXPIRED, OPEN, judge_change
from orchestration.replay_contents import Contents

PIPELINE = "pipeline"
TIME_RAN_OUT, SUPERSEDED = "time ran out", "superseded"
PUBLISHING_LOCK = 7_151_006


class UnknownRecommendation(LookupError):
    """There is no recommendation of this key."""

    @classmethod
    def of(cls, key: str) -> "UnknownRecommendation":
        """The error that says where the keys are."""
        return cls(f"no recommendation is called {key}; `usage-pricing recommendations list` shows what there is")


class ChangeRefused(RuntimeError):
    """A recommendation can't become what somebody wanted; the message says why, and who was there before."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a recommendation was and is now; the same where nothing had to change."""

    before: str
    status: str


def publish(
    connection: Connection, rows: Iterable[Mapping[str, Any]], now: datetime, contents: Contents | None = None
) -> int:
    """Store new recommendations and what they were computed from; what was open of their companies is superseded.

    Returns:
        How many are new. A key that is known already changes nothing.
    """
    with as_actor(connection, PIPELINE, now):
        # Two writers at once would each find nothing to supersede; the second one waits.
        connection.execute("select pg_advisory_xact_lock(%s)", [PUBLISHING_LOCK])
        keys = {(row["company_id"], row["recommendation_key"]): row for row in rows}
        known = set(connection.execute(KNOWN, [[key for _, key in keys]]).fetchall())
        new = [row for key, row in keys.items() if key not in known]
        expire(connection, now)
        with because(connection, SUPERSEDED):
            connection.execute(SUPERSEDE, [EXPIRED, [row["company_id"] for row in new], list(OPEN)])
        if contents:
            append_rows(connection, "ml.replay_contents", contents.rows(new, now))
        return append_rows(connection, "ml.pricing_recommendations", new)


def change(connection: Connection, key: str, wanted: str, actor: str, now: datetime, reason: str = "") -> Changed:
    """View, accept or reject the recommendation of this key, as `ml.recommendation.lifecycle` allows.

    Of two at once the first one to lock the row wins; the second one is told.

    Raises:
        UnknownRecommendation: when there is none.
        ChangeRefused: when it was decided before, or its time has run out; then it is expired from now on.
    """
    with as_actor(connection, actor, now):
        row = connection.execute(LOCK, [key]).fetchone()
        if row is None:
            raise UnknownRecommendation.of(key)
        company_id, status, expires_at = row
        verdict = judge_change(status, expires_at, wanted, now)
        if verdict.status != status:
            why = TIME_RAN_OUT if verdict.status == EXPIRED else reason
            actioned_at = now if verdict.status == wanted != "viewed" else None
            with because(connection, why):
                connection.execute(CHANGE, [verdict.status, actioned_at, company_id, key])
    # Not before the transaction is over: one that has expired stays so.
    if verdict.refusal:
        raise ChangeRefused(
            f"{key} can't be {wanted}: {verdict.refusal}{_by_whom(connection, company_id, key, status)}."
        )
    return Changed(status, verdict.status)


def expire(connection: Connection, now: datetime) -> int:
    """Let everything expire that is still open though its time has run out; returns how many."""
    with as_actor(connection, PIPELINE, now), because(connection, TIME_RAN_OUT):
        return connection.execute(EXPIRE, [EXPIRED, list(OPEN), now]).rowcount


@contextmanager
def as_actor(connection: Connection, actor: str, now: datetime) -> Iterator[None]:
    """A transaction whose changes the audit ascribes to `actor`, at `now`."""
    with connection.transaction():
        connection.execute(
            "select set_config('app.actor', %s, true), set_config('app.at', %s, true)", [actor, now.isoformat()]
        )
        yield


@contextmanager
def because(connection: Connection, reason: str) -> Iterator[None]:
    """Changes that have this reason in the audit."""
    connection.execute("select set_config('app.reason', %s, true)", [reason])
    yield
    connection.execute("select set_config('app.reason', '', true)")


def _by_whom(connection: Connection, company_id: int, key: str, status: str) -> str:
    """Who brought a decided one into its status."""
    row = connection.execute(LAST, [company_id, key, status]).fetchone()
    return f" (by {row[0]}, {row[1]:%Y-%m-%d %H:%M} UTC)" if row else ""


KNOWN = "select company_id, recommendation_key from ml.pricing_recommendations where recommendation_key = any(%s)"
SUPERSEDE = """
    update ml.pricing_recommendations set status = %s where company_id = any(%s) and status = any(%s)
"""
LOCK = """
    select company_id, status, expires_at from ml.pricing_recommendations where recommendation_key = %s for update
"""
CHANGE = """
    update ml.pricing_recommendations set status = %s, actioned_at = %s
    where company_id = %s and recommendation_key = %s
"""
EXPIRE = "update ml.pricing_recommendations set status = %s where status = any(%s) and expires_at <= %s"
LAST = """
    select actor, at at time zone 'UTC' from ml.recommendation_transitions
    where company_id = %s and recommendation_key = %s and to_status = %s and from_status is not null
        and to_status in ('accepted', 'rejected')
"""
