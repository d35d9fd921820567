"""What came in: each asset loads the files of its feed that wait in the landing zone."""

import os
from typing import Any

import dagster as dg
from psycopg import Connection

from integrations.calendar.holidays import missing_years, public_holidays
from integrations.events.directory_rows import DirectoryCache, ReadDirectory
from integrations.events.holding import HoldRule
from integrations.events.landing import LandingFile, load_file, pending_files
from integrations.events.landing_zones import LandingZone, ZoneError, landing_zone
from integrations.events.ledger import LoadReport
from integrations.postgres.warehouse import append_rows
from orchestration import clock, paths
from orchestration.catalogue import PRICES
from orchestration.resources import WarehouseResource

RAW_EVENTS = dg.AssetKey(["raw", "usage_events"])
DESCRIPTIONS = {
    "companies": "One row per company, valid-from time and receipt.",
    "branches": "One row per branch, valid-from time and receipt.",
    "plans": "One row per plan and version.",
    "subscriptions": "One row per company, valid-from time and receipt of a subscription.",
    "kpis": "One row per month, figure, unit and receipt, as another system told it.",
    "events": "One row per accepted usage event; a file's rows come all together or not at all.",
}
UPSTREAM = {
    "companies": [],
    "branches": ["companies"],
    "plans": [],
    "subscriptions": ["companies", "plans"],
    "kpis": [],
    "events": ["companies", "branches"],
}


def feed_key(feed: str) -> dg.AssetKey:
    """The asset that a feed fills."""
    return RAW_EVENTS if feed == "events" else dg.AssetKey(["raw", feed])


def load_pending(context: dg.AssetExecutionContext, db: WarehouseResource, feed: str) -> list[LoadReport]:
    """Load every waiting file of a feed; one that can't be read keeps nobody else waiting."""
    zone, hold, directory = landing_zone(paths.landing()), HoldRule.from_settings(os.environ), DirectoryCache()
    with db.connect() as connection:
        files = pending_files(connection, [file for file in zone.files() if file.feed == feed])
        reports = [_load(context, connection, zone, file, hold, directory) for file in files]
    return [report for report in reports if report.is_new]


def _load(
    context: dg.AssetExecutionContext,
    connection: Connection,
    zone: LandingZone,
    file: LandingFile,
    hold: HoldRule,
    directory: ReadDirectory,
) -> LoadReport:
    try:
        with zone.fetch(file) as fetched:
            report = load_file(connection, fetched, clock.now(connection), PRICES, hold, directory=directory)
    except ZoneError as error:  # the file stays pending, and the next run tries again
        report = LoadReport(file.feed, file.name or file.path.name, status="failed", message=str(error))
    tell = context.log.warning if report.message else context.log.info
    tell(f"{report.status}: {report.message or file.name} (read {report.read:,}, inserted {report.inserted:,})")
    return report


def summary(reports: list[LoadReport]) -> dict[str, Any]:
    """What people look at after a load."""
    counts = {
        name: sum(getattr(report, name) for report in reports)
        for name in ("read", "inserted", "duplicate", "rejected", "filtered")
    }
    unread = [report.message for report in reports if report.status == "failed" and report.message]
    return {
        "files": len(reports),
        **counts,
        **({"unreadable": dg.MetadataValue.md("\n\n".join(unread))} if unread else {}),
    }


def _feed_asset(feed: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=feed_key(feed),
        deps=[feed_key(name) for name in UPSTREAM[feed]],
        group_name="ingestion",
        kinds={"postgres"},
        owners=["team:data-engineering"],
        description=DESCRIPTIONS[feed],
    )
    def feed_asset(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
        reports = load_pending(context, db, feed)
        if reports and all(report.status == "failed" for report in reports):
            raise dg.Failure("Nothing could be loaded. " + " ".join(str(report.message) for report in reports))
        return dg.MaterializeResult(metadata=summary(reports))

    return feed_asset


companies = _feed_asset("companies")
branches = _feed_asset("branches")
plans = _feed_asset("plans")
subscriptions = _feed_asset("subscriptions")
kpis = _feed_asset("kpis")
usage_events = _feed_asset("events")


@dg.asset(
    key=["raw", "holidays"],
    deps=[feed_key("companies")],
    group_name="ingestion",
    kinds={"python", "postgres"},
    owners=["team:data-engineering"],
)
def holidays(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per country of a company and public holiday, from the first year of use to the next year."""
    with db.connect() as connection:
        rows, unknown = public_holidays(missing_years(connection, clock.now(connection).year + 1))
        count = append_rows(connection, "raw.holidays", rows)
    if unknown:
        context.log.warning(f"The holidays of {', '.join(unknown)} are not known, so all days there are workdays.")
    return dg.MaterializeResult(metadata={"new_rows": count, "unknown_countries": ", ".join(unknown) or "none"})
