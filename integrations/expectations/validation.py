"""Run a suite inside the database and say in words what came out."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import make_url

from integrations.expectations.suites import Suite

__all__ = ["Outcome", "validate"]

SENTENCE = "sentence"


@dataclass(frozen=True)
class Outcome:
    """Whether a suite held, and a table of its expectations with the number of rows that break each."""

    passed: bool
    rows: int
    table: str


def validate(suite: Suite, url: str, **parameters: Iterable[int]) -> Outcome:
    """Check the rows of the suite's query, pushed down as SQL.

    Args:
        suite: what must hold.
        url: the warehouse.
        parameters: lists of ids that the suite's query names.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    connection = make_url(url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    source = context.data_sources.add_postgres("warehouse", connection_string=connection)
    ids = {name: ", ".join(str(int(number)) for number in (0, *numbers)) for name, numbers in parameters.items()}
    asset = source.add_query_asset(suite.name, query=suite.query.format(**ids))
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    suite_of_all = gx.ExpectationSuite(
        suite.name,
        [
            getattr(gx.expectations, _class_name(e.kind))(**e.arguments, meta={SENTENCE: e.sentence})
            for e in suite.expectations
        ],
    )
    try:
        checked = [_check(result) for result in batch.validate(suite_of_all, result_format="SUMMARY").results]
    finally:
        source.get_engine().dispose()
    lines = [f"| {'yes' if check.holds else '**no**'} | {check.sentence} | {check.broken:,} |" for check in checked]
    table = "\n".join(["| holds | expectation | rows that break it |", "|---|---|---|", *lines])
    return Outcome(all(check.holds for check in checked), max(check.rows for check in checked), table)


@dataclass(frozen=True)
class _Check:
    sentence: str
    holds: bool
    broken: int
    rows: int


def _check(result: Any) -> _Check:
    config, found = result.expectation_config, result.result
    if "element_count" not in found:
        raise RuntimeError(f"{config.type} could not be checked: {result.exception_info}")
    broken = int(found.get("unexpected_count") or 0)
    return _Check(config.meta[SENTENCE], bool(result.success), broken, int(found["element_count"]))


def _class_name(kind: str) -> str:
    return "".join(part.capitalize() for part in kind.split("_"))
