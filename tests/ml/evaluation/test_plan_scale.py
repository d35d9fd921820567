import numpy as np
import pytest

from ml.evaluation.plan_scale import AS_IT_IS, Scale, usage_factor
from ml.evaluation.plan_usage import PlanUsage
from ml.recommendation.choosers.cases import cases_at
from tests.ml.recommendation.choosers.world import SECONDS, always, usage_of


@pytest.mark.parametrize(
    ("text", "scale"), [("800", Scale(800, True)), ("12.5", Scale(12.5, True)), ("x2.5", Scale(2.5)), ("x1", AS_IT_IS)]
)
def test_a_number_is_for_the_median_and_a_factor_has_an_x(text, scale):
    assert Scale.of(text) == scale


@pytest.mark.parametrize("text", ["", "x", "0", "x0", "-3", "2x", "x-1", "nan", "inf", "xinf", "many"])
def test_anything_else_is_no_scale(text):
    with pytest.raises(ValueError, match=r"is no scale; write 800 .* or x2\.5"):
        Scale.of(text)


def test_the_median_month_comes_to_the_number_in_the_unit_of_the_table():
    histories = usage_of(np.array([1.0, 5, 40])[:, None] * np.ones((3, 60)))
    cases = [cases_at(histories, age, 28, 30, always(0, 3)) for age in (30, 31)]
    for unit, expected in ((60.0, 800 / (5 * 30)), (1.0, 800 / (5 * 30 * 60))):
        usage = PlanUsage(("a", "b", "c"), histories, None, {SECONDS: unit})
        assert usage_factor(Scale.of("800"), usage, SECONDS, cases) == pytest.approx(expected)
        assert usage_factor(Scale.of("x3"), usage, SECONDS, cases) == 3


def test_a_meter_that_most_do_not_use_has_no_median():
    histories = usage_of(np.ones((3, 60)))
    unused = histories[SECONDS].__class__(np.zeros((3, 60)), histories[SECONDS].observed, histories[SECONDS].ends)
    both = {SECONDS: histories[SECONDS], "appointments": unused}
    usage = PlanUsage(("a", "b", "c"), both, None, {SECONDS: 1.0, "appointments": 1.0})
    with pytest.raises(ValueError, match="use no appointments; give a factor"):
        usage_factor(Scale.of("10"), usage, "appointments", [cases_at(both, 30, 28, 30, always(0, 3))])
