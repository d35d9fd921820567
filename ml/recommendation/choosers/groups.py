"""Plans that can take each other's place: the groups among which is learned how to choose."""

from collections.abc import Iterable

from ml.rating.plan import Plan
from ml.recommendation.options import options_for

__all__ = ["Group", "group_of", "groups_of"]

Group = tuple[str, str]
"""Currency and product."""


def group_of(plan: Plan) -> Group:
    """The group of a plan."""
    return plan.currency, plan.product


def groups_of(plans: Iterable[Plan]) -> dict[Group, tuple[Plan, ...]]:
    """By currency and product the plans on sale of which scenarios tell the cost; groups of one leave no choice."""
    groups: dict[Group, list[Plan]] = {}
    for plan in options_for(plans):
        groups.setdefault(group_of(plan), []).append(plan)
    return {group: tuple(members) for group, members in groups.items() if len(members) > 1}
