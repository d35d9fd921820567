"""What an experiment may track: of each company a numerator and a denominator, so that an arm's value is sum by sum."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["METRICS", "Metric"]


@dataclass(frozen=True, slots=True)
class Metric:
    """`numerator` per `denominator` of a company, within its days of observation; companies with denominator 0 don't
    count. Of a proportion the one is a part of the other; a mean has a `standard_deviation` over companies. The unit
    `currency` stands for the experiment's. `minimum_days` of observation are needed for a denominator.
    """

    kind: Literal["proportion", "mean"]
    numerator: str
    denominator: str
    unit: Literal["share", "currency"]
    minimum_days: int = 1


METRICS = {
    "acceptance": Metric("proportion", "recommendations accepted", "recommendations decided", "share"),
    "trial_conversion": Metric("proportion", "trials that became paid", "trials that ended", "share"),
    # Whatever date a company begins on, 61 days hold a whole calendar month.
    "monthly_revenue": Metric("mean", "amount rated for whole months", "whole months", "currency", 61),
}
"""By name; what each reads is in `orchestration/experiment_outcomes.py`. More is better in all of them."""
