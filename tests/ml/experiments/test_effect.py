"""Effects against textbook formulas, and sample ratios against exact binomials."""

import numpy as np
import pytest
from scipy import stats

from ml.experiments.effect import Outcomes, estimate, sample_ratio_p_value

RNG = np.random.default_rng(3)


def outcomes(numerator, is_b, stratum=None, denominator=None) -> Outcomes:
    numerator = np.asarray(numerator, dtype=float)
    count = len(numerator)
    return Outcomes(
        np.asarray(is_b, dtype=bool),
        np.zeros(count, dtype=np.int64) if stratum is None else np.asarray(stratum),
        numerator,
        np.ones(count) if denominator is None else np.asarray(denominator, dtype=float),
    )


def test_with_one_stratum_and_arms_alike_in_size_it_is_the_t_test_of_unequal_variances():
    a, b = RNG.normal(10, 2, 60), RNG.normal(11, 4, 60)
    found = estimate(outcomes([*a, *b], [False] * 60 + [True] * 60))
    welch = stats.ttest_ind(b, a, equal_var=False)
    assert found.value == pytest.approx(b.mean() - a.mean())
    assert found.value / found.standard_error == pytest.approx(welch.statistic, rel=0.01)
    assert found.p_value == pytest.approx(welch.pvalue, rel=0.1)
    assert found.arm_values == pytest.approx((a.mean(), b.mean()))


def test_the_interval_reaches_zero_exactly_where_the_p_value_is_its_level():
    found = estimate(outcomes(RNG.normal(0.3, 1, 80), [False, True] * 40))
    low, high = found.interval(found.p_value)
    assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-9)
    assert low < found.value < high


def test_what_strata_explain_is_no_noise():
    stratum = np.repeat([0, 1], 40)
    is_b = np.tile([False, True], 40)
    values = 1000 * stratum + RNG.normal(0, 1, 80) + 2 * is_b
    plain, within = estimate(outcomes(values, is_b)), estimate(outcomes(values, is_b, stratum))
    assert within.value == pytest.approx(plain.value)
    assert within.standard_error < plain.standard_error / 100


def test_a_ratio_has_the_variance_of_the_delta_method():
    is_b = np.tile([False, True], 100)
    cases = RNG.integers(1, 6, 200).astype(float)
    hits = RNG.binomial(cases.astype(int), 0.4).astype(float)
    found = estimate(outcomes(hits, is_b, denominator=cases))
    variances = []
    for arm in (False, True):
        h, n = hits[is_b == arm], cases[is_b == arm]
        residual = h - h.sum() / n.sum() * n
        variances.append(residual.var(ddof=1) / len(n) / n.mean() ** 2)
    assert found.standard_error == pytest.approx(np.sqrt(sum(variances)), rel=0.03)
    assert found.value == pytest.approx(found.arm_values[1] - found.arm_values[0], abs=0.005)


def test_a_stratum_of_one_arm_only_says_nothing():
    values, is_b, stratum = [1, 2, 1, 3, 50], [False, True, False, True, True], [0, 0, 0, 0, 1]
    found = estimate(outcomes(values, is_b, stratum))
    assert found.value == pytest.approx(estimate(outcomes(values[:4], is_b[:4])).value, rel=1e-9)
    assert found.freedom == 2


def test_too_few_companies_have_no_effect_and_equal_ones_no_significance():
    assert estimate(outcomes([1, 2], [False, True])) is None
    assert estimate(outcomes([1, 2, 3, 4], [False] * 4)) is None
    assert estimate(outcomes([1.0] * 6, [False, True] * 3)).p_value == 1


@pytest.mark.parametrize(("count_a", "count_b"), [(0, 0), (10, 10), (3, 9), (480, 520), (40, 90)])
def test_the_sample_ratio_is_judged_by_the_exact_binomial(count_a, count_b):
    total = count_a + count_b
    expected = stats.binomtest(count_b, total).pvalue if total else 1
    assert sample_ratio_p_value(count_a, count_b) == pytest.approx(expected)
