"""The feed of figures: what is stored, what is refused, and in which words."""

from datetime import UTC, datetime, timedelta

import pytest

from integrations.events.feeds import load_feed
from integrations.events.kpis import KPIS
from tests.integrations.events.test_loader import counts

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MRR = {"month": "2026-10", "kpi": "mrr", "value": 1200.5, "currency": "EUR"}
CSAT = {"month": "2026-10", "kpi": "csat", "value": "4.25"}


@pytest.fixture
def load(connection, write):
    files = iter(range(1, 100))
    return lambda *rows, now=NOW: load_feed(connection, "kpis", write(f"{next(files)}.ndjson", *rows), now)


@pytest.fixture
def stored(connection):
    return lambda: connection.execute(
        "select month::text, kpi, unit, value::text from raw.kpis order by received_at, kpi"
    ).fetchall()


def test_a_figure_is_stored_with_its_unit_which_for_money_is_its_currency(load, stored):
    assert counts(load(MRR, CSAT)) == (2, 2, 0, 0, 0)
    assert stored() == [
        ("2026-10-01", "csat", "score", "4.250000"),
        ("2026-10-01", "mrr", "EUR", "1200.500000"),
    ]


def test_what_was_told_before_is_a_duplicate_and_a_correction_stands_beside_it(load, stored):
    load({**MRR, "value": "0.12345678"})
    assert counts(load({**MRR, "value": "0.12345678"}, now=NOW + timedelta(days=1))) == (1, 0, 1, 0, 0)
    assert counts(load(MRR, now=NOW + timedelta(days=2))) == (1, 1, 0, 0, 0)
    assert [value for *_, value in stored()] == ["0.123457", "1200.500000"]


def test_the_same_figure_in_another_currency_is_another_figure(load, stored):
    assert counts(load(MRR, {**MRR, "currency": "USD"})) == (2, 2, 0, 0, 0)
    assert [unit for _, _, unit, _ in stored()] == ["EUR", "USD"]


@pytest.mark.parametrize(
    ("row", "field", "sentence"),
    [
        ({**MRR, "kpi": "nps"}, "kpi", f"no KPI 'nps' is known; use one of {', '.join(KPIS)}"),
        ({**MRR, "currency": None}, "currency", "mrr is money; name its currency"),
        ({**CSAT, "currency": "EUR"}, "currency", "csat is a score and no money; leave out the currency"),
        ({**MRR, "currency": "eur"}, "currency", "currency"),
        ({**MRR, "month": "2026-10-01"}, "month", "month"),
        ({**MRR, "month": "2026-13"}, "month", "month"),
        ({**MRR, "value": "NaN"}, "value", "value is NaN, which is no figure of a business"),
        ({**MRR, "value": 1e14}, "value", "which is no figure of a business"),
        ({**MRR, "note": "x"}, "note", "note is not a known field"),
    ],
)
def test_a_figure_that_can_not_be_used_is_refused_and_the_others_load(connection, load, stored, row, field, sentence):
    report = load(row, CSAT)
    assert counts(report) == (2, 1, 0, 1, 0)
    assert sentence in report.message
    assert connection.execute("select field from raw.rejected_events").fetchall() == [(field,)]
    assert [kpi for _, kpi, *_ in stored()] == ["csat"]


def test_a_figure_changes_no_usage_date(connection, load):
    load(MRR)
    assert connection.execute("select count(*) from ops.usage_date_state").fetchone() == (0,)
