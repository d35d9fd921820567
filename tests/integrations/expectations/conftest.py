"""A warehouse with a company, its branches, plans, figures and calls, and the verdicts of the suites."""

from datetime import UTC, datetime

import pytest

from integrations.events.feeds import load_feed, load_plans
from integrations.events.loader import load_events
from integrations.expectations.suites import FEED_SUITES
from integrations.expectations.validation import validate
from tests.feeds import company, event, lines, subscription

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PLANS = [{"plan_key": key, "version": 1, "currency": "EUR", "valid_from": "2026-01-01"} for key in ("basic", "flat")]
BRANCHES = [
    {"company": "acme", "branch": key, "name": key.title(), "valid_from": "2026-10-01T00:00:00Z"}
    for key in ("north", "south")
]


class Feeds:
    """Loads lines, and judges what was loaded."""

    def __init__(self, connection, url, folder):
        self.connection, self.url, self.folder = connection, url, folder
        self.count = 0

    def load(self, feed, *rows, text=""):
        self.count += 1
        path = self.folder / f"{feed}-{self.count}.ndjson"
        path.write_text(lines(*rows) + text)
        if feed == "plans":
            return load_plans(self.connection, path, NOW, lambda *_: rows)
        if feed == "events":
            return load_events(self.connection, path, NOW)
        return load_feed(self.connection, feed, path, NOW)

    def judge(self, feed, *reports):
        dates = [datetime.fromisoformat(day).date() for report in reports for day in report.usage_dates]
        loads = [report.load_id for report in reports]
        return validate(FEED_SUITES[feed], self.url, loads=loads, dates=dates)

    def broken(self, feed, *reports):
        """The sentences that do not hold, with the number of rows that break them."""
        return broken(self.judge(feed, *reports))

    def execute(self, statement):
        self.connection.execute(statement.encode())


def broken(outcome):
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in outcome.summary.splitlines()[4:]]
    return {says.partition(": ")[2]: int(count) for says, count, *_ in cells if not says.startswith("yes: ")}


@pytest.fixture
def feeds(connection, database_url, tmp_path):
    return Feeds(connection, database_url, tmp_path)


@pytest.fixture
def loaded(feeds):
    """The reports of one load of each feed."""
    return {
        "companies": feeds.load("companies", company("acme"), company("york", contact_email="york@example.com")),
        "branches": feeds.load("branches", *BRANCHES),
        "plans": feeds.load("plans", *PLANS),
        "subscriptions": feeds.load(
            "subscriptions", subscription("acme", plan="basic"), subscription("york", plan="flat")
        ),
        "kpis": feeds.load(
            "kpis",
            {"month": "2026-10", "kpi": "mrr", "value": 1200.5, "currency": "EUR"},
            {"month": "2026-10", "kpi": "payment_success", "value": "0.98"},
        ),
        "events": feeds.load("events", *calls("1", "2", "3", "4", "5")),
    }


def calls(*ids):
    return [event(id, "2026-11-02T09:30:00Z", revenue=1.5) for id in ids]
