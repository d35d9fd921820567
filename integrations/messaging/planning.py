"""Which mails are due: keys made of facts, so that planning twice plans once. No clock and no database."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

__all__ = ["DAY_OF_KIND", "PlannedNotification", "notification_key", "plan_notifications"]

DAY_OF_KIND = {"first_insights": 7, "recommendation": 14}
REQUIRED = ("company_id", "company_key", "activated_on")


@dataclass(frozen=True)
class PlannedNotification:
    """One mail to be written to the outbox: state `planned`, or `suppressed` with the reason."""

    key: str
    kind: str
    company_id: int
    company_key: str
    locale: str
    recipient: str | None
    state: str
    reason: str | None


def notification_key(kind: str, company_key: str) -> str:
    """`day-7:<company>` for first_insights, `day-14:<company>` for recommendation: one mail per company and kind."""
    if kind not in DAY_OF_KIND:
        raise ValueError(f"no notification is of kind {kind!r}; use one of {', '.join(DAY_OF_KIND)}")
    if not company_key:
        raise ValueError(f"a {kind} notification needs a company key; give the one of the companies feed")
    return f"day-{DAY_OF_KIND[kind]}:{company_key}"


def plan_notifications(
    results: Iterable[Mapping[str, Any]],
    already: Collection[str],
    go_live: date | None,
    *,
    kind: str,
    today: date | None = None,
    max_days_late: int = 3,
) -> list[PlannedNotification]:
    """One notification per result whose key is not in `already` (the keys of the same destination), in key order.

    A result holds company_id, company_key, activated_on (a date) and, if known, locale and recipient. Suppressed with
    the reason, never dropped: companies activated before `go_live`, and, when `today` is given, mails more than
    `max_days_late` days late. Raises ValueError for missing columns (all at once) and for a company given twice.
    """
    rows = _checked(results)
    planned = []
    for row in rows:
        key = notification_key(kind, row["company_key"])
        if key in already:
            continue
        due_on = row["activated_on"] + timedelta(days=DAY_OF_KIND[kind])
        reason = _why_not(row["activated_on"], go_live, due_on, today, max_days_late)
        planned.append(
            PlannedNotification(
                key=key,
                kind=kind,
                company_id=int(row["company_id"]),
                company_key=row["company_key"],
                locale=row.get("locale") or "en",
                recipient=row.get("recipient") or None,
                state="suppressed" if reason else "planned",
                reason=reason,
            )
        )
    return sorted(planned, key=lambda notification: notification.key)


def _why_not(
    activated_on: date, go_live: date | None, due_on: date, today: date | None, max_days_late: int
) -> str | None:
    if go_live and activated_on < go_live:
        return f"activated on {activated_on}, before the go-live date {go_live}"
    if today and (today - due_on).days > max_days_late:
        return f"due on {due_on}, more than {max_days_late} days before {today}"
    return None


def _checked(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = [dict(row) for row in results]
    missing = sorted({name for row in rows for name in REQUIRED if row.get(name) is None})
    if missing:
        raise ValueError(f"results for notifications lack {', '.join(missing)}; every row needs a value there")
    counts = Counter(row["company_key"] for row in rows)
    repeated = sorted(key for key, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"results hold more than one row for {', '.join(repeated)}; give one result per company")
    for row in rows:
        if isinstance(row["activated_on"], datetime):
            row["activated_on"] = row["activated_on"].date()
    return rows
