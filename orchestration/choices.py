"""How one company's plan is chosen: the policy and the analogues of its kind, kept so that it can be done again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ml.analysis.arrays import Ints
from ml.analysis.projection import Projection
from ml.rating.plan import Plan
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.cases import NOT_KNOWN, past_cases
from ml.recommendation.choosers.groups import Group, group_of
from ml.recommendation.choosers.outcomes import ANALOGUES
from ml.recommendation.choosers.outlook import Learned, Outlook, kinds_at, outlook
from ml.recommendation.options import plan_id
from orchestration.choice_lessons import ChoiceLessons
from orchestration.choice_policies import Policies
from orchestration.engine_inputs import CompanyInputs
from orchestration.learned import HORIZON_DAYS
from orchestration.replay_contents import Contents

NOTHING: Mapping[str, Any] = {"plans": [], "policies": None, "history_days": None, "analogues": None}


@dataclass(frozen=True, slots=True)
class Choices:
    """What is known of choosing among groups of plans; analogues are learned when the first company needs them."""

    lessons: ChoiceLessons
    policies: Policies
    groups: Mapping[Group, tuple[Plan, ...]]
    catalogue: Mapping[tuple[str, int], Plan]
    contents: Contents
    _analogues: dict[tuple[Group, int], Analogues | None] = field(default_factory=dict)

    def kept_for(self, own: CompanyInputs) -> Mapping[str, Any]:
        """What `versions` of a recommendation names: plans, hashes of policies and analogues, days of history."""
        company = own.companies.iloc[0]
        group = group_of(self.catalogue[company["plan_key"], company["plan_version"]])
        plans = self.groups.get(group)
        if not plans:
            return NOTHING
        named = [list(plan_id(plan)) for plan in plans]
        found = {"plans": named, "policies": self.contents.keep_policies(self.policies.get(group, {}))}
        for (segment, days), _ in kinds_at(own.histories.histories(), plans, HORIZON_DAYS, _held(own, plans)):
            analogues = self._learned(group, days)
            known = {days: analogues} if analogues else {}
            policy = Learned(plans, self.policies.get(group, {}), known).policy(segment, days)
            kept = self.contents.keep_analogues(analogues) if analogues and policy.family == ANALOGUES else None
            return found | {"history_days": days, "analogues": kept}
        return found | {"history_days": None, "analogues": None}

    def _learned(self, group: Group, days: int) -> Analogues | None:
        if (group, days) not in self._analogues:
            plans = self.groups[group]
            past = past_cases(self.lessons.usage(plans), 0, days, HORIZON_DAYS, self.lessons.held(plans))
            self._analogues[group, days] = Analogues.fit(past, plans)
        return self._analogues[group, days]


def outlook_of(own: CompanyInputs, projection: Projection, versions: Mapping[str, Any], contents: Contents) -> Outlook:
    """The coming month of the company as its way of choosing sees it, from what was kept.

    Raises:
        ContentMissing: when something of it is not stored.
    """
    if not versions["policies"]:
        return Outlook(projection, {})
    catalogue, _ = contents.catalogue(versions["catalogue"])
    by_id = {plan_id(plan): plan for plan in catalogue}
    plans = tuple(by_id[key, version] for key, version in versions["plans"])
    content_hash = versions["analogues"]
    analogues = {versions["history_days"]: contents.analogues(content_hash, catalogue)} if content_hash else {}
    learned = Learned(plans, contents.policies(versions["policies"]), analogues)
    return outlook(projection, own.histories.histories(), _held(own, plans), learned)


def _held(own: CompanyInputs, plans: tuple[Plan, ...]) -> Ints:
    """The row of each company's plan, by its key; one that is not among them, such as a trial, is not known."""
    rows = {plan.plan_key: row for row, plan in enumerate(plans)}
    return np.array([rows.get(key, NOT_KNOWN) for key in own.companies["plan_key"]], dtype=np.int64)
