"""Recommendations as people read them on a screen, and as programs do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row
from rich.table import Column, Table

from integrations.messaging.formats import Formats

Row = dict[str, Any]
FORMATS = Formats("en")


def read_list(connection: Connection, company: str | None, status: str | None, last: int) -> list[Row]:
    """The newest recommendations, the newest last, of one company or status where one is given."""
    rows = connection.cursor(row_factory=dict_row).execute(
        f"{SUMMARY} order by found.generated_at desc, found.recommendation_key desc limit %(last)s".encode(),
        {"company": company, "status": status, "key": None, "last": last},
    )
    return rows.fetchall()[::-1]


def read_one(connection: Connection, key: str) -> Row | None:
    """One recommendation with its reasons and what became of it; None when there is none of this key."""
    cursor = connection.cursor(row_factory=dict_row)
    found = cursor.execute(SUMMARY.encode(), {"company": None, "status": None, "key": key}).fetchone()
    if found is None:
        return None
    details = cursor.execute(DETAILS, [key]).fetchone() or {}
    return found | details | {"transitions": cursor.execute(TRANSITIONS, [key]).fetchall()}


def as_list(rows: Sequence[Row]) -> Table:
    """A line per recommendation."""
    key = Column("key", no_wrap=True)  # it is copied into the next command
    table = Table(key, "status", "from", "to", "saves a month", "sure", "until", box=None)
    for row in rows:
        table.add_row(
            row["recommendation_key"],
            row["status"],
            _plan(row, "current"),
            _plan(row, "recommended") if row["action"] == "switch" else "stay",
            FORMATS.money(row["projected_savings"], row["currency"]),
            f"{row['confidence_score']:.0%}",
            _time(row["expires_at"]),
        )
    return table


def as_options(row: Row) -> Table:
    """What each option was expected to cost."""
    table = Table("option", "expected a month", "10 %", "90 %", "cheaper with", box=None)
    for option in row["reasoning"].get("options", []):
        mark = " (now)" if option["is_current"] else " (recommended)" if option["is_recommended"] else ""
        amounts = (
            FORMATS.money(Decimal(option[f"{name}_cost"]), row["currency"]) for name in ("expected", "p10", "p90")
        )
        name = f"{option['plan_key']} v{option['plan_version']}{mark}"
        table.add_row(name, *amounts, f"{option['probability_cheaper']:.0%}")
    return table


def as_history(row: Row) -> list[str]:
    """A sentence for each status that it reached."""
    return [
        f"{_time(step['at'])}: {step['to_status']}, by {step['actor']}"
        + (f" ({step['reason']})" if step["reason"] else "")
        for step in row["transitions"]
    ]


def as_json_values(value: Any) -> Any:
    """Amounts as strings, times as ISO 8601 in UTC."""
    if isinstance(value, Mapping):
        return {name: as_json_values(part) for name, part in value.items()}
    if isinstance(value, list):
        return [as_json_values(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value if isinstance(value, bool | int | float | None) else str(value)


def subscription_line(row: Row, now: datetime) -> Row | None:
    """The line of the subscriptions feed that carries out a switch; None where there is nothing to carry out."""
    if row["action"] != "switch":
        return None
    return {
        "company": row["company_key"],
        "plan": row["recommended_plan_key"],
        "plan_version": row["recommended_plan_version"],
        "valid_from": now.astimezone(UTC).isoformat(),
    }


def _plan(row: Row, which: str) -> str:
    return f"{row[f'{which}_plan_key']} v{row[f'{which}_plan_version']}"


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


SUMMARY = """
    select found.recommendation_key, companies.company_key, found.recommendation_type, found.action, found.status,
        current_plan.plan_key as current_plan_key, current_plan.version as current_plan_version,
        recommended_plan.plan_key as recommended_plan_key, recommended_plan.version as recommended_plan_version,
        found.projected_savings, found.currency::text as currency, found.confidence_score, found.as_of,
        found.generated_at, found.expires_at, found.actioned_at
    from ml.pricing_recommendations as found
    inner join raw.company_ids as companies on found.company_id = companies.company_id
    left join raw.plans as current_plan on found.current_plan_id = current_plan.plan_id
    left join raw.plans as recommended_plan on found.recommended_plan_id = recommended_plan.plan_id
    where (%(company)s::text is null or companies.company_key = %(company)s)
        and (%(status)s::text is null or found.status = %(status)s)
        and (%(key)s::text is null or found.recommendation_key = %(key)s)
"""
DETAILS = """
    select alternatives, custom_pricing, reasoning from ml.pricing_recommendations where recommendation_key = %s
"""
TRANSITIONS = """
    select from_status, to_status, actor, at, reason from ml.recommendation_transitions where recommendation_key = %s
    order by at, from_status nulls first
"""
