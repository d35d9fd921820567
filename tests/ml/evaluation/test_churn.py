"""The churn score on companies that neither its coefficients nor its calibration have seen."""

import numpy as np
import pytest

from ml.analysis.churn import CALIBRATION, COEFFICIENTS
from ml.evaluation.churn import ChurnCases, backtest_churn, churn_cases, fit_churn
from ml.synthetic.churn import UsageHistories, simulate_histories


@pytest.fixture(scope="module")
def backtest():
    return backtest_churn(churn_cases(simulate_histories(companies=1500, days=330, seed=201)))


def test_the_score_beats_the_base_rate_by_far(backtest):
    assert backtest.cases > 5000
    assert 0.03 < backtest.base_rate < 0.15
    assert backtest.auc > 0.95
    assert backtest.brier < 0.5 * backtest.brier_of_base_rate
    assert backtest.log_loss < 0.45 * backtest.log_loss_of_base_rate


def test_the_probabilities_mean_what_they_say(backtest):
    table = backtest.table
    error = np.abs(table["probability"] - table["churned"])
    # Two and a half standard errors of a share, and what the calibration's own world may differ.
    limit = 2.5 * np.sqrt(table["churned"] * (1 - table["churned"]) / table["count"]) + 0.01
    assert (error < limit).all()
    assert table["count"].sum() == backtest.cases
    assert table["lift"].iloc[-1] > 7


@pytest.mark.long
def test_the_shipped_constants_are_those_of_the_fit():
    coefficients, calibration = fit_churn()
    assert coefficients == pytest.approx(COEFFICIENTS, abs=0.02)
    assert np.array(calibration) == pytest.approx(np.array(CALIBRATION), abs=0.02)


def test_usage_from_the_as_of_date_on_is_in_no_feature():
    histories = simulate_histories(companies=60, days=120, seed=3)
    changed = histories.counts.copy()
    changed[:, 60:] = 7
    seen, later = (
        churn_cases(UsageHistories(counts[:, :90], histories.starts, histories.ends))
        for counts in (histories.counts, changed)
    )
    assert np.array_equal(seen.features, later.features)
    assert not np.array_equal(seen.churned, later.churned)


def test_cases_without_both_outcomes_are_refused():
    with pytest.raises(ValueError, match="stay"):
        backtest_churn(ChurnCases(np.zeros((3, 3)), np.zeros(3, dtype=bool)))
    with pytest.raises(ValueError, match="stay"):
        backtest_churn(ChurnCases(np.zeros((0, 3)), np.zeros(0, dtype=bool)))
