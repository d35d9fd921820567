"""Daily forecasts as quantiles and as scenario paths."""

from dataclasses import dataclass

import numpy as np

from ml.analysis.arrays import Floats, Ints
from ml.analysis.forecasting.errors import ErrorLibrary

__all__ = ["Forecast"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Usage of s series on the h days from their ends on.

    `point` [s, h]; `deviation` [s]: daily standard deviation; together with the errors that were made before they
    give quantiles and paths, all of them zero or more.
    """

    point: Floats
    deviation: Floats
    library: ErrorLibrary

    def rows(self, chosen: Ints) -> "Forecast":
        """Only the series in these rows."""
        return Forecast(self.point[chosen], self.deviation[chosen], self.library)

    def quantiles(self, levels: tuple[float, ...]) -> Floats:
        """Quantiles [levels, s, h] of each day."""
        errors = self.library.quantiles(self.point.shape[1], levels)
        return np.maximum(self.point + self.deviation[:, None] * errors[:, None], 0)

    def paths(self, count: int, seed: int) -> Floats:
        """Scenarios [s, count, h], reproducible from the seed; those of two series are not to be added up."""
        errors = self.library.draw(count, self.point.shape[1], seed)
        paths = self.deviation[:, None, None] * errors
        paths += self.point[:, None]
        np.maximum(paths, 0, out=paths)
        return np.multiply(paths, self.library.factor, out=paths)
