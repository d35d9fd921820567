"""The coming month of companies, as seen by the way of choosing that has served companies like them best."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ml.analysis.arrays import Floats, Ints
from ml.analysis.forecasting.history import History
from ml.analysis.projection import PARTS, Projection, keep_sums
from ml.rating.plan import Plan
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.cases import Cases, cases_at
from ml.recommendation.choosers.outcomes import ANALOGUES, FAMILIES, LAST_MONTH, SCENARIOS, last_month_paths
from ml.recommendation.choosers.policy import Policy, learn_policy

__all__ = [
    "CHOICE_DAYS",
    "INTERMITTENT",
    "REGULAR",
    "Learned",
    "Outlook",
    "charged_meters",
    "kinds_at",
    "outlook",
]

CHOICE_DAYS = (14, 28, 60)
"""Lengths of history for which is learned how to choose; a company is judged by the longest that it has."""
REGULAR, INTERMITTENT = "regular", "intermittent"
Kind = tuple[str, int]
"""Segment and days of history."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What is known of choosing among `plans`, which have one currency and product.

    `policies` by segment and days of history; `analogues` by days of history. What is not there is not known yet.
    """

    plans: tuple[Plan, ...]
    policies: Mapping[Kind, Policy]
    analogues: Mapping[int, Analogues]

    def policy(self, segment: str, history_days: int) -> Policy:
        """The policy of a kind; the assumed one where none is known, or where its analogues are not."""
        can = [family for family in FAMILIES if family != ANALOGUES or history_days in self.analogues]
        policy = self.policies.get((segment, history_days))
        return policy if policy and policy.family in can else learn_policy((), can)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The projection with the scenarios of each company's family, and the policy of each company by id."""

    projection: Projection
    policies: Mapping[int, Policy]


def charged_meters(plans: tuple[Plan, ...]) -> tuple[str, ...]:
    """The meters that any of the plans charges, in order: those by which like companies are found."""
    return tuple(sorted({meter for plan in plans for meter in plan.meters}))


def outlook(projection: Projection, usage: Mapping[str, History], held: Ints, learned: Learned) -> Outlook:
    """See the coming month of the projection's companies as their families do.

    `usage`: their histories by meter, in the projection's order; `held` [c]: the row of `learned.plans` that each is
    on. Who is of no kind (see `kinds_at`) keeps the forecast's scenarios.
    """
    monthly = projection.monthly.copy()
    policies = dict.fromkeys(projection.company_ids.tolist(), Policy())
    for (segment, days), cases in kinds_at(usage, learned.plans, projection.horizon_days, held):
        policy = learned.policy(segment, days)
        policies |= dict.fromkeys(projection.company_ids[cases.rows].tolist(), policy)
        if policy.family != SCENARIOS:
            paths = _paths(cases, policy.family, learned.analogues.get(days), monthly.shape[2])
            columns = [projection.meters.index(meter) for meter in cases.meters]
            monthly[cases.rows[:, None], columns] = paths
    keep_sums(monthly, projection.meters, PARTS)
    return Outlook(replace(projection, monthly=monthly), policies)


def kinds_at(
    usage: Mapping[str, History], plans: tuple[Plan, ...], horizon: int, held: Ints
) -> Iterator[tuple[Kind, Cases]]:
    """The present cases by segment and days of history, the longest that each company has; no kind that is empty.

    Who has too short a history, or has not used what the plans charge, is in none.
    """
    own = {meter: usage[meter] for meter in charged_meters(plans)}
    waiting = np.ones(len(held), dtype=bool)
    for days in sorted(CHOICE_DAYS, reverse=True):
        cases = cases_at(own, 0, days, horizon, lambda _age: held)
        cases = cases.take(waiting[cases.rows])
        waiting[cases.rows] = False
        for segment, is_regular in ((REGULAR, True), (INTERMITTENT, False)):
            same = cases.take(cases.is_regular == is_regular)
            if len(same):
                yield (segment, days), same


def _paths(cases: Cases, family: str, analogues: Analogues | None, count: int) -> Floats:
    """Scenarios [n, m, count]."""
    if family == LAST_MONTH or analogues is None:
        return np.broadcast_to(last_month_paths(cases), (len(cases), len(cases.meters), count))
    drawn = analogues.paths(cases, count)
    return drawn[:, :, np.linspace(0, drawn.shape[2] - 1, count).astype(np.int64)]
