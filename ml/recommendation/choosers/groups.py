"""Plans that can take each other's place: the groups among which is learned how to choose."""

from collections.abc import Iterable
from datetime import date

from ml.rating.plan import Plan
from ml.recommendation.options import options_for

__all__ = ["Group", "group_of", "groups_of"]

Group = tuple[str, str]
"""Currency and product."""


def group_of(plan: Plan) -> Group:
    """The group of a plan."""
    return plan.currency, plan.product


def groups_of(plans: Iterable[Plan], on: date) -> dict[Group, tuple[Plan, ...]]:
    """By currency and product the plans on sale that day of which scenarios tell the cost; one alone is no choice."""
    groups: dict[Group, list[Plan]] = {}
    for plan in options_for(plans, on=on):
        groups.setdefault(group_of(plan), []).append(plan)
    return {group: tuple(members) for group, members in groups.items() if len(members) > 1}
