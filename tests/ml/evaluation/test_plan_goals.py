"""Advice on other people's usage under the delivered price list, held to what it promises."""

import pytest

from ml.evaluation.plan_report import PlanOptions, report_plans
from ml.evaluation.plan_scale import Scale
from ml.rating.catalogue import default_catalogue, load_catalogue
from tests.ml.evaluation.plan_goals import missed
from tests.real_minutes import FILES, minutes_of


@pytest.mark.long
@pytest.mark.parametrize("days", [14, 28, 60])
@pytest.mark.parametrize(("name", "most_harmed_switches"), [("bikeshare", 0.6), ("flights", 0.5)])
def test_advice_keeps_its_promises(name, days, most_harmed_switches):
    if not FILES[name].exists():
        pytest.skip("the real usage is not beside the checkout")
    options = PlanOptions((days,), scale=Scale.of("800"))
    found = report_plans(minutes_of(name), load_catalogue(default_catalogue(), "default.yaml"), options).lengths[0]
    assert len(found.cutoffs) >= 8
    assert missed(found) == []
    gated = found.tables.regret.set_index("chooser").loc["recommended_gated"]
    assert 0 < gated["switches"] < gated["cases"]
    assert gated["harmed_among_switches"] < most_harmed_switches
