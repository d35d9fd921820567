"""What should make somebody look: days out of the ordinary, usage that ends, and how peers are doing."""

from datetime import date

import dagster as dg
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import append_rows, replace_rows
from ml.analysis.anomalies import find_anomalies
from ml.analysis.characteristics import describe_companies
from ml.analysis.churn import churn_risks
from ml.analysis.peers import benchmark_peers, peer_measures
from orchestration.analysis_inputs import AnalysisInputs, as_of, read_activity, read_inputs
from orchestration.dbt import model_key
from orchestration.defs.analysis.assets import ACTIVITY_MARTS, ANALYSIS, USAGE_MARTS
from orchestration.partitions import dates_of
from orchestration.resources import WarehouseResource, known_at
from orchestration.signal_inputs import publication_date, read_holidays, read_industries, read_meter_days, read_signals

DAY_MARTS = [model_key(name) for name in ("fct_usage_daily", "fct_event_lateness")]
METER_MARTS = [model_key(name) for name in ("fct_meter_usage_daily", "billable_meters", "dim_companies")]
ANOMALIES = dg.AssetKey(["ml", "usage_anomalies"])
BENCHMARKS = dg.AssetKey(["ml", "peer_benchmarks"])
CHURN_RISKS = dg.AssetKey(["ml", "churn_risks"])


@dg.asset(key=ANOMALIES, deps=[*DAY_MARTS, *METER_MARTS, ["raw", "holidays"]], kinds={"numpy", "postgres"}, **ANALYSIS)
def usage_anomalies(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per company, meter and usage date that was not as its past lets expect: the last complete day of each."""
    count, judged, known = 0, 0, known_at(context, db)
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_signals(connection, as_of(usage_date), known)
            usage, holidays = read_meter_days(connection, inputs), read_holidays(connection, inputs)
            found = find_anomalies(usage, inputs.anomaly_windows, holidays)
            rows = found.assign(as_of=inputs.as_of, known_at=inputs.known_at).to_dict("records")
            count += replace_rows(connection, "ml.usage_anomalies", {"as_of": inputs.as_of}, rows)
            judged += len(inputs.windows)
    return dg.MaterializeResult(metadata={"dagster/row_count": count, "companies_judged": judged})


@dg.asset(key=CHURN_RISKS, deps=DAY_MARTS, kinds={"numpy", "postgres"}, **ANALYSIS)
def churn_risk_scores(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per active company and as-of date: how probable it is that the coming 30 days bring no usage."""
    count, high, known = 0, 0, known_at(context, db)
    with db.connect() as connection:
        for usage_date in dates_of(context):
            inputs = read_signals(connection, as_of(usage_date), known)
            risks = churn_risks(inputs.usage_daily, inputs.windows)
            rows = risks.assign(as_of=inputs.as_of, known_at=inputs.known_at).to_dict("records")
            count += replace_rows(connection, "ml.churn_risks", {"as_of": inputs.as_of}, rows)
            high += int((risks["level"] == "high").sum())
    return dg.MaterializeResult(metadata={"dagster/row_count": count, "high_risks": high})


@dg.asset(key=BENCHMARKS, deps=[*USAGE_MARTS, *ACTIVITY_MARTS], kinds={"numpy", "postgres"}, **ANALYSIS)
def peer_benchmarks(context: dg.AssetExecutionContext, db: WarehouseResource) -> dg.MaterializeResult:
    """One row per month's first date, industry, volume category and measure, of no fewer than five companies."""
    count, known = 0, known_at(context, db)
    with db.connect() as connection:
        for at in sorted({publication_date(as_of(usage_date)) for usage_date in dates_of(context)}):
            if not is_published(connection, at):
                rows = benchmark_rows(connection, read_inputs(connection, at, known))
                count += append_rows(connection, "ml.peer_benchmarks", rows)
    return dg.MaterializeResult(metadata={"dagster/row_count": count})


def is_published(connection: Connection, at: date) -> bool:
    """Tell whether the benchmarks of a date are out; a second edition beside them could tell companies apart."""
    found = connection.execute("select exists (select from ml.peer_benchmarks where as_of = %s)", [at]).fetchone()
    return bool(found and found[0])


def benchmark_rows(connection: Connection, inputs: AnalysisInputs) -> list[dict[str, object]]:
    """The benchmarks of the 14 days before the inputs' as-of date."""
    activity = read_activity(connection, inputs.span)
    characteristics = describe_companies(inputs.hourly, inputs.windows, activity)
    measures = peer_measures(inputs.hourly, inputs.windows, characteristics)
    companies: pd.DataFrame = measures.merge(read_industries(connection, inputs.span), on="company_id")
    found = benchmark_peers(companies).assign(as_of=inputs.as_of, known_at=inputs.known_at)
    return found.to_dict("records")
