"""From an event to the row that is stored: whose it is, on which local day it counts, and its fingerprint."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

from integrations.events.contract import Refused, UsageEvent
from integrations.events.directory import CompanyVersion, Directory

__all__ = ["ROW_COLUMNS", "Normaliser"]

ROW_COLUMNS = (
    *(
        "company_id",
        "usage_date",
        "local_minute",
        "occurred_at",
        "source",
        "event_id",
        "event_type",
        "branch_id",
    ),
    *("customer", "quantity", "duration_seconds", "outcome", "service", "channel", "revenue", "currency"),
    *("is_after_hours", "is_local_time_shifted", "properties", "content_hash"),
)
AMOUNT_LIMIT = Decimal(10) ** 14 - 1  # numeric(20, 6) holds 14 digits before the point, after rounding
SMALLEST_EXPONENT = -1000  # PostgreSQL refuses to read some that are smaller; nothing that is measured is
LONGEST_SECONDS = 2**53
LONGEST_KEY = 2400  # bytes; an index entry holds about 2,700
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)  # before it lie clocks that were never set: 1970-01-01, 0001-01-01


@dataclass(frozen=True)
class Normaliser:
    """Turns events into rows with the columns `ROW_COLUMNS`.

    Attributes:
        directory: the companies and branches that are known.
        latest: an event after this instant lies in the future and is refused.
    """

    directory: Directory
    latest: datetime

    @classmethod
    def at(cls, directory: Directory, now: datetime) -> "Normaliser":
        """A normaliser that grants producers' clocks to be five minutes ahead of `now`."""
        return cls(directory, now + timedelta(minutes=5))

    def row(self, event: UsageEvent, is_local_time_shifted: bool = False) -> tuple[Any, ...]:
        """The row of `event`.

        Raises:
            Refused: `unknown_company`, `unknown_branch`, `negative_duration`, `negative_revenue`, `currency_mismatch`,
                `in_future`, `too_old`, `invalid_field`.
        """
        company = self.directory.company(event.subject, event.time)
        if company is None:
            raise Refused("unknown_company", f"no company {event.subject!r} is known", "subject")
        if event.time > self.latest:
            raise Refused("in_future", f"time {event.time.isoformat()} lies in the future", "time")
        if event.time < EARLIEST:
            raise Refused("too_old", f"time {event.time.isoformat()} lies before {EARLIEST.date()}", "time")
        _check_key(event)
        data = event.data
        _check_amounts(data.duration_seconds, data.quantity, data.revenue)
        if data.currency is not None and data.currency != company.currency:
            raise Refused(
                "currency_mismatch",
                f"the company bills in {company.currency}, not {data.currency}",
                "data.currency",
            )
        local = event.time.astimezone(company.zone)
        minute = local.hour * 60 + local.minute
        opens, closes = company.opening[local.weekday()]
        return (
            company.company_id,
            local.date(),
            minute,
            event.time,
            event.source,
            event.id,
            event.type,
            self._branch_id(company, data.branch),
            data.customer,
            data.quantity,
            data.duration_seconds,
            data.outcome,
            data.service,
            data.channel,
            data.revenue,
            company.currency if data.revenue is not None else None,
            not opens <= minute < closes,
            is_local_time_shifted,
            msgspec.json.encode(data.properties).decode() if data.properties else None,
            _content_hash(event),
        )

    def _branch_id(self, company: CompanyVersion, branch: str | None) -> int:
        if branch is None:
            return 0
        branch_id = self.directory.branch_id(company.company_id, branch)
        if branch_id is None:
            raise Refused("unknown_branch", f"no branch {branch!r} of this company is known", "data.branch")
        return branch_id


def _check_key(event: UsageEvent) -> None:
    written = event.source + event.id
    if len(written) > LONGEST_KEY // 4 and len(written.encode()) > LONGEST_KEY:
        raise Refused("invalid_field", f"source and id take more than {LONGEST_KEY:,} bytes together", "id")


def _check_amounts(duration: int | None, quantity: Decimal, revenue: Decimal | None) -> None:
    if duration is not None and not 0 <= duration <= LONGEST_SECONDS:
        reason = "negative_duration" if duration < 0 else "invalid_field"
        raise Refused(reason, f"data.duration_seconds is {duration}", "data.duration_seconds")
    for field, amount in (("data.quantity", quantity), ("data.revenue", revenue)):
        if amount is not None and not _is_amount(amount):
            raise Refused("invalid_field", f"{field} is {amount}, which is no amount", field)
    if revenue is not None and revenue < 0:
        raise Refused("negative_revenue", f"data.revenue is {revenue}", "data.revenue")


def _is_amount(number: Decimal) -> bool:
    return number.is_finite() and -AMOUNT_LIMIT < number < AMOUNT_LIMIT and number.adjusted() >= SMALLEST_EXPONENT


def _content_hash(event: UsageEvent) -> int:
    """A signed 64-bit fingerprint of all that an event says, whatever way its numbers and time were written."""
    data = event.data
    said = (
        event.type,
        event.time.astimezone(UTC),
        data.branch,
        data.customer,
        str(data.quantity.normalize()),
        data.duration_seconds,
        data.outcome,
        data.service,
        data.channel,
        None if data.revenue is None else str(data.revenue.normalize()),
        data.currency,
        data.properties,
    )
    return int.from_bytes(blake2b(_ENCODER.encode(said), digest_size=8).digest(), "big", signed=True)


_ENCODER = msgspec.json.Encoder(order="sorted")
