"""Run a suite inside the database and say in words what came out."""

import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from sqlalchemy import make_url

from integrations.expectations.rules import Expectation, Suite
from integrations.markdown import table

__all__ = ["Outcome", "validate"]

SENTENCE = "sentence"
COUNT_EXAMPLES, LONGEST_EXAMPLE = 3, 40


@dataclass(frozen=True)
class Outcome:
    """What came out of a suite.

    Attributes:
        passed: whether all expectations hold.
        stops: whether one is broken that is more than a warning.
        rows: how many were judged.
        summary: all of it in Markdown, for a reader who has nothing else.
    """

    passed: bool
    stops: bool
    rows: int
    summary: str


def validate(suite: Suite, url: str, **parameters: Iterable[int | date]) -> Outcome:
    """Check the rows of the suite's query, pushed down as SQL; without rows there is nothing that could break it.

    Args:
        suite: what must hold.
        url: the warehouse.
        parameters: lists of ids or dates that the suite's query names.

    Raises:
        RuntimeError: when an expectation could not be checked.
    """
    query = suite.query.format(**{name: _array(values) for name, values in parameters.items()})
    rows = _count(url, query)
    broken = _broken(suite, query, url) if rows else []
    return Outcome(not broken, any(each.expectation.stops for each in broken), rows, _summary(suite, rows, broken))


@dataclass(frozen=True)
class _Broken:
    """An expectation that does not hold: how many rows break it, and some of their values."""

    expectation: Expectation
    rows: int
    examples: str


def _broken(suite: Suite, query: str, url: str) -> list[_Broken]:
    """Those that do not hold; counts and examples cost a scan each, so they are asked for only of these."""
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    connection = make_url(url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
    source = context.data_sources.add_postgres("warehouse", connection_string=connection)
    batch = source.add_query_asset(suite.name, query=query).add_batch_definition_whole_table("all").get_batch()
    try:
        all_of_it = gx.ExpectationSuite(suite.name, [_configured(gx, each) for each in suite.expectations])
        results: list[Any] = batch.validate(all_of_it, result_format="BOOLEAN_ONLY").results
        failed = {result.expectation_config.meta[SENTENCE] for result in results if not result.success}
        if not failed:
            return []
        broken = {each.sentence: each for each in suite.expectations if each.sentence in failed}
        again = gx.ExpectationSuite(f"{suite.name}_broken", [_configured(gx, each) for each in broken.values()])
        found: list[Any] = batch.validate(again, result_format="SUMMARY").results
        return [_explained(broken[result.expectation_config.meta[SENTENCE]], result) for result in found]
    finally:
        source.get_engine().dispose()


def _configured(gx: Any, expectation: Expectation) -> Any:
    name = "".join(part.capitalize() for part in expectation.kind.split("_"))
    return getattr(gx.expectations, name)(**expectation.arguments, meta={SENTENCE: expectation.sentence})


def _explained(expectation: Expectation, result: Any) -> _Broken:
    found = result.result
    if "unexpected_count" not in found:
        raise RuntimeError(f"{expectation.kind} could not be checked: {result.exception_info}")
    examples = _examples(found.get("partial_unexpected_list") or [])
    return _Broken(expectation, int(found["unexpected_count"]), examples)


def _examples(values: Iterable[Any]) -> str:
    """Up to three different values; what is missing is no example."""
    texts = dict.fromkeys(_text(value) for value in values if value is not None)
    return "; ".join(list(texts)[:COUNT_EXAMPLES])


def _text(value: Any) -> str:
    text = ", ".join(f"{name} {part}" for name, part in value.items()) if isinstance(value, dict) else str(value)
    return text if len(text) <= LONGEST_EXAMPLE else f"{text[:LONGEST_EXAMPLE]}..."


def _summary(suite: Suite, rows: int, broken: list[_Broken]) -> str:
    heading = f"Suite **{suite.name}**: {rows:,} rows checked"
    if not broken:
        return f"{heading}, all {len(suite.expectations)} expectations hold." if rows else f"{heading}, nothing is new."
    kept = [each for each in suite.expectations if each not in [found.expectation for found in broken]]
    lines = [
        *((_verdict(each), f"{each.rows:,}", f"{each.rows / rows:.2%}", each.examples) for each in broken),
        *((f"yes: {each.sentence}", "0", "0.00%", "") for each in kept),
    ]
    title = f"{heading}, {len(broken)} of {len(suite.expectations)} expectations do not hold."
    return f"{title}\n\n{table(('holds', 'rows that break it', 'share', 'examples'), lines)}"


def _verdict(broken: _Broken) -> str:
    return f"{'**no**' if broken.expectation.stops else 'no, a warning'}: {broken.expectation.sentence}"


def _count(url: str, query: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(f"select count(*) from ({query}) as rows".encode()).fetchone()
    return int(row[0]) if row else 0


def _array(values: Iterable[int | date]) -> str:
    """An array as a literal of SQL: since it is constant, the planner reads only the partitions that it names."""
    texts = (value.isoformat() if isinstance(value, date) else str(int(value)) for value in values)
    return f"'{{{','.join(texts)}}}'"
