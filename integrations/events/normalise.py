"""From an event to the row that is stored: whose it is, on which local day it counts, and its fingerprint."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b, sha256
from struct import Struct
from typing import Any, NoReturn

import msgspec
from msgspec.structs import astuple

from integrations.events.contract import VOID, Refused, UsageEvent, voided_by
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
MOST_HOURS = 1 << 16


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
        company = self._only.get(event.subject) or self._company_at(event)
        age = event.time - EPOCH
        if age > self._latest_age:
            raise Refused("in_future", f"time {event.time.isoformat()} lies in the future", "time")
        if age < EARLIEST_AGE:
            raise too_old(event.time)
        kind = event.type
        if kind == VOID:
            _name_target(event)
        data = event.data
        branch, customer, quantity, duration, outcome, service, channel, revenue, currency, properties = astuple(data)
        if duration is not None or quantity is not ONE or revenue is not None:
            check_amounts(data)
        if currency is not None and currency != company.currency:
            raise Refused(
                "currency_mismatch", f"the company bills in {company.currency}, not {currency}", "data.currency"
            )
        time = EPOCH + age
        hour, second = divmod(age.days * 86_400 + age.seconds, 3_600)
        day, minute, opens, closes = company.hours.get(hour) or company.local_time(hour, second)
        minute += second // 60
        said = (
            *(kind, time, branch, customer, quantity if quantity is ONE else quantity.normalize() + 0, duration),
            *(
                outcome,
                service,
                channel,
                revenue if revenue is None else revenue.normalize() + 0,
                currency,
                properties or None,
            ),
        )
        return (
            company.company_id,
            day,
            minute,
            time,
            event.source,
            event.id,
            kind,
            0 if branch is None else company.branches.get(branch) or _unknown_branch(branch),
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
            _fingerprint(said),
        )

    @cached_property
    def _latest_age(self) -> timedelta:
        return self.latest - EPOCH

    @cached_property
    def _companies(self) -> "dict[CompanyVersion, _Company]":
        return {
            version: _Company(version, self.directory.branches(version.company_id))
            for versions in self.directory.versions.values()
            for version in versions
        }

    @cached_property
    def _only(self) -> "dict[str, _Company]":
        """The companies that were always described as they are now."""
        return {
            key: self._companies[versions[0]] for key, versions in self.directory.versions.items() if len(versions) == 1
        }

    def _company_at(self, event: UsageEvent) -> "_Company":
        version = self.directory.company(event.subject, event.time)
        if version is None:
            raise Refused("unknown_company", f"no company {event.subject!r} is known", "subject")
        return self._companies[version]


class _Company:
    """What the events of a company are measured by, at hand.

    Attributes:
        branches: ids by key.
        hours: per hour since `EPOCH` the local day, the minute of the day with which it begins, and the minutes
            between which the company is open; without the hours in which a day or an offset ends.
    """

    __slots__ = ("branches", "company_id", "currency", "hours", "opening", "zone")

    def __init__(self, version: CompanyVersion, branches: Mapping[str, int]) -> None:
        self.company_id = version.company_id
        self.currency = version.currency
        self.zone = version.zone
        self.opening = version.opening
        self.branches = branches
        self.hours: dict[int, tuple[date, int, int, int]] = {}

    def local_time(self, hour: int, second: int) -> tuple[date, int, int, int]:
        """The local day, the minute before that of `second` in the hour since `EPOCH`, and the opening minutes."""
        begin, end = (self._local(hour, at) for at in (0, 3_599))
        if end - begin == timedelta(seconds=3_599) and begin.date() == end.date() and not begin.second:
            if len(self.hours) > MOST_HOURS:
                self.hours.clear()
            self.hours[hour] = begin.date(), begin.hour * 60 + begin.minute, *self.opening[begin.weekday()]
            return self.hours[hour]
        local = self._local(hour, second)
        return local.date(), local.hour * 60 + local.minute - second // 60, *self.opening[local.weekday()]

    def _local(self, hour: int, second: int) -> datetime:
        return (EPOCH + timedelta(hours=hour, seconds=second)).astimezone(self.zone).replace(tzinfo=None)


def _unknown_branch(branch: str) -> NoReturn:
    raise Refused("unknown_branch", f"no branch {branch!r} of this company is known", "data.branch")


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


def _fingerprint(said: tuple[Any, ...]) -> int:
    """A signed 64-bit hash of all that an event says, in whatever way its numbers and its time were written."""
    content_hash: int = _INT64.unpack(blake2b(_ENCODER.encode(said), digest_size=8).digest())[0]
    return content_hash


_ENCODER = msgspec.json.Encoder(order="sorted")
_INT64 = Struct(">q")
