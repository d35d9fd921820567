"""From an event to the row that is stored: whose it is, on which local day it counts, and its fingerprint."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from hashlib import blake2b, sha256
from struct import Struct
from typing import Any

import msgspec
from msgspec.structs import astuple

from integrations.events.contract import VOID, Refused, UsageData, UsageEvent, voided_by
from integrations.events.directory import CompanyVersion, Directory
from integrations.events.limits import EARLIEST, ONE, check_amounts, too_old

__all__ = ["ROW_COLUMNS", "Normaliser", "event_key"]

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
    *("is_after_hours", "is_local_time_shifted", "properties", "event_key", "content_hash"),
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_AGE = EARLIEST - EPOCH


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
        age = event.time - EPOCH
        if age > self._latest_age:
            raise Refused("in_future", f"time {event.time.isoformat()} lies in the future", "time")
        if age < EARLIEST_AGE:
            raise too_old(event.time)
        if event.type == VOID:
            _name_target(event)
        data = event.data
        check_amounts(data)
        if data.currency is not None and data.currency != company.currency:
            raise Refused(
                "currency_mismatch",
                f"the company bills in {company.currency}, not {data.currency}",
                "data.currency",
            )
        day, minute, weekday = _local_time(company.zone, age)
        opens, closes = company.opening[weekday]
        time = EPOCH + age
        branch, customer, quantity, duration, outcome, service, channel, revenue, _, properties = astuple(data)
        return (
            company.company_id,
            day,
            minute,
            time,
            event.source,
            event.id,
            event.type,
            0 if branch is None else self._branch_id(company, branch),
            customer,
            quantity,
            duration,
            outcome,
            service,
            channel,
            revenue,
            company.currency if revenue is not None else None,
            not opens <= minute < closes,
            is_local_time_shifted,
            msgspec.json.encode(properties).decode() if properties else None,
            event_key(event.source, event.id),
            _content_hash(event.type, time, data),
        )

    @cached_property
    def _latest_age(self) -> timedelta:
        return self.latest - EPOCH

    def _branch_id(self, company: CompanyVersion, branch: str) -> int:
        branch_id = self.directory.branch_id(company.company_id, branch)
        if branch_id is None:
            raise Refused("unknown_branch", f"no branch {branch!r} of this company is known", "data.branch")
        return branch_id


def _local_time(zone: tzinfo, age: timedelta) -> tuple[date, int, int]:
    """The local day, minute of the day and weekday, of a time since `EPOCH`."""
    hour, second = divmod(age.days * 86_400 + age.seconds, 3_600)
    if (begun := _local_hour(zone, hour)) is not None:
        return begun[0], begun[1] + second // 60, begun[2]
    local = (EPOCH + age).astimezone(zone)
    return local.date(), local.hour * 60 + local.minute, local.weekday()


@lru_cache(maxsize=1 << 16)
def _local_hour(zone: tzinfo, hour: int) -> tuple[date, int, int] | None:
    """The local day, minute and weekday when an hour since `EPOCH` begins; None when a day or an offset ends in it."""
    begin, end = (
        (EPOCH + timedelta(hours=hour, seconds=second)).astimezone(zone).replace(tzinfo=None) for second in (0, 3_599)
    )
    if end - begin != timedelta(seconds=3_599) or begin.date() != end.date() or begin.second:
        return None
    return begin.date(), begin.hour * 60 + begin.minute, begin.weekday()


def event_key(source: str, event_id: str) -> str:
    """What makes an event unique within its company, as 32 hexadecimal digits.

    The first half of SHA-256 over source, NUL and id; `raw.event_key(source, event_id)` computes the same.
    """
    return sha256(f"{source}\0{event_id}".encode()).hexdigest()[:32]


def _name_target(event: UsageEvent) -> None:
    """Write what a void takes back in one way, so that saying it differently says the same."""
    voided = voided_by(event)
    event.data.properties = {
        **(event.data.properties or {}),
        "voids": {"id": voided.id, "source": voided.source},
    }


def _content_hash(kind: str, time: datetime, data: UsageData) -> int:
    """A signed 64-bit fingerprint of all that an event says, in whatever way its numbers and its time were written."""
    branch, customer, quantity, duration, outcome, service, channel, revenue, currency, properties = astuple(data)
    if quantity is not ONE:
        quantity = quantity.normalize()
    if revenue is not None:
        revenue = revenue.normalize()
    said = (kind, time, branch, customer, quantity, duration, outcome, service, channel, revenue, currency, properties)
    content_hash: int = _INT64.unpack(blake2b(_ENCODER.encode(said), digest_size=8).digest())[0]
    return content_hash


_ENCODER = msgspec.json.Encoder(order="sorted")
_INT64 = Struct(">q")
