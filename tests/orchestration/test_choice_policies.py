"""What the past teaches about choosing plans comes into the database and back, and a choice from what was kept."""

import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from integrations.postgres.warehouse import replace_rows
from ml.analysis.forecasting.history import History
from ml.analysis.projection import project_usage
from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.recommendation.choosers.groups import groups_of
from ml.recommendation.choosers.outcomes import ANALOGUES
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.options import plan_id
from ml.synthetic.churn import simulate_histories
from orchestration.choice_lessons import ChoiceLessons
from orchestration.choice_policies import (
    judge_choices,
    policy_rows,
    read_policies,
    regret_markdown,
    reliability_markdown,
    reliability_rows,
    trade_offs,
)
from orchestration.choices import NOTHING, Choices, outlook_of
from orchestration.engine_inputs import CompanyInputs
from orchestration.forecast_inputs import ForecastInputs
from orchestration.plots import reliability_curve, trade_off_curves
from orchestration.replay_contents import Contents, hashes_of

AT, KNOWN_AT = date(2026, 6, 1), datetime(2026, 6, 1, 12, tzinfo=UTC)
COMPANIES, DAYS = 60, 150
PHONE = ("EUR", "phone")
CATALOGUE = [plan for plan in load_catalogue(default_catalogue(), "default") if plan.currency == "EUR"]
CHARGED = ("after_hours_call_seconds", "appointments", "business_hours_call_seconds", "call_seconds")
STAMP = {"as_of": AT, "known_at": KNOWN_AT}


@pytest.fixture(scope="module")
def lessons():
    """Companies on the package, but for the first one, which changed to the hybrid plan, and one that nobody knows."""
    found = simulate_histories(COMPANIES, DAYS, 815)
    observed = np.arange(DAYS) >= found.starts[:, None]
    ends = np.repeat(np.datetime64(AT), COMPANIES)
    factor = {"call_seconds": 60.0, "business_hours_call_seconds": 50.0, "after_hours_call_seconds": 10.0}
    histories = {meter: History(found.counts * factor.get(meter, 0.1) * observed, observed, ends) for meter in CHARGED}
    ids = np.arange(1, COMPANIES + 1)
    on = [(company, "2025-12-01", "package") for company in ids[:-1].tolist()]
    subscriptions = pd.DataFrame(
        sorted([*on, (1, "2026-03-01", "hybrid"), (2, "2026-03-01", "platform")]),
        columns=["company_id", "valid_from", "plan_key"],
    )
    return ChoiceLessons(AT, ids, histories, subscriptions.astype({"valid_from": "datetime64[s]"}))


@pytest.fixture(scope="module")
def learned(lessons):
    return judge_choices(lessons, CATALOGUE, lambda _: None)


def test_the_plan_held_is_that_of_the_day_before_by_its_key(lessons):
    plans = groups_of(CATALOGUE, AT)[PHONE]
    keys = [plan.plan_key for plan in plans]
    held = lessons.held(plans)
    named = {age: [None if row < 0 else keys[row] for row in held(age)[[0, 1, 2, -1]]] for age in (0, 91, 92)}
    assert named[0] == ["hybrid", None, "package", None]
    assert named[91] == ["hybrid", None, "package", None]  # of 1 March, as of 2 March
    assert named[92] == ["package", "package", "package", None]


def test_only_plans_that_can_be_compared_are_learned_about(learned):
    (group,) = learned
    assert group == PHONE
    assert [lesson.history_days for lesson in learned[group]] == [14, 28, 60]


def test_policies_are_read_as_they_were_known(learned, connection):
    rows = policy_rows(learned, STAMP)
    assert len(rows) == 6
    assert replace_rows(connection, "ml.choice_policies", {"as_of": AT}, rows) == 6
    told = reliability_rows(learned, STAMP)
    assert replace_rows(connection, "ml.recommendation_reliability", {"as_of": AT}, told) == len(told) > 0
    found = read_policies(connection, AT, KNOWN_AT)
    assert found[PHONE] == {
        (segment, lesson.history_days): policy
        for lesson in learned[PHONE]
        for segment, policy in lesson.policies.items()
    }
    assert read_policies(connection, date(2026, 5, 31), KNOWN_AT) == {}
    assert read_policies(connection, AT, datetime(2026, 6, 1, 11, tzinfo=UTC)) == {}


