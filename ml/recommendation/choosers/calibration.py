"""From the share of scenarios to the probability of being right, learned from switches that are over."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Bools, Floats, Ints

__all__ = ["Calibration"]

PRIOR_CENTRE, PRIOR_SLOPE = 0.45, 0.6
"""What a share of scenarios of p is worth before anything is known: the option that looks best has often been lucky,
and scenarios are surer than they should be."""
PRIOR_STRENGTH = 50.0
"""Independent switches at which what was seen weighs as much as that."""
SHARED = 0.01
"""Intraclass correlation of the switches of one origin: a month that is odd is odd for many at once."""
FEWEST = 30
LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Calibration:
    """A non-decreasing function from raw shares to probabilities: linear between the points (`raw`, `seen`), shrunk
    towards a prior by the number of independent switches that the `count` ones it was learned from are worth."""

    raw: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()
    count: int = 0
    independent: float = 0.0

    @classmethod
    def learn(cls, raw: Floats, was_cheaper: Bools, origins: Ints) -> "Calibration":
        """Isotonic regression (Zadrozny & Elkan 2002) of outcomes [n] on raw shares [n], `origins` [n] being the times.

        n switches of a time are worth n / (1 + (n - 1) SHARED) independent ones (the design effect; Kish 1965).
        """
        if len(raw) < FEWEST:
            return cls()
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=LEAST, y_max=1 - LEAST, out_of_bounds="clip").fit(raw, was_cheaper)
        points, seen = np.round(fitted.X_thresholds_, 6), np.round(fitted.y_thresholds_, 6)
        _, sizes = np.unique(origins, return_counts=True)
        independent = float((sizes / (1 + (sizes - 1) * SHARED)).sum())
        return cls(tuple(points.tolist()), tuple(seen.tolist()), len(raw), independent)

    def __call__(self, raw: npt.ArrayLike) -> Floats:
        """Probabilities of raw shares, in the same shape."""
        shares = np.asarray(raw, dtype=np.float64)
        prior = PRIOR_CENTRE + PRIOR_SLOPE * (shares - 0.5)
        if not self.count:
            return prior
        weight = self.independent / (self.independent + PRIOR_STRENGTH)
        return np.asarray(weight * np.interp(shares, self.raw, self.seen) + (1 - weight) * prior)

    def as_json(self) -> dict[str, Any]:
        """JSON-safe; `Calibration.of` reads it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Calibration":
        """From what `as_json` gave."""
        return cls(**{**stored, "raw": tuple(stored["raw"]), "seen": tuple(stored["seen"])})
