"""What experiments read, read from the marts as they are built."""

from datetime import timedelta

import pytest

from ml.experiments.design import Design
from ml.experiments.metrics import METRICS
from orchestration.experiment_outcomes import MEASURED, read_newcomers, read_outcomes
from tests.dbt_project.conftest import KEYS, NOW

DESIGN = Design.model_validate(
    {
        "key": "x",
        "name": "X",
        "variant_a": {"price": "1"},
        "variant_b": {"price": "2"},
        "metrics": ["acceptance"],
        "baseline": 0.4,
        "minimum_effect": 0.15,
        "companies_per_week": 20,
        "observation_days": 61,
    }
)


def test_companies_of_the_marts_may_join_by_plan_and_volume(session):
    found = read_newcomers(session, 1, DESIGN, NOW)
    assert list(zip(found["company_key"], found["stratum"], strict=True)) == [
        (key, "per_minute/unknown") for key in KEYS
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_can_be_read(session, metric):
    assert not len(read_outcomes(session, 1, DESIGN, metric, NOW + timedelta(days=90)).is_b)


def test_every_metric_has_a_source():
    assert MEASURED.keys() == METRICS.keys()
