import json

import numpy as np
import pandas as pd
import pytest

from ml.analysis.characteristics import describe_companies
from ml.analysis.insights import find_insights
from ml.analysis.patterns import find_patterns
from ml.analysis.projection import project_usage
from ml.analysis.usage_findings import SEVERITIES


@pytest.fixture
def insights(make_hourly, make_windows, make_activity, make_daily):
    def run(rows, days=14, companies=1, accuracy=None, **characteristics):
        hourly, windows = make_hourly(rows), make_windows(companies, days)
        found = find_insights(
            find_patterns(hourly, windows),
            describe_companies(hourly, windows, make_activity(companies)).assign(**characteristics),
            project_usage(make_daily({"calls": [10] * days}), windows, paths=20),
            accuracy=accuracy,
        )
        json.dumps(found["findings"].tolist(), allow_nan=False)
        return {finding["code"]: finding for finding in found["findings"].iloc[-1]}

    return run


def test_a_plain_company_is_told_its_hours_day_type_and_month(insights):
    found = insights([{"day": day, "total_calls": 3 if day % 7 == 4 else 1} for day in range(14)])
    assert list(found) == ["peak_hours", "peak_usage_day", "business_type", "projected_month"]
    assert found["peak_hours"]["numbers"] == {"hours": [10], "share": 1.0}
    assert found["peak_usage_day"]["numbers"] == {"weekday": 4, "share": 0.3333}
    assert found["projected_month"]["numbers"]["meters"]["calls"]["expected"] == pytest.approx(300)
    assert found["projected_month"]["numbers"]["starts_on"] == "2024-03-18"


def test_the_month_says_how_far_such_forecasts_were_off_or_why_that_is_not_known(insights):
    judged = pd.DataFrame(
        [(1, "calls", 0.12344, np.nan, None), (2, "calls", 0.5, 0.8, None)],
        columns=["company_id", "meter", "wape", "coverage_80", "accuracy_reason"],
    )
    rows = [{}, {"company_id": 2}]
    month = insights(rows, companies=1, accuracy=judged)["projected_month"]["numbers"]["meters"]["calls"]
    assert (month["wape"], month["coverage_80"], month["accuracy_reason"]) == (0.1234, None, None)
    unknown = insights(rows, companies=1)["projected_month"]["numbers"]["meters"]["calls"]
    assert (unknown["wape"], unknown["coverage_80"], unknown["accuracy_reason"]) == (None, None, "not_judged_yet")
    with pytest.raises(ValueError, match="accuracy lacks the columns wape, coverage_80"):
        insights([{}], accuracy=judged[["company_id", "meter", "accuracy_reason"]])


@pytest.mark.parametrize(("per_week", "is_rapid"), [(0.046, False), (0.047, True)])
def test_growth_above_20_percent_a_month_is_a_warning(insights, per_week, is_rapid):
    found = insights([{}], growth_per_week=per_week, growth_trajectory="up")
    assert ("rapid_growth" in found) == is_rapid
    if is_rapid:
        assert found["rapid_growth"]["numbers"] == {"growth_per_month": 0.2014, "threshold": 0.2}


def test_growth_that_is_only_noise_is_no_warning(insights):
    assert "rapid_growth" not in insights([{}], growth_per_week=0.5, growth_trajectory="stable")


def test_growth_that_is_not_known_is_no_warning(insights):
    assert "rapid_growth" not in insights([{}], growth_per_week=None, growth_trajectory=None)


@pytest.mark.parametrize(("after", "severity"), [(2, "info"), (3, "notice")])
def test_after_hours_above_a_fifth_are_noticed(insights, after, severity):
    found = insights([{"total_calls": 10, "after_hours_calls": after}])
    assert found["after_hours_share"]["severity"] == severity


def test_lost_bookings_say_how_many_and_when(insights):
    rows = [{"successful_bookings": 6}, {"local_hour": 17, "failed_bookings": 2}]
    assert insights(rows)["lost_bookings"]["numbers"] == {
        "count": 2,
        "successful": 6,
        "share": 0.25,
        "most_failed_hour": 17,
    }


def test_a_silent_company_is_told_only_what_is_known(insights):
    assert list(insights([{"company_id": 1}], companies=2)) == ["projected_month"]


def test_findings_are_ranked_by_severity(insights):
    rows = [{"day": day, "total_calls": 10 + day, "after_hours_calls": 5} for day in range(14)]
    found = insights([*rows, {"failed_bookings": 1, "successful_bookings": 9}])
    assert [found[code]["severity"] for code in ("rapid_growth", "after_hours_share", "lost_bookings")] == list(
        SEVERITIES
    )
    ranks = [SEVERITIES.index(finding["severity"]) for finding in found.values()]
    assert ranks == sorted(ranks)


def test_a_company_without_patterns_is_named(make_hourly, make_windows, make_activity, make_daily):
    hourly = make_hourly([{}])
    with pytest.raises(ValueError, match=r"No patterns or projection for the companies \[2\]"):
        find_insights(
            find_patterns(hourly, make_windows(1)),
            describe_companies(hourly, make_windows(2), make_activity(2)),
            project_usage(make_daily({"calls": [1]}), make_windows(2), paths=2),
        )
