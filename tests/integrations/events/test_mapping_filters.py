import pytest
from pydantic import ValidationError

from integrations.events.mapping_filters import Filter


def left_out(values, **condition):
    rule = Filter(name="rule", column="x", **condition)
    return [value for value in values if rule.leaves_out({"x": value})]


@pytest.mark.parametrize(
    ("condition", "met"),
    [
        ({"equals": "A"}, ["A"]),
        ({"equals": ["A", "AB"]}, ["A", "AB"]),
        ({"not_equals": "A"}, ["", " ", "AB", "b"]),
        ({"not_equals": ["A", "AB"]}, ["", " ", "b"]),
        ({"matches": "^A"}, ["A", "AB"]),
        ({"matches": "(?i)B"}, ["AB", "b"]),
        ({"empty": True}, ["", " "]),
        ({"empty": False}, ["A", "AB", "b"]),
    ],
)
def test_rows_that_meet_the_condition_are_left_out_or_are_all_that_is_kept(condition, met):
    values = ["", " ", "A", "AB", "b"]
    assert left_out(values, **condition) == met
    assert left_out(values, **condition, then="keep") == [value for value in values if value not in met]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ({}, "needs exactly one of equals, not_equals, matches, empty"),
        ({"equals": "A", "empty": True}, "needs exactly one of equals"),
        ({"matches": "(A"}, "valid regular expression"),
        ({"equals": []}, "at least 1 item"),
        ({"equals": [True]}, "valid string"),
        ({"equals": "A", "then": "drop"}, "'leave_out' or 'keep'"),
        ({"equals": "A", "name": ""}, "at least 1 character"),
    ],
)
def test_a_rule_that_can_not_work_is_refused(condition, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Filter.model_validate({"name": "rule", "column": "x", **condition})
