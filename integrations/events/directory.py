"""Who is known: companies as they were at any time, their branches, and what local time it was for them."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

__all__ = ["WEEKDAYS", "CompanyVersion", "Directory", "opening_minutes"]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = (0, 0)
CLOCK_TIME = re.compile(r"([0-9]{1,2}):([0-5][0-9])")


@dataclass(frozen=True, eq=False)  # compared by identity, since it is looked up for each event
class CompanyVersion:
    """A company as its feed described it from `valid_from` on.

    Attributes:
        opening: per weekday (Monday first) the half-open minutes of the local day in which it is open.
    """

    company_id: int
    valid_from: datetime
    zone: tzinfo
    currency: str
    opening: tuple[tuple[int, int], ...]


class Directory:
    """Looks up companies by key and time, and their branches.

    Attributes:
        versions: of each company by its key, in the order of their times.
    """

    def __init__(
        self, companies: Mapping[str, Iterable[CompanyVersion]], branches: Mapping[tuple[int, str], int]
    ) -> None:
        self.versions = {key: sorted(found, key=lambda v: v.valid_from) for key, found in companies.items()}
        self._branches: dict[int, dict[str, int]] = {}
        for (company_id, key), branch_id in branches.items():
            self._branches.setdefault(company_id, {})[key] = branch_id

    @classmethod
    def from_rows(cls, companies: Iterable[Mapping[str, Any]], branches: Iterable[Mapping[str, Any]]) -> "Directory":
        """Build it from rows of the raw tables; of two rows with one `valid_from` the last received is right."""
        versions: dict[str, dict[datetime, CompanyVersion]] = {}
        for row in sorted(companies, key=lambda r: r["received_at"]):
            versions.setdefault(row["company_key"], {})[row["valid_from"]] = CompanyVersion(
                row["company_id"],
                row["valid_from"],
                ZoneInfo(row["time_zone"]),
                row["currency"],
                opening_minutes(row["business_hours"]),
            )
        return cls(
            {key: found.values() for key, found in versions.items()},
            {(row["company_id"], row["branch_key"]): row["branch_id"] for row in branches},
        )

    def company(self, key: str, at: datetime) -> CompanyVersion | None:
        """The company as it was at `at`; before its first version, the first one."""
        versions = self.versions.get(key)
        return versions[max(0, bisect_right(versions, at, key=lambda v: v.valid_from) - 1)] if versions else None

    def branches(self, company_id: int) -> Mapping[str, int]:
        """The ids of a company's branches, by the keys that the branch feed has named."""
        return self._branches.get(company_id, {})


def opening_minutes(business_hours: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """Turn {"mon": ["09:00", "17:00"]} into minutes of the day; a weekday that is not named is closed.

    Raises:
        ValueError: naming the weekday whose hours can't be read.
    """
    unknown = set(business_hours) - set(WEEKDAYS)
    if unknown:
        raise ValueError(f"business_hours names {', '.join(sorted(unknown))}; use {', '.join(WEEKDAYS)}")
    return tuple(_opening(day, business_hours.get(day)) for day in WEEKDAYS)


def _opening(day: str, hours: Any) -> tuple[int, int]:
    if hours is None:
        return CLOSED
    try:
        first, last = (_minute(time) for time in hours)
    except (ValueError, TypeError) as error:
        raise ValueError(f'business_hours.{day} must look like ["09:00", "17:00"], not {hours!r}') from error
    if not first <= last <= 1440:
        raise ValueError(f"business_hours.{day} must end after it begins, within 00:00 and 24:00, not {hours!r}")
    return first, last


@lru_cache(maxsize=1 << 12)  # each file that is loaded reads the hours of all companies
def _minute(time: Any) -> int:
    written = CLOCK_TIME.fullmatch(time)
    if written is None:
        raise ValueError(time)
    return int(written[1]) * 60 + int(written[2])
