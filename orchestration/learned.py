"""The forecast models of an as-of date: learned once for the day's forecasts, and read by whoever asks that day."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from psycopg import Connection

from integrations.postgres.warehouse import replace_rows
from ml.analysis.forecasting.learning import ForecastModel
from ml.analysis.forecasting.models import ForecastModels, Kind, learn_models
from ml.analysis.forecasting.stored import pack, unpack
from orchestration.forecast_inputs import read_lessons

HORIZON_DAYS = 30
"""The month ahead over which models learn and are judged."""
FRESH = timedelta(days=1)
"""Models that were learned up to so long before the instant that is asked for are as good as new ones."""
KEPT = timedelta(days=7)

KNOWN = """
    select meter, segment, history_days, content from ml.forecast_models
    where as_of = %(at)s and known_at = (
        select max(known_at) from ml.forecast_models
        where as_of = %(at)s and known_at <= %(known_at)s and known_at > %(earliest)s
    )
"""


def learn_and_keep(connection: Connection, at: date, known_at: datetime) -> Mapping[str, ForecastModels]:
    """Learn the models of each meter; those of dates a week before are forgotten."""
    histories = read_lessons(connection, at, known_at).histories()
    models = {meter: learn_models(history, HORIZON_DAYS) for meter, history in histories.items()}
    rows = [
        {"meter": meter, "segment": segment, "history_days": days, "content": pack(model)}
        for meter, kinds in models.items()
        for (segment, days), model in kinds.items()
    ]
    key = {"as_of": at, "known_at": known_at}
    replace_rows(connection, "ml.forecast_models", key, [key | row for row in rows])
    connection.execute("delete from ml.forecast_models where as_of < %s", [at - KEPT])
    return models


def models_at(connection: Connection, at: date, known_at: datetime) -> Mapping[str, ForecastModels]:
    """The models that were learned last for the date, at most a day before the instant; learned now if there are none.

    Nothing received after `known_at` has taught them.
    """
    over = {"at": at, "known_at": known_at, "earliest": known_at - FRESH}
    models: dict[str, dict[Kind, ForecastModel]] = {}
    for meter, segment, days, content in connection.execute(KNOWN, over):
        models.setdefault(meter, {})[segment, days] = unpack(content)
    return models or learn_and_keep(connection, at, known_at)
