"""Which mails are due: keys made of facts, so that planning twice plans once. No clock and no database."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

__all__ = ["PlannedNotification", "plan_notifications"]

REQUIRED = ("key", "company_id", "company_key", "activated_on", "due_on")


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

    A result holds its key (made of facts, such as `day-14:<company>`), company_id, company_key, activated_on, due_on
    (dates) and, if known, locale and recipient. Suppressed with the reason, never dropped: companies activated before
    `go_live`, and, when `today` is given, mails more than `max_days_late` days late. Raises ValueError for missing
    columns (all at once) and for a key given twice.
    """
    rows = _checked(results)
    planned = []
    for row in rows:
        if row["key"] in already:
            continue
        reason = _why_not(row["activated_on"], go_live, row["due_on"], today, max_days_late)
        planned.append(
            PlannedNotification(
                key=row["key"],
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
    repeated = sorted(key for key, count in Counter(row["key"] for row in rows).items() if count > 1)
    if repeated:
        raise ValueError(f"results hold more than one row for {', '.join(repeated)}; give one result per key")
    return rows
