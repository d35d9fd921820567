"""Which way of choosing plans to trust now: learned from all origins of the past whose outcome is known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ml.analysis.forecasting.history import History
from ml.evaluation.plan_backtest import SEGMENTS, Judged, judge_origins, policy_of, walk_forward
from ml.rating.plan import Plan
from ml.recommendation.choosers.cases import Held
from ml.recommendation.choosers.outcomes import Origin
from ml.recommendation.choosers.policy import Policy

__all__ = ["Lesson", "learn_policies"]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the past teaches about one length of history: a policy by segment, and how earlier ones would have done."""

    history_days: int
    policies: Mapping[str, Policy]
    origins: Sequence[Origin]
    judged: Sequence[Judged]


def learn_policies(
    usage: Mapping[str, History], plans: Sequence[Plan], held: Held, lengths: Iterable[int], horizon: int
) -> list[Lesson]:
    """A lesson per length of history, from origins a horizon apart, the last of which has just ended."""
    days = next(iter(usage.values())).days
    lessons = []
    for length in lengths:
        ages = range(horizon, days - length + 1, horizon)
        origins = walk_forward(usage, plans, reversed(ages), length, horizon, held)
        policies = {segment: policy_of(origins, is_regular) for segment, is_regular in SEGMENTS.items()}
        lessons.append(Lesson(length, policies, origins, judge_origins(origins, horizon)))
    return lessons
