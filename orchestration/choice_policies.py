"""Ways of choosing plans are judged by what followed, and remembered: rows of `ml.choice_policies` and back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd
from psycopg import Connection

from ml.evaluation.plan_backtest import SEGMENTS, own_origins
from ml.evaluation.plan_policies import Lesson, learn_policies
from ml.evaluation.regret import calibration_error, regret_table, reliability
from ml.rating.plan import Plan
from ml.recommendation.choosers.groups import Group, groups_of
from ml.recommendation.choosers.outlook import CHOICE_DAYS
from ml.recommendation.choosers.policy import Policy, trade_off
from orchestration.choice_lessons import ChoiceLessons
from orchestration.learned import HORIZON_DAYS
from orchestration.tables import as_markdown

Lessons = Mapping[Group, Sequence[Lesson]]
Policies = Mapping[Group, Mapping[tuple[str, int], Policy]]

LATEST = """
    select distinct on (currency, product, history_days, segment) currency, product, segment, history_days, policy
    from ml.choice_policies where as_of <= %s and known_at <= %s
    order by currency, product, history_days, segment, as_of desc
"""


def judge_choices(inputs: ChoiceLessons, plans: Sequence[Plan], tell: Callable[[str], Any] = print) -> Lessons:
    """What the past teaches, by group of plans; only lengths of history that leave an origin to judge."""
    found = {}
    for group, members in groups_of(plans, inputs.at).items():
        usage = inputs.usage(members)
        found[group] = learn_policies(usage, members, inputs.held(members), CHOICE_DAYS, HORIZON_DAYS)
        tell(f"Judged the choice among {len(members)} plans of {' '.join(group)}")
    return found


def policy_rows(lessons: Lessons, stamp: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of `ml.choice_policies`."""
    return [
        {
            **stamp,
            "currency": currency,
            "product": product,
            "history_days": lesson.history_days,
            "segment": segment,
            "family": policy.family,
            "min_saving_share": policy.gate.min_saving_share,
            "min_probability": policy.gate.min_probability,
            "count_cases": policy.count_cases,
            "count_origins": policy.count_origins,
            "policy": policy.as_json(),
        }
        for (currency, product), group in lessons.items()
        for lesson in group
        for segment, policy in lesson.policies.items()
    ]


def reliability_rows(lessons: Lessons, stamp: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of `ml.recommendation_reliability`, where any origin was judged."""
    return [
        {**stamp, "currency": currency, "product": product, "history_days": lesson.history_days, **row}
        for (currency, product), group in lessons.items()
        for lesson in group
        if lesson.judged
        for row in _nulls(reliability(lesson.judged))
    ]


def read_policies(connection: Connection, at: date, known_at: datetime) -> Policies:
    """The latest policies that were known: by currency and product, and by segment and days of history."""
    found: dict[Group, dict[tuple[str, int], Policy]] = {}
    for currency, product, segment, days, policy in connection.execute(LATEST, [at, known_at]):
        found.setdefault((currency, product), {})[segment, days] = Policy.of(policy)
    return found


def trade_offs(lessons: Lessons) -> pd.DataFrame:
    """Per gate that could be chosen today: regret and harm, by group, days of history and segment."""
    found = []
    for group, members in lessons.items():
        for lesson in members:
            for segment, policy in lesson.policies.items():
                own = own_origins(lesson.origins, SEGMENTS[segment])
                if tried := [origin for origin in own if policy.family in origin.trials]:
                    kind = {"plans": " ".join(group), "history_days": lesson.history_days, "segment": segment}
                    found.append(pd.DataFrame(trade_off(tried, policy.family, policy.calibration)).assign(**kind))
    return pd.concat(found) if found else pd.DataFrame()


def regret_markdown(lessons: Lessons) -> str:
    """What each way of choosing would have cost too much, by group and days of history."""
    return _markdown(
        regret_table(lesson.judged)
        .assign(plans=" ".join(group), history_days=lesson.history_days)
        .set_index(["plans", "history_days"])
        .reset_index()
        for group, members in lessons.items()
        for lesson in members
        if lesson.judged
    )


def reliability_markdown(lessons: Lessons) -> str:
    """Told and observed frequency by decile, with the expected calibration error."""
    tables = []
    for group, members in lessons.items():
        for lesson in members:
            if lesson.judged:
                table = reliability(lesson.judged)
                error = calibration_error(table)
                tables.append(
                    table.assign(plans=" ".join(group), history_days=lesson.history_days, calibration_error=error)
                )
    return _markdown(tables)


def _markdown(tables: Iterable[pd.DataFrame]) -> str:
    found = [table for table in tables if not table.empty]
    if not found:
        return "No month has followed yet."
    return as_markdown(pd.concat(found))


def _nulls(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(key): None if value != value else value for key, value in row.items()} for row in table.to_dict("records")
    ]
