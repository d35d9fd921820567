"""What keeps the raw tables small."""

import os

import dagster as dg

from integrations.events.archive import Archived
from integrations.events.retention import retention_days
from orchestration.resources import WarehouseResource
from orchestration.retention import archive_due, open_archive


@dg.op
def archive_due_dates(context: dg.OpExecutionContext, db: WarehouseResource) -> dg.Output[None]:
    """Archive the raw events of months that ended RAW_RETENTION_DAYS ago."""
    archive = open_archive()

    def tell(found: Archived) -> None:
        context.log.info(f"{found.usage_date}: {found.rows:,} events are in {archive.url}/{found.location}")

    archived = archive_due(db.warehouse(), archive, db.now(), retention_days(os.environ), tell)
    return dg.Output(
        None,
        metadata={
            "dates": dg.MetadataValue.json([found.usage_date.isoformat() for found in archived]),
            "rows": sum(found.rows for found in archived),
            "where": archive.url,
        },
    )


@dg.job(description="Move raw events of old months from the database into the archive.")
def retention_job() -> None:
    """Archive what is due."""
    archive_due_dates()
