"""The linter on the command line: a line for each finding, a sum, and an exit code that a build can trust."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli import app
from tests.feeds import PLANS

CLIFF = """
  - plan_key: cliff
    version: 1
    name: Cliff
    currency: EUR
    option: standard
    product: web
    valid_from: 2024-01-01
    charges:
      - {model: volume, meter: call_seconds, per: 60, tiers: [{up_to: 500, unit_price: "0.15"}, {unit_price: "0.12"}]}
"""
SENTENCE = (
    "plan cliff v1, charges[0].tiers[1]: at 501 minutes (call_seconds) the cost falls to 60.12 EUR, from 75.00 EUR at "
    "500 minutes (call_seconds); it is as high again from 625 minutes (call_seconds) on (warning: cliff)"
)
GOOD = "plans:" + CLIFF.replace("volume", "graduated")


@pytest.fixture
def lint(tmp_path: Path):
    def invoke(text: str | bytes | None, *options: str) -> Result:
        path = tmp_path / "prices.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text or b"")
        return CliRunner().invoke(app, ["catalogue", "lint", *([] if text is None else [str(path)]), *options])

    return invoke


def test_a_good_price_list_has_nothing_to_say_and_passes_strictly(lint):
    result = lint(GOOD, "--strict")
    assert (result.output, result.exit_code) == ("prices.yaml: 0 errors, 0 warnings.\n", 0)


def test_a_warning_is_one_line_with_its_file_and_fails_only_strictly(lint):
    result = lint("plans:" + CLIFF)
    assert result.output.splitlines() == [f"prices.yaml: {SENTENCE}", "prices.yaml: 0 errors, 1 warning."]
    assert result.exit_code == 0
    assert lint("plans:" + CLIFF, "--strict").exit_code == 1


def test_an_error_fails_and_what_can_be_read_is_judged_beside_what_cannot(lint):
    result = lint(PLANS.replace("appointments", "'[red]appointment'", 1) + CLIFF)
    first, *rest = result.output.splitlines()
    assert first.startswith(
        "prices.yaml: plan per_minute v1, charges[1].meter: '[red]appointment' is not a known meter"
    )
    assert rest == [f"prices.yaml: {SENTENCE}", "prices.yaml: 1 error, 1 warning."]
    assert result.exit_code == 1


def test_a_currency_that_does_not_exist_is_an_error(lint):
    result = lint(GOOD.replace("EUR", "EUS"))
    assert "plan cliff v1, currency: 'EUS' is no currency; give its ISO 4217 code, such as EUR" in result.output
    assert result.exit_code == 1


def test_without_a_file_the_shipped_price_list_is_judged_and_has_no_error(lint):
    result = lint(None)
    assert result.output.splitlines()[-1].startswith("default.yaml: 0 errors, ")
    assert result.exit_code == 0


def test_a_file_that_is_not_utf_8_is_a_usage_error_in_words(lint):
    result = lint(GOOD.encode("utf-16"))
    assert "is not UTF-8" in result.output
    assert result.exit_code == 2


def test_a_file_that_a_windows_editor_saved_is_read(lint):
    assert lint(GOOD.encode("utf-8-sig")).exit_code == 0
