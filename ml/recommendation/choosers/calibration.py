"""From the share of scenarios to the probability of being right, learned from switches that are over."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ml.analysis.arrays import Bools, Floats

__all__ = ["UNCALIBRATED", "Calibration"]

PRIOR_CENTRE, PRIOR_SLOPE = 0.45, 0.6
"""What a share of scenarios of p is worth before anything is known: the option that looks best has often been lucky,
and scenarios are surer than they should be."""
PRIOR_STRENGTH = 500.0
"""Switches at which what was seen weighs as much as that."""
FEWEST = 30
LEAST = 0.01


@dataclass(frozen=True, slots=True)
class Calibration:
    """A non-decreasing function from raw shares to probabilities: linear between the points (`raw`, `seen`), shrunk
    towards a prior by the number of switches it was learned from."""

    raw: tuple[float, ...] = ()
    seen: tuple[float, ...] = ()
    count: int = 0

    @classmethod
    def learn(cls, raw: Floats, was_cheaper: Bools) -> "Calibration":
        """Isotonic regression (Zadrozny & Elkan 2002) of outcomes [n] on raw shares [n]."""
        if len(raw) < FEWEST:
            return cls()
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(y_min=LEAST, y_max=1 - LEAST, out_of_bounds="clip").fit(raw, was_cheaper)
        points, seen = np.round(fitted.X_thresholds_, 6), np.round(fitted.y_thresholds_, 6)
        return cls(tuple(points.tolist()), tuple(seen.tolist()), len(raw))

    def __call__(self, raw: npt.ArrayLike) -> Floats:
        """Probabilities of raw shares, in the same shape."""
        shares = np.asarray(raw, dtype=np.float64)
        prior = PRIOR_CENTRE + PRIOR_SLOPE * (shares - 0.5)
        if not self.count:
            return prior
        weight = self.count / (self.count + PRIOR_STRENGTH)
        return np.asarray(weight * np.interp(shares, self.raw, self.seen) + (1 - weight) * prior)

    def as_json(self) -> dict[str, Any]:
        """JSON-safe; `Calibration.of` reads it."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Calibration":
        """From what `as_json` gave."""
        return cls(tuple(stored["raw"]), tuple(stored["seen"]), int(stored["count"]))


UNCALIBRATED = Calibration()