def test_the_asset_shows_regret_reliability_and_what_every_gate_would_have_done(learned):
    assert "best_single_plan" in regret_markdown(learned)
    assert "calibration_error" in reliability_markdown(learned)
    gates = trade_offs(learned)
    assert set(zip(gates["history_days"], gates["segment"], strict=True)) == {
        (days, segment) for days in (14, 28, 60) for segment in ("regular", "intermittent")
    }
    assert not gates.duplicated(["history_days", "segment", "min_saving_share", "min_probability"]).any()
    assert trade_off_curves(gates).startswith(b"\x89PNG")
    judged = [lesson for lesson in learned[PHONE] if lesson.judged]
    assert reliability_curve(pd.DataFrame(reliability_rows({PHONE: judged}, {}))).startswith(b"\x89PNG")
    assert regret_markdown({}) == reliability_markdown({}) == "No month has followed yet."
    assert trade_off_curves(pd.DataFrame()).startswith(b"\x89PNG")


def company(plan_key: str) -> CompanyInputs:
    """One that has used two hours a day for a month, in the form in which it is stored."""
    days = pd.date_range("2026-05-02", "2026-05-31")
    meter_daily = pd.DataFrame(
        [(7, meter, day, 7200.0) for meter in ("call_seconds", "business_hours_call_seconds") for day in days],
        columns=["company_id", "meter", "usage_date", "quantity"],
    )
    start = pd.Timestamp("2026-05-02")
    windows = pd.DataFrame(
        {"company_id": [7], "activated_on": [start], "window_start": [start], "window_end": [pd.Timestamp(AT)]}
    )
    holidays = pd.DataFrame({"company_id": [7], "holiday_date": [pd.Timestamp("2026-05-25")]})
    complete = pd.DataFrame({"company_id": 7, "usage_date": days})
    empty = pd.DataFrame({"company_id": pd.Series(dtype="int64")})
    companies = pd.DataFrame({"company_id": [7], "currency": ["EUR"], "plan_key": [plan_key], "plan_version": [1]})
    histories = ForecastInputs(windows, meter_daily, holidays, complete)
    made = CompanyInputs(companies, empty, empty, {}, histories)
    (stored,) = (document for _, document in made.documents())
    return CompanyInputs.of(json.loads(json.dumps(stored)))


@pytest.mark.parametrize("plan_key", ["package", "trial"])
def test_a_choice_is_the_same_when_only_what_was_kept_is_left(lessons, plan_key):
    contents = Contents()
    ids = {plan_id(plan): number for number, plan in enumerate(CATALOGUE)}
    policies = {PHONE: {(segment, 28): Policy(ANALOGUES) for segment in ("regular", "intermittent")}}
    choices = Choices(
        lessons, policies, groups_of(CATALOGUE, AT), {plan_id(plan): plan for plan in CATALOGUE}, contents
    )
    own = company(plan_key)
    kept = choices.kept_for(own)
    versions = {"catalogue": contents.keep_catalogue(CATALOGUE, ids), "models": {}, **kept}
    assert versions["history_days"] == 28
    assert versions["analogues"] in hashes_of(versions)
    histories = own.histories
    projection = project_usage(histories.meter_daily, histories.windows, paths=200, meters=own.histories.histories())
    first, again = (
        outlook_of(own, projection, json.loads(json.dumps(versions)), Contents(dict(stored.stored)))
        for stored in (contents, contents)
    )
    assert np.array_equal(first.projection.monthly, again.projection.monthly)
    assert not np.array_equal(first.projection.monthly, projection.monthly)
    assert first.policies[7] == again.policies[7] == Policy(ANALOGUES)


def test_a_plan_without_rivals_is_left_to_the_forecasts_scenarios(lessons):
    contents = Contents()
    platform = [plan for plan in load_catalogue(default_catalogue(), "default") if plan.product == "platform"]
    catalogue = {plan_id(plan): plan for plan in platform}
    choices = Choices(lessons, {}, groups_of(platform, AT), catalogue, contents)
    kept = choices.kept_for(company("platform"))
    assert kept == NOTHING
    projection = object()
    assert outlook_of(company("platform"), projection, dict(kept), contents).projection is projection
