"""What a subscription adds to its plan is checked when it is loaded."""

import pytest

from integrations.events.feeds import load_feed, load_plans
from orchestration.catalogue import PRICES, parse_plans
from tests.feeds import PLANS, company, lines, subscription
from tests.integrations.events.conftest import NOW

ADD_ON = '    add_ons: [{key: white_label, name: White label, monthly_fee: "31", maximum_quantity: 1}]\n'


@pytest.fixture
def subscribe(connection, tmp_path):
    """Loads one subscription to a plan with one add-on; tells why it was refused, or None."""

    def write(name: str, content: str):
        path = tmp_path / name
        path.write_text(content)
        return path

    load_feed(connection, "companies", write("c.ndjson", lines(company())), NOW)
    load_plans(connection, write("p.yaml", PLANS.rstrip() + "\n" + ADD_ON), NOW, parse_plans)

    def load(problems=PRICES.problems, **own):
        path = write("s.ndjson", lines(subscription(plan="combined", **own)))
        report = load_feed(connection, "subscriptions", path, NOW, problems=problems)
        return report.message

    return load


def test_what_the_plan_allows_is_stored_as_it_was_said(subscribe, connection):
    own = {"monthly_base_fee": "5", "limits": [{"meter": "calls", "up_to": 10}]}
    assert subscribe(add_ons={"white_label": 1}, overrides=own) is None
    row = connection.execute("select billing_interval, add_ons, overrides from raw.subscriptions").fetchone()
    assert row == ("month", {"white_label": 1}, own)


@pytest.mark.parametrize(
    ("own", "sentence"),
    [
        ({"billing_interval": "year"}, "billing_interval: plan combined v1 can't be paid by the year"),
        ({"add_ons": {"white_label": 2}}, "add_ons.white_label: 2 is not between 1 and 1"),
        ({"add_ons": {"gold": 1}}, "add_ons.gold: plan combined v1 has no such add-on; use white_label"),
        (
            {"overrides": {"charges": [{"model": "per_unit", "meter": "call_seconds"}]}},
            "overrides, charges[0].unit_price: the field is missing",
        ),
        (
            {"overrides": {"charges": [{"model": "flat", "meter": "leads", "amount": 1}]}},
            "overrides.charges: plan combined v1 does not charge leads",
        ),
        (
            {"overrides": {"seasonal": [{"key": "x", "first_month": "2026-11-01"}]}},
            "overrides.seasonal: plan combined v1 offers no x; use none",
        ),
        (
            {"overrides": {"minimum_spend": "9", "maximum_spend": "8"}},
            "overrides, minimum_spend: the minimum of 9 lies above the maximum of 8",
        ),
    ],
)
def test_what_the_plan_does_not_allow_is_refused_in_one_sentence(subscribe, connection, own, sentence):
    assert sentence in subscribe(**own)
    assert connection.execute("select count(*) from raw.subscriptions").fetchone() == (0,)


def test_where_nobody_knows_prices_own_terms_are_refused_and_plain_subscriptions_are_not(subscribe):
    from integrations.events.feeds import no_own_terms

    assert "nothing here knows" in subscribe(problems=no_own_terms, add_ons={"white_label": 1})
    assert subscribe(problems=no_own_terms) is None
