"""The float twin of `rate`: the same prices for simulation, over arrays of any shape."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ml.rating.catalogue import Plan
from ml.rating.charges import amounts
from ml.rating.terms import check_meters

__all__ = ["monthly_cost"]


def monthly_cost(plan: Plan, usage: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Unrounded cost of each month in the plan's currency; equals `rate.exact_total` to 1e-6 relative.

    `usage` holds quantities by meter, in the meter's unit (time in seconds), whose shapes broadcast together; the
    result has their common shape. A missing meter was not used; an unknown one raises ValueError.
    """
    check_meters(usage)
    quantities = {meter: np.asarray(values, dtype=np.float64) for meter, values in usage.items()}
    shape = np.broadcast_shapes(*(values.shape for values in quantities.values()))
    cost = np.full(shape, float(plan.monthly_base_fee))
    for charge in plan.charges:
        cost += amounts(charge, quantities.get(charge.meter, np.zeros(())))
    return cost
