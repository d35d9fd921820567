"""Run a suite inside the database and say in words what came out."""

import logging
import os
from dataclasses import dataclass
from typing import Any

from sqlalchemy import make_url

from integrations.expectations.suites import Suite

__all__ = ["Outcome", "validate"]


@dataclass(frozen=True)
class Outcome:
    """Whether a suite held, and a table of its expectations with the number of rows that break each."""

    passed: bool
    rows: int
    table: str


def validate(suite: Suite, url: str, **parameters: int) -> Outcome:
    """Check the rows of the suite's query, pushed down as SQL.

    Args:
        suite: what must hold.
        url: the warehouse.
        parameters: whole numbers that the suite's query names.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    connection = make_url(url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    source = context.data_sources.add_postgres("warehouse", connection_string=connection)
    asset = source.add_query_asset(suite.name, query=suite.query.format(**{k: int(v) for k, v in parameters.items()}))
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    try:
        results = [
            _check(batch, getattr(gx.expectations, _class_name(e.kind))(**e.arguments)) for e in suite.expectations
        ]
    finally:
        source.get_engine().dispose()
    lines = [
        f"| {'yes' if ok else '**no**'} | {expectation.sentence} | {broken:,} |"
        for expectation, (ok, broken, _) in zip(suite.expectations, results, strict=True)
    ]
    table = "\n".join(["| holds | expectation | rows that break it |", "|---|---|---|", *lines])
    return Outcome(all(ok for ok, _, _ in results), max(rows for _, _, rows in results), table)


def _check(batch: Any, expectation: Any) -> tuple[bool, int, int]:
    outcome = batch.validate(expectation, result_format="BASIC")
    if outcome.exception_info.get("raised_exception"):
        raise RuntimeError(f"{expectation.expectation_type} could not be checked: {outcome.exception_info}")
    found = outcome.result
    return bool(outcome.success), int(found.get("unexpected_count") or 0), int(found.get("element_count") or 0)


def _class_name(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))
