"""dbt inside Dagster: models as assets, data tests as checks, and builds in this process.

The specs are read from the manifest here rather than by a library, because its import alone would cost most of the
three seconds that loading the definitions may take, and its runner starts a process per build.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration import paths
from orchestration.dbt_runner import invoke, target_folder

PACKAGE = "usage_pricing"
ASSET_TYPES = ("model", "seed")
Node = dict[str, Any]


def manifest() -> dict[str, Any]:
    """The parsed dbt project; parsed anew only when one of its files has changed."""
    path = target_folder() / "manifest.json"
    sources = [file for file in paths.DBT_PROJECT.rglob("*") if file.suffix in (".sql", ".yml", ".csv")]
    if not path.exists() or path.stat().st_mtime < max(file.stat().st_mtime for file in sources):
        invoke(["parse"])
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, modified: int) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


def asset_key(node: Node) -> dg.AssetKey:
    """The key of a model, seed or source: its schema and table, or the asset that its meta names."""
    return dg.AssetKey(_meta(node).get("asset_key") or [node["schema"], node["name"]])


def model_key(name: str) -> dg.AssetKey:
    """The key of a model or seed, for assets that read it; fails at load when it was renamed.

    Raises:
        LookupError: naming the model.
    """
    for node in manifest()["nodes"].values():
        if node["name"] == name and node["resource_type"] in ASSET_TYPES:
            return asset_key(node)
    raise LookupError(f"dbt has no model or seed named {name}")


def asset_specs(tag: str) -> list[dg.AssetSpec]:
    """One asset per model or seed with the tag."""
    return [_spec(node) for node in _tagged(tag)]


def check_specs(tag: str) -> list[dg.AssetCheckSpec]:
    """One blocking check per data test that is attached to a model or seed with the tag."""
    keys = {node["unique_id"]: asset_key(node) for node in _tagged(tag)}
    tests = [node for node in manifest()["nodes"].values() if node.get("attached_node") in keys]
    return [
        dg.AssetCheckSpec(
            _check_name(test), asset=keys[test["attached_node"]], blocking=True, metadata={"dbt": test["name"]}
        )
        for test in tests
    ]


def build(
    context: dg.AssetExecutionContext, url: str, known_at: datetime, window: tuple[date, date] | None = None
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Build the models that the run selects, and yield what became of each of them and of their tests.

    Args:
        context: of the asset whose specs came from `asset_specs`.
        url: the warehouse.
        known_at: what was received later is not read.
        window: first and last usage date to rebuild, both included.

    Raises:
        dagster.Failure: after all results, with every model's error.
    """
    selected = context.selected_asset_keys
    names = [node["name"] for node in manifest()["nodes"].values() if _is_asset(node) and asset_key(node) in selected]
    arguments = ["build", "--exclude-resource-type", "unit_test", "--select", *names]
    results = invoke(arguments, url, _environment(known_at, window))
    checks = context.selected_asset_check_keys
    errors = []
    for result in results:
        node = result.node.to_dict()
        status, seconds = str(result.status), round(result.execution_time, 2)
        if _is_asset(node) and status == "success":
            yield dg.MaterializeResult(asset_key=asset_key(node), metadata={"seconds": seconds, **_counts(result)})
        elif _is_asset(node):
            errors.append(f"{node['name']}: {result.message or status}")
        elif key := _check_key(node, checks):
            yield _check_result(key, result)
    if errors:
        raise dg.Failure("dbt could not build " + "; ".join(errors))


@dataclass(frozen=True)
class Compiled:
    """A model as a build would run it: its table, its query, and which rows after the window it replaces, too."""

    schema: str
    table: str
    query: str
    carried_rows: str | None


def compiled(names: Sequence[str], url: str, known_at: datetime, window: tuple[date, date] | None) -> list[Compiled]:
    """The SQL of models over a window of usage dates, first and last included, in the order of the names.

    Raises:
        LookupError: when one of them does not compile.
    """
    results = invoke(["compile", "--select", *names], url, _environment(known_at, window))
    found = {result.node.name: result.node for result in results if result.node.compiled_code}
    if missing := set(names) - found.keys():
        raise LookupError(f"dbt could not compile {', '.join(sorted(missing))}")
    nodes = [found[name] for name in names]
    return [
        Compiled(node.schema, node.name, node.compiled_code, node.config.extra.get("carried_rows")) for node in nodes
    ]


def _environment(known_at: datetime, window: tuple[date, date] | None) -> dict[str, str]:
    """The variables by which macros know the window and the time of a build."""
    environment = {"USAGE_KNOWN_AT": known_at.isoformat()}
    if window:
        environment["USAGE_WINDOW_START"] = window[0].isoformat()
        environment["USAGE_WINDOW_END"] = (window[1] + timedelta(days=1)).isoformat()
    return environment


def _check_result(key: dg.AssetCheckKey, result: Any) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=str(result.status) == "pass",
        metadata={"failing_rows": result.failures or 0, "message": result.message or "passed"},
    )


def _check_key(node: Node, selected: Iterable[dg.AssetCheckKey]) -> dg.AssetCheckKey | None:
    name = _check_name(node)
    return next((key for key in selected if key.name == name), None)


def _check_name(test: Node) -> str:
    return str(test["name"])


def _spec(node: Node) -> dg.AssetSpec:
    own = _meta(node)
    columns = [
        dg.TableColumn(name=c["name"], type=c.get("data_type") or "", description=c.get("description"))
        for c in node["columns"].values()
    ]
    return dg.AssetSpec(
        asset_key(node),
        deps=sorted(_upstream(node)),
        description=node["description"],
        group_name=own.get("group"),
        owners=own.get("owners"),
        kinds={"dbt", "postgres"} if node["resource_type"] == "model" else {"csv", "postgres"},
        code_version=node["checksum"]["checksum"][:12],
        metadata={"dagster/column_schema": dg.TableSchema(columns)},
    )


def _meta(node: Node) -> dict[str, Any]:
    """What a node says to Dagster."""
    own: dict[str, Any] = node["config"].get("meta", {}).get("dagster", {})
    return own


def _upstream(node: Node) -> set[dg.AssetKey]:
    """The assets that a model reads, looking through ephemeral models."""
    project, found = manifest(), set()
    for unique_id in node.get("depends_on", {}).get("nodes", []):
        parent = project["sources"].get(unique_id) or project["nodes"][unique_id]
        is_ephemeral = parent.get("config", {}).get("materialized") == "ephemeral"
        found |= _upstream(parent) if is_ephemeral else {asset_key(parent)}
    return found


def _tagged(tag: str) -> list[Node]:
    return [node for node in manifest()["nodes"].values() if _is_asset(node) and tag in node["tags"]]


def _is_asset(node: Node) -> bool:
    return node["resource_type"] in ASSET_TYPES and node["config"].get("materialized") != "ephemeral"


def _counts(result: Any) -> dict[str, int]:
    rows = (result.adapter_response or {}).get("rows_affected")
    return {"dagster/row_count": rows} if isinstance(rows, int) and rows >= 0 else {}
