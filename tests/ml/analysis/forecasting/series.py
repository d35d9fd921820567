"""Made-up daily usage."""

import numpy as np

from ml.analysis.forecasting.history import History

MONDAY = np.datetime64("2026-11-02")
WEEK_SHAPE = np.array([1.3, 1.1, 1.0, 1.0, 1.2, 0.3, 0.1])


def history(quantity, ends=MONDAY, **parts) -> History:
    values = np.atleast_2d(np.asarray(quantity, dtype=float))
    return History(values, np.ones(values.shape, bool), np.repeat(np.datetime64(ends, "D"), len(values)), **parts)


def noisy(series: int, days: int, seed: int = 0, level: float = 40.0, slope: float = 0.0) -> np.ndarray:
    """Poisson counts by weekday, the last day being a Sunday; levels spread about fourfold."""
    random = np.random.default_rng(seed)
    levels = level * random.lognormal(0, 0.7, (series, 1)) * (1 + slope * np.arange(-days, 0))
    return random.poisson(levels * WEEK_SHAPE[np.arange(-days, 0) % 7]).astype(float)
