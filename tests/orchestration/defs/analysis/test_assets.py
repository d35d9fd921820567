"""What a run of the analysis leaves in the UI."""

from datetime import timedelta

import dagster as dg
import pytest

from orchestration.partitions import range_tags
from orchestration.resources import resources
from tests.orchestration.usage_world import AS_OF, make_usage


@pytest.fixture
def materialize(pipeline, monkeypatch):
    """Run an analysis over two dates; the metadata that it leaves."""
    monkeypatch.setenv("ANALYSIS_WORKERS", "1")
    with pipeline.connect() as connection:
        make_usage(connection)

    def run(name):
        from orchestration.defs.analysis import assets

        last = AS_OF - timedelta(days=1)
        tags = range_tags(last - timedelta(days=1), last)
        result = dg.materialize([getattr(assets, name)], tags=tags, instance=pipeline.instance, resources=resources)
        (step,) = {event.step_key for event in result.get_asset_materialization_events()}
        return result.asset_materializations_for_node(step)[-1].metadata

    return run


def test_a_run_over_two_dates_says_what_was_found_and_draws_the_calls(pipeline, materialize):
    metadata = materialize("usage_patterns")
    counts = {name: metadata[name].value for name in ("dagster/row_count", "companies", "shards")}
    assert counts == {"dagster/row_count": 2 * 28, "companies": 2 * 7, "shards": 2}
    assert metadata["heatmap"].value.startswith("![Calls by weekday and local hour](data:image/png;base64,")
    found = pipeline.rows("select as_of, count(*) from ml.usage_patterns group by 1 order by 1")
    assert found == [(AS_OF - timedelta(days=1), 28), (AS_OF, 28)]


def test_characteristics_are_compared_with_all_companies_of_their_date(pipeline, materialize):
    assert materialize("business_characteristics")["companies"].value == 2 * 7
    unique = "select as_of, company_id from ml.business_characteristics where has_unique_patterns order by 1"
    assert pipeline.rows(unique) == [(AS_OF - timedelta(days=1), 5), (AS_OF, 5)]
