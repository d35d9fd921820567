"""What is looked at in a history of daily usage, so that it can be compared with others of any size."""

import numpy as np

from ml.analysis.arrays import Floats, ratio
from ml.analysis.forecasting.history import WEEK

__all__ = ["features_of"]

RECENT_DAYS = (3, 7, 14, 28)


def features_of(quantity: Floats) -> Floats:
    """Features [n, f] of the daily usage [n, m, d] of m meters over d days, all meters' side by side.

    Per meter: log of the mean day; means of the latest days and of the earlier half, deviation, and weekly deviation,
    least and largest week, each relative to it; share of days and of weeks with usage, days since the first and the
    last use, and the share of the largest day. Zeros where a meter was not used.
    """
    return np.concatenate([_of_meter(quantity[:, meter]) for meter in range(quantity.shape[1])], axis=1)


def _of_meter(quantity: Floats) -> Floats:
    days = quantity.shape[1]
    level = quantity.mean(axis=1)
    used = quantity > 0
    weeks = quantity[:, days % WEEK :].reshape(len(quantity), days // WEEK, WEEK).sum(axis=2)
    relative = [quantity[:, -recent:].mean(axis=1) for recent in RECENT_DAYS if recent < days]
    relative += [quantity[:, : days // 2].mean(axis=1), quantity.std(axis=1), quantity.max(axis=1) / days]
    relative += [weeks.std(axis=1) / WEEK, weeks.min(axis=1) / WEEK, weeks.max(axis=1) / WEEK]
    columns = [
        np.log(np.maximum(level, 1e-12)),
        *(ratio(figure, level, otherwise=0) for figure in relative),
        used.mean(axis=1),
        (weeks > 0).mean(axis=1),
        np.where(used.any(axis=1), used.argmax(axis=1), days),
        np.where(used.any(axis=1), used[:, ::-1].argmax(axis=1), days),
    ]
    return np.column_stack(columns)
