"""Usage made larger or smaller, so that it suits a price list that was made for other companies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ml.evaluation.plan_usage import PlanUsage
from ml.recommendation.choosers.cases import MONTH, Cases

__all__ = ["AS_IT_IS", "Scale", "usage_factor"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A factor, or with `is_median` what the median account's 30 days shall come to, in the table's unit."""

    number: float
    is_median: bool = False

    @classmethod
    def of(cls, text: str) -> "Scale":
        """`800` is what the median account shall use, `x2.5` a factor. Raises ValueError for anything else."""
        try:
            number = float(text.removeprefix("x"))
        except ValueError:
            number = 0.0
        if not 0 < number < np.inf:
            raise ValueError(f"{text!r} is no scale; write 800 for the median account's 30 days, or x2.5 for a factor.")
        return cls(number, is_median=not text.startswith("x"))


AS_IT_IS = Scale(1.0)


def usage_factor(scale: Scale, usage: PlanUsage, meter: str, cases: Sequence[Cases]) -> float:
    """What usage is to be multiplied by; the median is that of the meter's level over all the cases.

    Raises ValueError where more than half of the cases don't use the meter.
    """
    if not scale.is_median:
        return scale.number
    levels = [part.level[:, part.meters.index(meter)] for part in cases]
    median = float(np.median(np.concatenate(levels))) * MONTH / usage.units[meter]
    if not median:
        raise ValueError(f"more than half of the accounts use no {meter}; give a factor, like x2.5, as the scale.")
    return scale.number / median
