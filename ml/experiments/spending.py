"""When a test may stop: boundaries that spend the error of the first kind over the looks that are declared.

The statistic of look k, at the share t of the information that is planned, behaves like a Brownian motion B(t) divided
by sqrt(t). What has not crossed a boundary so far has a density, which is carried from look to look by numerical
integration (Armitage, McPherson and Rowe 1969; Jennison and Turnbull, Group Sequential Methods, 2000, chapter 19).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["boundaries", "crossing_probabilities", "drift_for_power", "spent_alpha", "stagewise_p_value"]

Floats = NDArray[np.float64]
Fractions = tuple[float, ...]

NODES = 256
"""Of the integration between two boundaries; looks that are 1/1000 of the information apart are still told apart."""
HIGHEST = 40.0
"""A boundary, in standard deviations, that nothing reaches."""


def spent_alpha(fraction: float, alpha: float) -> float:
    """How much of a two-sided `alpha` may be spent up to a share t of the information.

    On each side the first function of Lan and DeMets, Biometrika 70 (1983), 659-663, for alpha / 2, whose boundaries
    are like those of O'Brien and Fleming, high at first: together 4 (1 - Phi(z / sqrt(t))), z the quantile of
    1 - alpha / 4.
    """
    from scipy.special import ndtr, ndtri

    share = min(1.0, fraction)
    return 4 * float(ndtr(ndtri(alpha / 4) / np.sqrt(share))) if share > 0 else 0.0


@lru_cache(maxsize=4096)
def boundaries(fractions: Fractions, alpha: float, is_final: bool = False) -> Fractions:
    """The |z| of each look from which on the test stops.

    `fractions` are shares of the planned information, ascending; they may differ from the planned ones, as long as what
    was seen did not choose them. A final look spends all that is left, whatever its share is.

    Raises:
        ValueError: when the shares do not ascend from above 0.
    """
    _require_ascending(fractions)
    path, found, before = _Path.start(), list[float](), 0.0
    for look, fraction in enumerate(fractions, 1):
        spent = alpha if is_final and look == len(fractions) else spent_alpha(fraction, alpha)
        bound = path.bound(fraction, spent - before)
        path, before = path.inside(fraction, bound), spent
        found.append(bound / float(np.sqrt(fraction)))
    return tuple(found)


def crossing_probabilities(fractions: Sequence[float], critical: Sequence[float], drift: float = 0.0) -> Fractions:
    """The probability of stopping at each look, when the statistic at full information is normal around `drift`."""
    path, found = _Path.start(drift), list[float]()
    for fraction, z in zip(fractions, critical, strict=True):
        bound = z * float(np.sqrt(fraction))
        found.append(path.beyond(fraction, bound))
        path = path.inside(fraction, bound)
    return tuple(found)


def stagewise_p_value(fractions: Sequence[float], critical: Sequence[float], z: float) -> float:
    """The two-sided p-value of a test that ended at its last look with the statistic `z`.

    The probability, without any difference, to stop at an earlier look, or at this one with as much or more: the
    stage-wise ordering of Tsiatis, Rosner and Mehta, Biometrics 40 (1984), 797-803. `critical` are the boundaries of
    the earlier looks. It is at most alpha if and only if the last boundary was reached.
    """
    earlier = fractions[:-1]
    return min(1.0, sum(crossing_probabilities(fractions, [*critical[: len(earlier)], abs(z)])))


@lru_cache(maxsize=64)
def drift_for_power(looks: int, alpha: float, power: float) -> float:
    """The drift at which a test with equally spaced looks stops with probability `power`; z + z without interim looks.

    The sample size is in proportion to its square.
    """
    from scipy.optimize import brentq

    fractions = tuple((look + 1) / looks for look in range(looks))
    critical = boundaries(fractions, alpha, True)
    return float(brentq(lambda drift: sum(crossing_probabilities(fractions, critical, drift)) - power, 0.0, 20.0))


@dataclass(frozen=True)
class _Path:
    """Where the process is at `at`, if it has crossed no boundary: `masses` at `nodes`, together less than 1."""

    nodes: Floats
    masses: Floats
    at: float
    drift: float

    @classmethod
    def start(cls, drift: float = 0.0) -> "_Path":
        return cls(np.zeros(1), np.ones(1), 0.0, drift)

    def beyond(self, to: float, bound: float) -> float:
        """The probability to lie outside of (-bound, bound) at `to`, having crossed nothing before."""
        from scipy.special import ndtr

        mean, spread = self._step(to)
        return float(self.masses @ (ndtr((mean - bound) / spread) + ndtr((-bound - mean) / spread)))

    def bound(self, to: float, probability: float) -> float:
        """The bound beyond which as much lies as `probability`."""
        from scipy.optimize import brentq

        highest = HIGHEST * float(np.sqrt(to))
        if probability <= 0:
            return highest
        return float(brentq(lambda bound: self.beyond(to, bound) - probability, 0.0, highest, xtol=1e-10))

    def inside(self, to: float, bound: float) -> "_Path":
        """What is left at `to` after those beyond the bound have stopped."""
        mean, spread = self._step(to)
        # Nothing lies further out than 9 standard deviations; nodes there would be wasted.
        reach = min(bound, 9 * float(np.sqrt(to)) + abs(self.drift) * to)
        unit, weights = _nodes()
        nodes = reach * unit
        density = self.masses @ np.exp(-0.5 * ((nodes - mean[:, None]) / spread) ** 2) / (spread * np.sqrt(2 * np.pi))
        return _Path(nodes, reach * weights * density, to, self.drift)

    def _step(self, to: float) -> tuple[Floats, float]:
        return self.nodes + self.drift * (to - self.at), float(np.sqrt(to - self.at))


@lru_cache(maxsize=1)
def _nodes() -> tuple[Floats, Floats]:
    unit, weights = np.polynomial.legendre.leggauss(NODES)
    return unit, weights


def _require_ascending(fractions: Fractions) -> None:
    if not fractions or fractions[0] <= 0 or any(after <= before for before, after in pairwise(fractions)):
        raise ValueError(f"shares of information {fractions} do not ascend; each look needs more than the one before")
