"""What ways of choosing plans are learned from: usage of a sample of companies, and the plans that they were on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from psycopg import Connection

from integrations.postgres.warehouse import read_frame
from ml.analysis.arrays import Ints
from ml.analysis.forecasting.history import History
from ml.rating.plan import Plan
from ml.recommendation.choosers.cases import NOT_KNOWN, Held
from ml.recommendation.choosers.outlook import charged_meters
from orchestration.forecast_inputs import ForecastInputs

SUBSCRIPTIONS = """
    select company_id, valid_from::date as valid_from, plan_key
    from raw.subscriptions
    where company_id = any(%(ids)s) and valid_from < %(as_of)s and received_at <= %(known_at)s
    order by company_id, valid_from, received_at
"""


@dataclass(frozen=True)
class ChoiceLessons:
    """The sample's histories by meter, ending at `at`, and its subscriptions (company_id, valid_from, plan_key)."""

    at: date
    company_ids: Ints
    histories: Mapping[str, History]
    subscriptions: pd.DataFrame

    def usage(self, plans: Sequence[Plan]) -> dict[str, History]:
        """Those meters that any of the plans charges."""
        return {meter: self.histories[meter] for meter in charged_meters(tuple(plans))}

    def held(self, plans: Sequence[Plan]) -> Held:
        """Which of the plans each company was on, by days before the end, by key: an old version counts as the new."""
        keys = {plan.plan_key: row for row, plan in enumerate(plans)}
        rows = pd.Index(self.company_ids)

        def held(age: int) -> Ints:
            known = self.subscriptions[self.subscriptions["valid_from"] < pd.Timestamp(self.at - timedelta(days=age))]
            last = known.drop_duplicates("company_id", keep="last")
            found = np.full(len(rows), NOT_KNOWN, dtype=np.int64)
            found[rows.get_indexer(last["company_id"])] = last["plan_key"].map(keys).fillna(NOT_KNOWN)
            return found

        return held


def read_choice_lessons(connection: Connection, at: date, known_at: datetime, lessons: ForecastInputs) -> ChoiceLessons:
    """The lessons from which forecasts are learned, with the plans that their companies were on."""
    ids = lessons.windows["company_id"].to_numpy()
    over = {"ids": ids.tolist(), "as_of": at, "known_at": known_at}
    subscriptions = read_frame(connection, SUBSCRIPTIONS, over)
    return ChoiceLessons(
        at, ids, lessons.histories(), subscriptions.astype({"company_id": "int64", "valid_from": "datetime64[s]"})
    )
