from datetime import date

import pytest

from integrations.stripe.transports import billing_transport

LIVE = {
    "BILLING_TRANSPORT": "stripe",
    "STRIPE_API_KEY": "sk_test_1",
    "BILLING_FROM_DATE": "2026-11-01",
    "ALLOW_LIVE": "1",
}


@pytest.mark.parametrize("settings", [{}, {"BILLING_TRANSPORT": ""}, {**LIVE, "BILLING_TRANSPORT": "file"}])
def test_usage_goes_to_a_file_unless_told_otherwise(settings, tmp_path):
    transport = billing_transport(settings, tmp_path)
    assert (transport.destination, transport.from_date) == ("file", None)


def test_stripe_needs_all_of_its_settings_and_then_works(tmp_path):
    transport = billing_transport(LIVE, tmp_path)
    assert transport.destination.startswith("stripe:")
    assert transport.from_date == date(2026, 11, 1)


def test_the_account_may_be_named(tmp_path):
    assert billing_transport({**LIVE, "STRIPE_ACCOUNT": "acct_1"}, tmp_path).destination == "stripe:acct_1"


def test_everything_that_live_billing_lacks_is_listed(tmp_path):
    with pytest.raises(ValueError, match="lacks STRIPE_API_KEY, BILLING_FROM_DATE, ALLOW_LIVE=1;"):
        billing_transport({"BILLING_TRANSPORT": "stripe", "STRIPE_API_KEY": "", "ALLOW_LIVE": "true"}, tmp_path)


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1"])
def test_a_live_key_works_in_production_only(key, tmp_path):
    with pytest.raises(ValueError, match="lacks USAGE_PRICING_ENV=prod"):
        billing_transport({**LIVE, "STRIPE_API_KEY": key, "USAGE_PRICING_ENV": "staging"}, tmp_path)
    allowed = billing_transport({**LIVE, "STRIPE_API_KEY": key, "USAGE_PRICING_ENV": "prod"}, tmp_path)
    assert allowed.destination.startswith("stripe:")


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ({"BILLING_TRANSPORT": "abacus"}, "abacus is unknown; use file or stripe"),
        ({"BILLING_FROM_DATE": "tomorrow"}, "BILLING_FROM_DATE=tomorrow is no ISO date"),
    ],
)
def test_an_unusable_billing_setting_is_named(override, problem, tmp_path):
    with pytest.raises(ValueError, match=problem):
        billing_transport({**LIVE, **override}, tmp_path)
