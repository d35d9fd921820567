from datetime import date

import pytest

from integrations.messaging.transports import mail_sender, mail_transport

LIVE = {"MAIL_FROM": "a@b.invalid", "MAIL_FROM_DATE": "2026-11-01", "ALLOW_LIVE": "1"}


@pytest.mark.parametrize(
    "settings", [{}, {"MAIL_TRANSPORT": ""}, {"MAIL_TRANSPORT": "file", "SENDGRID_API_KEY": "SG.x", "ALLOW_LIVE": "1"}]
)
def test_mails_go_to_files_unless_told_otherwise(settings, tmp_path):
    transport = mail_transport(settings, tmp_path)
    assert (transport.destination, transport.from_date) == ("file", None)


@pytest.mark.parametrize(
    ("name", "key", "value", "destination"),
    [
        ("sendgrid", "SENDGRID_API_KEY", "SG.x", "sendgrid"),
        ("smtp", "SMTP_URL", "smtp://mail.invalid", "smtp:mail.invalid"),
    ],
)
def test_a_live_transport_needs_all_of_its_settings_and_then_works(name, key, value, destination, tmp_path):
    transport = mail_transport({"MAIL_TRANSPORT": name, key: value, **LIVE}, tmp_path)
    assert (transport.destination, transport.from_date) == (destination, date(2026, 11, 1))


@pytest.mark.parametrize(("name", "key"), [("sendgrid", "SENDGRID_API_KEY"), ("smtp", "SMTP_URL")])
def test_everything_that_live_mail_lacks_is_listed(name, key, tmp_path):
    with pytest.raises(ValueError, match=f"lacks {key}, MAIL_FROM, MAIL_FROM_DATE, ALLOW_LIVE=1;"):
        mail_transport({"MAIL_TRANSPORT": name, key: "", "ALLOW_LIVE": "yes"}, tmp_path)


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ({"MAIL_TRANSPORT": "pigeon"}, "pigeon is unknown; use file, smtp or sendgrid"),
        ({"MAIL_FROM_DATE": "tomorrow"}, "MAIL_FROM_DATE=tomorrow is no ISO date"),
        ({"MAIL_FROM": "Grüße <a@b.invalid>"}, "not ASCII"),
    ],
)
def test_an_unusable_mail_setting_is_named(override, problem, tmp_path):
    with pytest.raises(ValueError, match=problem):
        mail_transport({"MAIL_TRANSPORT": "sendgrid", "SENDGRID_API_KEY": "SG.x", **LIVE, **override}, tmp_path)


def test_dry_runs_come_from_an_address_that_cannot_exist():
    assert mail_sender({}).endswith("usage-pricing.invalid>")
    assert mail_sender({"MAIL_FROM": "a@b.invalid"}) == "a@b.invalid"
