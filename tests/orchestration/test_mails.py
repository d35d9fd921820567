"""Payloads of mails, from the rows of the analysis."""

import pytest

from orchestration.mails import forecast_error


def month(**errors: tuple[float, float | None]) -> dict:
    """A projected month, by meter the expected quantity and how far such forecasts were off."""
    meters = {meter: {"expected": expected, "wape": wape} for meter, (expected, wape) in errors.items()}
    return {"code": "projected_month", "numbers": {"meters": meters}}


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ({"call_seconds": (90.0, 0.1), "appointments": (4.0, 0.4)}, 0.4),
        ({"call_seconds": (90.0, 0.1), "appointments": (0.0, None)}, 0.1),
        ({"call_seconds": (90.0, 0.1), "calls": (4.0, 0.9)}, 0.1),
        ({"call_seconds": (90.0, 0.1), "appointments": (4.0, None)}, None),
        ({"calls": (4.0, 0.9)}, None),
    ],
)
def test_a_mail_tells_the_largest_error_of_the_forecasts_that_it_tells(errors, told):
    assert forecast_error(month(**errors)) == told


def test_a_month_that_was_stored_before_forecasts_were_judged_tells_no_error():
    assert forecast_error({"numbers": {"meters": {"call_seconds": {"expected": 90.0}}}}) is None
