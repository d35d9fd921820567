"""The looks of an experiment: when one is due, what it shows, and whether the test ends with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ml.experiments.assignment import Arm
from ml.experiments.design import Design
from ml.experiments.effect import Effect, Outcomes, estimate, sample_ratio_p_value
from ml.experiments.spending import boundaries, stagewise_p_value

__all__ = ["FEWEST", "SAMPLE_RATIO_ALPHA", "Look", "due_step", "take_look"]

FEWEST = 20
"""Counted companies that each arm needs before anything is read: fewer have no normal mean."""
SAMPLE_RATIO_ALPHA = 0.001

Outcome = Literal["continue", "winner", "no_difference", "sample_ratio_mismatch"]


@dataclass(frozen=True, slots=True)
class Look:
    """One look. `step` of the declared looks has been reached, `fraction` of the planned companies are counted.

    Where the counts of the arms can't be chance nothing is read: `effect` is None, and no error is spent. Otherwise the
    test stops when the effect's own p-value is at most `stop_at`, and `interval` is repeated: it holds at whatever
    look the test ends (Jennison and Turnbull, JRSS B 51 (1989), 305-361). `p_value` is of the whole test, once it ends.
    """

    step: int
    counts: tuple[int, int]
    fraction: float
    sample_ratio_p_value: float
    is_final: bool
    outcome: Outcome
    effect: Effect | None = None
    stop_at: float | None = None
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    winner: Arm | None = None

    @property
    def is_read(self) -> bool:
        """Whether the effect was looked at."""
        return self.outcome != "sample_ratio_mismatch"

    @property
    def ends_the_test(self) -> bool:
        """Whether nothing is looked at any more."""
        return self.outcome in ("winner", "no_difference")


def due_step(design: Design, counts: tuple[int, int], is_over: bool, before: Sequence[Look]) -> int | None:
    """The step of the look that is due now, or None; only counts and time decide, never the effect.

    Looks are due at equal shares of the planned companies, and the last one when the time `is_over`. After a mismatch
    the same counts are not looked at again.
    """
    if before and (before[-1].ends_the_test or (not before[-1].is_read and before[-1].counts == counts)):
        return None
    reached = design.looks if is_over else min(design.looks, sum(counts) * design.looks // design.companies)
    if reached <= max((look.step for look in before if look.is_read), default=0):
        return None
    return reached if is_over or min(counts) >= FEWEST else None


def take_look(design: Design, outcomes: Outcomes, step: int, before: Sequence[Look] = ()) -> Look:
    """What the primary metric shows at a step that `due_step` has named.

    `outcomes` are of all companies whose days of observation are over; those without a denominator don't count.
    """
    counted = outcomes.counted()
    fraction, is_final = sum(counted.counts) / design.companies, step == design.looks
    ratio_p = sample_ratio_p_value(*counted.counts)
    seen = step, counted.counts, fraction, ratio_p, is_final
    if ratio_p < SAMPLE_RATIO_ALPHA:
        return Look(*seen, outcome="sample_ratio_mismatch")
    effect = estimate(counted) if min(counted.counts) >= FEWEST else None
    fractions = *(look.fraction for look in before if look.is_read), fraction
    if effect is None or (len(fractions) > 1 and fractions[-1] <= fractions[-2]):
        return Look(*seen, outcome="no_difference" if is_final else "continue")
    return _judged(design, seen, fractions, effect)


def _judged(
    design: Design, seen: tuple[int, tuple[int, int], float, float, bool], fractions: tuple[float, ...], effect: Effect
) -> Look:
    """The significance level of each boundary is compared with the p-value of t, as Jennison and Turnbull, Group
    Sequential Methods (2000), section 3.8, advise where the variance is estimated."""
    from scipy.special import ndtr, ndtri

    is_final = seen[-1]
    critical = boundaries(fractions, design.alpha, is_final)
    stop_at = 2 * float(ndtr(-critical[-1]))
    found = effect.p_value
    stops = found <= stop_at
    ends = stops or is_final
    z = -float(ndtri(found / 2)) if found else float("inf")
    return Look(
        *seen,
        outcome="winner" if stops else "no_difference" if is_final else "continue",
        effect=effect,
        stop_at=stop_at,
        interval=effect.interval(stop_at),
        p_value=stagewise_p_value(fractions, critical, z) if ends else None,
        winner=("b" if effect.value > 0 else "a") if stops else None,
    )
