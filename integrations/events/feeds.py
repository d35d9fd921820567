"""Reference feeds: companies, branches, subscriptions, plans and figures, stored append-only as they were described."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec
from psycopg import Connection
from psycopg.types.json import Jsonb

from integrations.events.contract import Refused, check_line, refusal_of
from integrations.events.feed_rows import Branch, Company, Subscription
from integrations.events.kpis import Kpi
from integrations.events.ledger import (
    Arrival,
    LoadReport,
    Rejection,
    already_loaded,
    close_load,
    open_load,
    quarantine,
    record_failure,
)
from integrations.events.prices import Terms
from integrations.events.readers import UnreadableFile, numbered_lines, open_decompressed
from integrations.postgres.usage_dates import mark_dirty_from

__all__ = ["load_feed", "load_plans"]

FEED_LOCK = 7_151_003
FEEDS: dict[str, type[Company | Branch | Subscription | Kpi]] = {
    "companies": Company,
    "branches": Branch,
    "subscriptions": Subscription,
    "kpis": Kpi,
}


def no_own_terms(plan: Terms, agreed: Terms) -> list[str]:
    """Refuse whatever a subscription adds to its plan, where nobody can say whether it may."""
    return ["nothing here knows whether the plan allows what the subscription adds to it"]


def load_feed(
    connection: Connection,
    feed: str,
    path: Path,
    now: datetime,
    name: str | None = None,
    problems: Callable[[Terms, Terms], Iterable[str]] = no_own_terms,
) -> LoadReport:
    """Load one NDJSON file of `feed` (one of `FEEDS`), once, in one transaction.

    `problems` says what a subscription can't add to a plan (`PriceReader.problems`). A line that can't be used is
    quarantined with its reason while the rest loads; one that says nothing new is a duplicate. The usage dates that a
    new line says something else about are marked dirty.
    """
    decoder = msgspec.json.Decoder(FEEDS[feed])

    def read(report: LoadReport) -> None:
        rejections: list[Rejection] = []
        changed: list[date | None] = []
        with open_decompressed(path) as file:
            for number, line in numbered_lines(file):
                report.read += 1
                try:
                    row = _decode(decoder, line)
                    if isinstance(row, Subscription):
                        row.check_own_terms(connection, problems)
                    is_new = row.store(connection, report.load_id, now)
                except Refused as refused:
                    rejections.append(Rejection(number, refused.reason, refused.field, str(refused), line))
                    continue
                report.inserted += is_new
                report.duplicate += not is_new
                changed.append(row.changes_from(connection) if is_new else None)
        _finish(connection, report, rejections)
        if first := min(filter(None, changed), default=None):
            mark_dirty_from(connection, first)

    return _load_once(connection, Arrival.of(feed, path, name, now), now, read)


def load_plans(
    connection: Connection,
    path: Path,
    now: datetime,
    parse: Callable[[str, str], Iterable[Mapping[str, Any]]],
    name: str | None = None,
) -> LoadReport:
    """Load a plan catalogue; `parse` turns its text into terms (plan_key, version, currency, valid_from, ...).

    A version that is known is never edited: other terms under its number are refused, a new number is added.
    A catalogue that `parse` refuses with a ValueError is `failed` as a whole: half a price list is no price list.
    """

    def read(report: LoadReport) -> None:
        with open_decompressed(path) as file:
            content = file.read()
        try:
            plans = list(parse(content.decode("utf-8-sig"), report.file_name))
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{report.file_name} is not UTF-8: {error}") from error
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

    return _load_once(connection, Arrival.of("plans", path, name, now), now, read)


def _load_once(
    connection: Connection, arrival: Arrival, now: datetime, read: Callable[[LoadReport], None]
) -> LoadReport:
    if arrival.problem:
        return record_failure(connection, arrival, now, arrival.problem)
    try:
        with connection.transaction():
            connection.execute("select pg_advisory_xact_lock(%s)", [FEED_LOCK])
            if known := already_loaded(connection, arrival):
                return known
            report = open_load(connection, arrival, now)
            read(report)
            close_load(connection, report)
            return report
    except UnreadableFile as error:
        return record_failure(connection, arrival, now, str(error))


def _decode(decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    check_line(line)
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise refusal_of(error) from error


def _finish(connection: Connection, report: LoadReport, rejections: list[Rejection]) -> None:
    quarantine(connection, report.load_id, rejections)
    report.rejected = len(rejections)
    if rejections:
        first = rejections[0]
        field = f", field {first.field}" if first.field else ""
        report.message = f"{report.file_name} line {first.line}{field}: {first.message}"
        if len(rejections) > 1:
            report.message += f" (and {len(rejections) - 1} more)"


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
