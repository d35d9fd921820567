"""Walk forward over the past: at each origin choose plans with what was known then, and see what they cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Bools, Floats, Ints
from ml.analysis.forecasting.history import History
from ml.analysis.forecasting.models import learn_models, total_paths
from ml.rating.plan import Plan
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.cases import Cases, Held, cases_at, past_cases
from ml.recommendation.choosers.outcomes import (
    ANALOGUES,
    FAMILIES,
    LAST_MONTH,
    SCENARIOS,
    Origin,
    Trial,
    costs_of,
    is_cheaper,
    last_month_paths,
)
from ml.recommendation.choosers.outlook import INTERMITTENT, REGULAR
from ml.recommendation.choosers.policy import Policy, learn_policy, passes

__all__ = [
    "SEGMENTS",
    "Judged",
    "judge_origins",
    "over_by",
    "own_origins",
    "policy_of",
    "scenario_paths",
    "walk_forward",
]

PATHS = 300
FEWEST_OF_SEGMENT = 200
"""Past cases from which on a segment's policy is learned from its own; before, from those of both."""
SEGMENTS: Mapping[str, bool] = {REGULAR: True, INTERMITTENT: False}


@dataclass(frozen=True, slots=True)
class Judged:
    """One segment of an origin, and what the policy of that time would have advised.

    `ungated` and `gated` [n]: plans; `probability` [n]: of the ungated one being really cheaper than staying.
    """

    segment: str
    origin: Origin
    policy: Policy
    ungated: Ints
    gated: Ints
    probability: Floats

    @property
    def is_change(self) -> Bools:
        """Which [n] ungated choices are a change."""
        found: Bools = self.ungated != self.origin.held
        return found

    @property
    def was_cheaper(self) -> Bools:
        """Whose [n] ungated choice really was cheaper than staying."""
        return is_cheaper(self.origin.cost(self.ungated), self.origin.stay)


def walk_forward(
    usage: Mapping[str, History],
    plans: Sequence[Plan],
    ages: Iterable[int],
    history_days: int,
    horizon: int,
    held: Held,
    progress: Callable[[], None] = lambda: None,
) -> list[Origin]:
    """Every family's choices at each origin (`ages` days before the ends), learned from earlier windows alone.

    `usage`: histories by meter in the meters' own units, rows and days in common. Cases whose plan of that time is not
    known are not judged, and origins without any case are left out.
    """
    origins = []
    for age in ages:
        cases = cases_at(usage, age, history_days, horizon, held)
        cases = cases.take(cases.can_be_judged)
        if len(cases):
            origins.append(_origin(usage, plans, cases, age, history_days, held))
        progress()
    return origins


def judge_origins(origins: Sequence[Origin], horizon: int) -> list[Judged]:
    """What each origin's policy would have advised, learned from those whose horizon was over by then."""
    found = []
    for origin in origins:
        for segment, is_regular in SEGMENTS.items():
            own = origin.take(origin.is_regular == is_regular)
            if len(own.rows):
                over = over_by(origins, origin.age, horizon)
                found.append(_judged(segment, own, policy_of(over, is_regular, tuple(own.trials))))
    return found


def over_by(origins: Sequence[Origin], age: int, horizon: int) -> list[Origin]:
    """Those whose horizon was over `age` days before the ends."""
    return [origin for origin in origins if origin.age >= age + horizon]


def policy_of(origins: Sequence[Origin], is_regular: bool, available: Sequence[str] = FAMILIES) -> Policy:
    """The policy of a segment from origins that are over."""
    return learn_policy(own_origins(origins, is_regular), available)


def own_origins(origins: Sequence[Origin], is_regular: bool) -> Sequence[Origin]:
    """What the policy of a segment is learned from: its own cases, or all where it has few."""
    same = [origin.take(origin.is_regular == is_regular) for origin in origins]
    known = [origin for origin in same if len(origin.rows)]
    return known if sum(len(origin.rows) for origin in known) >= FEWEST_OF_SEGMENT else origins


def scenario_paths(usage: Mapping[str, History], cases: Cases, age: int, history_days: int) -> Floats:
    """Totals [n, m, p] over the forecast's scenarios, by models learned from what was known at that time."""
    paths = np.zeros((len(cases), len(cases.meters), PATHS))
    for column, history in enumerate(usage.values()):
        known = history.before(age)
        models = learn_models(known, cases.horizon, (history_days,), compete=False)
        shown = known.last(history_days).rows(cases.rows)
        paths[:, column] = total_paths(models, shown, cases.horizon, PATHS)
    return paths


def _origin(
    usage: Mapping[str, History], plans: Sequence[Plan], cases: Cases, age: int, history_days: int, held: Held
) -> Origin:
    paths = {
        LAST_MONTH: last_month_paths(cases),
        SCENARIOS: scenario_paths(usage, cases, age, history_days),
    }
    analogues = Analogues.fit(past_cases(usage, age, history_days, cases.horizon, held), plans)
    if analogues is not None:
        paths[ANALOGUES] = analogues.paths(cases, PATHS)
    return Origin(
        age=age,
        history_days=history_days,
        plans=tuple(plans),
        rows=cases.rows,
        costs=costs_of(plans, cases.meters, cases.total),
        held=cases.held,
        is_regular=cases.is_regular,
        trials={name: Trial.of(found, cases, plans) for name, found in paths.items()},
    )


def _judged(segment: str, origin: Origin, policy: Policy) -> Judged:
    trial = origin.trials[policy.family]
    probability = policy.calibration(trial.raw)
    moves = (trial.chosen != origin.held) & passes(policy.gate, trial.saving_share, probability)
    return Judged(segment, origin, policy, trial.chosen, np.where(moves, trial.chosen, origin.held), probability)
