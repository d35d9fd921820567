import json
from decimal import Decimal

import pandas as pd
import pytest

from ml.analysis.characteristics import describe_companies
from ml.analysis.insights import find_insights
from ml.analysis.patterns import find_patterns
from ml.analysis.plan_findings import MAX_ANOMALIES, plan_findings
from ml.analysis.projection import project_usage


def limits(*rows):
    default = {"company_id": 1, "meter": "call_seconds", "limit_quantity": 100.0, "used_quantity": 20.0}
    default |= {"expected_quantity": 60.0, "expected_utilisation": 0.6, "reach_probability": 0.1}
    default |= {"expected_reach_date": pd.NaT, "period_end": pd.Timestamp("2024-04-01")}
    return pd.DataFrame([default | row for row in rows])


def anomalies(*rows):
    default = {"company_id": 1, "meter": "calls", "usage_date": pd.Timestamp("2024-03-10"), "kind": "drop"}
    default |= {"severity": "notice", "quantity": 5.0, "expected_quantity": 20.0}
    return pd.DataFrame([default | row for row in rows])


def savings(*rows):
    default = {"company_id": 1, "amount": Decimal("14.50"), "currency": "EUR", "plan_name": "Basis"}
    return pd.DataFrame([default | row for row in rows])


def told(about_limits=None, about_anomalies=None, about_savings=None):
    found = plan_findings(about_limits, about_anomalies, about_savings).get(1, [])
    json.dumps([dict(finding.numbers) for finding in found], allow_nan=False)
    return found


@pytest.fixture
def codes(make_hourly, make_windows, make_activity, make_daily):
    """The findings of a company that grows by 20 % a week, with its busiest day on Fridays."""

    def run(**frames):
        rows = [
            {"day": day, "total_calls": round(50 * 1.2 ** (day // 7) * (2 if day % 7 == 4 else 1))} for day in range(28)
        ]
        hourly, windows = make_hourly(rows), make_windows(days=28)
        found = find_insights(
            find_patterns(hourly, windows),
            describe_companies(hourly, windows, make_activity()),
            project_usage(make_daily({"calls": [10] * 28}), windows, paths=20),
            **frames,
        )
        return {finding["code"]: finding["numbers"] for finding in found["findings"].item()}

    return run


def test_peak_day_low_utilisation_and_rapid_growth_are_told_with_their_numbers(codes):
    found = codes(limits=limits({"expected_utilisation": 0.38, "expected_quantity": 38.0}))
    assert found["peak_usage_day"] == {"weekday": 4, "share": pytest.approx(0.25, abs=1e-3)}
    assert found["low_utilisation"] == {
        "meter": "call_seconds",
        "utilisation": 0.38,
        "threshold": 0.5,
        "limit_quantity": 100,
        "expected_quantity": 38,
    }
    assert found["rapid_growth"]["growth_per_month"] > 0.2


def test_findings_are_ranked_by_severity_and_then_by_size(codes):
    found = codes(
        limits=limits({"reach_probability": 0.9}),
        anomalies=anomalies({"severity": "warning", "quantity": 0.0, "kind": "outage"}, {"company_id": 2}),
        savings=savings({}),
    )
    assert list(found) == [
        *("usage_anomaly", "overage_risk", "rapid_growth", "savings"),
        *("peak_hours", "peak_usage_day", "business_type", "projected_month"),
    ]


def test_without_the_frames_nothing_is_told_of_plans(codes):
    assert not {"low_utilisation", "overage_risk", "usage_anomaly", "savings"} & set(codes())
    assert plan_findings(None, None, None) == plan_findings(limits({}).head(0), anomalies({}).head(0), None) == {}


@pytest.mark.parametrize(("utilisation", "count"), [(0.499, 1), (0.5, 0), (1.3, 0), (float("nan"), 0)])
def test_utilisation_is_low_below_a_half(utilisation, count):
    assert len(told(limits({"expected_utilisation": utilisation}))) == count


def test_a_plan_is_only_too_large_when_its_most_used_meter_is_used_little():
    rows = [{"expected_utilisation": 0.1}, {"meter": "appointments", "expected_utilisation": 0.4}]
    (finding,) = told(limits(*rows))
    assert (finding.numbers["meter"], finding.size) == ("appointments", 0.6)
    assert told(limits(*rows, {"meter": "calls", "expected_utilisation": 0.9})) == []


@pytest.mark.parametrize(
    ("probability", "severity"), [(0.49, None), (0.5, "notice"), (0.79, "notice"), (0.8, "warning")]
)
def test_a_limit_at_risk_is_a_notice_from_a_half_on_and_a_warning_from_four_fifths(probability, severity):
    row = {"reach_probability": probability, "expected_reach_date": pd.Timestamp("2024-03-28")}
    found = told(limits(row))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    if found:
        assert found[0].numbers["expected_reach_date"] == "2024-03-28"
        assert found[0].numbers["period_end"] == "2024-04-01"


def test_only_the_heaviest_anomalies_are_told():
    rows = [{"quantity": float(quantity)} for quantity in range(6)]
    found = told(None, anomalies(*rows, {"severity": "warning", "quantity": 19.0}, {"severity": "info"}))
    assert [finding.numbers["quantity"] for finding in found] == [19, 0, 1]
    assert len(found) == MAX_ANOMALIES


def test_a_burst_where_nothing_was_expected_has_a_size():
    (finding,) = told(None, anomalies({"kind": "burst", "quantity": 8.0, "expected_quantity": 0.0}))
    assert finding.size == 1


def test_savings_are_told_exactly_and_only_where_there_are_some():
    (finding,) = told(None, None, savings({}, {"company_id": 2}))
    assert finding.numbers == {"amount": "14.50", "currency": "EUR", "plan_name": "Basis"}
    assert told(None, None, savings({"amount": Decimal(0)}, {"amount": Decimal(-3)})) == []


def test_missing_columns_and_unknown_severities_are_refused():
    with pytest.raises(ValueError, match="limits lacks the columns meter, period_end"):
        plan_findings(limits({}).drop(columns=["meter", "period_end"]), None, None)
    with pytest.raises(ValueError, match=r"severities \['grave'\]; use warning, notice, info"):
        plan_findings(None, anomalies({"severity": "grave"}), None)
