"""The rows of the feeds about companies: what each may say, how it is stored, and which usage dates it changes."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from psycopg import Connection, errors
from psycopg.types.json import Jsonb

from integrations.events.contract import Refused, Text, Zoned
from integrations.events.directory import opening_minutes
from integrations.events.prices import Terms
from integrations.events.versions import append_version

__all__ = ["Branch", "Company", "Currency", "Subscription"]

Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}\Z")]
Country = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}\Z")]
MOMENT = timedelta(microseconds=1)
FIRST_YEAR, LAST_YEAR = 1900, 9000  # what every zone, driver and calendar can still turn into a local date


class Company(msgspec.Struct, forbid_unknown_fields=True):
    """A company as described from `valid_from` on (its activation, unless the feed says another time)."""

    company: Text
    name: Text
    industry: Text
    country: Country
    time_zone: Text
    business_hours: dict[str, Any]
    locale: Text
    currency: Currency
    activated_at: Zoned
    valid_from: Zoned | None = None
    contact_email: Text | None = None

    def store(self, connection: Connection, load_id: int, received_at: datetime) -> bool:
        """Write the row; tells whether it was new."""
        _check_times(activated_at=self.activated_at, valid_from=self.valid_from)
        _check_zone(connection, self.time_zone)
        _check("business_hours", lambda: opening_minutes(self.business_hours), None)
        connection.execute(
            "insert into raw.company_ids (company_key) select %s where not exists"
            " (select from raw.company_ids where company_key = %s) on conflict do nothing",
            [self.company, self.company],
        )
        company_id = _company_id(connection, self.company)
        self._check_currency(connection, company_id)
        row = {
            **{
                name: getattr(self, name) for name in ("name", "industry", "country", "time_zone", "locale", "currency")
            },
            "company_id": company_id,
            "valid_from": self.valid_from or self.activated_at,
            "business_hours": Jsonb(self.business_hours),
            "activated_at": self.activated_at,
            "contact_email": self.contact_email,
        }
        return append_version(connection, "companies", ("company_id", "valid_from"), row, load_id, received_at)

    def _check_currency(self, connection: Connection, company_id: int) -> None:
        """Refuse a change of currency within a day, whose revenue could not be added up."""
        rows = connection.execute(
            "select distinct on (valid_from) valid_from, time_zone, currency from raw.companies"
            " where company_id = %s order by valid_from, received_at desc",
            [company_id],
        )
        versions = {valid_from: (zone, currency) for valid_from, zone, currency in rows}
        own = self.valid_from or self.activated_at
        versions[own] = (self.time_zone, self.currency)
        for (first, (zone, before)), (instant, (next_zone, after)) in pairwise(sorted(versions.items())):
            if own not in (first, instant) or before == after:
                continue
            if _local_date(instant - MOMENT, zone) >= _local_date(instant, next_zone):
                raise Refused(
                    "invalid_field",
                    f"the currency changes from {before} to {after} at {instant.isoformat()}, within a day;"
                    " let it change where a local day begins, and the time zone at another time",
                    "valid_from",
                )

    def changes_from(self, connection: Connection) -> date | None:
        """The first local date on which the company is, or was once said to be, active, or has usage."""
        active = _earliest_date(connection, self.company, "activated_at", [])
        return min(filter(None, (active, _first_built_date(connection, self.company))), default=None)


class Branch(msgspec.Struct, forbid_unknown_fields=True):
    """A site of a company as described from `valid_from` on."""

    company: Text
    branch: Text
    name: Text
    valid_from: Zoned
    city: Text | None = None
    region: Text | None = None

    def store(self, connection: Connection, load_id: int, received_at: datetime) -> bool:
        """Write the row; tells whether it was new."""
        _check_times(valid_from=self.valid_from)
        company_id = _company_id(connection, self.company)
        key = [company_id, self.branch]
        connection.execute(
            "insert into raw.branch_ids (company_id, branch_key) select %s, %s where not exists"
            " (select from raw.branch_ids where company_id = %s and branch_key = %s) on conflict do nothing",
            key * 2,
        )
        found = connection.execute(
            "select branch_id from raw.branch_ids where company_id = %s and branch_key = %s", key
        ).fetchone()
        assert found is not None
        row = {
            **{name: getattr(self, name) for name in ("name", "valid_from", "city", "region")},
            "company_id": company_id,
            "branch_id": found[0],
        }
        return append_version(
            connection, "branches", ("company_id", "branch_id", "valid_from"), row, load_id, received_at
        )

    def changes_from(self, connection: Connection) -> date | None:
        """The local date of the company on which the description begins to hold."""
        return _earliest_date(connection, self.company, "%s::timestamptz", [self.valid_from])


class Subscription(msgspec.Struct, forbid_unknown_fields=True):
    """The plan that a company has from `valid_from` on, and what it has agreed beside it.

    Attributes:
        billing_interval: month, or year where the plan offers it.
        add_ons: the booked quantity of each add-on of the plan.
        overrides: terms of the company's own in the place of the plan's: charges, limits, features, discounts, the base
            fee, the minimum and maximum, and booked seasonal offers, written like those of a plan.
    """

    company: Text
    plan: Text
    valid_from: Zoned
    plan_version: int = 1
    status: Text = "active"
    stripe_customer_id: Text | None = None
    billing_interval: Literal["month", "year"] = "month"
    add_ons: dict[str, int] = {}
    overrides: dict[str, Any] = {}

    def check_own_terms(self, connection: Connection, problems: Callable[[Terms, Terms], Iterable[str]]) -> None:
        """Refuse what the plan does not allow; a line without terms of its own needs no knowledge of prices."""
        agreed = {name: getattr(self, name) for name in ("billing_interval", "add_ons", "overrides")}
        if agreed == {"billing_interval": "month", "add_ons": {}, "overrides": {}}:
            return
        row = connection.execute(
            "select terms from raw.plans where plan_key = %s and version = %s", [self.plan, self.plan_version]
        ).fetchone()
        if row and (found := "; ".join(problems(row[0], agreed))):
            raise Refused("invalid_field", found, "add_ons" if found.startswith("add_ons") else "overrides")

    def store(self, connection: Connection, load_id: int, received_at: datetime) -> bool:
        """Write the row; tells whether it was new."""
        if self.status not in ("trial", "active", "cancelled"):
            raise Refused("invalid_field", f"status is {self.status!r}; use trial, active or cancelled", "status")
        _check_times(valid_from=self.valid_from)
        key = [self.plan, self.plan_version]
        if not connection.execute("select 1 from raw.plans where plan_key = %s and version = %s", key).fetchone():
            raise Refused("unknown_plan", f"no version {self.plan_version} of a plan {self.plan!r} is known", "plan")
        row = {
            "company_id": _company_id(connection, self.company),
            "plan_key": self.plan,
            **{name: getattr(self, name) for name in ("valid_from", "plan_version", "status", "stripe_customer_id")},
            "billing_interval": self.billing_interval,
            "add_ons": Jsonb(self.add_ons),
            "overrides": Jsonb(self.overrides),
        }
        return append_version(connection, "subscriptions", ("company_id", "valid_from"), row, load_id, received_at)

    def changes_from(self, connection: Connection) -> date | None:
        """The local date of the company on which the plan or the status begins to hold."""
        return _earliest_date(connection, self.company, "%s::timestamptz", [self.valid_from])


def _company_id(connection: Connection, key: str) -> int:
    row = connection.execute("select company_id from raw.company_ids where company_key = %s", [key]).fetchone()
    if row is None:
        raise Refused("unknown_company", f"no company {key!r} is known", "company")
    company_id: int = row[0]
    return company_id


def _check(field: str, call: Callable[[], Any], message: str | None) -> None:
    try:
        call()
    except (KeyError, ValueError, OSError) as error:
        raise Refused("invalid_field", message or str(error), field) from error


def _local_date(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def _first_built_date(connection: Connection, company: str) -> date | None:
    """The first usage date that the marts have of a company; usage may come before the activation."""
    if connection.execute("select to_regclass('marts.fct_usage_daily')").fetchone() == (None,):
        return None
    row = connection.execute(
        "select min(usage_date) from marts.fct_usage_daily inner join raw.company_ids using (company_id)"
        " where company_key = %s",
        [company],
    ).fetchone()
    return row[0] if row else None


def _check_times(**times: datetime | None) -> None:
    for field, time in times.items():
        if time is not None and not FIRST_YEAR <= time.year <= LAST_YEAR:
            raise Refused("invalid_field", f"{field} is {time.isoformat()}, which is no time of a business", field)


def _check_zone(connection: Connection, name: str) -> None:
    """The zone must be known here and in the database: the one dates the events, the other the activation."""
    message = f"no time zone {name!r} is known; use an IANA name like Europe/Berlin"
    _check("time_zone", lambda: ZoneInfo(name), message)
    try:
        with connection.transaction():
            connection.execute("select now() at time zone %s", [name])
    except errors.InvalidParameterValue as error:
        raise Refused("invalid_field", message, "time_zone") from error


def _earliest_date(connection: Connection, company: str, time: str, parameters: list[datetime]) -> date | None:
    """The local date of a time, by the earliest of all zones and times that the company's versions name."""
    row = connection.execute(
        f"select min(({time} at time zone time_zone)::date) from raw.companies join raw.company_ids using (company_id)"
        " where company_key = %s".encode(),
        [*parameters, company],
    ).fetchone()
    return row[0] if row else None
