"""Designs: what must be declared, and what follows from it."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from ml.experiments.design import Design, from_recommendation
from ml.experiments.states import TRANSITIONS, require_transition
from ml.rating.catalogue import default_catalogue, load_catalogue
from ml.rating.sentences import sentences_of

EXAMPLES = sorted((Path(__file__).parents[3] / "ml/experiments/examples").glob("*.yaml"))


def test_size_and_duration_follow_from_what_is_declared(make_design, revenue_design):
    # 2 x ceil(172.8 x 1.0247) companies at 20 a week, and 30 days until the last is counted.
    assert (make_design().companies, make_design().days, make_design().last_day) == (356, 161, 322)
    # 2 x ceil(2 x 60^2 x 7.849 / 20^2 x 1.0247)
    assert (revenue_design().companies, revenue_design().days) == (290, 168)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ({"metrics": ["clicks"]}, "metrics[0]: no metric is called clicks; use some of acceptance, trial_conversion"),
        ({"metrics": ["acceptance", "acceptance"]}, "metrics[1]: acceptance is there twice; keep one"),
        ({"metrics": ["acceptance", "monthly_revenue"]}, "30 are too few for monthly_revenue; use 61 or more"),
        ({"variant_b": {"price_per_minute": "0.12"}}, "variant_b: it is the same as variant_a"),
        ({"baseline": None}, "baseline: say what it is without a change: the size of the test for acceptance needs it"),
        ({"baseline": 0.9}, "minimum_effect: 0.9 and 0.15 more are no share below 1"),
        ({"companies_per_week": 0, "companies_at_start": 9}, "the test needs 356 companies, and none join"),
        ({"maximum_days": 100}, "maximum_days: the test needs 161 days; allow as many"),
        ({"winner": "b"}, "winner: there is no such field; check its spelling"),
        ({"looks": 0}, "looks: 0 is too small; it must be 1 or more"),
        ({"name": "x" * 101}, "name: string should have at most 100 characters"),
    ],
)
def test_a_design_that_can_not_be_meant_gets_a_sentence(make_design, override, sentence):
    with pytest.raises(ValidationError) as raised:
        make_design(**override)
    assert sentence in "\n".join(sentences_of(raised.value, "experiment"))


def test_a_design_is_read_back_as_it_was_written(revenue_design):
    assert Design.model_validate(revenue_design().model_dump(mode="json")) == revenue_design()


def test_a_recommendation_becomes_a_test_of_its_plan_against_the_current_one(make_design):
    plans = {plan.plan_key: plan for plan in load_catalogue(default_catalogue(), "default.yaml")}
    declared = make_design().model_dump(exclude={"variant_a", "variant_b"})
    design = from_recommendation(plans["per_minute"], plans["hybrid"], "day-14:acme", declared)
    assert design.variant_a == plans["per_minute"].terms()
    assert design.variant_b == plans["hybrid"].terms()
    assert (design.plan_keys, design.currency) == (("per_minute",), "EUR")
    assert design.recommendation_key == "day-14:acme"
    with pytest.raises(ValidationError, match="nothing to compare"):
        from_recommendation(plans["hybrid"], plans["hybrid"], "day-14:acme", declared)
    with pytest.raises(ValueError, match="in another currency"):
        from_recommendation(plans["hybrid"], plans["hybrid-usd"], "day-14:acme", declared)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_for_each_kind_of_test_is_a_design(path):
    design = Design.model_validate(yaml.safe_load(path.read_text()))
    assert design.days < 366


def test_there_is_an_example_for_each_kind():
    assert [path.stem for path in EXAMPLES] == ["annual_discount", "bundles", "price_points", "trial_length"]


def test_states_go_forward_only():
    require_transition("planned", "active")
    for before, allowed in TRANSITIONS.items():
        for after in TRANSITIONS.keys() - set(allowed):
            with pytest.raises(ValueError, match=f"an experiment that is {before} can't become {after}"):
                require_transition(before, after)
