"""The marts, built by dbt: the daily ones over a range of usage dates in one run, the others as a whole."""

from collections.abc import Iterator

import dagster as dg

from integrations.postgres.locks import WRITER_LOCK, exclusive
from integrations.postgres.usage_dates import capture_versions, mark_built
from orchestration import dbt
from orchestration.partitions import dates_of, usage_dates
from orchestration.resources import WarehouseResource
from orchestration.retention import archived_among, refusal

Results = Iterator[dg.MaterializeResult | dg.AssetCheckResult]


@dg.multi_asset(
    name="usage_marts",
    specs=dbt.asset_specs("usage"),
    check_specs=dbt.check_specs("usage"),
    partitions_def=usage_dates,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
    pool="dbt",
)
def usage_marts(context: dg.AssetExecutionContext, db: WarehouseResource) -> Results:
    """Rebuild the usage dates of the run; only a whole build that passed its tests counts as built.

    Raises:
        dagster.Failure: when events of their months lie in the archive, since the marts would be rebuilt without them.
    """
    dates = dates_of(context)
    warehouse = db.warehouse()
    with exclusive(warehouse.url, WRITER_LOCK), warehouse.connect() as connection:
        if months := archived_among(connection, dates):
            raise dg.Failure(refusal(months))
        versions = capture_versions(connection, dates[0], dates[-1])
        passed = True
        for result in dbt.build(context, warehouse.url, db.now(), (dates[0], dates[-1])):
            passed &= not (isinstance(result, dg.AssetCheckResult) and not result.passed)
            yield result
        if passed and not context.is_subset:
            mark_built(connection, versions)


@dg.multi_asset(
    name="reference_marts",
    specs=dbt.asset_specs("reference"),
    check_specs=dbt.check_specs("reference"),
    can_subset=True,
    pool="dbt",
)
def reference_marts(context: dg.AssetExecutionContext, db: WarehouseResource) -> Results:
    """Rebuild what the reference feeds describe."""
    warehouse = db.warehouse()
    with exclusive(warehouse.url, WRITER_LOCK):
        yield from dbt.build(context, warehouse.url, db.now())


@dg.multi_asset(
    name="reporting_marts",
    specs=dbt.asset_specs("reporting"),
    check_specs=dbt.check_specs("reporting"),
    can_subset=True,
    pool="dbt",
)
def reporting_marts(context: dg.AssetExecutionContext, db: WarehouseResource) -> Results:
    """Rebuild what is reported about recommendations and the business as a whole."""
    warehouse = db.warehouse()
    with exclusive(warehouse.url, WRITER_LOCK):
        yield from dbt.build(context, warehouse.url, db.now())
