"""What other parts of the analysis have found about companies, for their insights and for people who look."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from orchestration.known_usage import as_known

ANOMALY_DAYS = 7
"""Days before the as-of date whose anomalies are worth telling."""
SHOWN_DAYS = 28


def read_findings(connection: Connection, at: date, company_ids: Sequence[int]) -> dict[str, pd.DataFrame]:
    """What `find_insights` takes: limits of the current period, recent anomalies, how far such forecasts were off."""
    over = {"as_of": at, "first": at - timedelta(days=ANOMALY_DAYS), "ids": list(company_ids)}
    queries = {"limits": LIMITS, "anomalies": ANOMALIES, "accuracy": ACCURACY}
    return {name: read_frame(connection, query, over) for name, query in queries.items()}


def read_fan(connection: Connection, at: date, known_at: datetime) -> tuple[Any, ...] | None:
    """What `plots.forecast_fan` draws of the largest forecast: history, p10, p50, p90, start and title."""
    row = connection.execute(LARGEST, {"as_of": at}).fetchone()
    if row is None:
        return None
    company, meter, daily = row
    over = {"known_at": known_at, "first": at - timedelta(days=SHOWN_DAYS), "as_of": at}
    over |= {"company": company, "meter": meter}
    used = dict(connection.execute(as_known(connection, USED, over).encode(), over).fetchall())
    history = [used.get(at - timedelta(days=back), 0.0) for back in range(SHOWN_DAYS, 0, -1)]
    return np.array(history), daily["p10"], daily["p50"], daily["p90"], at, f"{meter} of company {company}"


LIMITS = """
    select company_id, meter, limit_quantity, used_quantity, expected_quantity, expected_utilisation,
        reach_probability, expected_reach_date, period_end
    from ml.limit_forecasts where as_of = %(as_of)s and company_id = any(%(ids)s) order by company_id, meter
"""
ANOMALIES = """
    select company_id, meter, usage_date, kind, severity, quantity, expected_quantity
    from ml.usage_anomalies
    where usage_date >= %(first)s and as_of <= %(as_of)s and company_id = any(%(ids)s)
    order by company_id, usage_date, meter
"""
ACCURACY = """
    select company_id, meter, wape, coverage_80, accuracy_reason
    from ml.usage_forecasts where as_of = %(as_of)s and company_id = any(%(ids)s)
"""
LARGEST = """
    select company_id, meter, daily from ml.usage_forecasts where as_of = %(as_of)s and meter = 'calls'
    order by expected_quantity desc, company_id limit 1
"""
USED = """
    select usage_date, sum(quantity)::double precision from marts.fct_meter_usage_daily
    where company_id = %(company)s and meter = %(meter)s and usage_date >= %(first)s and usage_date < %(as_of)s
    group by usage_date
"""
