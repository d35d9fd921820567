"""The list of alerts on the command line."""

from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from integrations.messaging.alerts import failed_run
from orchestration.alerts import tell
from orchestration.cli import app

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def alerts(pipeline):
    def invoke(*arguments):
        result = CliRunner().invoke(app, ["alerts", *arguments])
        assert result.exit_code == 0
        return result.output

    return invoke


def test_without_alerts_it_says_so(alerts):
    assert alerts() == "No alert was raised.\n"


def test_the_last_alerts_are_listed_and_all_on_demand(alerts, pipeline):
    with pipeline.connect() as connection:
        for number in range(25):
            tell(connection, [failed_run("a_job", f"r{number:02d}", "[no] reason")], NOON + timedelta(minutes=number))
    listed = alerts().splitlines()
    assert len(listed) == 3 * 20
    assert listed[0] == ("2026-11-20 12:05 UTC, critical, AL-04:run:r05 (dry_run to file): A run of a_job failed")
    assert listed[1] == "    [no] reason"
    assert "r24" in listed[-3]
    assert len(alerts("--all").splitlines()) == 3 * 25
