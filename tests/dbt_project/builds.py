"""Load landed files and build the usage marts without Dagster: what many builds in one test can afford."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from integrations.events.landing import landing_files, load_file
from orchestration import dbt
from orchestration.catalogue import PRICES
from orchestration.dbt_runner import invoke

USAGE = ["run", "--select", "tag:usage"]


def load_landed(pipeline: Any, now: datetime) -> None:
    """Load every file of the landing folder by the real loader, received at `now`."""
    with pipeline.connect() as connection:
        for file in landing_files(pipeline.landing):
            report = load_file(connection, file, now, PRICES)
            assert report.status == "published", report.message


def build_usage(pipeline: Any, first: date, end: date, known_at: datetime) -> None:
    """Build what is tagged `usage` over the half-open window of dates."""
    window = {"USAGE_WINDOW_START": f"{first}", "USAGE_WINDOW_END": f"{end}", "USAGE_KNOWN_AT": known_at.isoformat()}
    results = invoke(USAGE, pipeline.warehouse.url, window)
    failed = {result.node.name: result.message for result in results if str(result.status) != "success"}
    assert results
    assert not failed


def usage_nodes(*materialized: str) -> list[Mapping[str, Any]]:
    """The models tagged `usage` that are stored in one of these ways, as the manifest has them."""
    nodes = dbt.manifest()["nodes"].values()
    return [
        node
        for node in nodes
        if node["resource_type"] == "model"
        and "usage" in node["tags"]
        and node["config"]["materialized"] in (materialized or ("incremental", "table", "view"))
    ]


def table_of(node: Mapping[str, Any]) -> str:
    """The table of a model, with its schema."""
    return f"{node['schema']}.{node['name']}"
