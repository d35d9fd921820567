"""How far the arms differ, and whether the companies that are counted came from both as they should."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Effect", "Outcomes", "estimate", "sample_ratio_p_value"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Of each of n companies: arm, stratum (a number for each), numerator and denominator; all arrays are [n]."""

    is_b: NDArray[np.bool_]
    stratum: NDArray[np.int64]
    numerator: Floats
    denominator: Floats

    def counted(self) -> "Outcomes":
        """Those with a denominator."""
        kept = self.denominator > 0
        return Outcomes(self.is_b[kept], self.stratum[kept], self.numerator[kept], self.denominator[kept])

    @property
    def counts(self) -> tuple[int, int]:
        """Companies in arm a and in arm b."""
        count_b = int(self.is_b.sum())
        return len(self.is_b) - count_b, count_b


@dataclass(frozen=True, slots=True)
class Effect:
    """b minus a, in the unit of the metric: `value` with its standard error and degrees of freedom.

    `arm_values` are sum of numerators / sum of denominators of a and b, not adjusted for strata.
    """

    value: float
    standard_error: float
    freedom: int
    arm_values: tuple[float, float]

    @property
    def p_value(self) -> float:
        """Two-sided, of Student's t; as if this were the only look."""
        from scipy.special import stdtr

        if not self.standard_error:
            return float(self.value == 0)
        return 2 * float(stdtr(self.freedom, -abs(self.value) / self.standard_error))

    def interval(self, level: float) -> tuple[float, float]:
        """The values that a test with a two-sided error of `level` would not reject."""
        from scipy.special import stdtrit

        reach = -float(stdtrit(self.freedom, level / 2)) * self.standard_error if self.standard_error else 0.0
        return self.value - reach, self.value + reach


def estimate(outcomes: Outcomes) -> Effect | None:
    """The difference of the arms within strata; None while there are too few companies for a standard error.

    The ratio is linearised, y = (numerator - ratio of both arms x denominator) / mean denominator (Deng, Knoblich and
    Lu, KDD 2018, delta method), and regressed on the arm and the strata, with a variance that is robust to unequal
    spreads (HC1): exact for balanced stratified assignment, Bugni, Canay and Shaikh, JASA 113 (2018), 1784-1796.
    """
    strata = np.unique(outcomes.stratum, return_inverse=True)[1]
    arm = outcomes.is_b.astype(np.float64)
    denominator = outcomes.denominator
    ratio = outcomes.numerator.sum() / denominator.sum()
    y = (outcomes.numerator - ratio * denominator) / denominator.mean()
    within_arm, within_y = _within(arm, strata), _within(y, strata)
    # A stratum in which one arm has nobody tells nothing.
    telling = np.bincount(strata, within_arm**2)[strata] > 0
    freedom = int(telling.sum()) - len(np.unique(strata[telling])) - 1
    weight = float(within_arm @ within_arm)
    if freedom < 1 or not weight:
        return None
    value = float(within_arm @ within_y) / weight
    residual = (within_y - value * within_arm)[telling]
    spread = float(np.sum((within_arm[telling] * residual) ** 2)) * telling.sum() / freedom
    return Effect(value, float(np.sqrt(spread)) / weight, freedom, (_ratio(outcomes, False), _ratio(outcomes, True)))


def sample_ratio_p_value(count_a: int, count_b: int) -> float:
    """The exact two-sided binomial p-value of two counts that should be halves.

    Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD 2019. Blocks keep the counts
    closer together than single draws would, so it errs to the side of no alarm.
    """
    from scipy.special import bdtr

    total = count_a + count_b
    return min(1.0, 2 * float(bdtr(min(count_a, count_b), total, 0.5))) if total else 1.0


def _within(values: Floats, strata: NDArray[np.int64]) -> Floats:
    """The values less the mean of their stratum."""
    means = np.bincount(strata, values) / np.bincount(strata)
    within: Floats = values - means[strata]
    return within


def _ratio(outcomes: Outcomes, is_b: bool) -> float:
    chosen = outcomes.is_b == is_b
    total = float(outcomes.denominator[chosen].sum())
    return float(outcomes.numerator[chosen].sum()) / total if total else float("nan")
