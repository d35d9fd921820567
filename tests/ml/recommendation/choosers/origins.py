"""Origins made by hand: what each plan cost, and what each family advised."""

from collections.abc import Mapping

import numpy as np

from ml.recommendation.choosers.outcomes import Origin, Trial


def origin(
    costs: np.ndarray, held: np.ndarray, trials: Mapping[str, Trial], age: int = 60, is_regular: bool = True
) -> Origin:
    count = costs.shape[1]
    return Origin(age, 28, (), np.arange(count), costs, held, np.full(count, is_regular), trials)


def advice(chosen, raw=0.9, saving_share=0.2) -> Trial:
    """The same odds and saving for everybody, unless there is one for each."""
    rows = np.asarray(chosen)
    return Trial(rows, np.broadcast_to(saving_share, rows.shape), np.broadcast_to(raw, rows.shape))


def lottery(count: int, seed: int = 0, families=("last_month",)) -> Origin:
    """Two plans; everybody is on the first and told to change; it is dearer or cheaper by chance, less often so where
    the share of scenarios is larger."""
    random = np.random.default_rng(seed)
    raw = random.uniform(0, 1, count)
    other = 100 + np.where(random.random(count) < raw, -1, 1) * random.uniform(0, 60, count)
    trial = advice(np.ones(count, dtype=int), raw, random.uniform(0, 0.3, count))
    return origin(np.stack([np.full(count, 100.0), other]), np.zeros(count, dtype=int), dict.fromkeys(families, trial))
