from datetime import date
from decimal import Decimal

import pytest

from integrations.messaging.formats import Formats, as_date, as_decimal


@pytest.mark.parametrize(
    ("locale", "currency", "written"),
    [
        ("de", "EUR", "1.234,50\u00a0€"),
        ("en", "USD", "$1,234.50"),
        ("de-AT", "EUR", "€\u00a01.234,50"),
        ("en_GB", "GBP", "£1,234.50"),
    ],
)
def test_money_is_written_as_the_locale_does(locale, currency, written):
    assert Formats(locale).money(Decimal("1234.5"), currency) == written


@pytest.mark.parametrize("locale", ["fr", "xx-unknown", "", None, "no locale at all", "klingon_KL"])
def test_an_unknown_locale_writes_english(locale):
    write = Formats(locale)
    assert (write.language, write.money(Decimal(1000), "USD")) == ("en", "$1,000.00")


@pytest.mark.parametrize(
    ("ratio", "written"),
    [("0.234", "23%"), ("0.0872", "8.7%"), ("0.004", "0.4%"), ("1", "100%"), ("0.0999", "10%"), ("0", "0%")],
)
def test_small_shares_keep_one_decimal(ratio, written):
    assert Formats("en").percent(Decimal(ratio)) == written


def test_quantities_are_whole_and_halves_go_up():
    assert [Formats("de").number(Decimal(text)) for text in ("1234.5", "0.5", "2.4")] == ["1.235", "1", "2"]


def test_the_plural_follows_the_number_that_is_shown():
    assert [Formats("en").plural(Decimal(text)) for text in ("0.5", "1.4", "1.5", "0")] == [
        "one",
        "one",
        "other",
        "other",
    ]


def test_a_half_open_window_is_named_by_its_last_day():
    assert Formats("de").period(date(2026, 11, 7), date(2026, 11, 14)) == "7.–13. Nov. 2026"


def test_a_window_without_a_day_is_refused():
    with pytest.raises(ValueError, match="holds no day"):
        Formats("de").period(date(2026, 11, 7), date(2026, 11, 7))


@pytest.mark.parametrize(
    ("hours", "written"),
    [
        ([9, 10], "09:00–11:00"),
        ([10, 9, 14], "09:00–11:00 und 14:00–15:00"),
        ([22, 23, 0], "22:00–01:00"),
        (range(24), "00:00–00:00"),
    ],
)
def test_hours_are_joined_to_ranges_also_across_midnight(hours, written):
    assert Formats("de").hour_ranges(list(hours)) == written


def test_hours_have_no_narrow_space_that_mail_programs_show_as_a_box():
    assert Formats("en").hour_ranges([9]) == "9:00\u00a0AM–10:00\u00a0AM"


@pytest.mark.parametrize(("number", "name"), [(0, "Montag"), (6, "Sonntag")])
def test_weekday_zero_is_monday(number, name):
    assert Formats("de").weekday(number) == name


@pytest.mark.parametrize("value", ["much", "NaN", float("inf"), True, [1], None])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="is no"):
        as_decimal(value)


def test_a_timestamp_is_the_date_of_its_own_zone():
    assert as_date("2026-12-05T00:30:00+01:00") == date(2026, 12, 5)


@pytest.mark.parametrize("currency", ["eur", "EURO", "€", ""])
def test_money_without_an_iso_currency_is_refused(currency):
    with pytest.raises(ValueError, match="ISO 4217"):
        Formats("de").money(Decimal(1), currency)
