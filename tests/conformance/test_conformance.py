"""The runner finds what is wrong, passes what is right, and takes nothing that it does not read."""

import json
from pathlib import Path

import pytest

from tests.conformance.__main__ import main
from tests.conformance.runner import load_cases, run_case, run_cases

OWN = Path(__file__).parent / "cases.json"
COLLECTED = Path(__file__).parents[2] / ".." / "shared" / "reference" / "charge_vectors.json"
CASE = {
    "id": "x",
    "model": "per_unit",
    "params": {"unit": "2"},
    "usage": {"quantity": "3"},
    "expected": {"amount": "6"},
}


def test_every_case_of_ours_that_is_supported_passes(capsys):
    assert main([str(OWN)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "widths unsupported: tiers as widths in blocks are not sold; a tier's bound is cumulative",
        "12 passed, 0 failed, 1 unsupported",
    ]


@pytest.mark.skipif(not COLLECTED.exists(), reason="the collected cases are not beside this checkout")
def test_every_collected_case_passes_but_for_at_most_twenty_that_are_not_sold():
    outcomes = run_cases(load_cases(COLLECTED))
    assert [outcome for outcome in outcomes if outcome.verdict == "failed"] == []
    assert sum(outcome.verdict == "unsupported" for outcome in outcomes) <= 20
    assert len(outcomes) >= 160


@pytest.mark.parametrize(
    ("change", "verdict", "reason"),
    [
        ({}, "passed", ""),
        ({"id": "renamed"}, "passed", ""),
        ({"expected": {"amount": "6.0000000001"}}, "failed", "amount is 6, expected 6.0000000001"),
        ({"expected": {"amount": "5.99999999999999999999"}}, "failed", "amount is 6"),
        ({"params": {"unit": "-2"}}, "failed", "ValidationError"),
        (
            {"params": {"unit": "2", "surcharge": "1"}},
            "unsupported",
            "surcharge, which nothing here reads",
        ),
        ({"usage": {"quantity": "3", "region": "eu"}}, "unsupported", "region"),
        ({"expected": {"amount": "6", "tax": "1"}}, "unsupported", "nothing here computes tax"),
        ({"model": "lottery"}, "unsupported", "there is no model lottery"),
        ({"params": {"unit": "2", "minimum": "10"}, "expected": {"amount": "10"}}, "passed", ""),
        ({"params": {"unit": "0.333", "round_to": 1}, "expected": {"amount": "1.0"}}, "passed", ""),
    ],
)
def test_a_case_is_judged_by_what_it_says(change, verdict, reason):
    outcome = run_case(CASE | change)
    assert outcome.verdict == verdict
    assert reason in outcome.reason


@pytest.mark.parametrize("content", ["{}", "[1]", '[{"id": 1}]', "not json"])
def test_a_file_of_another_form_is_refused_in_words(content, tmp_path, capsys):
    path = tmp_path / "cases.json"
    path.write_text(content)
    assert main([str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_failure_is_printed_with_its_id_and_fails_the_run(tmp_path, capsys):
    path = tmp_path / "cases.json"
    path.write_text(json.dumps([CASE, CASE | {"id": "y", "expected": {"amount": "7"}}]))
    assert main([str(path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "y failed: amount is 6, expected 7",
        "1 passed, 1 failed, 0 unsupported",
    ]
