"""Reference feeds: companies, branches, subscriptions and plans, stored append-only as they were described."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from integrations.events.contract import Refused, Text, Zoned, refusal_of
from integrations.events.directory import opening_minutes
from integrations.events.ledger import (
    LoadReport,
    Rejection,
    already_loaded,
    close_load,
    open_load,
    quarantine,
    record_failure,
)
from integrations.events.readers import UnreadableFile, numbered_lines, open_decompressed

__all__ = ["Branch", "Company", "Subscription", "load_feed", "load_plans"]

Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]


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
        _check(
            "time_zone",
            lambda: ZoneInfo(self.time_zone),
            f"no time zone {self.time_zone!r} is known; use an IANA name like Europe/Berlin",
        )
        _check("business_hours", lambda: opening_minutes(self.business_hours), None)
        connection.execute(
            "insert into raw.company_ids (company_key) select %s where not exists"
            " (select from raw.company_ids where company_key = %s) on conflict do nothing",
            [self.company, self.company],
        )
        company_id = _company_id(connection, self.company)
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
        return _append(connection, "companies", ("company_id", "valid_from"), row, load_id, received_at)


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
        return _append(connection, "branches", ("company_id", "branch_id", "valid_from"), row, load_id, received_at)


class Subscription(msgspec.Struct, forbid_unknown_fields=True):
    """The plan that a company has from `valid_from` on."""

    company: Text
    plan: Text
    valid_from: Zoned
    plan_version: int = 1
    status: Text = "active"
    stripe_customer_id: Text | None = None

    def store(self, connection: Connection, load_id: int, received_at: datetime) -> bool:
        """Write the row; tells whether it was new."""
        if self.status not in ("trial", "active", "cancelled"):
            raise Refused("invalid_field", f"status is {self.status!r}; use trial, active or cancelled", "status")
        key = [self.plan, self.plan_version]
        if not connection.execute("select 1 from raw.plans where plan_key = %s and version = %s", key).fetchone():
            raise Refused("unknown_plan", f"no version {self.plan_version} of a plan {self.plan!r} is known", "plan")
        row = {
            "company_id": _company_id(connection, self.company),
            "plan_key": self.plan,
            **{name: getattr(self, name) for name in ("valid_from", "plan_version", "status", "stripe_customer_id")},
        }
        return _append(connection, "subscriptions", ("company_id", "valid_from"), row, load_id, received_at)


FEEDS: dict[str, type[Company | Branch | Subscription]] = {
    "companies": Company,
    "branches": Branch,
    "subscriptions": Subscription,
}


def load_feed(connection: Connection, feed: str, path: Path, now: datetime) -> LoadReport:
    """Load one NDJSON file of `feed` (companies, branches or subscriptions), once, in one transaction.

    A line that can't be used is quarantined with its reason while the rest loads; one that says nothing new is a
    duplicate.
    """
    decoder = msgspec.json.Decoder(FEEDS[feed])

    def read(report: LoadReport) -> None:
        rejections = []
        with open_decompressed(path) as file:
            for number, line in numbered_lines(file):
                report.read += 1
                try:
                    is_new = _decode(decoder, line).store(connection, report.load_id, now)
                except Refused as refused:
                    rejections.append(Rejection(number, refused.reason, refused.field, str(refused), line))
                    continue
                report.inserted += is_new
                report.duplicate += not is_new
        _finish(connection, report, rejections)

    return _load_once(connection, feed, path, now, read)


def load_plans(
    connection: Connection,
    path: Path,
    now: datetime,
    parse: Callable[[str, str], Iterable[Mapping[str, Any]]],
) -> LoadReport:
    """Load a plan catalogue; `parse` turns its text into terms (plan_key, version, currency, valid_from, ...).

    A version that is known is never edited: other terms under its number are refused, a new number is added.
    A catalogue that `parse` refuses with a ValueError is `failed` as a whole: half a price list is no price list.
    """

    def read(report: LoadReport) -> None:
        with open_decompressed(path) as file:
            try:
                plans = list(parse(file.read().decode(), path.name))
            except ValueError as error:
                raise UnreadableFile(str(error)) from error
        rejections = []
        for number, terms in enumerate(plans, 1):
            report.read += 1
            try:
                is_new = _store_plan(connection, terms, report.load_id, now)
            except Refused as refused:
                payload = msgspec.json.encode(terms)
                rejections.append(Rejection(number, refused.reason, refused.field, str(refused), payload))
                continue
            report.inserted += is_new
            report.duplicate += not is_new
        _finish(connection, report, rejections)

    return _load_once(connection, "plans", path, now, read)


def _load_once(
    connection: Connection, feed: str, path: Path, now: datetime, read: Callable[[LoadReport], None]
) -> LoadReport:
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [FEED_LOCK])
            if known := already_loaded(connection, feed, path):
                return known
            report = open_load(connection, feed, path, now)
            read(report)
            close_load(connection, report)
            return report
    except UnreadableFile as error:
        return record_failure(connection, feed, path, now, str(error))


FEED_LOCK = 7_151_003


def _decode(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusal_of(error) from error


def _finish(connection: Connection, report: LoadReport, rejections: list[Rejection]) -> None:
    quarantine(connection, report.load_id, rejections)
    report.rejected = len(rejections)
    if rejections:
        first = rejections[0]
        report.message = f"{report.file_name} line {first.line}, field {first.field}: {first.message}"
        if len(rejections) > 1:
            report.message += f" (and {len(rejections) - 1} more)"


def _append(
    connection: Connection,
    table: str,
    key: tuple[str, ...],
    row: dict[str, Any],
    load_id: int,
    received_at: datetime,
) -> bool:
    """Add a version unless the last one received for this key says the same."""
    from psycopg import sql

    says_same = sql.SQL(" and ").join(
        sql.SQL("{0} is not distinct from {1}").format(sql.Identifier("last", name), sql.Placeholder(name))
        for name in row
    )
    same_key = sql.SQL(" and ").join(
        sql.SQL("{0} = {1}").format(sql.Identifier(name), sql.Placeholder(name)) for name in key
    )
    everything = {**row, "load_id": load_id, "received_at": received_at}
    names = sql.SQL(", ").join(map(sql.Identifier, everything))
    values = sql.SQL(", ").join(map(sql.Placeholder, everything))
    statement = sql.SQL(
        """
        insert into {table} ({names}) select {values} where not exists (
            select from (select * from {table} where {same_key} order by received_at desc limit 1) as last
            where {says_same}
        ) on conflict do nothing
        """
    ).format(table=sql.Identifier("raw", table), names=names, values=values, same_key=same_key, says_same=says_same)
    return connection.execute(statement, everything).rowcount == 1


def _store_plan(connection: Connection, terms: Mapping[str, Any], load_id: int, received_at: datetime) -> bool:
    key = [terms["plan_key"], terms["version"]]
    known = connection.execute("select terms from raw.plans where plan_key = %s and version = %s", key).fetchone()
    if known:
        if known[0] == terms:
            return False
        raise Refused(
            "plan_in_use",
            f"plan {key[0]} v{key[1]} is known with other terms; leave it as it is and add version {key[1] + 1}",
            "version",
        )
    connection.execute(
        """
        insert into raw.plans (plan_key, version, currency, valid_from, terms, received_at, load_id)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [*key, terms["currency"], terms["valid_from"], Jsonb(dict(terms)), received_at, load_id],
    )
    return True


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
