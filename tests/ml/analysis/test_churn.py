import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml.analysis.churn import CALIBRATION, CHURN_COLUMNS, COEFFICIENTS, FEATURES, churn_probability, churn_risks

WEEK = [30.0, 28, 31, 29, 33, 0, 0]


def weeks(count: int, silent: int = 0, factor: float = 1.0) -> list[float]:
    usage = [value * factor**week for week in range(count) for value in WEEK]
    return usage[:-silent] + [0.0] * silent if silent else usage


@pytest.fixture
def risk(make_daily, make_windows):
    def run(usage: list[float], later: tuple[float, ...] = ()) -> pd.Series:
        daily = make_daily({"usage": [*usage, *later]})
        return churn_risks(daily, make_windows(days=len(usage))).iloc[0]

    return run


def test_steady_usage_is_a_low_risk_with_its_facts(risk):
    row = risk(weeks(10))
    assert row.index.tolist() == list(CHURN_COLUMNS)
    assert (row["level"], row["reason"]) == ("low", None)
    assert row["probability"] < 0.05
    assert row["factors"] == {
        "days_since_last_usage": 2,  # the weekend
        "usual_days_between_usage": 1.36,
        "recent_events_per_day": pytest.approx(21.57, abs=0.01),
        "earlier_events_per_day": pytest.approx(21.57, abs=0.01),
        "raised_by": [],
    }


def test_longer_silence_is_a_higher_risk_and_is_named(risk):
    probabilities = [risk(weeks(10, silent))["probability"] for silent in (2, 5, 9, 16, 23)]
    assert probabilities == sorted(probabilities)
    row = risk(weeks(10, 23))
    assert (row["level"], row["factors"]["days_since_last_usage"]) == ("high", 23)
    assert set(row["factors"]["raised_by"]) >= {"unusual_silence", "silent_days"}


def test_the_same_silence_is_nothing_new_for_a_company_that_is_seldom_used(risk):
    seldom = ([1.0] + [0.0] * 11) * 7
    assert risk(seldom)["probability"] < risk(weeks(12, 11))["probability"] / 2


def test_usage_that_faded_before_it_stopped_is_a_higher_risk(risk):
    fading, steady = risk(weeks(10, 9, factor=0.75)), risk(weeks(10, 9))
    assert fading["probability"] > steady["probability"]
    assert "decline" in fading["factors"]["raised_by"]
    assert "decline" not in steady["factors"]["raised_by"]


@pytest.mark.parametrize(
    ("usage", "reason"), [([5.0], "fewer_than_14_days"), ([5.0] * 13, "fewer_than_14_days"), ([0.0] * 60, "no_usage")]
)
def test_where_nothing_can_be_said_a_reason_is_given(risk, usage, reason):
    row = risk(usage)
    assert (row["probability"], row["level"], row["reason"]) == (None, None, reason)


def test_usage_from_the_as_of_date_on_changes_nothing(risk):
    assert risk(weeks(10, 5)).to_dict() == risk(weeks(10, 5), later=(80.0, 0.0, 1e6)).to_dict()


def test_only_the_last_90_days_count(risk):
    assert risk([500.0] * 200 + weeks(13)[-90:])["probability"] == risk(weeks(13)[-90:])["probability"]


def test_nobody_to_ask_about_is_an_empty_frame(make_daily, make_windows):
    none = make_daily({"usage": [1.0]}).head(0)
    assert churn_risks(none, make_windows(0)).columns.tolist() == list(CHURN_COLUMNS)
    assert churn_risks(none, make_windows(2, days=30))["reason"].tolist() == ["no_usage"] * 2


def test_impossible_usage_and_missing_columns_are_refused(make_daily, make_windows):
    with pytest.raises(ValueError, match="quantity"):
        churn_risks(make_daily({"usage": [np.nan]}), make_windows())
    with pytest.raises(ValueError, match="usage_date, quantity"):
        churn_risks(pd.DataFrame({"company_id": [1]}), make_windows())


def test_no_sign_of_an_end_lowers_the_risk():
    assert len(COEFFICIENTS) == 1 + len(FEATURES)
    assert min(COEFFICIENTS[1:]) >= 0
    odds, share = np.array(CALIBRATION).T
    assert (np.diff(odds) > 0).all()
    assert (np.diff(share) >= 0).all()
    assert 0 < share[0] < share[-1] < 1
    assert churn_probability(np.array([[0.0, 0, 0], [1e9, 1e9, 1e9]])).tolist() == [
        pytest.approx(share[0], abs=0.01),
        share[-1],
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([0.0, 0.25, 1.0, 40.0, 1e9]), min_size=14, max_size=120))
def test_any_history_gets_a_probability_or_a_reason(risk, usage):
    row = risk(usage)
    assert (row["reason"] is None) == (row["probability"] is not None)
    if row["probability"] is not None:
        assert 0 < row["probability"] < 1
        assert row["level"] in ("low", "medium", "high")
